package dev.sluice.systemtests;

import dev.sluice.domain.Fault;
import dev.sluice.domain.TableName;
import dev.sluice.systemtests.RandomKinds.Kind;
import dev.sluice.systemtests.RandomTable.Column;
import dev.sluice.systemtests.RandomTable.Partitioning;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/** Changes of a {@link RandomTable} itself, as {@code functions/docs/schema-changes.md} lists them. */
final class RandomAlterations {

    private final RandomTable table;
    private final Random random;
    private final String alter;
    /** A column has a value for rows that are older than it, and no default that tells VACUUM FULL from an ALTER of it. */
    private boolean lostDefault;

    RandomAlterations(RandomTable table) {
        this.table = table;
        this.random = RandomTable.of(table.seed, 3);
        this.alter = "ALTER TABLE " + table.name.sql() + " ";
    }

    /** What the fault of a table may say. Between its words stand names and types, which may hold anything. */
    enum Reason {
        ADDED_ANEW("the definition of the table was changed at the source: the column .* was added and the table written "
                + "anew, so its rows got values that no change tells"),
        ALTERED_ANEW("the definition of the table was changed at the source: the column .* was altered and the table "
                + "written anew( \\(.* became .*\\))?, which sends no changes"),
        NAME_USED_BEFORE("the definition of the table was changed at the source: the name .* was the name of another "
                + "column before, and the queue does not tell them apart"),
        /** By a column that had it for too short a time. */
        NAME_MAYBE_USED_BEFORE("the definition of the table was changed at the source: the name .* may have been the name of "
                + "a column that came and went at once, and the queue does not tell them apart"),
        /** At the destination, where a new backfill meets the column that had the name before. */
        OTHER_TYPE("the column .* of .* has type .* at the destination, into which values of type .* may not fit"),
        KEY_RENAMED("the definition of the table was changed at the source: the key's column .* was renamed to .*"),
        /** A new backfill met it first. */
        KEY_MISSING("the key's column .* is not at the destination's table .*"),
        /** Just before its chunks were planned. */
        KEY_GONE("planning chunks of .*: column .* does not exist \\[SQLSTATE 42703\\]"),
        /** A column that had the name for too short a time. */
        NAME_NEVER_SEEN("the source's column .* is not at the destination's table .*"),
        PARTITIONS_DIFFER("the definition of the table was changed at the source: the column .* was added, and older rows "
                + "of one partition have another value in it than those of the next"),
        PARTITION_WRITTEN_ANEW("(the partition .*|every partition) was rewritten, by TRUNCATE.*"),
        PARTITION_GONE("the partition .* was detached or dropped, .*");

        private final Pattern text;

        Reason(String text) {
            this.text = Pattern.compile(text);
        }

        boolean isOf(Fault fault) {
            return text.matcher(fault.reason()).matches();
        }
    }

    /**
     * @param mayFailFor none if the table must not fail for it, if everything before it has been followed
     * @param statements to be run one after the other, each by itself
     */
    record Alteration(Set<Reason> mayFailFor, List<String> statements) {

        private static Alteration followed(String... statements) {
            return new Alteration(Set.of(), List.of(statements));
        }
    }

    /** What two alterations may be taken for of which the first was not followed before the second was made. */
    Set<Reason> together() {
        Set<Reason> reasons = EnumSet.of(
                Reason.ADDED_ANEW, Reason.ALTERED_ANEW, Reason.NAME_NEVER_SEEN, Reason.NAME_MAYBE_USED_BEFORE);
        if (table.isPartitioned()) {
            reasons.add(Reason.PARTITIONS_DIFFER);
        }
        return reasons;
    }

    /** What new storage is taken for, which each partition has by itself. */
    private Set<Reason> writtenAnew(Reason... reasons) {
        Set<Reason> all = EnumSet.noneOf(Reason.class);
        all.addAll(List.of(reasons));
        if (lostDefault) {
            all.add(Reason.ALTERED_ANEW);
        }
        if (table.isPartitioned()) {
            all.add(Reason.PARTITION_WRITTEN_ANEW);
        }
        return all;
    }

    Alteration next() {
        while (true) {
            Optional<Alteration> made = random.nextInt(7) == 0 ? notFollowed() : followed();
            if (made.isPresent()) {
                return made.get();
            }
        }
    }

