package dev.sluice.webhooks;

import dev.sluice.domain.Pipeline;
import dev.sluice.messaging.KafkaClients;
import dev.sluice.messaging.Messages;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.util.ArrayList;
import java.util.List;

/** The door: a loop for each webhook. A wrong setting ends the process at start, with what is allowed. */
@ApplicationScoped
public class WebhooksFunction {

    private final WebhooksConfig config;
    private final KafkaClients kafka;
    private final Messages messages;
    private final Pipeline pipeline;
    private final List<HookLoop> loops = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();

    @Inject
    public WebhooksFunction(WebhooksConfig config, KafkaClients kafka, Messages messages, Pipeline pipeline) {
        this.config = config;
        this.kafka = kafka;
        this.messages = messages;
        this.pipeline = pipeline;
    }

    void start(@Observes StartupEvent event) {
        for (Hook hook : Hook.of(config)) {
            var loop = new HookLoop(hook, kafka, messages, pipeline);
            loops.add(loop);
            threads.add(Thread.ofPlatform().name("webhook-" + hook.name()).start(loop));
        }
    }

    void stop(@Observes ShutdownEvent event) {
        loops.forEach(HookLoop::stop);
        // A try under way is not waited for: it is not committed, and is told again.
        threads.forEach(Thread::interrupt);
    }
}
