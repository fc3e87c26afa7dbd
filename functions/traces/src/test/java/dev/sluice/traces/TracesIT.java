package dev.sluice.traces;

import static dev.sluice.traces.Given.backfilling;
import static dev.sluice.traces.Given.chunk;
import static dev.sluice.traces.Given.completing;
import static dev.sluice.traces.Given.copied;
import static dev.sluice.traces.Given.name;
import static dev.sluice.traces.Given.pipeline;
import static dev.sluice.traces.Given.preparing;
import static dev.sluice.traces.Given.queued;
import static dev.sluice.traces.Given.streaming;
import static dev.sluice.traces.Given.table;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.domain.Attempt;
import dev.sluice.domain.Command;
import dev.sluice.domain.Event;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.PipelineRecord.SlotTask;
import dev.sluice.domain.Step;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.Outcome;
import dev.sluice.messaging.KafkaClients;
import dev.sluice.messaging.Messages;
import dev.sluice.messaging.Topics;
import dev.sluice.testing.SpanReceiver;
import dev.sluice.testing.SpanReceiver.Received;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Written as the scheduler and the workers write it; each test has a pipeline of its own but the first. */
@QuarkusTest
@QuarkusTestResource(ServersResource.class)
class TracesIT {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final String[] RUN = {
        "Queued", "INSPECT", "Preparing", "chunk", "chunk", "Backfilling", "Completing", "Draining", "backfill"
    };

    @Inject
    KafkaClients kafka;

    @Inject
    Topics topics;

    @Inject
    Messages messages;

    @Inject
    Pipeline pipeline;

    private final Map<Thread, TracesLoop> started = new HashMap<>();
    private Producer<String, byte[]> producer;
    private SpanReceiver receiver;
    private double began;

    @BeforeEach
    void open() {
        producer = kafka.producer(Map.of(ProducerConfig.TRANSACTIONAL_ID_CONFIG, "traces-test"));
        producer.initTransactions();
        receiver = new SpanReceiver(0);
    }

    @AfterEach
    void close() throws Exception {
        for (Thread thread : List.copyOf(started.keySet())) {
            stop(thread);
        }
        producer.close();
        receiver.close();
    }

    @Test
    void theFunctionOfTheSettingsTellsAWholeRun() throws Exception {
        eventually().until(() -> position() >= 0);
        long run = begin("whole");
        middle("whole", run);
        end("whole", run);

        List<Received> told = told(ServersResource.receiver, "whole", RUN);
        Received root = told.stream().filter(span -> span.parent().isEmpty()).findFirst().orElseThrow();
        assertThat(root.links()).containsExactly("0af7651916cd43dd8448eb211c80319c");
        assertThat(root.attributes())
                .containsEntry("by", "ann")
                .containsEntry("command", "backfill")
                .containsEntry("run", Long.toString(run))
                .containsEntry("offset", Long.toString(run))
                .containsEntry("outcome", "streaming");
        assertThat(root.resource())
                .containsEntry("service.name", "sluice")
                .containsEntry("service.namespace", "traced");
        assertThat(ServersResource.receiver.headers()).containsEntry("authorization", "Bearer secret");
        assertThat(told).extracting(Received::trace).containsOnly(root.trace());
        assertThat(told).allMatch(span -> span.parent().isEmpty()
                || told.stream().anyMatch(parent -> span.parent().get().equals(parent.id())));
        List<Received> chunks = told.stream().filter(span -> span.name().equals("chunk")).toList();
        assertThat(chunks).extracting(span -> span.attributes().get("rows")).containsExactly("10", "20");
        assertThat(chunks).extracting(span -> span.attributes().get("slot")).containsExactly("0", "1");
        assertThat(chunks).allMatch(span -> !span.start().isBefore(root.start()) && span.end().isAfter(span.start()));
    }

    @Test
    void nothingIsLostOrToldTwiceWhileTheReceiverIsAway() throws Exception {
        start(Duration.ofHours(1));
        receiver.answer(503);
        long run = begin("away");
        eventually().until(() -> receiver.refused() >= 2);
        long before = position();
        int port = receiver.port();
        receiver.close();
        // Nobody listens at the port: the connection is refused.
        middle("away", run);
        end("away", run);
        assertThat(position()).isEqualTo(before);

        receiver = new SpanReceiver(port);

        told(receiver, "away", RUN);
        eventually().untilAsserted(() -> assertThat(position()).isGreaterThanOrEqualTo(end()));
    }

    @Test
    void anotherProcessGoesOnWhereOneStopped() throws Exception {
        Thread first = start(Duration.ofHours(1));
        Thread second = start(Duration.ofHours(1));
        long run = begin("handed");
        told(receiver, "handed", "Queued", "INSPECT", "Preparing");
        eventually().untilAsserted(() -> assertThat(position()).isGreaterThanOrEqualTo(end()));
        // Whichever of them works: one is left.
        stop(first);
        middle("handed", run);
        told(receiver, "handed", "Queued", "INSPECT", "Preparing", "chunk", "chunk");
        eventually().untilAsserted(() -> assertThat(position()).isGreaterThanOrEqualTo(end()));
        start(Duration.ofHours(1));
        stop(second);
        end("handed", run);

        List<Received> told = told(receiver, "handed", RUN);
        assertThat(told).extracting(Received::trace).containsOnly(told.getFirst().trace());
        assertThat(told).allMatch(span -> span.parent().isEmpty()
                || told.stream().anyMatch(parent -> span.parent().get().equals(parent.id())));
        assertThat(told.getLast().attributes()).containsEntry("by", "ann").containsEntry("offset", Long.toString(run));
        assertThat(told).filteredOn(span -> span.name().equals("chunk"))
                .extracting(span -> span.attributes().get("rows"))
                .containsExactly("10", "20");
    }

