package dev.sluice.messaging;

import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableName;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** The topics of the pipeline, made as they must be. Every function makes sure of them at start. */
@Singleton
public class Topics {

    /** A row of 50 MB with room for its names and both its versions' keys. */
    public static final int RECORD_BYTES_MAX = 64 * 1024 * 1024;

    /** The largest record of state: hundreds of open chunks, each with the two widest keys there can be. */
    static final int STATE_BYTES_MAX = 8 * 1024 * 1024;

    private static final int STREAM_COMMAND_PARTITIONS = 8;
    private static final long TIMEOUT_SECONDS = 20;
    private static final Map<String, String> COMPACTED = Map.of(
            TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_COMPACT,
            TopicConfig.SEGMENT_MS_CONFIG, "3600000",
            // A plan of wide keys is more than Kafka's megabyte, and a state that cannot be written stops everything.
            TopicConfig.MAX_MESSAGE_BYTES_CONFIG, Integer.toString(STATE_BYTES_MAX));

    private static final Map<String, String> QUEUE = Map.of(
            TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_DELETE,
            TopicConfig.RETENTION_MS_CONFIG, "-1",
            TopicConfig.RETENTION_BYTES_CONFIG, "-1",
            TopicConfig.MAX_MESSAGE_BYTES_CONFIG, Integer.toString(RECORD_BYTES_MAX));

    private final KafkaClients kafka;
    private final Pipeline pipeline;

    @Inject
    public Topics(KafkaClients kafka, Pipeline pipeline) {
        this.kafka = kafka;
        this.pipeline = pipeline;
    }

    /** A topic as it stands: Kafka's id, and the first offset it has and the next it will have. */
    public record Queue(String topicId, int partitions, long beginning, long end) {}

    /**
     * Makes the topics that the functions talk through, where they are missing.
     *
     * @param slots worker slots; the chunk tasks topic gets at least so many partitions
     * @throws KafkaUnavailableException if Kafka does not answer
     */
    public void ensure(int slots) {
        try (Admin admin = kafka.admin()) {
            create(admin, pipeline.commandsAndEventsTopic(), 1, Map.of());
            create(admin, pipeline.tableStateTopic(), 1, COMPACTED);
            create(admin, pipeline.streamCommandsTopic(), STREAM_COMMAND_PARTITIONS, COMPACTED);
            create(admin, pipeline.deadLetterTopic(), 1, Map.of(TopicConfig.RETENTION_MS_CONFIG, "-1"));
            create(admin, pipeline.chunkTasksTopic(), slots, Map.of());
            int partitions = describe(admin, pipeline.chunkTasksTopic())
                    .map(description -> description.partitions().size())
                    .orElse(slots);
            if (partitions < slots) {
                get(admin.createPartitions(Map.of(pipeline.chunkTasksTopic(), NewPartitions.increaseTo(slots)))
                        .all());
            }
        }
    }

    /**
     * Makes the topic of a table's queue: one partition, since the order of the whole table counts, and nothing ever
     * expires, since a table may wait for days.
     */
    public Queue ensureQueue(TableName table) {
        String topic = pipeline.queueTopic(table);
        try (Admin admin = kafka.admin()) {
            create(admin, topic, 1, QUEUE);
            // A topic that somebody else made, or a broker by itself, would let changes expire or refuse large ones.
            get(admin.incrementalAlterConfigs(Map.of(
                            new ConfigResource(ConfigResource.Type.TOPIC, topic),
                            QUEUE.entrySet().stream()
                                    .map(setting -> new AlterConfigOp(
                                            new ConfigEntry(setting.getKey(), setting.getValue()),
                                            AlterConfigOp.OpType.SET))
                                    .toList()))
                    .all());
            return queue(admin, topic)
                    .orElseThrow(() -> new KafkaUnavailableException("the topic " + topic + " was made and is not there", null));
        }
    }

