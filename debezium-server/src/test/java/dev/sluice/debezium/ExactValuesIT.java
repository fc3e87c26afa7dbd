package dev.sluice.debezium;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableName;
import dev.sluice.testing.DebeziumServer;
import dev.sluice.testing.MatrixTable;
import dev.sluice.testing.PostgresServer;
import dev.sluice.testing.PostgresVersion;
import dev.sluice.testing.SharedServers;
import dev.sluice.testing.TypeMatrix;
import java.sql.Connection;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Every value arrives as PostgreSQL's own text: this test guards every upgrade of Debezium and PostgreSQL. */
class ExactValuesIT {

    private static final Pipeline PIPELINE = new Pipeline("exact");

    private static PostgresServer source;
    private static String database;
    private static String kafka;

    @BeforeAll
    static void startCapture() throws Exception {
        source = SharedServers.source();
        database = SharedServers.freshDatabase(source);
        kafka = SharedServers.kafka().bootstrapServers();
        try (Connection connection = source.connect("postgres"); Statement sql = connection.createStatement()) {
            for (String statement : MatrixTable.otherSettings(database)) {
                sql.execute(statement);
            }
        }
        DebeziumServer.start(SharedServers.folder("exact"),
                new DebeziumServer.Settings(PIPELINE, source, database, kafka));
    }

    @Test
    void everyValueArrivesAsItsOwnText() throws Exception {
        List<String> wrong = new ArrayList<>();
        List<MatrixTable> tables = TypeMatrix.tables(PostgresVersion.ofTests());
        Map<MatrixTable, SortedMap<Integer, List<String>>> expected = new LinkedHashMap<>();
        try (Connection connection = source.connect(database); Statement sql = connection.createStatement()) {
            // Another session's settings must not matter for what is captured.
            MatrixTable.useTextSettings(connection);
            for (String statement : TypeMatrix.setup()) {
                sql.execute(statement);
            }
            for (MatrixTable table : tables) {
                sql.execute(table.create());
                // Old rows too: what an update and a delete carry as "before".
                sql.execute("ALTER TABLE " + table.name().sql() + " REPLICA IDENTITY FULL");
                publish(connection, table.name());
                for (String statement : table.insert(0)) {
                    sql.execute(statement);
                }
                expected.put(table, table.texts(connection));
                sql.execute("UPDATE " + table.name().sql() + " SET \"Id\" = \"Id\" + 100");
                sql.execute("DELETE FROM " + table.name().sql());
            }
        }
        int compared = 0;
        for (MatrixTable table : tables) {
            try (var records = new Records(kafka, PIPELINE.queueTopic(table.name()))) {
                int lastKey = 100 + table.rows() - 1;
                List<Records.Change> changes = records.until(change -> change.op().equals("d")
                        && change.value().path("before").path("Id").asText().equals(Integer.toString(lastKey)));
                for (Map.Entry<Integer, List<String>> row : expected.get(table).entrySet()) {
                    int id = row.getKey();
                    compared += row.getValue().size();
                    compare("inserted", table, row.getValue(), find(changes, "c", "after", id).path("after"), wrong);
                    JsonNode moved = find(changes, "u", "before", id);
                    assertThat(moved.path("after").path("Id").asInt()).isEqualTo(100 + id);
                    compare("old row of a key change", table, row.getValue(), moved.path("before"), wrong);
                    compare("new row of a key change", table, row.getValue(), moved.path("after"), wrong);
                    compare("deleted", table, row.getValue(), find(changes, "d", "before", 100 + id).path("before"),
                            wrong);
                }
                assertThat(changes)
                        .as("the row before has the key, so no record has one")
                        .allMatch(change -> change.key() == null);
            }
        }
        assertThat(wrong).as("values that differ from what PostgreSQL says").isEmpty();
        assertThat(compared).as("values that were compared").isGreaterThan(1_000);
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
                assertThat(changes.get(2).header("__debezium.newkey")).contains("{\"id\":\"2\"}");
                assertThat(changes.get(3).header("__debezium.oldkey")).contains("{\"id\":\"1\"}");
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

    /** @param side the row that has the id: as it was before, or after */
    private static JsonNode find(List<Records.Change> changes, String op, String side, int id) {
        return changes.stream()
                .filter(change -> change.op().equals(op)
                        && change.value().path(side).path("Id").asText().equals("" + id))
                .map(Records.Change::value)
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + op + " of key " + id));
    }

    private static void compare(String what, MatrixTable table, List<String> expected, JsonNode actual,
            List<String> wrong) {
        for (int place = 0; place < expected.size(); place++) {
            JsonNode arrived = actual.path(MatrixTable.column(place));
            String text = arrived.isNull() || arrived.isMissingNode() ? null : arrived.asText();
            boolean unchanged = what.equals("new row of a key change") && TextConverter.UNCHANGED_TOAST.equals(text);
            if (!unchanged && !Objects.equals(expected.get(place), text)) {
                wrong.add(what + ": " + table.entries().get(place).type() + " " + expected.get(place) + " arrived as "
                        + text);
            }
        }
    }
}
