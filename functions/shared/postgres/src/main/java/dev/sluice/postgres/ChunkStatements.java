package dev.sluice.postgres;

import dev.sluice.domain.Fault;
import dev.sluice.domain.Key;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.KeyType;
import dev.sluice.domain.MissingRows;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableDefinition.Column;
import dev.sluice.domain.TableDefinition.Generation;
import dev.sluice.domain.TableDefinition.KeyColumn;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.postgres.DefinitionQuery.ColumnOrder;
import dev.sluice.postgres.DefinitionQuery.Reading;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/**
 * The statements that copy one key range, made from the definitions of both tables. Pure: what cannot work is known
 * here, before a row is read.
 *
 * @param source the source's table, with the order in which the range is compared (R10)
 * @param read {@code COPY … TO STDOUT} of the range at the source
 * @param writeFresh {@code COPY … FROM STDIN} into the destination's table, for a range without rows
 * @param anyRow whether the destination has a row in the range
 * @param deleteRange for a range that is known to be empty at the source (R8); empty: what is there stays
 * @param replace for a range that has rows; empty for a table without a key, whose rows all go before
 */
record ChunkStatements(
        TableDefinition source,
        CopyFormat format,
        String read,
        String writeFresh,
        String anyRow,
        Optional<String> deleteRange,
        Optional<Replace> replace) {

    private static final String STAGED = "pg_temp.sluice_chunk";

    /**
     * Makes the range what the source has, and leaves rows alone that are equal.
     *
     * @param stage makes the temporary table
     * @param write {@code COPY … FROM STDIN} into it
     * @param index on its key, so that the comparison never has to guess how large it is
     * @param delete rows of the range that the source does not have, or marks them; and those that are inserted anew
     *     because they cannot be updated. May be empty
     * @param upsert rows that differ or are not there yet
     */
    record Replace(String stage, String write, String index, List<String> delete, String upsert) {}

    /** Either the statements, or why there are none. */
    sealed interface Result {
        record Possible(ChunkStatements statements) implements Result {}

        record Impossible(Fault fault) implements Result {}
    }

    /**
     * @param salt present if a column is hashed
     * @param missing what becomes of rows of the range that the source does not have
     */
    static Result of(
            KeyRange range,
            Reading sourceTable,
            TableOptions options,
            Optional<HashSalt> salt,
            Reading destinationTable,
            MissingRows missing) {
        KeyAgreement.Result agreement = KeyAgreement.of(sourceTable, destinationTable.orders());
        TableDefinition source = agreement.definition();
        var carried = new CarriedTable(source, options, salt);
        TableDefinition destination = destinationTable.definition();
        Map<String, Column> there = new HashMap<>();
        destination.columns().forEach(column -> there.put(column.name(), column));

        Optional<Fault> fault = misfit(carried, destination, there);
        if (fault.isPresent()) {
            return new Result.Impossible(fault.get());
        }
        if (agreement instanceof KeyAgreement.Result.Undecided undecided && !range.equals(KeyRange.ALL)) {
            return new Result.Impossible(undecided.fault());
        }

        List<Column> copied = carried.copiedColumns();
        List<String> names = copied.stream().map(Column::name).toList();
        CopyFormat format = carried.isPlain() ? CopyFormat.between(copied, there) : CopyFormat.TEXT;
        String columns = list(names, UnaryOperator.identity());
        String atSource = condition(range, source.key(), Map.of(), types(source), "");
        String atDestination =
                condition(range, source.key(), destinationTable.orders(), types(destination), "d.");
        String target = destination.table().sql();
        String rows = RowsOf.table(destination);

        return new Result.Possible(new ChunkStatements(
                source,
                format,
                "COPY (SELECT "
                        + names.stream().map(name -> carried.read(name, "")).collect(Collectors.joining(", "))
                        + " FROM " + RowsOf.table(source) + " WHERE " + atSource
                        + (carried.hasCondition() ? " AND " + carried.condition() : "") + ") TO STDOUT "
                        + format.sql(),
                "COPY " + target + " (" + columns + ") FROM STDIN " + format.sql(),
                "SELECT EXISTS (SELECT FROM " + rows + " AS d WHERE " + atDestination + ")",
                missing == MissingRows.KEEP
                        ? Optional.empty()
                        : Optional.of(carried.softDelete()
                                .map(mark -> mark(rows, mark) + atDestination)
                                .orElse("DELETE FROM " + rows + " AS d WHERE " + atDestination)),
                source.key().isEmpty()
                        ? Optional.empty()
                        : Optional.of(replace(format, carried, destination, there, names, atDestination, missing))));
    }

    /** The beginning of a statement that marks live rows as gone, up to a further condition. */
    private static String mark(String rows, SoftDeletion mark) {
        return "UPDATE " + rows + " AS d SET " + mark.column() + " = " + mark.gone("pg_catalog.now()") + " WHERE "
                + mark.isLive("d.") + " AND ";
    }

    private static Replace replace(
            CopyFormat format,
            CarriedTable carried,
            TableDefinition destination,
            Map<String, Column> there,
            List<String> names,
            String range,
            MissingRows missing) {
        String target = destination.table().sql();
        String rows = RowsOf.table(destination);
        String columns = list(names, UnaryOperator.identity());
        TableDefinition source = carried.source();
        List<String> key = source.keyColumns();
        List<String> loose = source.key().stream()
                .filter(DestinationTable::isLoose)
                .map(KeyColumn::name)
                .filter(name -> there.get(name).generation() != Generation.IDENTITY_ALWAYS)
                .toList();
        // Keys that are equal need not be the same: 1.0 and 1.00.
        List<String> rest = names.stream()
                .filter(name -> !key.contains(name) || loose.contains(name))
                .toList();
        String sameKey = key.stream()
                .map(TableName::quote)
                .map(column -> "c." + column + " = d." + column)
                .collect(Collectors.joining(" AND "));
        // The binary image tells rows apart that have no equality (json, xml, point) or too generous a one (1.0 and
        // 1.00, -0 and 0).
        // The cast keeps PostgreSQL from comparing column by column.
        UnaryOperator<String> image = prefix -> "ROW(" + list(names, column -> prefix + column) + ")::record";
        // PostgreSQL updates no column that is GENERATED ALWAYS: such a row is deleted and inserted.
        boolean updatable = rest.stream().noneMatch(name -> there.get(name).generation() == Generation.IDENTITY_ALWAYS);
        String sameImage = image.apply("c.") + " OPERATOR(pg_catalog.*=) " + image.apply("d.");
        String inChunk = "EXISTS (SELECT FROM " + STAGED + " AS c WHERE " + sameKey;
        Optional<SoftDeletion> mark = carried.softDelete();
        List<String> deletes = new ArrayList<>();
        if (!updatable) {
            deletes.add("DELETE FROM " + rows + " AS d WHERE " + range + " AND " + inChunk + ") AND NOT " + inChunk
                    + " AND " + sameImage + ")");
        }
        if (missing == MissingRows.DELETE) {
            deletes.add(mark.map(marking -> mark(rows, marking)).orElse("DELETE FROM " + rows + " AS d WHERE ") + range
                    + " AND NOT " + inChunk + ")");
        }
        List<String> sets = new ArrayList<>();
        if (updatable) {
            rest.stream().map(TableName::quote).forEach(column -> sets.add(column + " = excluded." + column));
        }
        mark.ifPresent(marking -> sets.add(marking.column() + " = " + marking.live()));
        String onConflict = sets.isEmpty()
                ? "DO NOTHING"
                : "DO UPDATE SET " + String.join(", ", sets) + " WHERE "
                        + image.apply("d.") + " OPERATOR(pg_catalog.*<>) " + image.apply("excluded.")
                        + mark.map(marking -> " OR NOT (" + marking.isLive("d.") + ")").orElse("");
        return new Replace(
                // Made from a query, its columns take the destination's types but neither NOT NULL nor defaults.
                "CREATE TEMPORARY TABLE sluice_chunk ON COMMIT DROP AS SELECT " + columns + " FROM " + target
                        + " WITH NO DATA",
                "COPY " + STAGED + " (" + columns + ") FROM STDIN " + format.sql(),
                "CREATE INDEX ON " + STAGED + " (" + list(key, UnaryOperator.identity()) + ")",
                List.copyOf(deletes),
                "INSERT INTO " + target + " AS d (" + columns + ") OVERRIDING SYSTEM VALUE SELECT " + columns
                        + " FROM " + STAGED + " ON CONFLICT (" + list(key, UnaryOperator.identity()) + ") "
                        + onConflict);
    }

    private static Optional<Fault> misfit(
            CarriedTable carried,
            TableDefinition destination,
            Map<String, Column> there) {
        TableDefinition source = carried.source();
        for (Column column : carried.copiedColumns()) {
            Column target = there.get(column.name());
            if (target == null) {
                return Optional.of(Fault.refused(
                        "column " + column.name() + " of " + source.table() + " is not in the destination's table "
                                + destination.table(),
                        "Add the column there with type " + column.type() + "; then retry."));
            }
            if (!target.isCopied()) {
                return Optional.of(Fault.refused(
                        "column " + column.name() + " is generated in the destination's table "
                                + destination.table() + ", but the source has values of its own for it",
                        "Make it an ordinary column there; then retry."));
            }
        }
        return Optional.empty();
    }

    /** The range as a row comparison, which an index on the key answers. */
    static String condition(
            KeyRange range,
            List<KeyColumn> key,
            Map<String, ColumnOrder> orders,
            Map<String, String> types,
            String prefix) {
        String columns = key.stream()
                .map(column -> prefix + TableName.quote(column.name()) + collation(column, orders))
                .collect(Collectors.joining(", "));
        List<String> conditions = new ArrayList<>();
        range.after().ifPresent(after -> conditions.add("(" + columns + ") > " + row(after, key, types)));
        range.upTo().ifPresent(upTo -> conditions.add("(" + columns + ") <= " + row(upTo, key, types)));
        return conditions.isEmpty() ? "true" : String.join(" AND ", conditions);
    }

    /** Only where it must be: an index in the column's own collation does not serve another. */
    static String collation(KeyColumn column, Map<String, ColumnOrder> orders) {
        ColumnOrder order = orders.get(column.name());
        boolean foreign = column.type().equals(Optional.of(KeyType.TEXT)) && order != null && !order.byCodePoint();
        return foreign || column.collation().isPresent() ? " COLLATE " + KeyAgreement.CODE_POINT : "";
    }

    private static String row(Key values, List<KeyColumn> key, Map<String, String> types) {
        if (values.values().size() != key.size()) {
            throw new IllegalArgumentException(
                    "the key has " + key.size() + " columns, the range's end " + values.values().size());
        }
        List<String> literals = new ArrayList<>();
        for (int i = 0; i < key.size(); i++) {
            literals.add(literal(values.values().get(i)) + "::" + types.get(key.get(i).name()));
        }
        return "(" + String.join(", ", literals) + ")";
    }

    /** In a form that means the same whatever {@code standard_conforming_strings} is. */
    static String literal(String text) {
        return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'";
    }

    static Map<String, String> types(TableDefinition table) {
        return table.columns().stream().collect(Collectors.toMap(Column::name, Column::type));
    }

    private static String list(List<String> names, UnaryOperator<String> each) {
        return names.stream().map(TableName::quote).map(each).collect(Collectors.joining(", "));
    }
}
