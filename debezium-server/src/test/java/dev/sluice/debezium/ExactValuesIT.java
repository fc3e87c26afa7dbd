package dev.sluice.debezium;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableName;
import dev.sluice.testing.DebeziumServer;
import dev.sluice.testing.PostgresServer;
import dev.sluice.testing.SharedServers;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Every value arrives as PostgreSQL's own text: this test guards every upgrade of Debezium and PostgreSQL. */
class ExactValuesIT {

    private static final Pipeline PIPELINE = new Pipeline("exact");

    /** Type → the literals of its edge values, as they are written in SQL. */
    private static final Map<String, List<String>> VALUES = new LinkedHashMap<>();

    static {
        VALUES.put("boolean", List.of("true", "false"));
        VALUES.put("smallint", List.of("-32768", "32767"));
        VALUES.put("integer", List.of("-2147483648", "2147483647"));
        VALUES.put("bigint", List.of("-9223372036854775808", "9223372036854775807"));
        VALUES.put("real", List.of("NaN", "Infinity", "-Infinity", "1e-45", "3.4028235e38", "-0", "0.1"));
        VALUES.put("double precision",
                List.of("NaN", "Infinity", "-Infinity", "5e-324", "1.7976931348623157e308", "-0", "0.30000000000000004"));
        VALUES.put("numeric", List.of("NaN", "Infinity", "-Infinity", "0", "0.000", "-1.50", "1e-300",
                "1" + "234567890".repeat(100) + "." + "987654321".repeat(100)));
        VALUES.put("numeric(10,2)", List.of("NaN", "1.10", "-99999999.99"));
        VALUES.put("numeric(3,-2)", List.of("12300"));
        VALUES.put("money", List.of("-92233720368547758.08", "92233720368547758.07", "0.01"));
        VALUES.put("text", List.of("", "null", "\\N", "a\tb\nc\\", "ünïcödé 🐘", "__debezium_unavailable_value",
                "x".repeat(20_000), "{\"json\": 1}", "' \" «»", "\u2028\u0001\u007f"));
        VALUES.put("varchar(20)", List.of("", "varchar "));
        VALUES.put("char(5)", List.of("", "ab"));
        VALUES.put("\"char\"", List.of("c", ""));
        VALUES.put("name", List.of("a name"));
        VALUES.put("bytea", List.of("\\x", "\\x00ff5c27"));
        VALUES.put("date", List.of("infinity", "-infinity", "4713-01-01 BC", "5874897-12-31", "0001-01-01",
                "1582-10-10", "2000-02-29"));
        VALUES.put("time", List.of("00:00:00", "24:00:00", "23:59:59.999999"));
        VALUES.put("time(0)", List.of("12:34:56"));
        VALUES.put("timetz", List.of("24:00:00+15:59:59", "00:00:00-15:59", "12:00:00.000001+01:02:03"));
        VALUES.put("timestamp", List.of("infinity", "-infinity", "4713-01-01 00:00:00 BC",
                "294276-12-31 23:59:59.999999", "0001-01-01 00:00:00", "2024-03-31 02:30:00.000001"));
        VALUES.put("timestamptz", List.of("infinity", "-infinity", "4713-01-02 00:00:00+00 BC",
                "294276-12-31 23:59:59.999999+00", "2024-10-27 02:30:00+02", "1900-01-01 00:00:00+00:53:28"));
        VALUES.put("interval", List.of("0", "-178000000 years", "1 year 2 mons -3 days 04:05:06.789",
                "-00:00:00.000001", "infinity", "-infinity"));
        VALUES.put("interval day to second", List.of("1 day 02:03:04"));
        VALUES.put("uuid", List.of("00000000-0000-0000-0000-000000000000", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"));
        VALUES.put("json", List.of("null", "{\"b\":1,  \"a\":1e400, \"a\":2}", "\"\\u0000 escaped\""));
        VALUES.put("jsonb", List.of("null", "{\"b\":1,\"a\":1e400}", "[1.10, \"é\"]"));
        VALUES.put("jsonpath", List.of("$.a[*] ? (@ > 1)"));
        VALUES.put("xml", List.of("<a b=\"1\">é<c/></a>"));
        VALUES.put("bit(3)", List.of("101"));
        VALUES.put("bit varying", List.of("", "0110".repeat(40)));
        VALUES.put("inet", List.of("192.168.0.1/24", "::1", "255.255.255.255"));
        VALUES.put("cidr", List.of("10.0.0.0/8", "2001:db8::/32"));
        VALUES.put("macaddr", List.of("08:00:2b:01:02:03"));
        VALUES.put("macaddr8", List.of("08:00:2b:01:02:03:04:05"));
        VALUES.put("point", List.of("(NaN,-0)", "(1e300,Infinity)"));
        VALUES.put("line", List.of("{1,-1,0.1}"));
        VALUES.put("lseg", List.of("[(0,0),(1,1)]"));
        VALUES.put("box", List.of("(1,1),(0,0)"));
        VALUES.put("path", List.of("[(0,0),(1,1)]", "((0,0),(1,1))"));
        VALUES.put("polygon", List.of("((0,0),(1,1),(1,0))"));
        VALUES.put("circle", List.of("<(NaN,1),2>"));
        VALUES.put("tsvector", List.of("", "'a':1A 'it''s':2,3B"));
        VALUES.put("tsquery", List.of("'fat' & !( 'cat' | 'rat':AB )", "'a' <2> 'b'"));
        VALUES.put("int4range", List.of("empty", "[1,10)", "(,)", "(,5)"));
        VALUES.put("numrange", List.of("[1.10,2.200]"));
        VALUES.put("tstzrange", List.of("[\"2024-01-01 00:00:00+00\",infinity)"));
        VALUES.put("int8multirange", List.of("{}", "{[1,3),[5,9)}"));
        VALUES.put("datemultirange", List.of("{(-infinity,2024-01-01),[2024-02-01,)}"));
        VALUES.put("oid", List.of("0", "4294967295"));
        VALUES.put("xid", List.of("4294967295"));
        VALUES.put("xid8", List.of("18446744073709551615"));
        VALUES.put("tid", List.of("(4294967295,65535)"));
        VALUES.put("pg_lsn", List.of("0/0", "FFFFFFFF/FFFFFFFF"));
        VALUES.put("pg_snapshot", List.of("10:20:10,14"));
        VALUES.put("regclass", List.of("pg_class"));
        VALUES.put("regtype", List.of("integer"));
        VALUES.put("int[]", List.of("{}", "{1,NULL,3}", "{{1,2},{3,4}}", "[2:3]={7,8}", "[0:0][-1:0]={{1,2}}"));
        VALUES.put("text[]", List.of("{}", "{\"\",NULL,\"NULL\",\"a,b\",\"q\\\"\\\\\"}", "{{a},{b}}"));
        VALUES.put("numeric[]", List.of("{NaN,1.10,Infinity}"));
        VALUES.put("bytea[]", List.of("{\"\\\\x00ff\",NULL}"));
        VALUES.put("date[]", List.of("{infinity,\"0044-03-15 BC\"}"));
        VALUES.put("timestamptz[]", List.of("{\"294276-12-31 23:59:59+00\",-infinity}"));
        VALUES.put("interval[]", List.of("{infinity,\"1 mon -1 days\"}"));
        VALUES.put("timetz[]", List.of("{12:00:00+01:02:03}"));
        VALUES.put("money[]", List.of("{-0.01}"));
        VALUES.put("jsonb[]", List.of("{\"{\\\"a\\\": 1}\",null}"));
        VALUES.put("uuid[]", List.of("{00000000-0000-0000-0000-000000000000}"));
        VALUES.put("point[]", List.of("{\"(1,2)\",\"(NaN,0)\"}"));
        VALUES.put("box[]", List.of("{(1,1),(0,0);(3,3),(2,2)}"));
        VALUES.put("int4range[]", List.of("{\"[1,2)\",empty}"));
        VALUES.put("\"Odd Schema\".\"Mood\"", List.of("so so", "it's \"fine\""));
        VALUES.put("\"Odd Schema\".\"Mood\"[]", List.of("{\"so so\",NULL}"));
        VALUES.put("\"Odd Schema\".positive", List.of("1.50"));
        VALUES.put("\"Odd Schema\".positive[]", List.of("{1.50,2}"));
        VALUES.put("\"Odd Schema\".pair", List.of("(1,\"a,b\")", "(,)"));
        VALUES.put("\"Odd Schema\".pair[]", List.of("{\"(1,a)\",\"(,)\"}"));
        VALUES.put("\"Odd Schema\".floats", List.of("[0.1,0.30000000000000004]"));
        VALUES.put("\"Odd Schema\".citext", List.of("MiXed"));
        VALUES.put("\"Odd Schema\".hstore", List.of("\"a\"=>NULL, \"b\"=>\"x,y\""));
        VALUES.put("\"Odd Schema\".ltree", List.of("Top.Science"));
    }

    private static PostgresServer source;
    private static String database;
    private static String kafka;

    @BeforeAll
    static void startCapture() throws Exception {
        source = SharedServers.source();
        database = SharedServers.freshDatabase(source);
        kafka = SharedServers.kafka().bootstrapServers();
        // Settings of the database that change the text of values, were they not overridden.
        try (Connection connection = source.connect("postgres"); Statement sql = connection.createStatement()) {
            sql.execute("ALTER DATABASE " + database + " SET extra_float_digits = 0");
            sql.execute("ALTER DATABASE " + database + " SET bytea_output = 'escape'");
            sql.execute("ALTER DATABASE " + database + " SET IntervalStyle = 'iso_8601'");
            sql.execute("ALTER DATABASE " + database + " SET DateStyle = 'SQL, DMY'");
            sql.execute("ALTER DATABASE " + database + " SET timezone = 'Asia/Kathmandu'");
        }
        DebeziumServer.start(SharedServers.folder("exact"),
                new DebeziumServer.Settings(PIPELINE, source, database, kafka));
    }

    @Test
    void everyValueArrivesAsItsOwnText() throws Exception {
        try (Connection connection = source.connect(database); Statement sql = connection.createStatement()) {
            sql.execute("CREATE SCHEMA \"Odd Schema\"");
            sql.execute("CREATE EXTENSION citext SCHEMA \"Odd Schema\"");
            sql.execute("CREATE EXTENSION hstore SCHEMA \"Odd Schema\"");
            sql.execute("CREATE EXTENSION ltree SCHEMA \"Odd Schema\"");
            sql.execute("CREATE TYPE \"Odd Schema\".\"Mood\" AS ENUM ('so so', 'it''s \"fine\"')");
            sql.execute("CREATE DOMAIN \"Odd Schema\".positive AS numeric CHECK (VALUE > 0)");
            sql.execute("CREATE TYPE \"Odd Schema\".pair AS (a int, \"B\" text)");
            sql.execute("CREATE TYPE \"Odd Schema\".floats AS RANGE (subtype = float8)");
            var columns = new StringBuilder("\"Id\" int PRIMARY KEY");
            List<String> types = List.copyOf(VALUES.keySet());
            for (int i = 0; i < types.size(); i++) {
                columns.append(", \"C ").append(i).append("\" ").append(types.get(i));
            }
            sql.execute("CREATE TABLE \"Odd Schema\".\"All.Types\" (" + columns + ")");
            // Old rows too: what an update and a delete carry as "before".
            sql.execute("ALTER TABLE \"Odd Schema\".\"All.Types\" REPLICA IDENTITY FULL");
            publish(connection, new TableName("Odd Schema", "All.Types"));

            int rows = VALUES.values().stream().mapToInt(List::size).max().orElseThrow();
            for (int row = 0; row < rows; row++) {
                insert(connection, types, row);
            }
            List<Map<String, String>> expected = expectedRows(connection);
            sql.execute("UPDATE \"Odd Schema\".\"All.Types\" SET \"Id\" = \"Id\" + 100");
            sql.execute("DELETE FROM \"Odd Schema\".\"All.Types\"");

            try (var records = new Records(kafka, PIPELINE.queueTopic(new TableName("Odd Schema", "All.Types")))) {
                int lastKey = 100 + rows - 1;
                List<Records.Change> changes = records.until(change -> change.op().equals("d")
                        && change.value().path("before").path("Id").asText().equals(Integer.toString(lastKey)));

                List<String> wrong = new ArrayList<>();
                for (int row = 0; row < rows; row++) {
                    Map<String, String> values = new LinkedHashMap<>(expected.get(row));
                    compare("inserted", values, find(changes, "c", row).value().path("after"), types, wrong);
                    compare("old row of a key change", values, find(changes, "d", row).value().path("before"), types,
                            wrong);
                    values.put("Id", Integer.toString(100 + row));
                    compare("new row of a key change", values, find(changes, "c", 100 + row).value().path("after"),
                            types, wrong);
                    compare("deleted", values, find(changes, "d", 100 + row).value().path("before"), types, wrong);
                }
                assertThat(wrong).as("values that differ from what PostgreSQL says").isEmpty();
                assertThat(find(changes, "d", 0).header("__debezium.newkey")).contains("{\"Id\":\"100\"}");
                assertThat(find(changes, "c", 100).header("__debezium.oldkey")).contains("{\"Id\":\"0\"}");
            }
        }
    }

    @Test
    void whatIsNotSentIsMarkedAndNullStaysNull() throws Exception {
        try (Connection connection = source.connect(database); Statement sql = connection.createStatement()) {
            sql.execute("CREATE TABLE toasted (id bigint PRIMARY KEY, n int NOT NULL DEFAULT 7, "
                    + "d date DEFAULT 'infinity', t text DEFAULT 'default', "
                    + "long text, longs text[], ints int[], dates date[], uuids uuid[], bytes bytea, j jsonb)");
            for (String column : List.of("long", "longs", "ints", "dates", "uuids", "bytes", "j")) {
                sql.execute("ALTER TABLE toasted ALTER " + column + " SET STORAGE EXTERNAL");
            }
            publish(connection, TableName.parse("toasted"));
            sql.execute("INSERT INTO toasted SELECT 1, 1, NULL, NULL, repeat('x', 9000), "
                    + "array_fill('y'::text, '{3000}'), array_fill(1, '{3000}'), "
                    + "array_fill('infinity'::date, '{3000}'), array_fill(gen_random_uuid(), '{600}'), "
                    + "decode(repeat('00', 9000), 'hex'), jsonb_build_object('a', repeat('z', 9000))");
            sql.execute("UPDATE toasted SET n = 2");
            sql.execute("UPDATE toasted SET id = 2");
            sql.execute("TRUNCATE toasted");

            try (var records = new Records(kafka, PIPELINE.queueTopic(TableName.parse("toasted")))) {
                List<Records.Change> changes = records.until(change -> change.op().equals("t"));

                JsonNode inserted = changes.get(0).value().path("after");
                assertThat(inserted.path("d").isNull()).as("a null is not replaced by its default").isTrue();
                assertThat(inserted.path("t").isNull()).isTrue();
                assertThat(inserted.path("long").asText()).hasSize(9000);
                for (Records.Change change : List.of(changes.get(1), changes.get(3))) {
                    JsonNode after = change.value().path("after");
                    for (String column : List.of("long", "longs", "ints", "dates", "uuids", "bytes", "j")) {
                        assertThat(after.path(column).asText()).as("unchanged " + column)
                                .isEqualTo(TextConverter.UNCHANGED_TOAST);
                    }
                    assertThat(after.path("n").asText()).isEqualTo("2");
                }
                assertThat(changes.get(2).key().path("id").asText()).isEqualTo("1");
                assertThat(changes.get(4).key()).as("the key of a TRUNCATE").isNull();
            }
        }
    }

    private static void publish(Connection connection, TableName table) throws Exception {
        Records.createTopic(kafka, PIPELINE.queueTopic(table));
        try (Statement sql = connection.createStatement()) {
            sql.execute("ALTER PUBLICATION " + PIPELINE.publication() + " ADD TABLE " + table.sql());
        }
    }

    private static void insert(Connection connection, List<String> types, int row) throws SQLException {
        var sql = new StringBuilder("INSERT INTO \"Odd Schema\".\"All.Types\" VALUES (").append(row);
        for (String type : types) {
            List<String> values = VALUES.get(type);
            sql.append(", ");
            sql.append(row < values.size() ? "'" + values.get(row).replace("'", "''") + "'" : "NULL");
        }
        try (Statement statement = connection.createStatement()) {
            // The session's own settings must not matter for what is stored.
            statement.execute("SET DateStyle = 'ISO, YMD'");
            statement.execute(sql.append(")").toString());
        }
    }

    /** What PostgreSQL itself writes for each value under the settings that Sluice uses everywhere. */
    private static List<Map<String, String>> expectedRows(Connection connection) throws SQLException {
        List<Map<String, String>> rows = new ArrayList<>();
        try (Statement sql = connection.createStatement()) {
            for (String setting : List.of("IntervalStyle = 'postgres'", "DateStyle = 'ISO, YMD'", "TimeZone = 'UTC'",
                    "bytea_output = 'hex'", "extra_float_digits = 3", "search_path = pg_catalog",
                    "lc_monetary = 'C'", "xmlbinary = 'base64'")) {
                sql.execute("SET " + setting);
            }
            // Output functions, as pgoutput uses them: a cast to text may differ from them (char(n) loses its blanks).
            var select = new StringBuilder("SELECT \"Id\"::text");
            for (int i = 0; i < VALUES.size(); i++) {
                // num_nulls asks for the value itself: (NULL,NULL) IS NULL too.
                select.append(", CASE num_nulls(\"C ").append(i).append("\") WHEN 0 THEN format('%s', \"C ").append(i)
                        .append("\") END");
            }
            try (var result = sql.executeQuery(select + " FROM \"Odd Schema\".\"All.Types\" ORDER BY \"Id\"")) {
                while (result.next()) {
                    Map<String, String> row = new LinkedHashMap<>();
                    row.put("Id", result.getString(1));
                    for (int i = 0; i < VALUES.size(); i++) {
                        row.put("C " + i, result.getString(i + 2));
                    }
                    rows.add(row);
                }
            }
        }
        return rows;
    }

    private static Records.Change find(List<Records.Change> changes, String op, int key) {
        return changes.stream()
                .filter(change -> change.op().equals(op) && change.key().path("Id").asText().equals("" + key))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + op + " of key " + key));
    }

    private static void compare(String what, Map<String, String> expected, JsonNode actual, List<String> types,
            List<String> wrong) {
        expected.forEach((column, value) -> {
            JsonNode arrived = actual.path(column);
            String text = arrived.isNull() || arrived.isMissingNode() ? null : arrived.asText();
            String type = column.equals("Id") ? "key" : types.get(Integer.parseInt(column.substring(2)));
            if (!java.util.Objects.equals(value, text)) {
                wrong.add(what + ": " + type + " " + value + " arrived as " + text);
            }
        });
    }
}
