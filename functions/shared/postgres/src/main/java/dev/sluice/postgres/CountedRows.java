package dev.sluice.postgres;

import dev.sluice.domain.Change.Cell;
import dev.sluice.domain.TableName;
import dev.sluice.postgres.ChangeBatch.Counts.Count;
import io.vertx.mutiny.sqlclient.Tuple;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The statements that give a table without a key more or fewer rows of some values. Values are compared as PostgreSQL's
 * own text of the whole row: json has no equality, and that of numbers takes 1.0 for 1.00.
 */
record CountedRows(ApplyStatement statement, boolean deletes, int rows) {

    /** Rows that go first; each statement is one scan of the table, however many rows it deletes. */
    static List<CountedRows> of(DestinationTable table, List<Count> counts) {
        Map<List<String>, List<Count>> gone = new LinkedHashMap<>();
        Map<List<String>, List<Count>> there = new LinkedHashMap<>();
        for (Count count : counts) {
            (count.net() < 0 ? gone : there)
                    .computeIfAbsent(Groups.columns(table, count.row()), columns -> new ArrayList<>())
                    .add(count);
        }
        List<CountedRows> statements = new ArrayList<>();
        gone.forEach((columns, rows) -> statements.add(
                new CountedRows(delete(table, columns, rows), true, rows.stream().mapToInt(row -> -row.net()).sum())));
        there.forEach((columns, rows) -> statements.add(
                new CountedRows(insert(table, columns, rows), false, rows.stream().mapToInt(Count::net).sum())));
        return statements;
    }

    private static ApplyStatement delete(DestinationTable table, List<String> columns, List<Count> rows) {
        String image = columns.stream()
                .map(column -> "t." + TableName.quote(column))
                .collect(Collectors.joining(", ", "ROW(", ")::text"));
        return new ApplyStatement(
                "WITH gone AS (SELECT ROW(" + casts(table, columns) + ")::text AS image, u.n, u.place FROM "
                        + unnest(columns) + "), found AS (SELECT t.tableoid AS part, t.ctid AS at, gone.n, row_number() "
                        + "OVER (PARTITION BY gone.place) AS nth FROM " + table.rows() + " t JOIN gone ON gone.image = " + image
                        + ") DELETE FROM " + table.rows() + " t USING found WHERE t.tableoid = found.part AND t.ctid = found.at "
                        + "AND found.nth <= found.n",
                tuple(columns, rows));
    }

    private static ApplyStatement insert(DestinationTable table, List<String> columns, List<Count> rows) {
        return new ApplyStatement(
                "INSERT INTO " + table.name().sql() + " ("
                        + columns.stream().map(TableName::quote).collect(Collectors.joining(", "))
                        + ") OVERRIDING SYSTEM VALUE SELECT " + casts(table, columns) + " FROM " + unnest(columns)
                        + ", generate_series(1, u.n)",
                tuple(columns, rows));
    }

    private static String casts(DestinationTable table, List<String> columns) {
        return IntStream.range(0, columns.size())
                .mapToObj(i -> table.columns().get(columns.get(i)).read("u.c" + i))
                .collect(Collectors.joining(", "));
    }

    private static String unnest(List<String> columns) {
        return IntStream.rangeClosed(1, columns.size())
                        .mapToObj(i -> "$" + i + "::text[]")
                        .collect(Collectors.joining(", ", "unnest(", ", $" + (columns.size() + 1) + "::int4[])"))
                + " WITH ORDINALITY AS u ("
                + IntStream.range(0, columns.size()).mapToObj(i -> "c" + i).collect(Collectors.joining(", "))
                + ", n, place)";
    }

    private static Tuple tuple(List<String> columns, List<Count> rows) {
        Tuple tuple = Tuple.tuple();
        for (String column : columns) {
            tuple.addArrayOfString(rows.stream().map(row -> text(row.row().get(column))).toArray(String[]::new));
        }
        return tuple.addArrayOfInteger(rows.stream().map(row -> Math.abs(row.net())).toArray(Integer[]::new));
    }

    private static String text(Cell cell) {
        return switch (cell) {
            case Cell.Text text -> text.text();
            case Cell.Null ignored -> null;
            case Cell.Unchanged ignored -> throw new IllegalStateException("an unchanged value names no row");
        };
    }
}
