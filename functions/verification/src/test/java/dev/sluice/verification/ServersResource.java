package dev.sluice.verification;

import dev.sluice.domain.Pipeline;
import dev.sluice.testing.SharedServers;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;

/** Real servers. */
public class ServersResource implements QuarkusTestResourceLifecycleManager {

    static final Pipeline PIPELINE = new Pipeline("verifying");

    static String source;
    static String destination;

    @Override
    public Map<String, String> start() {
        String kafka = SharedServers.kafka().bootstrapServers();
        source = SharedServers.freshDatabase(SharedServers.source());
        destination = SharedServers.freshDatabase(SharedServers.destination());
        try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", kafka))) {
            admin.createTopics(List.of(
                            new NewTopic(PIPELINE.tableStateTopic(), Optional.of(1), Optional.empty())
                                    .configs(Map.of("cleanup.policy", "compact")),
                            new NewTopic(PIPELINE.commandsAndEventsTopic(), Optional.of(1), Optional.empty()),
                            new NewTopic(PIPELINE.queueTopic(Tables.name("orders")), Optional.of(1), Optional.empty())))
                    .all()
                    .get(30, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new IllegalStateException("the test's topics cannot be made", e);
        }
        return Map.of(
                "kafka.bootstrap.servers", kafka,
                "sluice.pipeline", PIPELINE.name(),
                "sluice.source.url", SharedServers.source().url(source),
                "sluice.destination.url", SharedServers.destination().url(destination));
    }

    @Override
    public void stop() {
        // The servers end with the JVM.
    }
}
