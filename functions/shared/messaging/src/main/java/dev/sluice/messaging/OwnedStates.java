package dev.sluice.messaging;

import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
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
    private final Owner owner;
    /** Where the topic ended when this process got it. */
    private final AtomicReference<Map<TopicPartition, Long>> ends = new AtomicReference<>(Map.of());

    /** Who works by the states. Called by the threads of Kafka's client, so it must not block. */
    public interface Owner {

        /** Another process may have the topic now: nothing is known until it is read again. */
        void forget();

        void put(TableRecord record);

        /** The table is forgotten, or its state cannot be read, so that nothing may be done for it. */
        void remove(TableName table);

        /** @param all whether nothing new is to begin, of whatever table */
        void rest(boolean all);

        /** The topic has been read to its end: what is known of a table is its state now, and not one it once had. */
        void complete();
    }

    /** @param channel whose consumer reads the topic */
    public OwnedStates(KafkaClientService kafka, String channel, Messages messages, Owner owner) {
        this.kafka = kafka;
        this.channel = channel;
        this.messages = messages;
        this.owner = owner;
    }

    public void assigned(Consumer<?, ?> consumer, Collection<TopicPartition> partitions) {
        if (!partitions.isEmpty()) {
            owner.forget();
            ends.set(Map.copyOf(consumer.endOffsets(partitions)));
            consumer.seekToBeginning(partitions);
        }
    }

    public void revoked(Collection<TopicPartition> partitions) {
        if (!partitions.isEmpty()) {
            ends.set(Map.of());
            owner.forget();
        }
    }

    public void read(ConsumerRecord<String, byte[]> record) {
        if (record.key() == null) {
            return;
        }
        boolean isPipeline = record.key().equals(Messages.PIPELINE_KEY);
        try {
            if (isPipeline) {
                owner.rest(record.value() != null && messages.pipelineState(record).pause().isPresent());
            } else if (record.value() == null) {
                owner.remove(TableName.parse(record.key()));
            } else {
                owner.put(messages.tableState(record));
            }
        } catch (Messages.InvalidMessageException | IllegalArgumentException e) {
            LOG.errorf("a state cannot be read, and nothing is done by it: %s", e.getMessage());
            unreadable(record.key(), isPipeline);
        }
    }

    /** A later version may have written it, and a pause with it. */
    private void unreadable(String key, boolean isPipeline) {
        if (isPipeline) {
            owner.rest(true);
            return;
        }
        try {
            owner.remove(TableName.parse(key));
        } catch (IllegalArgumentException e) {
            LOG.debugf("the state is of no table: %s", e.getMessage());
        }
    }

    /** Tells the owner when all is read that there was; to be called every now and then until then. */
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
                                owner.complete();
                            }
                        },
                        failure -> LOG.debugf("position not known yet: %s", failure.getMessage()));
    }
}
