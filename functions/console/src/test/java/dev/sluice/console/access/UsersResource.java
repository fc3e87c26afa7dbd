package dev.sluice.console.access;

import dev.sluice.testing.SharedServers;
import io.quarkus.elytron.security.common.BcryptUtil;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** A console on every address, with two users of a file; real servers behind it. */
public class UsersResource implements QuarkusTestResourceLifecycleManager {

    @Override
    public Map<String, String> start() {
        String source = SharedServers.freshDatabase(SharedServers.source());
        String destination = SharedServers.freshDatabase(SharedServers.destination());
        try {
            Path users = Files.createTempFile("users", "");
            Files.writeString(users, "ann:operator:" + BcryptUtil.bcryptHash("a horse of course", 4) + "\nben:viewer:"
                    + BcryptUtil.bcryptHash("correct battery", 4));
            return Map.of(
                    "kafka.bootstrap.servers", SharedServers.kafka().bootstrapServers(),
                    "sluice.pipeline", source.replace("_", ""),
                    "sluice.source.url", SharedServers.source().url(source),
                    "sluice.destination.url", SharedServers.destination().url(destination),
                    "quarkus.http.host", "0.0.0.0",
                    "quarkus.http.test-port", "0",
                    "sluice.console.allow-http", "true",
                    "sluice.console.users-file", users.toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void stop() {
        // The servers are shared.
    }
}
