package dev.sluice.postgres;

import dev.sluice.domain.Key;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.KeyType;
import dev.sluice.domain.TableDefinition.Generation;
import dev.sluice.domain.TableName;
import io.vertx.mutiny.sqlclient.Tuple;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * One statement and its parameters. Values travel as arrays of text, one array a column, and PostgreSQL reads each as
 * it would read a literal: whatever type a column has, its text is exact.
 */
record ApplyStatement(String sql, Tuple parameters) {

    /** Deletes the rows of these keys. */
    static ApplyStatement delete(DestinationTable table, List<Key> keys) {
        return new ApplyStatement(
                "DELETE FROM " + table.rows() + " t USING " + keyRows(table, 1) + " WHERE " + sameKey(table, "c", 0),
                tuple(keyArrays(table, keys)));
    }

    /** Deletes the row of one key, unless that equals the other: keys of different text may (1.0 and 1.00). */
    static ApplyStatement deleteUnlessEqual(DestinationTable table, Key key, Key other) {
        int size = table.key().size();
        List<String[]> values = new ArrayList<>(keyArrays(table, List.of(key)));
        values.addAll(keyArrays(table, List.of(other)));
        return new ApplyStatement(
                "DELETE FROM " + table.rows() + " t USING " + rows(2 * size) + " WHERE " + sameKey(table, "c", 0)
                        + " AND NOT (" + sameKey(table, "c", size) + ")",
                tuple(values));
    }

    /** Finds and locks the row of a key. */
    static ApplyStatement lock(DestinationTable table, Key key) {
        return new ApplyStatement(
                "SELECT 1 FROM " + table.rows() + " t, " + keyRows(table, 1) + " WHERE " + sameKey(table, "c", 0)
                        + " FOR UPDATE OF t",
                tuple(keyArrays(table, List.of(key))));
    }

    /**
     * Inserts rows, or updates those that are there.
     *
     * @param columns written columns of the table, its key among them
     */
    static ApplyStatement upsert(DestinationTable table, List<String> columns, List<String[]> values) {
        String updates = columns.stream()
                .filter(column -> isUpdatable(table, column))
                .map(column -> TableName.quote(column) + " = EXCLUDED." + TableName.quote(column))
                .collect(Collectors.joining(", "));
        // The alias: a table may be called «excluded», which then stands for two.
        return new ApplyStatement(
                "INSERT INTO " + table.name().sql() + " AS t (" + quoted(columns) + ") OVERRIDING SYSTEM VALUE SELECT "
                        + IntStream.range(0, columns.size())
                                .mapToObj(i -> cast(table, columns.get(i), i))
                                .collect(Collectors.joining(", "))
                        + " FROM " + rows(columns.size()) + " ON CONFLICT (" + quoted(table.keyColumns()) + ") DO "
                        + (updates.isEmpty() ? "NOTHING" : "UPDATE SET " + updates),
                tuple(values));
    }

    /** Updates the rows that are there. Without a column to set there is nothing to do: empty text. */
    static ApplyStatement update(DestinationTable table, List<String> columns, List<String[]> values) {
        String sets = IntStream.range(0, columns.size())
                .filter(i -> isUpdatable(table, columns.get(i)))
                .mapToObj(i -> TableName.quote(columns.get(i)) + " = " + cast(table, columns.get(i), i))
                .collect(Collectors.joining(", "));
        if (sets.isEmpty()) {
            return new ApplyStatement("", Tuple.tuple());
        }
        String keys = table.keyColumns().stream()
                .map(column -> "t." + TableName.quote(column) + " = " + cast(table, column, columns.indexOf(column)))
                .collect(Collectors.joining(" AND "));
        return new ApplyStatement(
                "UPDATE " + table.rows() + " t SET " + sets + " FROM " + rows(columns.size()) + " WHERE " + keys,
                tuple(values));
    }

    /** Gives one row another key, and what else changed. */
    static ApplyStatement move(DestinationTable table, Key from, List<String> columns, List<String[]> values) {
        List<String[]> all = new ArrayList<>(values);
        all.addAll(keyArrays(table, List.of(from)));
        String sets = IntStream.range(0, columns.size())
                .filter(i -> table.isKey(columns.get(i)) || isUpdatable(table, columns.get(i)))
                .mapToObj(i -> TableName.quote(columns.get(i)) + " = " + cast(table, columns.get(i), i))
                .collect(Collectors.joining(", "));
        return new ApplyStatement(
                "UPDATE " + table.rows() + " t SET " + sets + " FROM " + rows(all.size()) + " WHERE "
                        + sameKey(table, "c", columns.size()),
                tuple(all));
    }