    private Optional<Alteration> followed() {
        return switch (random.nextInt(15)) {
            case 0, 1 -> Optional.of(add(random.nextInt(4)));
            case 2 -> Optional.of(add(3));
            case 3 -> addGenerated();
            case 4, 5 -> drop();
            case 6, 7 -> rename();
            case 8 -> widen();
            case 9 -> change(column -> table.columns.get(column).notNull()).map(column -> {
                table.columns.put(column, new Column(table.columns.get(column).kind(), false));
                return Alteration.followed(alter + "ALTER COLUMN " + TableName.quote(column) + " DROP NOT NULL");
            });
            case 10 -> Optional.of(newStorage("VACUUM (FULL) " + table.name.sql()));
            case 11 -> table.key.isEmpty()
                    ? Optional.empty()
                    : clusterable() ? Optional.of(newStorage("CLUSTER " + table.name.sql() + " USING " + table.index("key")))
                    : Optional.empty();
            case 12 -> Optional.of(newStorage("TRUNCATE " + table.name.sql()));
            case 13 -> change(column -> true).map(column -> Alteration.followed(
                    alter + "ALTER COLUMN " + TableName.quote(column) + " SET DEFAULT "
                            + table.columns.get(column).kind().constant(random).orElse("NULL"),
                    "COMMENT ON COLUMN " + table.name.sql() + "." + TableName.quote(column) + " IS 'nothing'",
                    alter + "ALTER COLUMN " + TableName.quote(column) + " SET STATISTICS 7"));
            default -> table.canAddPartition()
                    ? Optional.of(addPartition())
                    : Optional.of(Alteration.followed("ANALYZE " + table.name.sql(), "CREATE INDEX ON " + table.name.sql()
                            + " ((1))"));
        };
    }

    /** CLUSTER takes no index that orders by expressions or leaves rows out; every key's index will do. */
    private boolean clusterable() {
        return !table.isPartitioned();
    }

    private Alteration add(int how) {
        String column = table.newName();
        Kind kind = RandomKinds.any(random);
        Optional<String> constant = kind.constant(random);
        while (constant.isEmpty()) {
            kind = RandomKinds.any(random);
            constant = kind.constant(random);
        }
        table.columns.put(column, new Column(kind, how == 2));
        String value = constant.get();
        String definition = alter + "ADD COLUMN " + TableName.quote(column) + " " + kind.type();
        boolean losesDefault = how == 3 && random.nextInt(4) == 0;
        lostDefault |= losesDefault;
        return new Alteration(RandomKinds.isCheckedDomain(kind) ? writtenAnew(Reason.ADDED_ANEW) : Set.of(), switch (how) {
            case 0, 1 -> List.of(definition);
            case 2 -> List.of(definition + " NOT NULL DEFAULT " + value);
            default -> losesDefault
                    ? List.of(
                            definition + " DEFAULT " + value,
                            alter + "ALTER COLUMN " + TableName.quote(column) + " DROP DEFAULT")
                    : List.of(definition + " DEFAULT " + value);
        });
    }

    private Optional<Alteration> addGenerated() {
        if (table.base.isEmpty() || table.identity.isFull() || table.isPartitioned()) {
            return Optional.empty();
        }
        String column = table.newName();
        table.generated.add(column);
        return Optional.of(newStorage(alter + "ADD COLUMN " + TableName.quote(column) + " bigint GENERATED ALWAYS AS ("
                + TableName.quote(table.base.get()) + "::bigint + " + random.nextInt(100) + ") "
                + (random.nextBoolean() ? "STORED" : "VIRTUAL")));
    }

    private Optional<Alteration> drop() {
        boolean isLast = table.columns.size() == 1 && table.key.isEmpty();
        return isLast || !table.canLoseColumns() ? Optional.empty() : change(column -> true).map(column -> {
            table.columns.remove(column);
            return Alteration.followed(alter + "DROP COLUMN " + TableName.quote(column));
        });
    }

    private Optional<Alteration> rename() {
        return !table.canLoseColumns() ? Optional.empty() : change(column -> true).map(column -> {
            String to = table.newName();
            table.columns.put(to, table.columns.remove(column));
            return Alteration.followed(alter + "RENAME COLUMN " + TableName.quote(column) + " TO " + TableName.quote(to));
        });
    }

