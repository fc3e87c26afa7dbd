package dev.sluice.postgres;

import dev.sluice.domain.Key;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.KeyType;
import dev.sluice.domain.TableDefinition.Generation;
import dev.sluice.domain.TableName;
import dev.sluice.postgres.ChangeBatch.Remove;
import io.vertx.mutiny.sqlclient.Tuple;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * One statement and its parameters. Values travel as arrays of text, one array a column, and PostgreSQL reads each as
 * it would read a literal: whatever type a column has, its text is exact.
 */
record ApplyStatement(String sql, Tuple parameters) {

    /** Deletes the rows of these keys, whatever the options say of that. */
    static ApplyStatement delete(DestinationTable table, List<Key> keys) {
        return new ApplyStatement(
                "DELETE FROM " + table.rows() + " t USING " + keyRows(table, 1) + " WHERE " + sameKey(table, "c", 0),
                tuple(keyArrays(table, keys)));
    }

    /** Takes the rows of these keys away: deletes them, or marks them as gone. */
    static ApplyStatement remove(DestinationTable table, List<Remove> gone) {
        List<Key> keys = gone.stream().map(Remove::key).toList();
        if (table.carried().softDelete().isEmpty()) {
            return delete(table, keys);
        }
        SoftDeletion mark = table.carried().softDelete().get();
        List<String[]> values = keyArrays(table, keys);
        values.add(gone.stream().map(Remove::millis).map(String::valueOf).toArray(String[]::new));
        return new ApplyStatement(
                "UPDATE " + table.rows() + " t SET " + mark.column() + " = " + mark.gone(time(table.key().size()))
                        + " FROM " + unnest(1, values.size()) + " WHERE " + sameKey(table, "c", 0) + " AND "
                        + mark.isLive("t."),
                tuple(values));
    }

    /** Takes those of the rows away that do not fulfil the table's condition as they are at the destination. */
    static ApplyStatement removeUnfulfilled(DestinationTable table, Remove row) {
        ApplyStatement remove = remove(table, List.of(row));
        String fulfils = table.carried().fulfils(column -> "t." + TableName.quote(column));
        return new ApplyStatement(remove.sql() + " AND NOT (" + fulfils + ")", remove.parameters());
    }

    /**
     * Takes those rows away that are not to be there as they are written now.
     *
     * @param columns written columns of the table, its key among them
     */
    static ApplyStatement removeUnfulfilled(
            DestinationTable table, List<String> columns, List<String[]> values, List<String> millis) {
        List<String[]> all = new ArrayList<>(values);
        all.add(millis.toArray(String[]::new));
        String keys = sameRow(table, columns);
        String unfulfilled = " WHERE " + keys + " AND NOT (" + fulfils(table, columns) + ")";
        String target = table.rows() + " t";
        String rows = unnest(1, all.size());
        return new ApplyStatement(
                table.carried().softDelete()
                        .map(mark -> "UPDATE " + target + " SET " + mark.column() + " = "
                                + mark.gone(time(columns.size())) + " FROM " + rows + unfulfilled + " AND "
                                + mark.isLive("t."))
                        .orElse("DELETE FROM " + target + " USING " + rows + unfulfilled),
                tuple(all));
    }

    /** Deletes the rows in whose place others come that are to be there. */
    static ApplyStatement deleteFulfilled(DestinationTable table, List<String> columns, List<String[]> values) {
        return new ApplyStatement(
                "DELETE FROM " + table.rows() + " t USING " + rows(columns.size()) + " WHERE "
                        + sameRow(table, columns) + " AND " + fulfils(table, columns),
                tuple(values));
    }

    /** Asks whether a row fulfils the table's condition, of which it has all columns. */
    static ApplyStatement fulfils(DestinationTable table, List<String> columns, List<String[]> values) {
        return new ApplyStatement("SELECT " + fulfils(table, columns) + " FROM " + rows(columns.size()), tuple(values));
    }

    private static String fulfils(DestinationTable table, List<String> columns) {
        return table.carried().fulfils(column -> "u.c" + columns.indexOf(column));
    }

    private static String time(int place) {
        return SoftDeletion.time("u.c" + place + "::int8");
    }

