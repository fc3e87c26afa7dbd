package dev.sluice.chunkworker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.domain.ChunkTask;
import dev.sluice.domain.Event;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableName;
import dev.sluice.messaging.KafkaClients;
import dev.sluice.messaging.Messages;
import dev.sluice.postgres.Ledger;
import dev.sluice.postgres.SourceTables;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@QuarkusTest
@QuarkusTestResource(ServersResource.class)
class ChunkTaskQueueIT {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final long RUN = 11;

    @Inject
    KafkaClients kafka;

    @Inject
    Messages messages;

    @Inject
    Pipeline pipeline;

    @Inject
    Ledger ledger;

    @Inject
    SourceTables sourceTables;

    @ConfigProperty(name = "test.source.jdbc")
    String sourceUrl;

    @ConfigProperty(name = "test.destination.jdbc")
    String destinationUrl;

    private Producer<String, byte[]> producer;
    private Consumer<String, byte[]> answers;
    private Consumer<String, byte[]> letters;
    private final List<Event> events = new ArrayList<>();

    @BeforeEach
    void listen() {
        producer = kafka.producer(Map.of());
        answers = reader(pipeline.commandsAndEventsTopic());
        letters = reader(pipeline.deadLetterTopic());
        ledger.create().await().atMost(LIMIT);
    }

    @AfterEach
    void close() {
        producer.close();
        answers.close();
        letters.close();
    }

    @Test
    void aSlowChunkHoldsUpNoOtherSlot() throws Exception {
        table("slow");
        // A table each: chunks of one that overlap could not be copied at the same time.
        List<String> others = List.of("quick_1", "quick_2", "quick_3");
        for (String other : others) {
            table(other);
        }
        ChunkTask slow = task("slow", 0);
        try (Connection blocker = DriverManager.getConnection(sourceUrl);
                var statement = blocker.createStatement()) {
            blocker.setAutoCommit(false);
            statement.execute("LOCK TABLE slow IN ACCESS EXCLUSIVE MODE");
            producer.send(messages.chunkTask(slow, 0));
            for (int slot = 1; slot < 4; slot++) {
                producer.send(messages.chunkTask(task(others.get(slot - 1), 0), slot));
            }
            await("the other slots").atMost(LIMIT).until(() ->
                    others.stream().allMatch(other -> copied(other).size() == 1));
            assertThat(copied("slow")).isEmpty();

            blocker.commit();
        }
        await("the slow one").atMost(LIMIT).until(() -> copied("slow").size() == 1);
        assertThat(copied("slow").get(0).rows()).isEqualTo(1);
    }

    @Test
    void aFencedTaskIsAnsweredToo() throws Exception {
        execute(sourceUrl, "CREATE TABLE unopened (id int PRIMARY KEY)");
        execute(destinationUrl, "CREATE TABLE unopened (id int PRIMARY KEY)");

        producer.send(messages.chunkTask(task("unopened", 0), 2));

        await().atMost(LIMIT).until(() -> answersOf("unopened").size() == 1);
        assertThat(answersOf("unopened").get(0)).isInstanceOfSatisfying(
                Event.ChunkFailed.class, failed -> assertThat(failed.fault().reason()).startsWith("fenced: "));
    }

    @Test
    void whatIsNoTaskIsPutWithTheDeadLettersAndTheNextTaskIsRun() throws Exception {
        table("after");
        producer.send(new ProducerRecord<>(
                pipeline.chunkTasksTopic(), 1, "k", "no task".getBytes(StandardCharsets.UTF_8)));
        producer.send(messages.chunkTask(task("after", 0), 1));

        await().atMost(LIMIT).until(() -> copied("after").size() == 1);
        List<String> origins = new ArrayList<>();
        await().atMost(LIMIT).until(() -> {
            letters.poll(Duration.ofMillis(100)).forEach(letter -> origins.add(
                    new String(letter.headers().lastHeader("sluice_origin").value(), StandardCharsets.UTF_8)));
            return !origins.isEmpty();
        });
        assertThat(origins.get(0)).startsWith("workers.chunk-tasks/1@");
    }

    private List<Event.ChunkCopied> copied(String table) {
        return answersOf(table).stream()
                .filter(Event.ChunkCopied.class::isInstance)
                .map(Event.ChunkCopied.class::cast)
                .toList();
    }

    private List<Event.OfChunk> answersOf(String table) {
        answers.poll(Duration.ofMillis(100)).forEach(record -> {
            if (messages.input(record) instanceof Messages.Input.OfEvent input) {
                events.add(input.event());
            }
        });
        return events.stream()
                .filter(Event.OfChunk.class::isInstance)
                .map(Event.OfChunk.class::cast)
                .filter(event -> event.table().name().equals(table))
                .toList();
    }

    private Consumer<String, byte[]> reader(String topic) {
        Consumer<String, byte[]> consumer = kafka.consumer(Map.of());
        var partition = new TopicPartition(topic, 0);
        consumer.assign(List.of(partition));
        consumer.seekToBeginning(List.of(partition));
        return consumer;
    }

    private void table(String name) throws SQLException {
        execute(sourceUrl, "CREATE TABLE " + name + " (id int PRIMARY KEY)");
        execute(sourceUrl, "INSERT INTO " + name + " VALUES (1)");
        execute(destinationUrl, "CREATE TABLE " + name + " (id int PRIMARY KEY)");
        ledger.openRun(TableName.parse(name), RUN).await().atMost(LIMIT);
    }

    private ChunkTask task(String table, int chunk) {
        TableName name = TableName.parse(table);
        String fingerprint = sourceTables.inspect(name).await().atMost(LIMIT).fingerprint();
        return new ChunkTask(name, RUN, chunk, 1, KeyRange.ALL, fingerprint, Lsn.ZERO, Optional.empty());
    }

    private static void execute(String url, String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url);
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
