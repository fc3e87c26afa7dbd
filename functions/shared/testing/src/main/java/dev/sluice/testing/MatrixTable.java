package dev.sluice.testing;

import dev.sluice.domain.TableName;
import dev.sluice.testing.TypeMatrix.Entry;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A table with a column for each of some types. Its rows are written in blocks of {@link #rows} ids: the row number
 * {@code n} of a block has each type's value number {@code n}, and NULL where a type has no more.
 *
 * @param entries one a column; the column of the first is called {@code C 0}
 */
public record MatrixTable(String schema, String group, List<Entry> entries) {

    /** Under which a value's text is exact and the same everywhere. */
    private static final Map<String, String> TEXT_SETTINGS = Map.ofEntries(
            Map.entry("IntervalStyle", "postgres"), Map.entry("DateStyle", "ISO, YMD"), Map.entry("TimeZone", "UTC"),
            Map.entry("bytea_output", "hex"), Map.entry("extra_float_digits", "3"), Map.entry("search_path", "pg_catalog"),
            Map.entry("lc_monetary", "C"), Map.entry("xmlbinary", "base64"), Map.entry("xmloption", "content"),
            Map.entry("quote_all_identifiers", "off"), Map.entry("array_nulls", "on"));

    /** Others, under which the same values are written or read otherwise. */
    private static final Map<String, String> OTHER_SETTINGS = Map.of(
            "IntervalStyle", "sql_standard", "DateStyle", "SQL, DMY", "TimeZone", "Asia/Kathmandu",
            "bytea_output", "escape", "extra_float_digits", "0", "xmlbinary", "hex", "xmloption", "document", "quote_all_identifiers", "on",
            "array_nulls", "off");

    public MatrixTable {
        entries = List.copyOf(entries);
    }

    public TableName name() {
        return new TableName(schema, "All " + group);
    }

    /** How many rows a block has. */
    public int rows() {
        return entries.stream().mapToInt(entry -> entry.values().size()).max().orElseThrow();
    }

    public static String column(int place) {
        return "C " + place;
    }

    public String create() {
        return "CREATE TABLE " + name().sql() + " (\"Id\" int PRIMARY KEY, "
                + IntStream.range(0, entries.size())
                        .mapToObj(place -> quoted(place) + " " + entries.get(place).type())
                        .collect(Collectors.joining(", "))
                + ")";
    }

    /** Makes a session write and read text as Sluice does, whatever its database says. */
    public static void useTextSettings(Connection connection) throws SQLException {
        try (Statement sql = connection.createStatement()) {
            for (Map.Entry<String, String> setting : TEXT_SETTINGS.entrySet()) {
                sql.execute("SET " + setting.getKey() + " = '" + setting.getValue() + "'");
            }
        }
    }

    /** Statements that make sessions of a database write and read text otherwise, unless they say how. */
    public static List<String> otherSettings(String database) {
        return OTHER_SETTINGS.entrySet().stream()
                .map(setting -> "ALTER DATABASE " + database + " SET " + setting.getKey() + " = '"
                        + setting.getValue() + "'")
                .toList();
    }

    /** A block of rows with their values, one statement a row. */
    public List<String> insert(int firstId) {
        return insert(firstId, 0);
    }

    /** As {@link #insert(int)}, each row with the next one's values: another, where a type has more than one. */
    public List<String> insertOthers(int firstId) {
        return insert(firstId, 1);
    }

    private List<String> insert(int firstId, int shift) {
        return IntStream.range(0, rows())
                .mapToObj(row -> "INSERT INTO " + name().sql() + " VALUES (" + (firstId + row) + ", "
                        + IntStream.range(0, entries.size())
                                .mapToObj(place -> literal(place, row, shift))
                                .collect(Collectors.joining(", "))
                        + ")")
                .toList();
    }

    /** A block of rows without a value. */
    public String insertNulls(int firstId) {
        return "INSERT INTO " + name().sql() + " (\"Id\") SELECT generate_series(" + firstId + ", "
                + (firstId + rows() - 1) + ")";
    }

    /** Gives a block of rows its values. */
    public List<String> update(int firstId) {
        return IntStream.range(0, rows())
                .mapToObj(row -> "UPDATE " + name().sql() + " SET "
                        + IntStream.range(0, entries.size())
                                .mapToObj(place -> quoted(place) + " = " + literal(place, row, 0))
                                .collect(Collectors.joining(", "))
                        + " WHERE \"Id\" = " + (firstId + row))
                .toList();
    }

    public String delete(int firstId) {
        return "DELETE FROM " + name().sql() + " WHERE \"Id\" BETWEEN " + firstId + " AND " + (firstId + rows() - 1);
    }

    /**
     * Every row's values by id, in PostgreSQL's own text: what the output functions write, as COPY and the WAL's decoder
     * use them. A cast to text may differ from them (char(n) loses its blanks).
     */
    public SortedMap<Integer, List<String>> texts(Connection connection) throws SQLException {
        SortedMap<Integer, List<String>> rows = new TreeMap<>();
        useTextSettings(connection);
        try (Statement sql = connection.createStatement()) {
            // num_nulls asks for the value itself: (NULL,NULL) IS NULL too.
            String select = IntStream.range(0, entries.size())
                    .mapToObj(place -> "CASE num_nulls(" + quoted(place) + ") WHEN 0 THEN format('%s', " + quoted(place)
                            + ") END")
                    .collect(Collectors.joining(", "));
            try (ResultSet result = sql.executeQuery("SELECT \"Id\", " + select + " FROM " + name().sql())) {
                while (result.next()) {
                    List<String> texts = new ArrayList<>();
                    for (int place = 0; place < entries.size(); place++) {
                        texts.add(result.getString(place + 2));
                    }
                    rows.put(result.getInt(1), Collections.unmodifiableList(texts));
                }
            }
        }
        return rows;
    }

    private String literal(int place, int row, int shift) {
        List<String> values = entries.get(place).values();
        return row < values.size() ? "'" + values.get((row + shift) % values.size()).replace("'", "''") + "'" : "NULL";
    }

    private static String quoted(int place) {
        return TableName.quote(column(place));
    }
}