    @Test
    void whatIsGivenUpLetsThePositionGoOn() throws Exception {
        start(Duration.ofSeconds(1));
        receiver.answer(400);
        long run = begin("refused");
        eventually().untilAsserted(() -> assertThat(position()).isGreaterThanOrEqualTo(end()));
        assertThat(receiver.refused()).isGreaterThan(1);

        receiver.answer(200);
        middle("refused", run);
        told(receiver, "refused", "chunk", "chunk");
    }

    /** With a pipeline of its own, so that nobody else reads what is written. */
    private Thread start(Duration giveUpAfter) throws Exception {
        if (started.isEmpty()) {
            pipeline = new Pipeline("traced" + receiver.port());
            messages = new Messages(pipeline);
            topics = new Topics(kafka, pipeline);
            topics.ensure(1);
        }
        var collector = Collector.of(Given.config(
                Optional.of(receiver.url()), Optional.empty(), false, Duration.ofSeconds(2), giveUpAfter));
        var loop = new TracesLoop(collector.orElseThrow(), kafka, topics, messages, pipeline);
        Thread thread = Thread.ofPlatform().name("traces-of-test").start(loop);
        started.put(thread, loop);
        eventually().until(() -> position() >= 0);
        return thread;
    }

    private void stop(Thread thread) throws InterruptedException {
        started.remove(thread).stop();
        assertThat(thread.join(LIMIT)).as("%s ends", thread.getName()).isTrue();
    }

    /** Up to two chunks in flight. */
    private long begin(String table) {
        var command = messages.command(new Command.Backfill(name(table)), "test", Optional.of("ann"));
        command.headers()
                .add(
                        "ce_traceparent",
                        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".getBytes(StandardCharsets.UTF_8));
        long run = send(List.of(command));
        began = now();
        double now = began;
        states(run + 1, Map.of(), table(table, queued(run, run), now));
        states(run + 1, Map.of(), table(table, preparing(run, Step.INSPECT, Attempt.first()), now + 0.001));
        states(
                run + 1,
                Map.of(0, new SlotTask(name(table), run, 0, 1), 1, new SlotTask(name(table), run, 1, 1)),
                copied(
                        table,
                        backfilling(run, 2, chunk(0, Attempt.first(), true), chunk(1, Attempt.first(), true)),
                        now + 0.002,
                        0));
        return run;
    }

    /** Both chunks come back. */
    private void middle(String table, long run) {
        send(List.of(messages.event(new Event.ChunkCopied(name(table), run, 0, 1, 10, 1, 1), "test")));
        long last = send(List.of(messages.event(new Event.ChunkCopied(name(table), run, 1, 1, 20, 1, 1), "test")));
        states(last + 1, Map.of(), copied(table, backfilling(run, 2), began + 0.002, 2));
    }

    private void end(String table, long run) {
        double now = now();
        states(0, Map.of(), copied(table, completing(run, Outcome.COPIED), now, 2));
        states(0, Map.of(), copied(table, new TableState.Draining(run, Lsn.parse("0/BB")), now + 0.001, 2));
        states(0, Map.of(), copied(table, streaming(run), now + 0.002, 2));
    }

    private static double now() {
        return Duration.between(Given.T0, Instant.now()).toMillis() / 1000.0;
    }

    /** One transaction of the scheduler. */
    private void states(long inputOffset, Map<Integer, SlotTask> slots, TableRecord table) {
        send(List.of(messages.tableState(table), messages.pipelineState(pipeline(inputOffset, slots))));
    }

    /** @return the offset of the last one */
    private long send(List<ProducerRecord<String, byte[]>> records) {
        try {
            producer.beginTransaction();
            long offset = -1;
            for (var record : records) {
                offset = producer.send(record).get(30, TimeUnit.SECONDS).offset();
            }
            producer.commitTransaction();
            return offset;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** Waits until exactly these are told, in this order. */
    private static List<Received> told(SpanReceiver receiver, String table, String... names) {
        eventually().untilAsserted(() -> assertThat(receiver.of("public." + table))
                .extracting(span -> span.name().replace(" public." + table, ""))
                .containsExactly(names));
        return new ArrayList<>(receiver.of("public." + table));
    }

    private long position() throws Exception {
        try (Admin admin = kafka.admin()) {
            var offset = admin.listConsumerGroupOffsets(pipeline.name() + ".traces")
                    .partitionsToOffsetAndMetadata()
                    .get(30, TimeUnit.SECONDS)
                    .get(partition());
            return offset == null ? -1 : offset.offset();
        }
    }

    private long end() {
        try (var consumer = kafka.consumer(Map.of())) {
            return consumer.endOffsets(List.of(partition())).get(partition());
        }
    }

    private TopicPartition partition() {
        return new TopicPartition(pipeline.tableStateTopic(), 0);
    }

    private static ConditionFactory eventually() {
        return await().atMost(LIMIT).pollInterval(Duration.ofMillis(100)).ignoreExceptions();
    }
}
