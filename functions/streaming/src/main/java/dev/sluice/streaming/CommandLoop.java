package dev.sluice.streaming;

import dev.sluice.domain.Pipeline;
import dev.sluice.domain.StreamCommand;
import dev.sluice.domain.TableName;
import dev.sluice.messaging.Messages;
import dev.sluice.messaging.Messages.InvalidMessageException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.jboss.logging.Logger;

/**
 * Reads stream commands. A partition that this instance gets is read from its beginning, and the last command of each
 * table wakes the table up here; with a partition that goes, its tables stop here.
 */
final class CommandLoop implements AutoCloseable {

    private static final Logger LOG = Logger.getLogger(CommandLoop.class);

    private static final Duration POLL_MAX = Duration.ofMillis(500);
    private static final Duration AFTER_ERROR = Duration.ofSeconds(1);
    private static final Duration STOP_LIMIT = Duration.ofSeconds(20);

    private final Pipeline pipeline;
    private final Messages messages;
    private final QueueLoop queues;
    private final KafkaConsumer<String, byte[]> consumer;
    private final Thread thread = new Thread(this::run, "sluice-streaming-commands");
    private volatile boolean closing;

    /** Partitions that are not read to where they ended when they came. */
    private final Map<TopicPartition, Optional<Long>> readingUpTo = new HashMap<>();
    private final Map<TopicPartition, Set<TableName>> tables = new HashMap<>();
    /** The last command of each table that nobody was told of yet; empty for a table that is to be forgotten. */
    private final Map<TopicPartition, Map<TableName, Optional<StreamCommand>>> unsaid = new HashMap<>();

    CommandLoop(Pipeline pipeline, Messages messages, QueueLoop queues, Map<String, Object> kafka) {
        this.pipeline = pipeline;
        this.messages = messages;
        this.queues = queues;
        Map<String, Object> settings = new HashMap<>(kafka);
        settings.put(ConsumerConfig.CLIENT_ID_CONFIG, "sluice-streaming-commands");
        settings.put(ConsumerConfig.GROUP_ID_CONFIG, pipeline.name() + ".streaming");
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        settings.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        // The tables of a killed instance go to another after the least time that brokers allow by default.
        settings.put(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, 6_000);
        settings.put(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG, 1_000);
        settings.put(ConsumerConfig.METADATA_MAX_AGE_CONFIG, 10_000);
        settings.put(
                ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG, List.of(CooperativeStickyAssignor.class.getName()));
        this.consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer());
    }

    void start() {
        thread.start();
    }

    boolean isAlive() {
        return thread.isAlive();
    }

    private void run() {
        consumer.subscribe(List.of(pipeline.streamCommandsTopic()), new ConsumerRebalanceListener() {
            @Override
            public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
                consumer.seekToBeginning(partitions);
                partitions.forEach(partition -> readingUpTo.put(partition, Optional.empty()));
            }

            @Override
            public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
                revoked(partitions);
            }
        });
        while (!closing) {
            try {
                for (ConsumerRecord<String, byte[]> record : consumer.poll(POLL_MAX)) {
                    take(record);
                }
                sayWhatIsWhole();
            } catch (WakeupException e) {
                // The end.
            } catch (RuntimeException e) {
                LOG.error("stream commands cannot be read for now", e);
                pauseAfterError();
            }
        }
        consumer.close();
    }

    private void take(ConsumerRecord<String, byte[]> record) {
        var partition = new TopicPartition(record.topic(), record.partition());
        try {
            TableName table = TableName.parse(String.valueOf(record.key()));
            Optional<StreamCommand> command =
                    record.value() == null ? Optional.empty() : Optional.of(messages.streamCommand(record));
            unsaid.computeIfAbsent(partition, ignored -> new LinkedHashMap<>()).put(table, command);
        } catch (InvalidMessageException | IllegalArgumentException e) {
            LOG.errorf("not a stream command, skipped offset=%d: %s", record.offset(), e.getMessage());
        }
    }

    /** Older commands of a partition that just came are not acted on: the last one of each table holds. */
    private void sayWhatIsWhole() {
        List<TopicPartition> unknown = readingUpTo.entrySet().stream()
                .filter(entry -> entry.getValue().isEmpty())
                .map(Map.Entry::getKey)
                .toList();
        if (!unknown.isEmpty()) {
            consumer.endOffsets(unknown).forEach((partition, end) -> readingUpTo.put(partition, Optional.of(end)));
        }
        readingUpTo.entrySet().removeIf(entry -> consumer.position(entry.getKey()) >= entry.getValue().orElseThrow());
        for (TopicPartition partition : List.copyOf(unsaid.keySet())) {
            if (!readingUpTo.containsKey(partition)) {
                unsaid.remove(partition).forEach((table, command) -> say(partition, table, command));
            }
        }
    }

    private void say(TopicPartition partition, TableName table, Optional<StreamCommand> command) {
        Set<TableName> own = tables.computeIfAbsent(partition, ignored -> new HashSet<>());
        if (command.isPresent()) {
            own.add(table);
            queues.command(command.get());
        } else {
            own.remove(table);
            queues.forget(List.of(table));
        }
    }

    private void revoked(Collection<TopicPartition> partitions) {
        List<TableName> gone = new ArrayList<>();
        for (TopicPartition partition : partitions) {
            readingUpTo.remove(partition);
            unsaid.remove(partition);
            Optional.ofNullable(tables.remove(partition)).ifPresent(gone::addAll);
        }
        if (gone.isEmpty()) {
            return;
        }
        try {
            // Whoever gets them would be fenced off meanwhile: waiting saves that trouble, no more.
            queues.forget(gone).get(STOP_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            LOG.warnf("tables of a revoked partition did not stop in time count=%d", gone.size());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void pauseAfterError() {
        try {
            TimeUnit.NANOSECONDS.sleep(AFTER_ERROR.toNanos());
        } catch (InterruptedException e) {
            closing = true;
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        closing = true;
        consumer.wakeup();
        try {
            thread.join(STOP_LIMIT.plusSeconds(5));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
