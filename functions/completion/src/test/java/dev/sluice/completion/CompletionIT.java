package dev.sluice.completion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.domain.Attempt;
import dev.sluice.domain.CaptureIdentity;
import dev.sluice.domain.Event;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.StreamCommand;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.Constraints;
import dev.sluice.domain.TableState.Outcome;
import dev.sluice.messaging.KafkaClients;
import dev.sluice.messaging.Messages;
import dev.sluice.postgres.Ledger;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@QuarkusTest
@QuarkusTestResource(ServersResource.class)
class CompletionIT {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final long RUN = 7;

    @Inject
    KafkaClients kafka;

    @Inject
    Messages messages;

    @Inject
    Pipeline pipeline;

    @Inject
    Ledger ledger;

    private Producer<String, byte[]> producer;
    private Consumer<String, byte[]> events;
    private Consumer<String, byte[]> commands;
    private final List<Event.OfRun> answers = new ArrayList<>();
    private final List<StreamCommand> drains = new ArrayList<>();

    @BeforeEach
    void listen() {
        producer = kafka.producer(Map.of());
        events = reader(pipeline.commandsAndEventsTopic());
        commands = reader(pipeline.streamCommandsTopic());
        // The function makes the ledger too; a test must not come before it.
        ledger.create().await().atMost(LIMIT);
    }

    @AfterEach
    void close() {
        producer.close();
        events.close();
        commands.close();
    }

    @Test
    void aRunIsClosedWithItsWatermarkAndTheTableDrains() {
        ledger.openRun(Records.name("cut"), RUN).await().atMost(LIMIT);

        state("cut", new TableState.Completing(RUN, Outcome.CUT_SHORT, 0, Attempt.first()));

        Event.RunClosed closed = (Event.RunClosed) answer("cut");
        Ledger.Entry entry = ledger.read(Records.name("cut")).await().atMost(LIMIT).orElseThrow();
        assertThat(entry.applying()).isEqualTo(Ledger.Applying.DRAINING);
        assertThat(entry.watermark()).isEqualTo(closed.watermark()).isPresent();
        Lsn watermark = closed.watermark().orElseThrow();
        await("the drain command").atMost(LIMIT).until(() -> drainsOf("cut")
                .contains(new StreamCommand.Drain(Records.name("cut"), RUN, watermark)));
    }

    @Test
    void aPausedTableIsNotClosedBeforeItGoesOn() {
        ledger.openRun(Records.name("paused"), RUN).await().atMost(LIMIT);
        ledger.openRun(Records.name("behind"), RUN).await().atMost(LIMIT);
        var completing = new TableState.Completing(RUN, Outcome.CUT_SHORT, 0, Attempt.first());
        producer.send(messages.tableState(Records.paused(Records.table("paused", completing))));
        state("behind", completing);

        answer("behind");
        assertThat(answers).extracting(Event.OfRun::table).doesNotContain(Records.name("paused"));
        state("paused", completing);

        assertThat(answer("paused")).isInstanceOf(Event.RunClosed.class);
    }

    @Test
    void aRunWithoutAllItsChunksIsRefused() {
        ledger.openRun(Records.name("gap"), RUN).await().atMost(LIMIT);

        state("gap", new TableState.Completing(RUN, Outcome.COPIED, 2, Attempt.first()));

        assertThat(answer("gap")).isInstanceOfSatisfying(Event.ClosingFailed.class, failed -> {
            assertThat(failed.fault().kind()).isEqualTo(Fault.Kind.REFUSED);
            assertThat(failed.fault().reason()).contains("lists 0 of 2 chunks");
        });
        assertThat(drainsOf("gap")).isEmpty();
    }

    @Test
    void aTableWhoseCaptureEndedOnTheWayIsNotDrained() {
        ledger.openRun(Records.name("uncaptured"), RUN).await().atMost(LIMIT);
        var asItJoined = new CaptureIdentity(1, "fingerprint", 2, "system", "topic", "capture");

        producer.send(messages.tableState(Records.captured(
                "uncaptured", new TableState.Completing(RUN, Outcome.CUT_SHORT, 0, Attempt.first()), asItJoined)));

        assertThat(answer("uncaptured"))
                .isInstanceOfSatisfying(Event.ClosingFailed.class, failed -> assertThat(failed.fault().kind())
                        .isEqualTo(Fault.Kind.REFUSED));
        assertThat(drainsOf("uncaptured")).isEmpty();
    }

    @Test
    void workThatWasLeftBehindIsDoneAfterAStart() {
        assertThat(answer("unfinished")).isInstanceOfSatisfying(
                Event.RunClosed.class,
                closed -> assertThat(closed.watermark()).as("abandoned: nothing to drain").isEmpty());
        assertThat(drainsOf("unfinished")).isEmpty();
    }

    @Test
    void aFencedRunIsLeftToTheNewerOne() {
        ledger.openRun(Records.name("old"), RUN + 1).await().atMost(LIMIT);
        ledger.openRun(Records.name("marker"), RUN).await().atMost(LIMIT);

        state("old", new TableState.Completing(RUN, Outcome.CUT_SHORT, 0, Attempt.first()));
        state("marker", new TableState.Completing(RUN, Outcome.CUT_SHORT, 0, Attempt.first()));

        answer("marker");
        assertThat(answers).extracting(Event.OfRun::table).doesNotContain(Records.name("old"));
        assertThat(ledger.read(Records.name("old")).await().atMost(LIMIT).orElseThrow().applying())
                .isEqualTo(Ledger.Applying.HELD);
    }

    @Test
    void aRemovedTableIsPassedOverAndWhatWaitedIsBuilt() {
        producer.send(messages.tableTombstone(Records.name("gone")));
        ledger.openRun(Records.name("streams"), RUN).await().atMost(LIMIT);

        state("streams", new TableState.Streaming(RUN, new Constraints.Pending(Attempt.first())));

        assertThat(answer("streams"))
                .as("a table that brought its own has nothing to be built")
                .isEqualTo(new Event.ConstraintsBuilt(Records.name("streams"), RUN, 1, 0));
    }

    private void state(String table, TableState state) {
        producer.send(messages.tableState(Records.table(table, state)));
    }

    private Event.OfRun answer(String table) {
        await("an answer about " + table).atMost(LIMIT).until(() -> {
            events.poll(Duration.ofMillis(100)).forEach(record -> {
                if (messages.input(record) instanceof Messages.Input.OfEvent input
                        && input.event() instanceof Event.OfRun event) {
                    answers.add(event);
                }
            });
            return answers.stream().anyMatch(event -> event.table().equals(Records.name(table)));
        });
        return answers.stream()
                .filter(event -> event.table().equals(Records.name(table)))
                .findFirst()
                .orElseThrow();
    }

    private List<StreamCommand> drainsOf(String table) {
        commands.poll(Duration.ofMillis(100)).forEach(record -> drains.add(messages.streamCommand(record)));
        return drains.stream().filter(command -> command.table().equals(Records.name(table))).toList();
    }

    private Consumer<String, byte[]> reader(String topic) {
        Consumer<String, byte[]> consumer = kafka.consumer(Map.of());
        List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                .map(info -> new TopicPartition(topic, info.partition()))
                .toList();
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        return consumer;
    }
}
