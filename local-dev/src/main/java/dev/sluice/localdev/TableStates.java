package dev.sluice.localdev;

import dev.sluice.domain.Pipeline;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.Settings;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.messaging.Messages;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/** The state of every table as its topic has it, followed by a thread of its own until it is closed. */
final class TableStates implements AutoCloseable {

    private static final Duration POLL = Duration.ofMillis(200);
    private static final Duration RETRY_PAUSE = Duration.ofSeconds(1);

    private final Map<TableName, TableRecord> tables = new ConcurrentSkipListMap<>();
    private final Messages messages;
    private final String topic;
    private final String bootstrapServers;
    private final Thread thread;
    private volatile Optional<PipelineRecord> pipelineState = Optional.empty();
    private volatile Optional<String> trouble = Optional.empty();
    private volatile boolean closed;

    private TableStates(Pipeline pipeline, String bootstrapServers) {
        this.messages = new Messages(pipeline);
        this.topic = pipeline.tableStateTopic();
        this.bootstrapServers = bootstrapServers;
        this.thread = Thread.ofPlatform().daemon().name("table-states").unstarted(this::follow);
    }

    static TableStates follow(Pipeline pipeline, String bootstrapServers) {
        var states = new TableStates(pipeline, bootstrapServers);
        states.thread.start();
        return states;
    }

    /** By name. */
    List<TableRecord> tables() {
        return List.copyOf(tables.values());
    }

    Optional<TableRecord> table(TableName name) {
        return Optional.ofNullable(tables.get(name));
    }

    /** The last inputs that the scheduler could not follow. */
    List<PipelineRecord.Rejection> rejections() {
        return pipelineState.map(PipelineRecord::rejections).orElse(List.of());
    }

    /** The settings of the pipeline that hold. */
    Settings settings() {
        return pipelineState.map(PipelineRecord::effective).orElse(Settings.NONE);
    }

    /** Why the states may be old, if so. */
    Optional<String> trouble() {
        return trouble;
    }

    private void follow() {
        while (!closed) {
            try (var consumer = new KafkaConsumer<>(
                    Map.<String, Object>of(
                            "bootstrap.servers", bootstrapServers,
                            "enable.auto.commit", false,
                            "allow.auto.create.topics", false,
                            "isolation.level", "read_committed"),
                    new StringDeserializer(),
                    new ByteArrayDeserializer())) {
                var partition = new TopicPartition(topic, 0);
                while (!closed && consumer.partitionsFor(topic).isEmpty()) {
                    Thread.sleep(RETRY_PAUSE);
                }
                consumer.assign(List.of(partition));
                consumer.seekToBeginning(List.of(partition));
                while (!closed) {
                    consumer.poll(POLL).forEach(this::take);
                    trouble = Optional.empty();
                }
            } catch (InterruptedException | InterruptException e) {
                return;
            } catch (KafkaException | Messages.InvalidMessageException e) {
                trouble = Optional.of("the states of the tables cannot be read: " + e.getMessage());
                if (!sleep()) {
                    return;
                }
            }
        }
    }

    private void take(ConsumerRecord<String, byte[]> record) {
        if (Messages.PIPELINE_KEY.equals(record.key())) {
            pipelineState = Optional.ofNullable(record.value()).map(value -> messages.pipelineState(record));
        } else if (record.value() == null) {
            tables.remove(TableName.parse(record.key()));
        } else {
            TableRecord table = messages.tableState(record);
            tables.put(table.table(), table);
        }
    }

    private static boolean sleep() {
        try {
            Thread.sleep(RETRY_PAUSE);
            return true;
        } catch (InterruptedException e) {
            return false;
        }
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
    }
}
