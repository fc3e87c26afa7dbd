package dev.sluice.webhooks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.domain.Attempt;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.Constraints;
import dev.sluice.domain.TableState.Phase;
import dev.sluice.domain.TableState.Remedy;
import dev.sluice.messaging.KafkaClients;
import dev.sluice.messaging.Messages;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.TopicPartition;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@QuarkusTest
@QuarkusTestResource(ServersResource.class)
class WebhooksIT {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final String[] RUN = {"backfill.started", "backfill.completed", "table.caught-up"};

    @Inject
    KafkaClients kafka;

    @Inject
    Messages messages;

    @Inject
    Pipeline pipeline;

    private final Map<Thread, HookLoop> started = new HashMap<>();
    private Producer<String, byte[]> producer;
    private Receiver receiver;

    @BeforeEach
    void open() throws Exception {
        producer = kafka.producer(Map.of());
        receiver = new Receiver(0);
        awaitPosition("configured");
    }

    @AfterEach
    void close() throws Exception {
        for (Thread thread : List.copyOf(started.keySet())) {
            stop(thread);
        }
        producer.close();
        receiver.close();
        assertThat(receiver.wrong()).isEmpty();
    }

    @Test
    void theFunctionOfTheSettingsTellsWhatItIsAskedFor() {
        run("configured");
        run("other");
        state(failed("configured"));

        eventually().untilAsserted(() -> assertThat(ServersResource.receiver.taken("configured"))
                .containsExactly("backfill.completed", "table.failed"));
        assertThat(ServersResource.receiver.of("other")).isEmpty();
        assertThat(ServersResource.receiver.wrong()).isEmpty();
        assertThat(ServersResource.receiver.of("configured").getLast().data().path("hint").asText()).isEqualTo("mend it");
    }

    @Test
    void whatWasBeforeAWebhookIsNotTold() throws Exception {
        run("before");
        start("late", receiver.url(), Map.of());
        run("after");

        eventually().untilAsserted(() -> assertThat(receiver.taken("after")).containsExactly(RUN));
        assertThat(receiver.of("before")).isEmpty();
    }

    @Test
    void errorsAndRedirectsAreTriedAgainUntilTheReceiverTakesIt() throws Exception {
        receiver.answer(tries -> tries == 1 ? 500 : tries == 2 ? 302 : 200);
        start("faulty", receiver.url(), Map.of());
        run("faulty");

        eventually().untilAsserted(() -> assertThat(receiver.taken("faulty")).containsExactlyInAnyOrder(RUN));
        assertThat(receiver.of("faulty")).hasSize(9);
        assertThat(receiver.of("faulty").stream().map(Receiver.Told::id).distinct()).hasSize(3);
    }

    @Test
    void oneThatIsGivenUpLetsThePositionGoOn() throws Exception {
        receiver.answer(tries -> 400);
        start("refusing", receiver.url(), Map.of("giveUpAfter", Duration.ofSeconds(2)));
        run("refused");

        eventually().untilAsserted(() -> assertThat(position("refusing")).isGreaterThanOrEqualTo(end()));
        assertThat(receiver.of("refused").size()).isGreaterThan(3);
        assertThat(receiver.taken("refused")).isEmpty();
    }

    @Test
    void aReceiverThatHangsDelaysNoOther() throws Exception {
        try (var hanging = new Receiver(0)) {
            hanging.answer(tries -> Receiver.NEVER);
            start("hanging", hanging.url(), Map.of("timeout", Duration.ofSeconds(20)));
            start("quick", receiver.url(), Map.of());
            run("both");

            eventually().untilAsserted(() -> assertThat(receiver.taken("both")).containsExactly(RUN));
            eventually().until(() -> !hanging.of("both").isEmpty());
            // It still waits for its first answer.
            assertThat(hanging.of("both")).hasSize(1);
        }
    }

    @Test
    void aReceiverThatDoesNotAnswerInTimeIsToldAgain() throws Exception {
        receiver.answer(tries -> tries == 1 ? Receiver.NEVER : 204);
        start("slow", receiver.url(), Map.of("timeout", Duration.ofMillis(300)));
        run("slow");

        eventually().untilAsserted(() -> assertThat(receiver.taken("slow")).containsExactlyInAnyOrder(RUN));
    }

    @Test
    void nothingIsLostWhenProcessAndReceiverAreGoneInTheMiddle() throws Exception {
        receiver.answer(tries -> 503);
        Thread first = start("lasting", receiver.url(), Map.of());
        run("lost");
        eventually().until(() -> receiver.of("lost").size() >= 3);
        int port = receiver.port();
        List<String> ids = receiver.of("lost").stream().map(Receiver.Told::id).distinct().toList();
        stop(first);
        receiver.close();
        run("meanwhile");

        // Nobody listens at the port: the connection is refused.
        start("lasting", "http://127.0.0.1:" + port + "/in", Map.of());
        receiver = new Receiver(port);

        eventually().untilAsserted(() -> {
            assertThat(receiver.taken("lost")).containsExactlyInAnyOrder(RUN);
            assertThat(receiver.taken("meanwhile")).containsExactlyInAnyOrder(RUN);
        });
        assertThat(receiver.of("lost").stream().map(Receiver.Told::id)).hasSameElementsAs(ids);
        eventually().untilAsserted(() -> assertThat(position("lasting")).isGreaterThanOrEqualTo(end()));
    }

    private Thread start(String name, String url, Map<String, Object> settings) throws Exception {
        var loop = new HookLoop(Hook.of(name, Given.settings(url, settings)), kafka, messages, pipeline);
        Thread thread = Thread.ofPlatform().name("webhook-" + name).start(loop);
        started.put(thread, loop);
        awaitPosition(name);
        return thread;
    }

    private void stop(Thread thread) throws InterruptedException {
        started.remove(thread).stop();
        thread.interrupt();
        assertThat(thread.join(LIMIT)).as("%s ends", thread.getName()).isTrue();
    }

    /** A table is copied and caught up; only the state in between and the last one are written. */
    private void run(String table) {
        state(Given.table(table, new TableState.Completing(1, TableState.Outcome.COPIED, 1, Attempt.first()), Given.finished()));
        state(Given.table(table, new TableState.Streaming(1, new Constraints.Built(0)), Given.finished()));
    }

    private static TableRecord failed(String table) {
        return Given.table(
                table,
                new TableState.Failed(1, Phase.STREAMING, Fault.refused("it broke", "mend it"), new Remedy.CopyAnew()),
                Given.finished());
    }

    private void state(TableRecord table) {
        try {
            producer.send(messages.tableState(table)).get(30, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private void awaitPosition(String hook) {
        eventually().until(() -> position(hook) >= 0);
    }

    private long position(String hook) throws Exception {
        try (Admin admin = kafka.admin()) {
            var offset = admin.listConsumerGroupOffsets(pipeline.name() + ".webhooks." + hook)
                    .partitionsToOffsetAndMetadata()
                    .get(30, TimeUnit.SECONDS)
                    .get(partition());
            return offset == null ? -1 : offset.offset();
        }
    }

    private long end() {
        try (var consumer = kafka.consumer(Map.of())) {
            return consumer.endOffsets(Set.of(partition())).get(partition());
        }
    }

    private TopicPartition partition() {
        return new TopicPartition(pipeline.tableStateTopic(), 0);
    }

    private static ConditionFactory eventually() {
        return await().atMost(LIMIT).pollInterval(Duration.ofMillis(100)).ignoreExceptions();
    }
}
