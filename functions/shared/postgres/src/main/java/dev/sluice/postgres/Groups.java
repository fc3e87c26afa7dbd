package dev.sluice.postgres;

import dev.sluice.domain.Change.Cell;
import dev.sluice.domain.Key;
import dev.sluice.domain.TableDefinition;
import dev.sluice.postgres.ChangeBatch.Write;
import dev.sluice.postgres.DestinationTable.Column;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/** Writes that one statement can do together: those that carry the same columns. */
final class Groups {

    private final DestinationTable table;
    private final Map<Shape, List<Write>> writes = new LinkedHashMap<>();

    Groups(DestinationTable table) {
        this.table = table;
    }

    /**
     * @param columns of the destination that the row carries a value for, the key's included
     * @param partial whether it leaves a value as it is (R13)
     */
    record Shape(List<String> columns, boolean partial) {}

    /** @throws RefusedException if the row has a column that the destination lacks */
    void add(Write write) {
        writes.computeIfAbsent(shape(table, write.row()), shape -> new ArrayList<>()).add(write);
    }

    /** The keys of rows that are inserted where they are not there. */
    Stream<Key> upserted() {
        return writes.entrySet().stream()
                .filter(group -> !group.getKey().partial())
                .flatMap(group -> group.getValue().stream())
                .map(Write::key);
    }

    List<ApplyStatement> statements() {
        return writes.entrySet().stream()
                .flatMap(group -> {
                    List<String> columns = group.getKey().columns();
                    List<String[]> values = arrays(table, columns, group.getValue());
                    if (group.getKey().partial()) {
                        if (table.isFiltered()) {
                            throw new IllegalStateException("a row with values left out is written on its own");
                        }
                        return Stream.of(ApplyStatement.update(table, columns, values));
                    }
                    ApplyStatement upsert = ApplyStatement.upsert(table, columns, values);
                    if (!table.isFiltered()) {
                        return Stream.of(upsert);
                    }
                    List<String> millis =
                            group.getValue().stream().map(Write::millis).map(String::valueOf).toList();
                    ApplyStatement remove = ApplyStatement.removeUnfulfilled(table, columns, values, millis);
                    return table.hasFixedIdentity()
                            ? Stream.of(remove, ApplyStatement.deleteFulfilled(table, columns, values), upsert)
                            : Stream.of(remove, upsert);
                })
                .filter(statement -> !statement.sql().isEmpty())
                .toList();
    }

    static Shape shape(DestinationTable table, Map<String, Cell> row) {
        table.carried().requireConditionColumns(row);
        List<String> columns = new ArrayList<>(row.size());
        boolean partial = false;
        for (Map.Entry<String, Cell> cell : row.entrySet()) {
            if (isWritten(table, cell.getKey())) {
                if (!(cell.getValue() instanceof Cell.Unchanged) || table.isKey(cell.getKey())) {
                    columns.add(cell.getKey());
                } else {
                    partial = true;
                }
            }
        }
        return new Shape(columns, partial);
    }

    /**
     * The columns of the source that the destination takes.
     *
     * @throws RefusedException if it lacks one of them, or if the destination has not followed the source's definition:
     *     a name may be that of another column by now
     */
    static List<String> columns(DestinationTable table, Optional<DefinitionQuery.Reading> source) {
        TableDefinition definition = source
                .orElseThrow(() -> new RefusedException(
                        "the source has no table " + table.source() + " any more",
                        "Start a new backfill of the table once it is there again, or remove it."))
                .definition();
        if (table.names().fingerprint().filter(known -> !known.equals(definition.fingerprint())).isPresent()) {
            throw new RefusedException(
                    "the definition of " + table.source() + " changed at the source, and a row of it has to be read",
                    "Send retry once the destination has followed the change; if it cannot, start a new backfill.");
        }
        return definition.copiedColumns()
                .stream()
                .map(TableDefinition.Column::name)
                .filter(column -> table.carried().isCarried(column) && isWritten(table, column))
                .toList();
    }

    /** The columns of a row that the destination takes. */
    static List<String> columns(DestinationTable table, Map<String, Cell> row) {
        return row.keySet().stream().filter(column -> isWritten(table, column)).toList();
    }

    private static boolean isWritten(DestinationTable table, String name) {
        Column column = table.columns().get(name);
        if (column == null) {
            throw new RefusedException(
                    "the source's column " + name + " is not at the destination's table " + table.name(),
                    "Add the column there (ALTER TABLE … ADD COLUMN); then retry.");
        }
        return column.isWritten();
    }

    /** One array a column; a key's values are taken from the key. */
    static List<String[]> arrays(DestinationTable table, List<String> columns, List<Write> rows) {
        List<String> key = table.keyColumns();
        List<String[]> arrays = new ArrayList<>(columns.size());
        for (String column : columns) {
            int place = key.indexOf(column);
            String[] values = new String[rows.size()];
            for (int i = 0; i < values.length; i++) {
                Write write = rows.get(i);
                values[i] = place >= 0 ? write.key().values().get(place) : text(write.row().get(column));
                requireLength(table, column, values[i]);
            }
            arrays.add(values);
        }
        return arrays;
    }

    private static void requireLength(DestinationTable table, String name, String value) {
        OptionalInt lengthMax = table.columns().get(name).lengthMax();
        if (value != null
                && lengthMax.isPresent()
                && value.length() > lengthMax.getAsInt()
                && value.codePointCount(0, value.length()) > lengthMax.getAsInt()) {
            throw new RefusedException(
                    "a value is too long for the column " + name + " of the destination's table " + table.name()
                            + ", which takes " + lengthMax.getAsInt() + " characters",
                    "Give the column the source's type; then retry.");
        }
    }

    private static String text(Cell cell) {
        return switch (cell) {
            case Cell.Text text -> text.text();
            case Cell.Null ignored -> null;
            case Cell.Unchanged ignored -> throw new IllegalStateException("an unchanged value is not written");
        };
    }
}
