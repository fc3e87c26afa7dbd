package dev.sluice.completion;

import dev.sluice.messaging.KnownStates;
import dev.sluice.messaging.Messages;
import dev.sluice.messaging.OwnedStates;
import dev.sluice.postgres.Ledger;
import dev.sluice.postgres.SqlFaults;
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
import java.time.Instant;
import java.util.Collection;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.eclipse.microprofile.reactive.messaging.Incoming;
import org.jboss.logging.Logger;

/**
 * The door: reads the states of all tables from the beginning of their topic, whenever this process gets it, and looks
 * several times a second what they lack. The consumer group has one member that works; the others stand by.
 */
@ApplicationScoped
@Identifier("completion")
public class TableStates implements KafkaConsumerRebalanceListener {

    private static final Logger LOG = Logger.getLogger(TableStates.class);
    private static final String CHANNEL = "table-state";
    private static final Duration LOOK_INTERVAL = Duration.ofMillis(200);
    private static final Duration RETRY_FIRST = Duration.ofSeconds(1);
    private static final Duration RETRY_MAX = Duration.ofSeconds(30);
    /** Closing waits for servers mostly; more at once would only take their connections. */
    private static final int TABLES_AT_ONCE = 4;

    private final Completion completion;
    private final Ledger ledger;
    private final OwnedStates states;
    private final KnownStates known = new KnownStates();
    private final Agenda agenda = new Agenda(TABLES_AT_ONCE, known);
    private final AtomicReference<Cancellable> looking = new AtomicReference<>(() -> {});

    @Inject
    public TableStates(Messages messages, Completion completion, Ledger ledger, KafkaClientService kafka) {
        this.completion = completion;
        this.ledger = ledger;
        this.states = new OwnedStates(kafka, CHANNEL, messages, known);
    }

    void start(@Observes StartupEvent event) {
        // Without a ledger every run would look as if it could never be closed.
        looking.set(ledger.create()
                .onFailure()
                .invoke(failure -> LOG.warnf(
                        "the ledger is not there yet, trying again reason=\"%s\"",
                        SqlFaults.fault(failure, "making the ledger").reason()))
                .onFailure()
                .retry()
                .withBackOff(RETRY_FIRST, RETRY_MAX)
                .indefinitely()
                .onItem()
                .transformToMulti(made -> Multi.createFrom().ticks().every(LOOK_INTERVAL).onOverflow().drop())
                .subscribe()
                .with(tick -> look(), failure -> LOG.error("completion looks no more", failure)));
    }

    void stop(@Observes ShutdownEvent event) {
        looking.get().cancel();
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
        if (!known.isComplete()) {
            states.seeWhetherComplete();
            return;
        }
        for (Work work : agenda.take(Instant.now())) {
            completion.perform(work)
                    .subscribe()
                    .with(done -> agenda.end(work, true), failure -> {
                        LOG.errorf(
                                failure, "no answer sent, is tried again table=%s run=%d", work.table(), work.run());
                        agenda.end(work, false);
                    });
        }
    }
}
