package dev.sluice.debezium;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableName;
import dev.sluice.testing.DebeziumServer;
import dev.sluice.testing.PostgresServer;
import dev.sluice.testing.ServerException;
import dev.sluice.testing.SharedServers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class CaptureIT {

    private static final TableName TABLE = TableName.parse("captured");

    private final PostgresServer source = SharedServers.source();
    private final String kafka = SharedServers.kafka().bootstrapServers();
    private final String database = SharedServers.freshDatabase(source);

    @Test
    void theSlotPassesAProbeWhileOnlyUncapturedTablesAreWritten() throws Exception {
        var pipeline = new Pipeline("probe");
        try (DebeziumServer capture = start(pipeline, Map.of());
                Connection connection = source.connect(database); Statement sql = connection.createStatement()) {
            assertThat(capture.isCapturing()).isTrue();
            sql.execute("CREATE TABLE uncaptured AS SELECT generate_series(1, 1000)");

            String probe = text(sql, "SELECT pg_logical_emit_message(true, '" + pipeline.probePrefix() + "', '')");

            await("confirmed_flush_lsn passes the probe at " + probe).atMost(Duration.ofSeconds(10)).until(() -> text(
                    sql, "SELECT confirmed_flush_lsn > '" + probe + "' FROM pg_replication_slots WHERE slot_name = '"
                            + pipeline.slot() + "'").equals("t"));
        }
    }

    @Test
    void aKillBeforeTheFirstStoredPositionLeavesNoUnknownSequence() throws Exception {
        var pipeline = new Pipeline("firststart");
        // Never: the kill is certain to come before it.
        try (DebeziumServer capture = start(pipeline,
                Map.of("debezium.source.offset.flush.interval.ms", "3600000"));
                Connection connection = source.connect(database); Statement sql = connection.createStatement();
                var records = new Records(kafka, pipeline.queueTopic(TABLE))) {
            publish(pipeline, sql);
            sql.execute("INSERT INTO captured VALUES (1)");
            records.until(change -> change.key().path("id").asText().equals("1"));

            capture.kill();
            capture.restart();

            sql.execute("INSERT INTO captured VALUES (2)");
            List<Records.Change> changes = records.until(change -> change.key().path("id").asText().equals("2"));
            assertThat(changes).extracting(change -> change.key().path("id").asText())
                    .as("the first transaction is sent again").containsExactly("1", "1", "2");
            assertThat(changes).as("sequence[0]").allMatch(change -> change.commitBefore() != null);
            assertThat(changes.get(0).commitBefore()).isEqualTo(changes.get(1).commitBefore());
        }
    }

    @Test
    void aSlotMadeAnewIsRefusedByThePrepareStepAndByTheConnector() throws Exception {
        var pipeline = new Pipeline("slotanew");
        try (DebeziumServer capture = start(pipeline, Map.of());
                Connection connection = source.connect(database); Statement sql = connection.createStatement();
                var records = new Records(kafka, pipeline.queueTopic(TABLE))) {
            publish(pipeline, sql);
            sql.execute("INSERT INTO captured VALUES (1)");
            records.until(change -> true);
            capture.stop();

            sql.execute("SELECT pg_drop_replication_slot('" + pipeline.slot() + "')");
            assertThatThrownBy(capture::restart).isInstanceOf(ServerException.class)
                    .hasMessageContaining("prepare: refused").hasMessageContaining("slot that is missing");
            // Debezium has this check too, and makes it first.
            assertThat(endOfConnector(pipeline)).containsAnyOf("slotanew_slot is missing",
                    "no longer available on the server");
            assertThat(text(sql, "SELECT count(*) FROM pg_replication_slots WHERE slot_name = '" + pipeline.slot()
                    + "'")).as("slots that a refusal made").isEqualTo("0");

            sql.execute("INSERT INTO captured VALUES (2)");
            sql.execute("SELECT pg_create_logical_replication_slot('" + pipeline.slot() + "', 'pgoutput')");
            assertThatThrownBy(capture::restart).isInstanceOf(ServerException.class)
                    .hasMessageContaining("prepare: refused").hasMessageContaining("past the stored offset");
            assertThat(endOfConnector(pipeline)).contains("past the stored offset");
        }
    }

    @Test
    void lostOffsetsAreRefusedAndABeginningIsNot() throws Exception {
        var pipeline = new Pipeline("lostoffsets");
        try (Connection connection = source.connect(database); Statement sql = connection.createStatement()) {
            // A prepare step that was killed after it made the slot.
            sql.execute("SELECT pg_create_logical_replication_slot('" + pipeline.slot() + "', 'pgoutput')");
            assertThat(Prepare.run(environment(pipeline))).contains("first offset stored");
            assertThat(Prepare.run(environment(pipeline))).as("run again").contains("stored offset");

            publish(pipeline, sql);
            var properties = new java.util.Properties();
            properties.put("bootstrap.servers", kafka);
            try (var admin = org.apache.kafka.clients.admin.Admin.create(properties)) {
                admin.deleteTopics(List.of(pipeline.captureOffsetsTopic())).all().get();
            }
            assertThatThrownBy(() -> Prepare.run(environment(pipeline))).isInstanceOf(RefusedException.class)
                    .hasMessageContaining("Kafka holds no offset");
        }
    }

    private DebeziumServer start(Pipeline pipeline, Map<String, String> properties) {
        return DebeziumServer.start(SharedServers.folder(pipeline.name()),
                new DebeziumServer.Settings(pipeline, source, database, kafka, 0, properties));
    }

    private void publish(Pipeline pipeline, Statement sql) throws Exception {
        Records.createTopic(kafka, pipeline.queueTopic(TABLE));
        sql.execute("CREATE TABLE captured (id int PRIMARY KEY)");
        sql.execute("ALTER PUBLICATION " + pipeline.publication() + " ADD TABLE captured");
    }

    private Map<String, String> environment(Pipeline pipeline) {
        return Map.of("SLUICE_PIPELINE", pipeline.name(), "SLUICE_SOURCE_HOST", source.host(), "SLUICE_SOURCE_PORT",
                Integer.toString(source.port()), "SLUICE_SOURCE_DATABASE", database, "SLUICE_KAFKA_BOOTSTRAP_SERVERS",
                kafka, "SLUICE_CAPTURE_HTTP_PORT", "0");
    }

    /** Starts Debezium Server without the prepare step, waits for its end, and answers what it printed. */
    private String endOfConnector(Pipeline pipeline) throws Exception {
        Path runtime = Path.of("target", "debezium-server").toAbsolutePath();
        Path log = SharedServers.folder(pipeline.name() + "-unprepared-" + System.nanoTime()).resolve("server.log");
        var builder = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1", "--add-opens=java.base/java.lang=ALL-UNNAMED",
                "-Dquarkus.config.locations=" + runtime.resolve("conf/application.properties").toUri(), "-cp",
                runtime.resolve("runner.jar") + ":" + runtime.resolve("lib") + "/*", "io.debezium.server.Main");
        builder.environment().putAll(environment(pipeline));
        Process process = builder.redirectErrorStream(true).redirectOutput(log.toFile()).start();
        try {
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("it ends by itself").isTrue();
        } finally {
            process.destroyForcibly();
        }
        return Files.readString(log);
    }

    private static String text(Statement sql, String query) throws SQLException {
        try (var rows = sql.executeQuery(query)) {
            rows.next();
            return rows.getString(1);
        }
    }
}
