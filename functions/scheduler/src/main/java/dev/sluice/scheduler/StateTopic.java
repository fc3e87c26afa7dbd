package dev.sluice.scheduler;

import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.messaging.Messages;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/** Reads the world from the compacted topic, from its beginning to its end as it stands now. */
final class StateTopic {

    private static final Duration READ_TIMEOUT = Duration.ofMinutes(2);

    private final TopicPartition partition;
    private final Messages messages;

    StateTopic(Pipeline pipeline, Messages messages) {
        this.partition = new TopicPartition(pipeline.tableStateTopic(), 0);
        this.messages = messages;
    }

    /**
     * @param consumer reads committed records only and belongs to no group
     * @throws IllegalStateException if the end is not reached within two minutes
     */
    World read(Consumer<String, byte[]> consumer) {
        consumer.assign(List.of(partition));
        consumer.seekToBeginning(List.of(partition));
        // Under read_committed this is the last stable offset. The transactions of a scheduler before us are over:
        // initTransactions has ended them (R16).
        long end = consumer.endOffsets(List.of(partition)).get(partition);
        Map<TableName, TableRecord> tables = new HashMap<>();
        PipelineRecord pipeline = PipelineRecord.empty();
        Instant deadline = Instant.now().plus(READ_TIMEOUT);
        // Compaction and transaction markers leave gaps, so the position counts, not the records.
        while (consumer.position(partition) < end) {
            if (Instant.now().isAfter(deadline)) {
                throw new IllegalStateException(
                        "the state of the tables could not be read within " + READ_TIMEOUT + ": Kafka is too slow");
            }
            for (ConsumerRecord<String, byte[]> record : consumer.poll(Duration.ofMillis(200))) {
                if (Messages.PIPELINE_KEY.equals(record.key())) {
                    pipeline = messages.pipelineState(record);
                } else if (record.value() == null) {
                    tables.remove(TableName.parse(record.key()));
                } else {
                    TableRecord table = messages.tableState(record);
                    tables.put(table.table(), table);
                }
            }
        }
        return new World(pipeline, tables);
    }
}
