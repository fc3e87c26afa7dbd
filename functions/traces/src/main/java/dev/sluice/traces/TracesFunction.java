package dev.sluice.traces;

import dev.sluice.domain.Pipeline;
import dev.sluice.messaging.KafkaClients;
import dev.sluice.messaging.Messages;
import dev.sluice.messaging.Topics;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.Optional;
import org.jboss.logging.Logger;

/**
 * The door: a loop, if the settings name a receiver. A wrong setting ends the process at start, with what is allowed.
 */
@ApplicationScoped
public class TracesFunction {

    private static final Logger LOG = Logger.getLogger(TracesFunction.class);
    private static final Duration STOP_LIMIT = Duration.ofSeconds(5);

    private final TracesConfig config;
    private final KafkaClients kafka;
    private final Topics topics;
    private final Messages messages;
    private final Pipeline pipeline;
    private Optional<TracesLoop> loop = Optional.empty();
    private Optional<Thread> thread = Optional.empty();

    @Inject
    public TracesFunction(
            TracesConfig config, KafkaClients kafka, Topics topics, Messages messages, Pipeline pipeline) {
        this.config = config;
        this.kafka = kafka;
        this.topics = topics;
        this.messages = messages;
        this.pipeline = pipeline;
    }

    void start(@Observes StartupEvent event) {
        loop = Collector.of(config).map(collector -> {
            LOG.infof("runs are told as traces receiver=%s", collector);
            return new TracesLoop(collector, kafka, topics, messages, pipeline);
        });
        thread = loop.map(it -> Thread.ofPlatform().daemon().name("traces").start(it));
    }

    void stop(@Observes ShutdownEvent event) {
        loop.ifPresent(TracesLoop::stop);
        thread.ifPresent(it -> {
            try {
                it.join(STOP_LIMIT.toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }
}
