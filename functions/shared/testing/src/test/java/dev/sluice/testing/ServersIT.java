package dev.sluice.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServersIT {

    @Test
    void committedRowsSurviveAKillOfPostgres(@TempDir Path folder) throws Exception {
        try (PostgresServer server = PostgresServer.start(folder.resolve("pg"), 0, SharedServers.FAST_POSTGRES)) {
            server.createDatabase("kept");
            try (Connection connection = server.connect("kept"); var statement = connection.createStatement()) {
                statement.execute("CREATE TABLE t (id text PRIMARY KEY)");
                statement.execute("INSERT INTO t VALUES ('b'), ('B'), ('ä'), ('a')");
                long postmaster = server.pid();
                server.kill();
                assertThat(ProcessHandle.of(postmaster)).as("the killed postmaster").isEmpty();
            }
            server.restart();
            try (Connection connection = server.connect("kept"); var statement = connection.createStatement();
                    var rows = statement.executeQuery(
                            "SELECT string_agg(id, '' ORDER BY id), current_setting('wal_level') FROM t")) {
                rows.next();
                assertThat(rows.getString(1)).as("text sorts by code point").isEqualTo("Babä");
                assertThat(rows.getString(2)).isEqualTo("logical");
            }
        }
    }

    @Test
    void acknowledgedRecordsSurviveAKillOfKafka(@TempDir Path folder) throws Exception {
        try (KafkaServer server = KafkaServer.start(folder.resolve("kafka"), 0, Map.of())) {
            var properties = new Properties();
            properties.put("bootstrap.servers", server.bootstrapServers());
            properties.put("max.request.size", 64 * 1024 * 1024);
            properties.put("buffer.memory", 128L * 1024 * 1024);
            byte[] large = new byte[50 * 1000 * 1000];
            try (Admin admin = Admin.create(properties);
                    var producer = new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
                admin.createTopics(List.of(new NewTopic("t", Optional.of(1), Optional.empty()))).all()
                        .get(30, TimeUnit.SECONDS);
                producer.send(new ProducerRecord<>("t", large)).get(30, TimeUnit.SECONDS);
            }
            server.kill();
            assertThat(server.isAlive()).isFalse();
            server.restart();
            try (var consumer = new KafkaConsumer<>(properties, new ByteArrayDeserializer(),
                    new ByteArrayDeserializer())) {
                var partition = new TopicPartition("t", 0);
                consumer.assign(List.of(partition));
                consumer.seekToBeginning(List.of(partition));
                int[] length = {-1};
                boolean arrived = Servers.waitUntil(Duration.ofSeconds(30), () -> {
                    consumer.poll(Duration.ofMillis(200)).forEach(record -> length[0] = record.value().length);
                    return length[0] >= 0;
                });
                assertThat(arrived).as("the record is read after the restart").isTrue();
                assertThat(length[0]).isEqualTo(large.length);
            }
        }
    }

    @Test
    void aTakenPortIsNamedWithWhoWantsIt(@TempDir Path folder) {
        int port = SharedServers.source().port();

        assertThatThrownBy(() -> PostgresServer.start(folder.resolve("second"), port, Map.of()))
                .isInstanceOf(ServerException.class)
                .hasMessageContaining("port " + port)
                .hasMessageContaining("PostgreSQL with its data in " + folder.resolve("second"));
    }

    @Test
    void aServerThatDoesNotStartQuotesItsLog(@TempDir Path folder) {
        assertThatThrownBy(() -> PostgresServer.start(folder.resolve("pg"), 0, Map.of("wal_level", "nonsense")))
                .isInstanceOf(ServerException.class)
                .hasMessageContaining("nonsense");
    }

    @Test
    void aServerWhoseOwnerWasKilledIsEndedByTheNextStart(@TempDir Path folder) throws Exception {
        Process owner = new ProcessBuilder(Java.program(), "-cp", System.getProperty("java.class.path"),
                Owner.class.getName(), folder.resolve("pg").toString())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("owner.log").toFile())
                .start();
        Path pidFile = folder.resolve("pg").resolve(Servers.PID_FILE);
        assertThat(Servers.waitUntil(Duration.ofMinutes(1), () -> Files.exists(folder.resolve("pg/ready"))))
                .as("the owner started its server").isTrue();
        long leftover = Long.parseLong(Files.readAllLines(pidFile).get(0));
        owner.destroyForcibly().waitFor();
        assertThat(ProcessHandle.of(leftover)).as("the server outlives its killed owner").isPresent();

        try (PostgresServer server = PostgresServer.start(folder.resolve("pg"), 0, SharedServers.FAST_POSTGRES)) {
            assertThat(server.pid()).isNotEqualTo(leftover);
            assertThat(ProcessHandle.of(leftover)).isEmpty();
        }
    }

    @Test
    void aServerEndsWithItsOwner(@TempDir Path folder) throws Exception {
        Process owner = new ProcessBuilder(Java.program(), "-cp", System.getProperty("java.class.path"),
                Owner.class.getName(), folder.resolve("pg").toString())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("owner.log").toFile())
                .start();
        assertThat(Servers.waitUntil(Duration.ofMinutes(1), () -> Files.exists(folder.resolve("pg/ready"))))
                .as("the owner started its server").isTrue();
        long pid = Long.parseLong(Files.readAllLines(folder.resolve("pg").resolve(Servers.PID_FILE)).get(0));

        owner.destroy();

        assertThat(owner.waitFor(40, TimeUnit.SECONDS)).isTrue();
        assertThat(ProcessHandle.of(pid)).as("the server of a terminated owner").isEmpty();
    }

    /** Starts a server and waits to be killed. */
    static final class Owner {
        public static void main(String[] arguments) throws Exception {
            Path folder = Path.of(arguments[0]);
            PostgresServer.start(folder, 0, SharedServers.FAST_POSTGRES);
            Files.createFile(folder.resolve("ready"));
            Thread.currentThread().join();
        }
    }
}
