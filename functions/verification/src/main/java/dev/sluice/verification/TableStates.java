package dev.sluice.verification;

import dev.sluice.domain.TableName;
import dev.sluice.messaging.Messages;
import dev.sluice.messaging.Messages.InvalidMessageException;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.smallrye.common.annotation.Identifier;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.subscription.Cancellable;
import io.smallrye.reactive.messaging.kafka.KafkaClientService;
import io.smallrye.reactive.messaging.kafka.KafkaConsumer;
import io.smallrye.reactive.messaging.kafka.KafkaConsumerRebalanceListener;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.eclipse.microprofile.reactive.messaging.Incoming;
import org.jboss.logging.Logger;

/**
 * The door: reads the states of all tables from the beginning of their topic, whenever this process gets it, and looks
 * several times a second which comparisons they ask for. The consumer group has one member that works; the others stand by.
 */
@ApplicationScoped
@Identifier("verification")
public class TableStates implements KafkaConsumerRebalanceListener {

    private static final Logger LOG = Logger.getLogger(TableStates.class);
    private static final String CHANNEL = "verification-table-state";
    private static final Duration LOOK_INTERVAL = Duration.ofMillis(200);

    private final Messages messages;
    private final Verifications verifications;
    private final KafkaClientService kafka;
    private final Agenda agenda;
    /** Where the topic ended when this process got it. */
    private final AtomicReference<Map<TopicPartition, Long>> ends = new AtomicReference<>(Map.of());
    private final AtomicReference<Cancellable> looking = new AtomicReference<>(() -> {});

    @Inject
    public TableStates(
            Messages messages, Verifications verifications, VerificationConfig config, KafkaClientService kafka) {
        this.messages = messages;
        this.verifications = verifications;
        this.kafka = kafka;
        this.agenda = new Agenda(config.tablesAtOnce());
        // A bad setting is told at the start, not when somebody asks for a comparison.
        config.limits();
    }

    void start(@Observes StartupEvent event) {
        looking.set(Multi.createFrom().ticks().every(LOOK_INTERVAL).onOverflow().drop()
                .subscribe()
                .with(tick -> look(), failure -> LOG.error("verification looks no more", failure)));
    }

    void stop(@Observes ShutdownEvent event) {
        looking.get().cancel();
        agenda.forget();
        agenda.unwanted().forEach(verifications::cutOff);
    }

    @Override
    public void onPartitionsAssigned(Consumer<?, ?> consumer, Collection<TopicPartition> partitions) {
        if (!partitions.isEmpty()) {
            agenda.forget();
            ends.set(Map.copyOf(consumer.endOffsets(partitions)));
            consumer.seekToBeginning(partitions);
        }
    }

    @Override
    public void onPartitionsRevoked(Consumer<?, ?> consumer, Collection<TopicPartition> partitions) {
        if (!partitions.isEmpty()) {
            ends.set(Map.of());
            agenda.forget();
        }
    }

    @Override
    public void onPartitionsLost(Consumer<?, ?> consumer, Collection<TopicPartition> partitions) {
        onPartitionsRevoked(consumer, partitions);
    }

    @Incoming(CHANNEL)
    public void read(ConsumerRecord<String, byte[]> record) {
        if (record.key() == null || record.key().equals(Messages.PIPELINE_KEY)) {
            return;
        }
        try {
            if (record.value() == null) {
                agenda.remove(TableName.parse(record.key()));
            } else {
                agenda.put(messages.tableState(record));
            }
        } catch (InvalidMessageException | IllegalArgumentException e) {
            LOG.errorf("a table's state cannot be read and is passed over: %s", e.getMessage());
        }
    }

    private void look() {
        agenda.unwanted().forEach(verifications::cutOff);
        if (!agenda.isComplete()) {
            seeWhetherComplete();
            return;
        }
        agenda.take().forEach(wanted -> verifications.begin(wanted, answered -> agenda.end(wanted, answered)));
    }

    private void seeWhetherComplete() {
        Map<TopicPartition, Long> wanted = ends.get();
        if (wanted.isEmpty()) {
            return;
        }
        KafkaConsumer<String, byte[]> consumer = kafka.getConsumer(CHANNEL);
        consumer.getPositions()
                .subscribe()
                .with(
                        positions -> {
                            boolean reached = wanted.entrySet().stream()
                                    .allMatch(end -> positions.getOrDefault(end.getKey(), -1L) >= end.getValue());
                            if (reached && ends.get() == wanted) {
                                agenda.complete();
                            }
                        },
                        failure -> LOG.debugf("position not known yet: %s", failure.getMessage()));
    }
}
