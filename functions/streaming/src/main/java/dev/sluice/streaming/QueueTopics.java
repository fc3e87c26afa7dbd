package dev.sluice.streaming;

import dev.sluice.streaming.QueueHole.Topic;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** What Kafka says of the topics that queue changes. Nothing here blocks the caller. */
final class QueueTopics implements AutoCloseable {

    /** So many topics are asked for their first record at once. */
    static final int FIRST_MAX = 20;

    private static final int ENDS_TIMEOUT_MILLIS = 5_000;
    private static final Duration FIRST_LIMIT = Duration.ofSeconds(3);

    private final Map<String, Object> kafka;
    private final Admin admin;

    QueueTopics(Map<String, Object> kafka) {
        this.kafka = kafka;
        this.admin = Admin.create(kafka);
    }

    static TopicPartition partition(String topic) {
        return new TopicPartition(topic, 0);
    }

    /** @return empty if there is no such topic */
    Uni<Optional<Topic>> find(String topic) {
        return uni(admin.describeTopics(List.of(topic)).allTopicNames())
                .chain(found -> {
                    TopicDescription description = found.get(topic);
                    TopicPartition partition = partition(topic);
                    return Uni.combine().all().unis(
                                    offsets(List.of(partition), OffsetSpec.earliest()),
                                    offsets(List.of(partition), OffsetSpec.latest()))
                            .with((beginnings, ends) -> Optional.of(new Topic(
                                    description.topicId().toString(),
                                    description.partitions().size(),
                                    beginnings.get(partition),
                                    ends.get(partition))));
                })
                .onFailure(UnknownTopicOrPartitionException.class)
                .recoverWithItem(Optional.empty());
    }

    /** The end offsets as they are now, in one request to each broker. A topic that cannot be asked is left out. */
    Uni<Map<TopicPartition, Long>> ends(Collection<TopicPartition> partitions) {
        Map<TopicPartition, Long> ends = new ConcurrentHashMap<>();
        ListOffsetsResult asked = admin.listOffsets(
                asked(partitions, OffsetSpec.latest()), new ListOffsetsOptions().timeoutMs(ENDS_TIMEOUT_MILLIS));
        // For a topic that does not exist Kafka's client tries until its time is up.
        return each(partitions.stream()
                        .map(partition -> asked.partitionResult(partition).<Void>thenApply(end -> {
                            ends.put(partition, end.offset());
                            return null;
                        })),
                        failure -> true)
                .map(ignored -> Map.copyOf(ends));
    }

    /**
     * When the first record at or behind each of these offsets came in. One that does not come in time, and a topic that
     * does not reach as far, are left out.
     *
     * @param offsets at most {@value #FIRST_MAX}
     */
    Uni<Map<TopicPartition, Instant>> firstAt(Map<TopicPartition, Long> offsets) {
        // A consumer blocks, and may be used by one thread only: this one lives as long as the question.
        return Uni.createFrom()
                .item(() -> readFirst(offsets))
                .runSubscriptionOn(Infrastructure.getDefaultWorkerPool());
    }

    private Map<TopicPartition, Instant> readFirst(Map<TopicPartition, Long> offsets) {
        Map<String, Object> settings = new HashMap<>(kafka);
        settings.remove(ConsumerConfig.GROUP_ID_CONFIG);
        settings.put(ConsumerConfig.CLIENT_ID_CONFIG, "sluice-streaming-oldest");
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
        settings.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        // The first record comes all the same, however large it is.
        settings.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, 1);
        settings.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 1);
        Map<TopicPartition, Instant> first = new HashMap<>();
        Set<TopicPartition> asked = new HashSet<>(offsets.keySet());
        try (var consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(asked);
            offsets.forEach(consumer::seek);
            long until = System.nanoTime() + FIRST_LIMIT.toNanos();
            while (!asked.isEmpty() && System.nanoTime() < until) {
                try {
                    consumer.poll(Duration.ofNanos(Math.max(0, until - System.nanoTime()))).forEach(record -> {
                        var partition = new TopicPartition(record.topic(), record.partition());
                        first.put(partition, Instant.ofEpochMilli(record.timestamp()));
                        asked.remove(partition);
                    });
                } catch (OffsetOutOfRangeException e) {
                    // A hole: whoever opens the queue finds it, and says so (R15).
                    asked.removeAll(e.partitions());
                }
                consumer.assign(asked);
            }
        }
        return first;
    }

    /** Deletes what stands before these offsets. A topic where that does not work keeps it until the next time. */
    Uni<Void> deleteBefore(Map<TopicPartition, Long> offsets) {
        Map<TopicPartition, RecordsToDelete> asked = offsets.entrySet().stream()
                .collect(Collectors.toMap(Map.Entry::getKey, entry -> RecordsToDelete.beforeOffset(entry.getValue())));
        return each(
                admin.deleteRecords(asked).lowWatermarks().values().stream().map(done -> done.<Void>thenApply(low -> null)),
                failure -> true);
    }

    /** The ids of topics; one that does not exist is left out. */
    Uni<Map<String, String>> ids(Collection<String> topics) {
        Map<String, String> ids = new ConcurrentHashMap<>();
        return each(admin.describeTopics(topics).topicNameValues().values().stream()
                        .map(found -> found.<Void>thenApply(topic -> {
                            ids.put(topic.name(), topic.topicId().toString());
                            return null;
                        })),
                        UnknownTopicOrPartitionException.class::isInstance)
                .map(ignored -> Map.copyOf(ids));
    }

    /** Waits for all. That single ones end with a failure that is expected is none. */
    private static Uni<Void> each(Stream<KafkaFuture<Void>> futures, Predicate<Throwable> expected) {
        return Uni.join()
                .all(futures.map(future -> uni(future).onFailure(expected).recoverWithNull()).toList())
                .andCollectFailures()
                .replaceWithVoid();
    }

    private Uni<Map<TopicPartition, Long>> offsets(Collection<TopicPartition> partitions, OffsetSpec which) {
        return uni(admin.listOffsets(asked(partitions, which)).all())
                .map(found -> found.entrySet().stream()
                        .collect(Collectors.toMap(Map.Entry::getKey, entry -> entry.getValue().offset())));
    }

    private static Map<TopicPartition, OffsetSpec> asked(Collection<TopicPartition> partitions, OffsetSpec which) {
        return partitions.stream().collect(Collectors.toMap(Function.identity(), partition -> which));
    }

    private static <T> Uni<T> uni(KafkaFuture<T> future) {
        return Uni.createFrom()
                .completionStage(future.toCompletionStage())
                .onFailure(CompletionException.class)
                .transform(Throwable::getCause);
    }

    @Override
    public void close() {
        admin.close(Duration.ofSeconds(5));
    }
}