    private static String isLive(DestinationTable table) {
        return table.carried().softDelete().map(mark -> " AND " + mark.isLive("t.")).orElse("");
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
                        + isLive(table) + " FOR UPDATE OF t",
                tuple(keyArrays(table, List.of(key))));
    }

    /**
     * Inserts rows, or updates those that are there; of a table with a condition, those that fulfil it.
     *
     * @param columns written columns of the table, its key among them
     */
    static ApplyStatement upsert(DestinationTable table, List<String> columns, List<String[]> values) {
        List<String> names = columns.stream().map(TableName::quote).collect(Collectors.toCollection(ArrayList::new));
        List<String> given = IntStream.range(0, columns.size())
                .mapToObj(i -> cast(table, columns.get(i), i))
                .collect(Collectors.toCollection(ArrayList::new));
        List<String> updates = columns.stream()
                .filter(column -> isUpdatable(table, column))
                .map(column -> TableName.quote(column) + " = EXCLUDED." + TableName.quote(column))
                .collect(Collectors.toCollection(ArrayList::new));
        table.carried().softDelete().ifPresent(mark -> {
            names.add(mark.column());
            given.add(mark.live());
            updates.add(mark.column() + " = " + mark.live());
        });
        // The alias: a table may be called «excluded», which then stands for two.
        return new ApplyStatement(
                "INSERT INTO " + table.name().sql() + " AS t (" + String.join(", ", names)
                        + ") OVERRIDING SYSTEM VALUE SELECT " + String.join(", ", given) + " FROM "
                        + rows(columns.size())
                        + (table.isFiltered() ? " WHERE " + fulfils(table, columns) : "")
                        + " ON CONFLICT (" + quoted(table.keyColumns()) + ") DO "
                        + (updates.isEmpty() ? "NOTHING" : "UPDATE SET " + String.join(", ", updates)),
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
        return new ApplyStatement(
                "UPDATE " + table.rows() + " t SET " + sets + " FROM " + rows(columns.size()) + " WHERE "
                        + sameRow(table, columns) + isLive(table),
                tuple(values));
    }

    /** Whether a row of the table has the key of a written one. */
    private static String sameRow(DestinationTable table, List<String> columns) {
        return table.keyColumns().stream()
                .map(column -> "t." + TableName.quote(column) + " = " + cast(table, column, columns.indexOf(column)))
                .collect(Collectors.joining(" AND "));
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

    /** As {@link #move}, where the new key equals the old one and is another text; else it does nothing. */
    static ApplyStatement moveToEqual(DestinationTable table, Key from, List<String> columns, List<String[]> values) {
        ApplyStatement move = move(table, from, columns, values);
        return new ApplyStatement(move.sql() + " AND " + sameRow(table, columns), move.parameters());
    }

    /**
     * Makes a row under another key of what the row of a key has, and what else changed. That row stays and is marked
     * already; the new one is not.
     *
     * @param columns written columns that the change has a value for, the key among them
     */
    static ApplyStatement copy(DestinationTable table, Key from, List<String> columns, List<String[]> values) {
        List<String[]> all = new ArrayList<>(values);
        all.addAll(keyArrays(table, List.of(from)));
        Optional<SoftDeletion> mark = table.carried().softDelete();
        List<String> written = table.columns().entrySet().stream()
                .filter(column -> column.getValue().isWritten())
                .map(Map.Entry::getKey)
                .toList();
        String given = written.stream()
                .map(column -> {
                    if (mark.filter(marking -> marking.column().equals(TableName.quote(column))).isPresent()) {
                        return mark.get().live();
                    }
                    return columns.contains(column)
                            ? cast(table, column, columns.indexOf(column))
                            : "t." + TableName.quote(column);
                })
                .collect(Collectors.joining(", "));
        return new ApplyStatement(
                "INSERT INTO " + table.name().sql() + " (" + quoted(written) + ") OVERRIDING SYSTEM VALUE SELECT " + given
                        + " FROM " + table.rows() + " t, " + rows(all.size()) + " WHERE "
                        + sameKey(table, "c", columns.size()),
                tuple(all));
    }

    static ApplyStatement truncate(DestinationTable table) {
        return new ApplyStatement("TRUNCATE TABLE " + table.rows(), Tuple.tuple());
    }

    /** Takes the rows of a range away except those of some keys: deletes them, or marks them as gone. */
    static ApplyStatement clear(DestinationTable table, KeyRange range, List<Key> except, long millis) {
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
        String clear = table.carried().softDelete()
                .map(mark -> {
                    conditions.add(mark.isLive("t."));
                    return "UPDATE " + table.rows() + " t SET " + mark.column() + " = "
                            + mark.gone(SoftDeletion.time(millis + "::int8"));
                })
                .orElse("DELETE FROM " + table.rows() + " t");
        String where = conditions.isEmpty() ? "" : " WHERE " + String.join(" AND ", conditions);
        return new ApplyStatement(clear + where, tuple(values));
    }

    /**
     * Reads some columns of rows of the source as text, the types' own, as it is captured; each row after the place of
     * its key in the list, from 1 on.
     */
    static ApplyStatement readSource(DestinationTable table, List<String> columns, List<Key> keys) {
        String texts = columns.stream()
                .map(column -> "t." + TableName.quote(column))
                .map(column -> ", CASE WHEN " + column + " IS NOT DISTINCT FROM NULL THEN NULL ELSE concat(" + column
                        + ") END")
                .collect(Collectors.joining());
        return atSource(table, texts, keys);
    }

    /** How many bytes some columns of rows of the source have as they are stored; after the place of the row's key. */
    static ApplyStatement sizesAtSource(DestinationTable table, List<String> columns, List<Key> keys) {
        String bytes = columns.stream()
                .map(column -> "coalesce(pg_column_size(t." + TableName.quote(column) + "), 0)::int8")
                .collect(Collectors.joining(" + ", ", ", ""));
        return atSource(table, bytes, keys);
    }

    private static ApplyStatement atSource(DestinationTable table, String selected, List<Key> keys) {
        int width = table.key().size();
        String numberedKeys = "unnest(" + parameters(1, width) + ") WITH ORDINALITY AS u(" + names(width) + ", place)";
        return new ApplyStatement(
                "SELECT u.place" + selected + " FROM " + table.sourceRows() + " t, " + numberedKeys + " WHERE "
                        + sameKey(table, "c", 0),
                tuple(keyArrays(table, keys)));
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
        return "unnest(" + parameters(firstParameter, columns) + ") AS u(" + names(columns) + ")";
    }

    private static String parameters(int first, int count) {
        return IntStream.range(first, first + count)
                .mapToObj(i -> "$" + i + "::text[]")
                .collect(Collectors.joining(", "));
    }

    private static String names(int count) {
        return IntStream.range(0, count).mapToObj(i -> "c" + i).collect(Collectors.joining(", "));
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
