package dev.sluice.traces;

import dev.sluice.testing.SharedServers;
import dev.sluice.testing.SpanReceiver;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import java.util.Map;

/** A real Kafka, and a receiver that the function of the settings tells. */
public class ServersResource implements QuarkusTestResourceLifecycleManager {

    static SpanReceiver receiver;

    @Override
    public Map<String, String> start() {
        receiver = new SpanReceiver(0);
        return Map.of(
                "kafka.bootstrap.servers", SharedServers.kafka().bootstrapServers(),
                "sluice.pipeline", "traced",
                "sluice.traces.endpoint", receiver.url(),
                "sluice.traces.headers", "Authorization=Bearer%20secret");
    }

    @Override
    public void stop() {
        receiver.close();
    }
}
