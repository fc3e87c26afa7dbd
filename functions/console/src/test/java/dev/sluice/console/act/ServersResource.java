package dev.sluice.console.act;

import dev.sluice.testing.SharedServers;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import java.util.Map;

/** A real Kafka and two real databases. */
public class ServersResource implements QuarkusTestResourceLifecycleManager {

    static String source;

    @Override
    public Map<String, String> start() {
        source = SharedServers.freshDatabase(SharedServers.source());
        String destination = SharedServers.freshDatabase(SharedServers.destination());
        return Map.of(
                "kafka.bootstrap.servers", SharedServers.kafka().bootstrapServers(),
                "sluice.pipeline", source.replace("_", ""),
                "sluice.source.url", SharedServers.source().url(source),
                "sluice.destination.url", SharedServers.destination().url(destination),
                "quarkus.http.test-port", "0");
    }

    @Override
    public void stop() {
        // The servers are shared.
    }
}
