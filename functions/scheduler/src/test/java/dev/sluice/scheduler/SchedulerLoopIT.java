package dev.sluice.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.domain.Command;
import dev.sluice.domain.Event;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.Settings;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableState;
import dev.sluice.messaging.KafkaClients;
import dev.sluice.messaging.Messages;
import dev.sluice.messaging.Topics;
import dev.sluice.testing.SharedServers;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
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
    private SmallRyeConfig config;
    private KafkaClients kafka;
    private Producer<String, byte[]> producer;

    /** One scheduler, and the last world that it led with. */
    private final class Running implements Follower {
        private final SchedulerLoop loop;
        private final Thread thread;
        private volatile Optional<World> takenOver = Optional.empty();
        private volatile Optional<World> world = Optional.empty();

        private Running(KafkaClients clients) {
            loop = new SchedulerLoop(
                    clients, pipeline, messages, new Limits(2, 4, 2, 4), Settings.builtIn(), this, List.of());
            thread = Thread.ofPlatform().start(loop);
        }

        @Override
        public void lead(Optional<World> committed) {
            takenOver = takenOver.or(() -> committed);
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
        config = new SmallRyeConfigBuilder()
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
    void whatAZombieHasNotCommittedCountsForNothingAndIsDoneOnceByTheNext() throws Exception {
        var zombieCommits = new CountDownLatch(1);
        var nextHasReadTheState = new CountDownLatch(1);
        var outcome = new CompletableFuture<String>();
        Running zombie = startOne(new KafkaClients(config) {
            @Override
            public Consumer<String, byte[]> consumer(Map<String, Object> settings) {
                Map<String, Object> impatient = new HashMap<>(settings);
                // While it is stopped in its commit, the group gives its partition away.
                impatient.put(ConsumerConfig.MAX_POLL_INTERVAL_MS_CONFIG, 2_000);
                return super.consumer(impatient);
            }

            @Override
            public Producer<String, byte[]> producer(Map<String, Object> settings) {
                Producer<String, byte[]> real = super.producer(settings);
                var commits = new AtomicInteger();
                return around(Producer.class, real, "commitTransaction", commit -> {
                    // The first is its claim to lead.
                    if (commits.incrementAndGet() != 2 || outcome.isDone()) {
                        return commit.call();
                    }
                    real.flush();
                    zombieCommits.countDown();
                    nextHasReadTheState.await();
                    try {
                        Object done = commit.call();
                        outcome.complete("committed");
                        return done;
                    } catch (RuntimeException e) {
                        outcome.complete(e.getClass().getSimpleName());
                        throw e;
                    }
                });
            }
        });
        await().atMost(LIMIT).until(() -> zombie.world.isPresent());
        send(new ProducerRecord<>(pipeline.commandsAndEventsTopic(), null, "no JSON".getBytes(StandardCharsets.UTF_8)));
        assertThat(zombieCommits.await(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
        send(messages.command(new Command.AddTables(List.of("public.second")), "test"));
        zombie.loop.stop();

        Running next = startOne(new KafkaClients(config) {
            @Override
            public Consumer<String, byte[]> consumer(Map<String, Object> settings) {
                Consumer<String, byte[]> real = super.consumer(settings);
                boolean readsState = !settings.containsKey(ConsumerConfig.GROUP_ID_CONFIG);
                return !readsState ? real : around(Consumer.class, real, "close", close -> {
                    nextHasReadTheState.countDown();
                    outcome.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
                    return close.call();
                });
            }
        });
        await().atMost(LIMIT).until(() -> next.world.filter(it -> it.pipeline().requests().size() == 1).isPresent());

        assertThat(outcome).as("what became of the zombie's commit").isCompletedWithValue("ProducerFencedException");
        PipelineRecord takenOver = next.takenOver.orElseThrow().pipeline();
        assertThat(takenOver.rejections()).as("the zombie's work, as the next one took over").isEmpty();
        assertThat(takenOver.inputOffset()).as("the first input that nobody has followed").isZero();
        assertThat(next.world.orElseThrow().pipeline().rejections()).as("rejections in the end").hasSize(1);
        assertThat(letters(1)).as("dead letters").hasSize(1);
    }

    /** The same object, but what one of its methods does is done by the way given. */
    @SuppressWarnings("unchecked")
    private static <T> T around(Class<? super T> type, T real, String method, Around around) {
        return (T) Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (proxy, called, arguments) -> {
            Callable<Object> call = () -> {
                try {
                    return called.invoke(real, arguments);
                } catch (InvocationTargetException e) {
                    throw e.getCause() instanceof Exception cause ? cause : e;
                }
            };
            return called.getName().equals(method) ? around.call(call) : call.call();
        });
    }

    private interface Around {
        Object call(Callable<Object> real) throws Exception;
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
        return startOne(kafka);
    }

    private Running startOne(KafkaClients clients) {
        var scheduler = new Running(clients);
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

    /** All that are committed, once there are so many. */
    private List<ConsumerRecord<String, byte[]>> letters(int count) {
        var partition = new TopicPartition(pipeline.deadLetterTopic(), 0);
        List<ConsumerRecord<String, byte[]>> letters = new ArrayList<>();
        try (Consumer<String, byte[]> consumer =
                kafka.consumer(Map.of(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed"))) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            await().atMost(LIMIT).until(() -> {
                consumer.poll(Duration.ofMillis(200)).forEach(letters::add);
                long end = consumer.endOffsets(List.of(partition)).get(partition);
                return letters.size() >= count && consumer.position(partition) >= end;
            });
        }
        return letters;
    }
}
