package dev.sluice.streaming;

import dev.sluice.streaming.QueueHole.Topic;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** What Kafka says of the topics that queue changes. Nothing here blocks. */
final class QueueTopics implements AutoCloseable {

    private static final int ENDS_TIMEOUT_MILLIS = 5_000;

    private final Admin admin;

    QueueTopics(Map<String, Object> kafka) {
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