    /** The queue's topic as it stands, or empty if there is none. */
    public Optional<Queue> queue(TableName table) {
        try (Admin admin = kafka.admin()) {
            return queue(admin, pipeline.queueTopic(table));
        }
    }

    /**
     * Kafka's id of the topic of Debezium's offsets: it lives as long as capture goes on from where it was. Empty if
     * capture was never prepared.
     */
    public Optional<String> captureId() {
        try (Admin admin = kafka.admin()) {
            return describe(admin, pipeline.captureOffsetsTopic())
                    .map(description -> description.topicId().toString());
        }
    }

    /**
     * Kafka's id of the topic of commands and events. Runs are numbered by its offsets, so that with it they are told
     * apart from those of any other pipeline.
     */
    public String inputsId() {
        try (Admin admin = kafka.admin()) {
            return describe(admin, pipeline.commandsAndEventsTopic())
                    .map(description -> description.topicId().toString())
                    .orElseThrow(() -> new KafkaUnavailableException(
                            "the topic " + pipeline.commandsAndEventsTopic() + " is not there", null));
        }
    }

    /** Kafka's ids of the queues of these tables; a table whose topic is missing is left out. */
    public Map<TableName, TopicDescription> describe(List<TableName> tables) {
        try (Admin admin = kafka.admin()) {
            var descriptions = admin.describeTopics(tables.stream().map(pipeline::queueTopic).toList())
                    .topicNameValues();
            Map<TableName, TopicDescription> found = new java.util.HashMap<>();
            for (TableName table : tables) {
                optional(descriptions.get(pipeline.queueTopic(table))).ifPresent(it -> found.put(table, it));
            }
            return found;
        }
    }

    public void deleteQueue(TableName table) {
        try (Admin admin = kafka.admin()) {
            optional(admin.deleteTopics(List.of(pipeline.queueTopic(table))).all());
        }
    }

    private static Optional<Queue> queue(Admin admin, String topic) {
        return describe(admin, topic).map(description -> {
            var partition = new TopicPartition(topic, 0);
            long beginning = get(admin.listOffsets(Map.of(partition, OffsetSpec.earliest())).all())
                    .get(partition)
                    .offset();
            long end = get(admin.listOffsets(Map.of(partition, OffsetSpec.latest())).all())
                    .get(partition)
                    .offset();
            return new Queue(
                    description.topicId().toString(), description.partitions().size(), beginning, end);
        });
    }

    private static Optional<TopicDescription> describe(Admin admin, String topic) {
        return optional(admin.describeTopics(List.of(topic)).topicNameValues().get(topic));
    }

    private static void create(Admin admin, String topic, int partitions, Map<String, String> settings) {
        var wanted = new NewTopic(topic, Optional.of(partitions), Optional.empty()).configs(settings);
        try {
            get(admin.createTopics(List.of(wanted)).all());
        } catch (KafkaUnavailableException e) {
            if (!(e.getCause() instanceof TopicExistsException)) {
                throw e;
            }
        }
    }

    private static <T> Optional<T> optional(org.apache.kafka.common.KafkaFuture<T> future) {
        try {
            return Optional.ofNullable(get(future));
        } catch (KafkaUnavailableException e) {
            if (e.getCause() instanceof UnknownTopicOrPartitionException) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private static <T> T get(org.apache.kafka.common.KafkaFuture<T> future) {
        try {
            return future.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new KafkaUnavailableException("Kafka refused: " + e.getCause().getMessage(), e.getCause());
        } catch (TimeoutException e) {
            throw new KafkaUnavailableException("Kafka did not answer within " + TIMEOUT_SECONDS + " s", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KafkaUnavailableException("interrupted while waiting for Kafka", e);
        }
    }

    /** Kafka does not answer, or refuses. */
    public static final class KafkaUnavailableException extends RuntimeException {
        KafkaUnavailableException(String message, Throwable cause) {
            super(message, cause);
        }
    }
}
