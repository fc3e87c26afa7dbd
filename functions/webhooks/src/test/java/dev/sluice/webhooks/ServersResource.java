package dev.sluice.webhooks;

import dev.sluice.testing.SharedServers;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;

/** A real Kafka, and a receiver that the function of the settings tells. */
public class ServersResource implements QuarkusTestResourceLifecycleManager {

    static Receiver receiver;

    @Override
    public Map<String, String> start() {
        try {
            receiver = new Receiver(0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Map.of(
                "kafka.bootstrap.servers", SharedServers.kafka().bootstrapServers(),
                "sluice.pipeline", "telling",
                "sluice.webhooks.configured.url", receiver.url(),
                "sluice.webhooks.configured.secret", Given.SECRET,
                "sluice.webhooks.configured.events", "backfill.completed,table.failed",
                "sluice.webhooks.configured.tables", "public.con*");
    }

    @Override
    public void stop() {
        receiver.close();
    }
}