    static ApplyStatement truncate(DestinationTable table) {
        return new ApplyStatement("TRUNCATE TABLE " + table.rows(), Tuple.tuple());
    }

    /** Deletes the rows of a range except those of some keys. */
    static ApplyStatement clear(DestinationTable table, KeyRange range, List<Key> except) {
        List<String[]> values = new ArrayList<>();
        List<String> conditions = new ArrayList<>();
        // In the order in which the ranges were made, whatever order the destination's index has (R10).
        String columns = table.key().stream()
                .map(column -> "t." + TableName.quote(column.name())
                        + column.collation()
                                .or(() -> column.type()
                                        .filter(KeyType.TEXT::equals)
                                        .map(text -> KeyAgreement.CODE_POINT))
                                .map(collation -> " COLLATE " + collation)
                                .orElse(""))
                .collect(Collectors.joining(", ", "ROW(", ")"));
        range.after().ifPresent(low -> conditions.add(columns + " > " + bound(table, low, values)));
        range.upTo().ifPresent(high -> conditions.add(columns + " <= " + bound(table, high, values)));
        if (!except.isEmpty()) {
            conditions.add("NOT EXISTS (SELECT FROM " + keyRows(table, values.size() + 1) + " WHERE "
                    + sameKey(table, "c", 0) + ")");
            values.addAll(keyArrays(table, except));
        }
        String where = conditions.isEmpty() ? "" : " WHERE " + String.join(" AND ", conditions);
        return new ApplyStatement("DELETE FROM " + table.rows() + " t" + where, tuple(values));
    }

    /** Reads some columns of one row of the source as text. */
    static ApplyStatement readSource(DestinationTable table, List<String> columns, Key key) {
        return new ApplyStatement(
                "SELECT " + columns.stream()
                                .map(column -> "t." + TableName.quote(column) + "::text")
                                .collect(Collectors.joining(", "))
                        + " FROM " + table.sourceRows() + " t, " + keyRows(table, 1) + " WHERE "
                        + sameKey(table, "c", 0),
                tuple(keyArrays(table, List.of(key))));
    }

    private static boolean isUpdatable(DestinationTable table, String column) {
        return (!table.isKey(column) || table.isLoose(column))
                && table.columns().get(column).generation() != Generation.IDENTITY_ALWAYS;
    }

    private static String bound(DestinationTable table, Key key, List<String[]> values) {
        List<String> parts = new ArrayList<>();
        for (int i = 0; i < key.values().size(); i++) {
            values.add(new String[] {key.values().get(i)});
            parts.add(table.columns().get(table.key().get(i).name()).read("($" + values.size() + "::text[])[1]"));
        }
        return "ROW(" + String.join(", ", parts) + ")";
    }

    /** The rows of a FROM clause: {@code unnest(…) AS u(c0, c1, …)}. */
    private static String rows(int columns) {
        return unnest(1, columns);
    }

    private static String keyRows(DestinationTable table, int firstParameter) {
        return unnest(firstParameter, table.key().size());
    }

    private static String unnest(int firstParameter, int columns) {
        return IntStream.range(firstParameter, firstParameter + columns)
                        .mapToObj(i -> "$" + i + "::text[]")
                        .collect(Collectors.joining(", ", "unnest(", ")"))
                + IntStream.range(0, columns).mapToObj(i -> "c" + i).collect(Collectors.joining(", ", " AS u(", ")"));
    }

    private static String sameKey(DestinationTable table, String prefix, int first) {
        return IntStream.range(0, table.key().size())
                .mapToObj(i -> {
                    String column = table.key().get(i).name();
                    return "t." + TableName.quote(column) + " = "
                            + table.columns().get(column).read("u." + prefix + (first + i));
                })
                .collect(Collectors.joining(" AND "));
    }

    private static String cast(DestinationTable table, String column, int place) {
        return table.columns().get(column).read("u.c" + place);
    }

    private static String quoted(List<String> columns) {
        return columns.stream().map(TableName::quote).collect(Collectors.joining(", "));
    }

    private static List<String[]> keyArrays(DestinationTable table, List<Key> keys) {
        List<String[]> arrays = new ArrayList<>();
        for (int column = 0; column < table.key().size(); column++) {
            String[] values = new String[keys.size()];
            for (int row = 0; row < values.length; row++) {
                values[row] = keys.get(row).values().get(column);
            }
            arrays.add(values);
        }
        return arrays;
    }

    private static Tuple tuple(List<String[]> arrays) {
        Tuple tuple = Tuple.tuple();
        arrays.forEach(tuple::addArrayOfString);
        return tuple;
    }
}
