package dev.sluice.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.domain.Command;
import dev.sluice.domain.Event;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableState;
import dev.sluice.messaging.KafkaClients;
import dev.sluice.messaging.Messages;
import dev.sluice.messaging.Topics;
import dev.sluice.testing.SharedServers;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The loop on a real Kafka: who leads, what is folded once, and what is put away. */
class SchedulerLoopIT {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final TableName TABLE = TableName.parse("public.orders");
    private static int pipelines;

    private final Pipeline pipeline = new Pipeline("loop" + ++pipelines);
    private final Messages messages = new Messages(pipeline);
    private final List<Running> running = new ArrayList<>();
    private KafkaClients kafka;
    private Producer<String, byte[]> producer;

    /** One scheduler, and the last world that it led with. */
    private final class Running implements Follower {
        private final SchedulerLoop loop = new SchedulerLoop(
                kafka, pipeline, messages, new Limits(2, 4, 2, 4), this, List.of());
        private final Thread thread = Thread.ofPlatform().start(loop);
        private volatile Optional<World> world = Optional.empty();

        @Override
        public void lead(Optional<World> committed) {
            world = committed;
        }

        @Override
        public void send(ProducerRecord<String, byte[]> record) {
            SchedulerLoopIT.this.send(record);
        }

        private void stop() {
            loop.stop();
            try {
                thread.join(LIMIT);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @BeforeEach
    void start() {
        var config = new SmallRyeConfigBuilder()
                .withSources(new PropertiesConfigSource(
                        Map.of("kafka.bootstrap.servers", SharedServers.kafka().bootstrapServers()), "test", 100))
                .build();
        kafka = new KafkaClients(config);
        new Topics(kafka, pipeline).ensure(4);
        producer = kafka.producer(Map.of(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, Topics.RECORD_BYTES_MAX));
    }

    @AfterEach
    void stop() {
        running.forEach(Running::stop);
        producer.close();
    }

    @Test
    void whatWasFollowedIsNotFollowedAgainWhenSchedulersComeAndGo() {
        Running first = startOne();
        addTable();
        await().atMost(LIMIT).until(() -> table().isPresent());
        long run = table().orElseThrow().run();

        // Each that joins or leaves makes the group share out the one partition anew, often to the same one.
        Running second = startOne();
        Running third = startOne();
        send(messages.command(new Command.AddTables(List.of("public.second")), "test"));
        await().atMost(LIMIT).until(() -> requests() == 1);
        second.stop();
        third.stop();
        send(messages.command(new Command.AddTables(List.of("public.third")), "test"));
        await().atMost(LIMIT).until(() -> requests() >= 2);

        assertThat(leader().orElseThrow().pipeline().requests())
                .extracting(PipelineRecord.Request::tables)
                .as("each request once, in its order")
                .containsExactly(List.of("public.second"), List.of("public.third"));
        assertThat(table().orElseThrow().run()).isEqualTo(run);
        assertThat(first.thread.isAlive()).isTrue();
    }

    @Test
    void aSchedulerThatStartsAgainKnowsEverythingAndGoesOn() {
        Running first = startOne();
        addTable();
        await().atMost(LIMIT).until(() -> table().isPresent());
        World before = leader().orElseThrow();
        first.stop();
        running.clear();

        startOne();
        await().atMost(LIMIT).until(() -> leader().isPresent());

        assertThat(leader().orElseThrow().tables()).isEqualTo(before.tables());
        assertThat(leader().orElseThrow().pipeline().epoch())
                .as("the epoch, by which the publication tells who is newer")
                .isGreaterThan(before.pipeline().epoch());
        assertThat(leader().orElseThrow().pipeline().inputOffset()).isEqualTo(before.pipeline().inputOffset());
    }

    @Test
    void aRecordOfAnySizeIsPutAwayAndTheNextIsFollowed() {
        startOne();
        byte[] huge = "x".repeat(9 * 1024 * 1024).getBytes(StandardCharsets.UTF_8);

        boolean taken = offer(new ProducerRecord<>(pipeline.commandsAndEventsTopic(), "k".repeat(5_000), huge));
        byte[] large = "y".repeat(1_000_000).getBytes(StandardCharsets.UTF_8);
        send(new ProducerRecord<>(pipeline.commandsAndEventsTopic(), null, large));
        send(messages.command(new Command.AddTables(List.of("public.second")), "test"));

        await().atMost(LIMIT).until(() -> requests() == 1);
        List<ConsumerRecord<String, byte[]>> letters = letters(taken ? 2 : 1);
        assertThat(letters).allSatisfy(letter -> {
            assertThat(letter.value().length).isLessThanOrEqualTo(256 * 1024);
            assertThat(letter.headers().lastHeader("sluice_reason")).isNotNull();
            assertThat(letter.headers().lastHeader("sluice_bytes")).as("its size as it was").isNotNull();
        });
    }

    private Running startOne() {
        var scheduler = new Running();
        running.add(scheduler);
        return scheduler;
    }

    private void addTable() {
        await().atMost(LIMIT).until(() -> leader().isPresent());
        send(messages.command(new Command.AddTables(List.of(TABLE.toString())), "test"));
        await().atMost(LIMIT).until(() -> requests() == 1);
        long request = leader().orElseThrow().pipeline().requests().getFirst().offset();
        send(messages.event(new Event.TablesMatched(request, List.of(TABLE), List.of()), "test"));
    }

    private Optional<World> leader() {
        return running.stream().map(it -> it.world).flatMap(Optional::stream).findFirst();
    }

    private int requests() {
        return leader().map(world -> world.pipeline().requests().size()).orElse(-1);
    }

    private Optional<TableState> table() {
        return leader().map(world -> world.tables().get(TABLE)).map(record -> record.state());
    }

    private void send(ProducerRecord<String, byte[]> record) {
        assertThat(offer(record)).as("Kafka takes the record").isTrue();
    }

    /** @return false if the topic does not take so large a record */
    private boolean offer(ProducerRecord<String, byte[]> record) {
        try {
            producer.send(record).get();
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } catch (java.util.concurrent.ExecutionException e) {
            return false;
        }
    }

    private List<ConsumerRecord<String, byte[]>> letters(int count) {
        var partition = new TopicPartition(pipeline.deadLetterTopic(), 0);
        List<ConsumerRecord<String, byte[]>> letters = new ArrayList<>();
        try (Consumer<String, byte[]> consumer = kafka.consumer(Map.of())) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            await().atMost(LIMIT).until(() -> {
                consumer.poll(Duration.ofMillis(200)).forEach(letters::add);
                return letters.size() >= count;
            });
        }
        return letters;
    }
}
