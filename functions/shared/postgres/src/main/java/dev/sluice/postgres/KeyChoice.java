package dev.sluice.postgres;

import dev.sluice.domain.Fault;
import dev.sluice.domain.TableName;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Which key a table is followed by: one that names a row, and that every change of the table carries (R1). Pure.
 *
 * <p>The primary key; where the table has an index as its replica identity, that one; with REPLICA IDENTITY FULL and no
 * primary key, a unique index over NOT NULL columns; or the columns that the user has named.
 */
final class KeyChoice {

    private static final String AT_SOURCE = " at the source";

    private KeyChoice() {}

    /**
     * An index of the table that is valid and has neither a predicate nor expressions.
     *
     * @param isWalkable whether it is a btree that gives the rows in the order of its columns
     * @param columns in its order, without those that are only included
     */
    record Index(
            String name,
            boolean isPrimary,
            boolean isReplicaIdentity,
            boolean isUnique,
            boolean isImmediate,
            boolean isWalkable,
            List<IndexColumn> columns) {

        Index {
            columns = List.copyOf(columns);
        }

        /** Whether texts that are different keys of the index are different keys of the table. */
        boolean isInOwnOrder() {
            return columns.stream().allMatch(IndexColumn::inOwnOrder);
        }

        List<String> names() {
            return columns.stream().map(IndexColumn::name).toList();
        }
    }

    /**
     * @param inOwnOrder whether the index has the column in the column's own collation
     * @param byCodePoint whether it has it in one that orders by code point
     * @param isUnranged whether its type, like hstore, is ordered by other operators than {@code <} and {@code <=}: then
     *     no index helps to read a range
     */
    record IndexColumn(String name, boolean inOwnOrder, boolean byCodePoint, boolean isUnranged) {}

    sealed interface Result {

        /** @param columns in the order of their index */
        record Keyed(List<String> columns) implements Result {
            public Keyed {
                columns = List.copyOf(columns);
            }
        }

        /** Nothing names a row; but each change carries the whole of it. */
        record Keyless() implements Result {}

        record Refused(Fault fault) implements Result {}
    }

    /**
     * @param replicaIdentity as {@code pg_class.relreplident} has it
     * @param notNull the columns that are never NULL
     * @param named by the user; the order is that of an index, and this one if an index has it
     */
    static Result of(
            TableName table,
            String replicaIdentity,
            List<Index> indexes,
            Set<String> notNull,
            Optional<List<String>> named) {
        Optional<Index> primary = indexes.stream().filter(Index::isPrimary).findFirst();
        Optional<Index> identity = switch (replicaIdentity) {
            case "d" -> primary;
            case "i" -> indexes.stream().filter(Index::isReplicaIdentity).findFirst();
            default -> Optional.empty();
        };
        boolean isFull = replicaIdentity.equals("f");
        if (!isFull && identity.isEmpty()) {
            return refused(withoutIdentity(table, replicaIdentity), toFull(table));
        }
        if (identity.isPresent() && !identity.get().isInOwnOrder()) {
            return refused(
                    "the index " + identity.get().name() + ", the replica identity of " + table
                            + ", has another collation than its columns, so it need not name one row",
                    toFull(table));
        }
        if (identity.isPresent() && !identity.get().isImmediate()) {
            return refused(
                    "the primary key of " + table + " is deferrable, so it cannot name the rows of a change: every "
                            + "UPDATE and DELETE would fail once it is captured",
                    "make it anew without DEFERRABLE, or " + toFull(table));
        }
        if (named.isPresent()) {
            return ofNamed(table, indexes, notNull, named.get(), identity);
        }
        if (identity.isPresent()) {
            return new Result.Keyed(identity.get().names());
        }
        if (primary.filter(Index::isImmediate).isPresent()) {
            return new Result.Keyed(primary.get().names());
        }
        // By name, so that an index that is built anew does not change the choice.
        return indexes.stream()
                .filter(index -> names(index, notNull))
                .min(Comparator.<Index>comparingInt(index -> index.columns().size()).thenComparing(Index::name))
                .<Result>map(index -> new Result.Keyed(index.names()))
                .orElseGet(Result.Keyless::new);
    }

    private static Result ofNamed(
            TableName table,
            List<Index> indexes,
            Set<String> notNull,
            List<String> named,
            Optional<Index> identity) {
        String columns = quoted(named);
        Optional<Index> index = indexes.stream()
                .filter(candidate ->
                        candidate.isUnique() && candidate.isImmediate() && candidate.isInOwnOrder())
                .filter(candidate -> candidate.columns().size() == named.size()
                        && Set.copyOf(candidate.names()).equals(Set.copyOf(named)))
                .min(Comparator.<Index, Boolean>comparing(candidate -> !candidate.names().equals(named))
                        .thenComparing(Index::name));
        if (index.isEmpty()) {
            return refused(
                    "no immediate unique index of " + table + " is over exactly the columns (" + columns
                            + ") that are named as its key",
                    "run CREATE UNIQUE INDEX CONCURRENTLY ON " + table.sql() + " (" + columns + ")" + AT_SOURCE
                            + ", or name other columns");
        }
        Optional<String> nullable = index.get().names().stream().filter(name -> !notNull.contains(name)).findFirst();
        if (nullable.isPresent()) {
            return refused(
                    "the column " + TableName.quote(nullable.get()) + " of " + table
                            + " is named as part of its key and may be NULL",
                    "run ALTER TABLE " + table.sql() + " ALTER COLUMN " + TableName.quote(nullable.get())
                            + " SET NOT NULL" + AT_SOURCE);
        }
        if (identity.isPresent() && !identity.get().names().containsAll(named)) {
            return refused(
                    "the replica identity of " + table + " does not have all of the columns (" + columns
                            + ") that are named as its key, so a DELETE would not carry them",
                    toFull(table));
        }
        if (identity.isPresent() && !Set.copyOf(named).containsAll(identity.get().names())) {
            // A change of the other columns is a key change to capture, which parts the row into a delete and an insert.
            return refused(
                    "the replica identity of " + table + " has more columns than those (" + columns
                            + ") that are named as its key",
                    "name all of them, or " + toFull(table));
        }
        return new Result.Keyed(index.get().names());
    }

    /** Whether a unique index names each row. */
    private static boolean names(Index index, Set<String> notNull) {
        return index.isUnique()
                && index.isImmediate()
                && index.isInOwnOrder()
                && notNull.containsAll(index.names());
    }

    private static String withoutIdentity(TableName table, String replicaIdentity) {
        String fails = ": every UPDATE and DELETE would fail once it is captured";
        return switch (replicaIdentity) {
            case "n" -> table + " has REPLICA IDENTITY NOTHING" + fails;
            case "i" -> table + " has an index as REPLICA IDENTITY that is gone or cannot be used" + fails;
            default -> table + " has no primary key, and no other REPLICA IDENTITY" + fails;
        };
    }

    private static String toFull(TableName table) {
        return "run ALTER TABLE " + table.sql() + " REPLICA IDENTITY FULL" + AT_SOURCE;
    }

    private static String quoted(List<String> names) {
        return names.stream().map(TableName::quote).collect(Collectors.joining(", "));
    }

    private static Result refused(String reason, String hint) {
        return new Result.Refused(Fault.refused(reason, hint));
    }
}
