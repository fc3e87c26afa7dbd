package dev.sluice.chunkworker;

import dev.sluice.testing.SharedServers;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import java.util.Map;

/** Points the function at real servers, each with a database of this test's own. */
public class ServersResource implements QuarkusTestResourceLifecycleManager {

    @Override
    public Map<String, String> start() {
        String source = SharedServers.freshDatabase(SharedServers.source());
        String destination = SharedServers.freshDatabase(SharedServers.destination());
        return Map.of(
                "kafka.bootstrap.servers", SharedServers.kafka().bootstrapServers(),
                "sluice.pipeline", "workers",
                "sluice.source.url", SharedServers.source().url(source),
                "sluice.destination.url", SharedServers.destination().url(destination),
                "test.source.jdbc", SharedServers.source().jdbcUrl(source),
                "test.destination.jdbc", SharedServers.destination().jdbcUrl(destination));
    }

    @Override
    public void stop() {
        // The servers end with the JVM.
    }
}