    private Optional<Alteration> widen() {
        return change(column -> table.columns.get(column).kind().wider().isPresent()).map(column -> {
            Kind wider = table.columns.get(column).kind().wider().orElseThrow();
            table.columns.put(column, new Column(wider, table.columns.get(column).notNull()));
            return Alteration.followed(alter + "ALTER COLUMN " + TableName.quote(column) + " TYPE " + wider.type());
        });
    }

    private Alteration newStorage(String statement) {
        return new Alteration(writtenAnew(), List.of(statement));
    }

    private Alteration addPartition() {
        String statement = table.addPartition();
        // Together: in between, changes of its rows could not be captured.
        return Alteration.followed(table.identity.isFull()
                ? statement + "; ALTER TABLE " + table.partitions.getLast() + " REPLICA IDENTITY FULL"
                : statement);
    }

    private Optional<Alteration> notFollowed() {
        return switch (random.nextInt(7)) {
            case 0 -> {
                String column = table.newName();
                table.columns.put(column, new Column(
                        new Kind("double precision", List.of("1.5::float8", "'NaN'::float8", "-0.0::float8")), false));
                yield Optional.of(new Alteration(writtenAnew(Reason.ADDED_ANEW), List.of(
                        alter + "ADD COLUMN " + TableName.quote(column) + " double precision DEFAULT random()")));
            }
            case 1 -> change(column -> table.columns.get(column).kind().type().equals("integer")).map(column -> {
                table.columns.put(column, new Column(
                        new Kind("bigint", List.of("9223372036854775807", "(-1)")), table.columns.get(column).notNull()));
                return new Alteration(writtenAnew(Reason.ALTERED_ANEW), List.of(
                        alter + "ALTER COLUMN " + TableName.quote(column) + " TYPE bigint"));
            });
            case 2 -> change(column -> table.columns.get(column).kind().type().equals("text"))
                    .map(column -> new Alteration(writtenAnew(Reason.ALTERED_ANEW), List.of(
                            alter + "ALTER COLUMN " + TableName.quote(column) + " TYPE text USING upper("
                                    + TableName.quote(column) + ")")));
            case 3 -> !table.canLoseColumns() ? Optional.empty() : change(column -> true).map(column -> {
                Kind kind = RandomKinds.any(random);
                table.columns.put(column, new Column(kind, false));
                Set<Reason> reasons = EnumSet.of(Reason.NAME_USED_BEFORE, Reason.OTHER_TYPE);
                if (RandomKinds.isCheckedDomain(kind)) {
                    reasons.addAll(writtenAnew());
                }
                return new Alteration(reasons, List.of(alter + "DROP COLUMN " + TableName.quote(column) + ", ADD COLUMN "
                        + TableName.quote(column) + " " + kind.type()));
            });
            case 4 -> renameKey();
            case 5 -> {
                String added = add(3).statements().getFirst();
                yield Optional.of(new Alteration(
                        writtenAnew(Reason.ADDED_ANEW), List.of(added, "VACUUM (FULL) " + table.name.sql())));
            }
            default -> table.isPartitioned() ? Optional.of(ofPartition()) : Optional.empty();
        };
    }

    private Optional<Alteration> renameKey() {
        if (table.key.isEmpty() || !table.options.isNone() || table.isPartitioned()) {
            return Optional.empty();
        }
        String column = table.key.keySet().iterator().next();
        String to = table.newName();
        table.renameKey(column, to);
        return Optional.of(new Alteration(
                Set.of(Reason.KEY_RENAMED, Reason.KEY_MISSING, Reason.KEY_GONE),
                List.of(alter + "RENAME COLUMN " + TableName.quote(column) + " TO " + TableName.quote(to))));
    }

    private Alteration ofPartition() {
        String partition = table.partitions.get(random.nextInt(table.partitions.size()));
        if (random.nextBoolean() || table.partitioning == Partitioning.HASH) {
            return new Alteration(Set.of(Reason.PARTITION_WRITTEN_ANEW), List.of("TRUNCATE " + partition));
        }
        table.partitions.remove(partition);
        return new Alteration(
                Set.of(Reason.PARTITION_GONE),
                List.of(alter + "DETACH PARTITION " + partition, "DROP TABLE " + partition));
    }

    /** A column that something may become of. */
    private Optional<String> change(Predicate<String> which) {
        List<String> names = table.columns.keySet().stream()
                .filter(column -> !table.isFixed(column))
                .filter(which)
                .toList();
        return names.isEmpty() ? Optional.empty() : Optional.of(names.get(random.nextInt(names.size())));
    }
}
