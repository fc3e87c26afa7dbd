package dev.sluice.systemtests;

import dev.sluice.domain.TableName;
import dev.sluice.systemtests.RandomKinds.KeyKind;
import dev.sluice.systemtests.RandomTable.Column;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;

/**
 * Changes of the rows of a {@link RandomTable}, each made for the columns that it has by then. Which rows, and which
 * values they get, follows from the seed and from the rows, never from their places.
 */
final class RandomChanges {

    private final RandomTable table;
    private final Random random;

    RandomChanges(RandomTable table) {
        this.table = table;
        this.random = RandomTable.of(table.seed, 2);
    }

    sealed interface Change {

        record Sql(String text) implements Change {}

        /** Many rows in few WAL records: what {@code select} gives is copied into the table. */
        record Copy(String select, String into) implements Change {}
    }

    Change next() {
        return switch (random.nextInt(16)) {
            case 0, 1 -> insert(1 + random.nextInt(8));
            case 2 -> copy(1 + random.nextInt(8));
            case 3, 4, 5 -> delete(1 + random.nextInt(8));
            case 6 -> random.nextInt(4) == 0 ? delete(60) : insert(20);
            case 7, 8 -> table.key.isEmpty() || table.needsOverriding() ? insert(2) : update(keySets(), 1 + random.nextInt(5));
            case 9 -> flip();
            case 10 -> beside();
            case 11 -> table.columns.isEmpty() ? delete(1) : update(sets(), 30);
            default -> table.columns.isEmpty() ? insert(1) : update(sets(), 1 + random.nextInt(6));
        };
    }

    Change insert(int rows) {
        Map<String, String> values = values();
        String overriding = table.needsOverriding() ? "OVERRIDING SYSTEM VALUE " : "";
        return new Change.Sql(values.isEmpty()
                ? "INSERT INTO " + table.name.sql() + " DEFAULT VALUES"
                : "INSERT INTO " + table.name.sql() + " (" + String.join(", ", values.keySet()) + ") " + overriding
                        + select(values, rows) + " ON CONFLICT DO NOTHING");
    }

    private Change copy(int rows) {
        Map<String, String> values = values();
        return values.isEmpty()
                ? insert(1)
                : new Change.Copy(
                        select(values, rows), table.name.sql() + " (" + String.join(", ", values.keySet()) + ")");
    }

    private Map<String, String> values() {
        Map<String, String> values = new LinkedHashMap<>();
        table.key.forEach((column, kind) -> values.put(TableName.quote(column), kind.expression()));
        table.beside.forEach((column, kind) -> values.put(
                TableName.quote(column),
                table.identity.hasPrimaryKeyBeside()
                        ? kind.expression()
                        : "CASE WHEN n % 4 = 0 THEN " + oneOfFew(kind) + " END"));
        table.columns.forEach((column, of) -> {
            // One that is left out takes its default.
            if (of.notNull() || random.nextInt(10) > 0) {
                values.put(TableName.quote(column), oneOf(of));
            }
        });
        return values;
    }

    private String select(Map<String, String> values, int rows) {
        return "SELECT " + String.join(", ", values.values()) + " FROM (SELECT " + number("g::text") + " AS n "
                + "FROM generate_series(1, " + rows + ") g) numbers";
    }

    /** A number that follows from a text. */
    private String number(String text) {
        return "(('x' || substr(md5('" + random.nextInt() + "' || " + text + "), 1, 8))::bit(32)::bigint % " + table.numbers()
                + ")";
    }

    private Change delete(int rows) {
        return new Change.Sql("DELETE FROM " + table.name.sql() + " AS target USING " + picked(rows));
    }

    private Change update(String sets, int rows) {
        return new Change.Sql("UPDATE " + table.name.sql() + " AS target SET " + sets + " FROM " + picked(rows));
    }

    private String picked(int rows) {
        String row = table.key.isEmpty()
                ? "one::text"
                : "ROW(" + table.key.keySet().stream().map(column -> "one." + TableName.quote(column))
                        .collect(Collectors.joining(", ")) + ")::text";
        return "(SELECT one.tableoid AS of_table, one.ctid AS at, " + number(row) + " AS n FROM " + table.name.sql()
                + " AS one ORDER BY md5('" + random.nextInt() + "' || " + row + ") LIMIT " + rows
                + ") AS picked WHERE target.tableoid = picked.of_table AND target.ctid = picked.at";
    }

    private String sets() {
        List<String> names = new ArrayList<>(table.columns.keySet());
        Collections.shuffle(names, random);
        return names.stream()
                .limit(1 + random.nextInt(Math.min(4, names.size())))
                .map(column -> TableName.quote(column) + " = " + oneOf(table.columns.get(column)))
                .collect(Collectors.joining(", "));
    }

    private String keySets() {
        List<String> names = new ArrayList<>(table.key.keySet());
        Collections.shuffle(names, random);
        return names.stream()
                .limit(1 + random.nextInt(names.size()))
                .map(column -> TableName.quote(column) + " = " + table.key.get(column).expression())
                .collect(Collectors.joining(", "));
    }

    /** A key that is equal to what it was. */
    private Change flip() {
        List<String> flipping = table.key.entrySet().stream()
                .filter(column -> !column.getValue().flip().isEmpty())
                .map(Map.Entry::getKey)
                .toList();
        return flipping.isEmpty()
                ? insert(1)
                : update(
                        flipping.stream()
                                .map(column -> TableName.quote(column) + " = "
                                        + table.key.get(column).flip().formatted("target." + TableName.quote(column)))
                                .collect(Collectors.joining(", ")),
                        1 + random.nextInt(20));
    }

    /** Takes a unique value from one row, or gives it to another. */
    private Change beside() {
        if (table.beside.isEmpty()) {
            return delete(2);
        }
        Map.Entry<String, KeyKind> column = table.beside.entrySet().iterator().next();
        boolean takes = !table.identity.hasPrimaryKeyBeside() && random.nextBoolean();
        String value = table.identity.hasPrimaryKeyBeside() ? column.getValue().expression() : oneOfFew(column.getValue());
        return update(TableName.quote(column.getKey()) + " = " + (takes ? "NULL" : value), takes ? 30 : 1);
    }

    /** So few that a value which one row gives up is soon taken by another. */
    private static String oneOfFew(KeyKind kind) {
        return kind.expression().replaceAll("\\bn\\b", "(n % 1000)");
    }

    private String oneOf(Column column) {
        return "(CASE n % 5 WHEN 0 THEN " + value(column) + " WHEN 1 THEN " + value(column) + " WHEN 2 THEN "
                + value(column) + " ELSE " + value(column) + " END)::" + type(column);
    }

    private static String type(Column column) {
        return column.kind().type().replaceFirst(" COLLATE .*", "");
    }

    private String value(Column column) {
        return !column.notNull() && random.nextInt(8) == 0 ? "NULL" : column.kind().value(random);
    }
}
