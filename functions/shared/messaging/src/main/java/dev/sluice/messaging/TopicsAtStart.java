package dev.sluice.messaging;

import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.locks.LockSupport;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/** Makes sure of the topics before any channel or loop starts: a consumer of a missing topic would wait for minutes. */
@ApplicationScoped
public class TopicsAtStart {

    private static final Logger LOG = Logger.getLogger(TopicsAtStart.class);
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final Duration BETWEEN_TRIES = Duration.ofSeconds(1);
    /** Before the channels, which start at {@code LIBRARY_BEFORE}. */
    private static final int BEFORE_CHANNELS = 1;

    private final Topics topics;
    private final int slots;

    @Inject
    public TopicsAtStart(
            Topics topics, @ConfigProperty(name = "sluice.chunk-worker.slots", defaultValue = "4") int slots) {
        this.topics = topics;
        this.slots = slots;
    }

    /** Tries for two minutes, since Kafka may start at the same time; then the process ends with the reason. */
    void ensure(@Observes @Priority(BEFORE_CHANNELS) StartupEvent event) {
        Instant deadline = Instant.now().plus(PATIENCE);
        while (true) {
            try {
                topics.ensure(slots);
                return;
            } catch (Topics.KafkaUnavailableException e) {
                if (Instant.now().isAfter(deadline)) {
                    throw e;
                }
                LOG.warnf("Kafka is not ready, trying again: %s", e.getMessage());
                LockSupport.parkNanos(BETWEEN_TRIES.toNanos());
            }
        }
    }
}
