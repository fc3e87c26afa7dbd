package dev.sluice.messaging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.domain.Pause;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.testing.KafkaServer;
import dev.sluice.testing.SharedServers;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** On a broker of its own, since it is killed. */
class StateReaderIT {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final TableName A = TableName.parse("public.a");
    private static final TableName B = TableName.parse("public.b");

    private static final AtomicInteger PIPELINES = new AtomicInteger();

    private static KafkaServer kafka;

    private final Pipeline pipeline = new Pipeline("reader" + PIPELINES.incrementAndGet());
    private final Messages messages = new Messages(pipeline);
    private final List<StateReader.Change> changes = new CopyOnWriteArrayList<>();
    private KafkaClients clients;
    private StateReader reader;

    @BeforeAll
    static void startKafka() {
        kafka = KafkaServer.start(SharedServers.folder("reader-kafka"), 0, Map.of());
    }

    @AfterAll
    static void stopKafka() throws Exception {
        kafka.close();
    }

    @BeforeEach
    void start() {
        clients = new KafkaClients(new SmallRyeConfigBuilder()
                .withDefaultValue("kafka.bootstrap.servers", kafka.bootstrapServers())
                .build());
        new Topics(clients, pipeline).ensure(1);
        reader = new StateReader(clients, messages, pipeline);
        reader.onChange(changes::add);
    }

    @AfterEach
    void stop() {
        reader.close();
    }

    @Test
    void itIsCompleteOnceItHasReadWhatThereWasAndGoesOnAfterAnOutage() throws Exception {
        send(messages.tableState(table(A, false)));
        send(messages.tableState(table(B, true)));
        send(messages.pipelineState(PipelineRecord.empty()));
        assertThat(reader.rests(A)).as("as long as nothing is known").isTrue();

        reader.start();
        await().atMost(LIMIT).until(reader::isComplete);
        assertThat(reader.tables()).containsOnlyKeys(A, B);
        assertThat(reader.rests(A)).isFalse();
        assertThat(reader.rests(B)).isTrue();
        assertThat(reader.pipeline()).contains(PipelineRecord.empty());
        assertThat(changes.getLast()).isInstanceOf(StateReader.Change.Complete.class);

        kafka.kill();
        await().atMost(LIMIT).until(() -> reader.trouble().isPresent());
        assertThat(reader.tables()).as("what was read last stays").containsOnlyKeys(A, B);
        kafka.restart();
        changes.clear();
        send(messages.tableTombstone(B));
        send(messages.tableState(table(A, true)));
        await().atMost(LIMIT).until(() -> reader.rests(A));
        assertThat(reader.tables()).containsOnlyKeys(A);
        assertThat(reader.trouble()).isEmpty();
        assertThat(changes).as("nothing old is told again").hasSize(2);
    }

    @Test
    void whatCannotBeReadIsPassedOverAndNothingElseIs() throws Exception {
        send(new ProducerRecord<>(pipeline.tableStateTopic(), A.toString(), "{".getBytes()));
        send(new ProducerRecord<>(pipeline.tableStateTopic(), Messages.PIPELINE_KEY, "[]".getBytes()));
        reader.onChange(change -> {
            throw new IllegalStateException("a listener that breaks");
        });
        send(messages.tableState(table(B, false)));

        reader.start();
        await().atMost(LIMIT).until(reader::isComplete);
        assertThat(reader.tables()).containsOnlyKeys(B);
        assertThat(reader.pipeline()).isEmpty();
        assertThat(reader.rests(B)).as("as long as nobody can read whether the pipeline does").isTrue();

        send(messages.pipelineState(PipelineRecord.empty()));
        await().atMost(LIMIT).until(() -> !reader.rests(B));
        assertThat(reader.rests(A)).as("its own state cannot be read").isTrue();
        send(messages.tableState(table(A, false)));
        await().atMost(LIMIT).until(() -> !reader.rests(A));
    }

    private void send(ProducerRecord<String, byte[]> record) throws Exception {
        try (Producer<String, byte[]> producer = clients.producer(Map.of())) {
            producer.send(record).get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        }
    }

    private static TableRecord table(TableName name, boolean paused) {
        return new TableRecord(
                name, new TableState.Cancelled(7, true), Instant.EPOCH, 1, Optional.empty(), Optional.empty(),
                TableRecord.Progress.none(), Optional.empty(), TableOptions.NONE, Optional.empty(),
                paused ? Optional.of(new Pause(Optional.empty(), Instant.EPOCH)) : Optional.empty(), Optional.empty(),
                List.of(), Optional.empty());
    }
}
