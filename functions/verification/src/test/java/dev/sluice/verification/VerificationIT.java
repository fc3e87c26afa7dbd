package dev.sluice.verification;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.domain.Event;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableState.Outcome;
import dev.sluice.domain.Verification;
import dev.sluice.domain.Verification.Difference;
import dev.sluice.domain.Verification.Kind;
import dev.sluice.messaging.KafkaClients;
import dev.sluice.messaging.Messages;
import dev.sluice.postgres.Ledger;
import dev.sluice.testing.PostgresServer;
import dev.sluice.testing.SharedServers;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

/** The function as it is asked by a table's state, with a slot and a queue that this test moves. */
@QuarkusTest
@QuarkusTestResource(ServersResource.class)
class VerificationIT {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final TableName TABLE = Tables.name("orders");

    @Inject
    KafkaClients kafka;

    @Inject
    Messages messages;

    @Inject
    Pipeline pipeline;

    @Inject
    Ledger ledger;

    private final List<Event> events = new ArrayList<>();

    private static void execute(PostgresServer server, String database, String sql) throws SQLException {
        try (var connection = server.connect(database); var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static void atSource(String sql) throws SQLException {
        execute(SharedServers.source(), ServersResource.source, sql);
    }

    private static void atDestination(String sql) throws SQLException {
        execute(SharedServers.destination(), ServersResource.destination, sql);
    }

    private List<Event> answers(Consumer<String, byte[]> consumer) {
        consumer.poll(Duration.ofMillis(100)).forEach(record -> {
            if (messages.input(record) instanceof Messages.Input.OfEvent answer) {
                events.add(answer.event());
            }
        });
        return events;
    }

    private <T extends Event> T answer(Consumer<String, byte[]> consumer, Class<T> type, long number) {
        await().atMost(LIMIT).until(() -> answers(consumer).stream()
                .anyMatch(event -> type.isInstance(event) && ((Event.OfVerification) event).number() == number));
        return type.cast(events.stream()
                .filter(event -> type.isInstance(event) && ((Event.OfVerification) event).number() == number)
                .findFirst()
                .orElseThrow());
    }

    @Test
    void aTableIsComparedOnceTheStreamHasPassed() throws Exception {
        for (String sql : List.of(
                "CREATE TABLE orders (id int PRIMARY KEY, v text)",
                "INSERT INTO orders SELECT i, 'v' || i FROM generate_series(1, 500) i")) {
            atSource(sql);
            atDestination(sql);
        }
        atSource("SELECT pg_create_logical_replication_slot('" + pipeline.slot() + "', 'pgoutput')");
        ledger.create().await().atMost(LIMIT);
        ledger.openRun(TABLE, Tables.RUN).await().atMost(LIMIT);
        ledger.startQueueAt(TABLE, Tables.RUN, "topic", 0).await().atMost(LIMIT);
        ledger.closeRun(TABLE, Tables.RUN, Outcome.CUT_SHORT, 0).await().atMost(LIMIT);
        ledger.caughtUp(TABLE, Tables.RUN, 0).await().atMost(LIMIT);
        var partition = new TopicPartition(pipeline.commandsAndEventsTopic(), 0);
        var capturing = new AtomicBoolean(true);
        // As capture does: what stands in Kafka is acknowledged.
        Thread capture = Thread.ofPlatform().start(() -> {
            try {
                while (capturing.get()) {
                    atSource("SELECT pg_replication_slot_advance('" + pipeline.slot() + "', pg_current_wal_lsn())");
                    Thread.sleep(20);
                }
            } catch (SQLException | InterruptedException e) {
                capturing.set(false);
            }
        });
        try (Producer<String, byte[]> producer = kafka.producer(Map.of());
                Consumer<String, byte[]> consumer = kafka.consumer(Map.of())) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));

            // when nothing differs
            producer.send(messages.tableState(Tables.streaming("orders", 20, new Verification.Running(0))));
            Event.Verified equal = answer(consumer, Event.Verified.class, 20);
            assertThat(equal.findings()).isEqualTo(new Verification.Findings(500, 1));

            // when a change stands in the queue that is not applied yet
            atSource("UPDATE orders SET v = 'new' WHERE id = 7; DELETE FROM orders WHERE id = 8");
            atDestination("UPDATE orders SET v = 'wrong' WHERE id = 9");
            producer.send(new ProducerRecord<>(
                    pipeline.queueTopic(TABLE), "7", "a change".getBytes(StandardCharsets.UTF_8))).get();
            producer.send(messages.tableState(Tables.streaming("orders", 21, new Verification.Running(0))));
            await().during(Duration.ofSeconds(1)).atMost(LIMIT).until(() -> answers(consumer).stream()
                    .noneMatch(event -> event instanceof Event.Verified verified && verified.number() == 21));
            // then it is applied
            atDestination("UPDATE orders SET v = 'new' WHERE id = 7; DELETE FROM orders WHERE id = 8; UPDATE "
                    + TableName.quote(pipeline.ledgerSchema()) + ".tables SET position = 1");
            Event.Verified differs = answer(consumer, Event.Verified.class, 21);
            assertThat(differs.findings().keys()).containsExactly(new Difference(List.of("9"), Kind.DIFFERENT));
            assertThat(differs.findings().unsettled()).isZero();

            // when the ledger says that another run holds the table
            ledger.openRun(TABLE, Tables.RUN + 1).await().atMost(LIMIT);
            producer.send(messages.tableState(Tables.streaming("orders", 22, new Verification.Running(0))));
            Event.VerificationFailed refused = answer(consumer, Event.VerificationFailed.class, 22);
            assertThat(refused.fault().kind()).isEqualTo(Fault.Kind.REFUSED);
            assertThat(refused.fault().reason()).contains("does not stream");
            assertThat(capturing.get()).as("the test's capture goes on").isTrue();
        } finally {
            capturing.set(false);
            capture.join();
        }
    }
}
