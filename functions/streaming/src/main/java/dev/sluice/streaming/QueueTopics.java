package dev.sluice.streaming;

import dev.sluice.streaming.QueueHole.Topic;
import io.smallrye.mutiny.Uni;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** What Kafka says of the topics that queue changes. Nothing here blocks. */
final class QueueTopics implements AutoCloseable {

    private final Admin admin;

    QueueTopics(Map<String, Object> kafka) {
        this.admin = Admin.create(kafka);
    }

    static TopicPartition partition(String topic) {
        return new TopicPartition(topic, 0);
    }

    /** @return empty if there is no such topic */
    Uni<Optional<Topic>> find(String topic) {
        return uni(admin.describeTopics(java.util.List.of(topic)).allTopicNames())
                .chain(found -> {
                    TopicDescription description = found.get(topic);
                    TopicPartition partition = partition(topic);
                    return Uni.combine().all().unis(
                                    offsets(java.util.List.of(partition), OffsetSpec.earliest()),
                                    offsets(java.util.List.of(partition), OffsetSpec.latest()))
                            .with((beginnings, ends) -> Optional.of(new Topic(
                                    description.topicId().toString(),
                                    description.partitions().size(),
                                    beginnings.get(partition),
                                    ends.get(partition))));
                })
                .onFailure(UnknownTopicOrPartitionException.class)
                .recoverWithItem(Optional.empty());
    }

    /** The end offsets as they are now, in one request to each broker. */
    Uni<Map<TopicPartition, Long>> ends(Collection<TopicPartition> partitions) {
        return offsets(partitions, OffsetSpec.latest());
    }

    /** The ids of topics; one that does not exist is left out. */
    Uni<Map<String, String>> ids(Collection<String> topics) {
        Map<String, KafkaFuture<TopicDescription>> found = admin.describeTopics(topics).topicNameValues();
        Map<String, String> ids = new HashMap<>();
        return uni(KafkaFuture.allOf(found.values().stream()
                        .map(future -> future.<Void>thenApply(topic -> {
                            synchronized (ids) {
                                ids.put(topic.name(), topic.topicId().toString());
                            }
                            return null;
                        }))
                        .toArray(KafkaFuture[]::new)))
                .onFailure(UnknownTopicOrPartitionException.class)
                .recoverWithNull()
                .map(ignored -> {
                    synchronized (ids) {
                        return Map.copyOf(ids);
                    }
                });
    }

    private Uni<Map<TopicPartition, Long>> offsets(Collection<TopicPartition> partitions, OffsetSpec which) {
        Map<TopicPartition, OffsetSpec> asked =
                partitions.stream().collect(Collectors.toMap(Function.identity(), partition -> which));
        return uni(admin.listOffsets(asked).all())
                .map(found -> found.entrySet().stream()
                        .collect(Collectors.toMap(
                                Map.Entry::getKey, entry -> ((ListOffsetsResultInfo) entry.getValue()).offset())));
    }

    private static <T> Uni<T> uni(KafkaFuture<T> future) {
        return Uni.createFrom()
                .completionStage(future.toCompletionStage())
                .onFailure(CompletionException.class)
                .transform(Throwable::getCause);
    }

    @Override
    public void close() {
        admin.close(java.time.Duration.ofSeconds(5));
    }
}
