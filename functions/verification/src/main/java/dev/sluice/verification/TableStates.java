package dev.sluice.verification;

import dev.sluice.messaging.KnownStates;
import dev.sluice.messaging.Messages;
import dev.sluice.messaging.OwnedStates;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.smallrye.common.annotation.Identifier;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.subscription.Cancellable;
import io.smallrye.reactive.messaging.kafka.KafkaClientService;
import io.smallrye.reactive.messaging.kafka.KafkaConsumerRebalanceListener;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.Collection;
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

    private final Verifications verifications;
    private final OwnedStates states;
    private final KnownStates known = new KnownStates();
    private final Agenda agenda;
    private final AtomicReference<Cancellable> looking = new AtomicReference<>(() -> {});

    @Inject
    public TableStates(
            Messages messages, Verifications verifications, VerificationConfig config, KafkaClientService kafka) {
        this.verifications = verifications;
        this.agenda = new Agenda(config.tablesAtOnce(), known);
        this.states = new OwnedStates(kafka, CHANNEL, messages, known);
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
        known.forget();
        agenda.unwanted().forEach(verifications::cutOff);
    }

    @Override
    public void onPartitionsAssigned(Consumer<?, ?> consumer, Collection<TopicPartition> partitions) {
        states.assigned(consumer, partitions);
    }

    @Override
    public void onPartitionsRevoked(Consumer<?, ?> consumer, Collection<TopicPartition> partitions) {
        states.revoked(partitions);
    }

    @Override
    public void onPartitionsLost(Consumer<?, ?> consumer, Collection<TopicPartition> partitions) {
        states.revoked(partitions);
    }

    @Incoming(CHANNEL)
    public void read(ConsumerRecord<String, byte[]> record) {
        states.read(record);
    }

    private void look() {
        agenda.unwanted().forEach(verifications::cutOff);
        if (!known.isComplete()) {
            states.seeWhetherComplete();
            return;
        }
        agenda.take().forEach(wanted -> verifications.begin(wanted, answered -> agenda.end(wanted, answered)));
    }
}
