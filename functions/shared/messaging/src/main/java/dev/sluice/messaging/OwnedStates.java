package dev.sluice.messaging;

import dev.sluice.domain.TableName;
import io.smallrye.reactive.messaging.kafka.KafkaClientService;
import io.smallrye.reactive.messaging.kafka.KafkaConsumer;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jboss.logging.Logger;

/**
 * The states of all tables for a function of which one process works and the others stand by: whoever gets the topic
 * reads it from its beginning. The function's own bean has the channel and is the rebalance listener of its consumer
 * group; it hands on to this what it is told.
 */
public final class OwnedStates {

    private static final Logger LOG = Logger.getLogger(OwnedStates.class);

    private final KafkaClientService kafka;
    private final String channel;
    private final Messages messages;
    private final KnownStates known;
    /** Where the topic ended when this process got it. */
    private final AtomicReference<Map<TopicPartition, Long>> ends = new AtomicReference<>(Map.of());

    /**
     * @param channel whose consumer reads the topic
     * @param known what is read is put there
     */
    public OwnedStates(KafkaClientService kafka, String channel, Messages messages, KnownStates known) {
        this.kafka = kafka;
        this.channel = channel;
        this.messages = messages;
        this.known = known;
    }

    public void assigned(Consumer<?, ?> consumer, Collection<TopicPartition> partitions) {
        if (!partitions.isEmpty()) {
            known.forget();
            ends.set(Map.copyOf(consumer.endOffsets(partitions)));
            consumer.seekToBeginning(partitions);
        }
    }

    public void revoked(Collection<TopicPartition> partitions) {
        if (!partitions.isEmpty()) {
            ends.set(Map.of());
            known.forget();
        }
    }

    public void read(ConsumerRecord<String, byte[]> record) {
        if (record.key() == null) {
            return;
        }
        boolean isPipeline = record.key().equals(Messages.PIPELINE_KEY);
        try {
            if (isPipeline) {
                known.rest(record.value() != null && messages.pipelineState(record).pause().isPresent());
            } else if (record.value() == null) {
                known.remove(TableName.parse(record.key()));
            } else {
                known.put(messages.tableState(record));
            }
        } catch (Messages.InvalidMessageException | IllegalArgumentException e) {
            LOG.errorf("a state cannot be read, and nothing is done by it: %s", e.getMessage());
            unreadable(record.key(), isPipeline);
        }
    }

    /** A later version may have written it, and a pause with it. */
    private void unreadable(String key, boolean isPipeline) {
        if (isPipeline) {
            known.rest(true);
            return;
        }
        try {
            known.remove(TableName.parse(key));
        } catch (IllegalArgumentException e) {
            LOG.debugf("the state is of no table: %s", e.getMessage());
        }
    }

    /** Notes when all is read that there was; to be called every now and then until then. */
    public void seeWhetherComplete() {
        Map<TopicPartition, Long> wanted = ends.get();
        if (wanted.isEmpty()) {
            return;
        }
        KafkaConsumer<String, byte[]> consumer = kafka.getConsumer(channel);
        consumer.getPositions()
                .subscribe()
                .with(
                        positions -> {
                            boolean reached = wanted.entrySet().stream()
                                    .allMatch(end -> positions.getOrDefault(end.getKey(), -1L) >= end.getValue());
                            if (reached && ends.get() == wanted) {
                                known.complete();
                            }
                        },
                        failure -> LOG.debugf("position not known yet: %s", failure.getMessage()));
    }
}
