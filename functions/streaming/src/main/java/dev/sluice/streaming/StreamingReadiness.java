package dev.sluice.streaming;

import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Readiness;

/** Ready while both loops run. What keeps single tables from going on stands in their state. */
@Readiness
@Singleton
public class StreamingReadiness implements HealthCheck {

    private final StreamingFunction function;

    @Inject
    public StreamingReadiness(StreamingFunction function) {
        this.function = function;
    }

    @Override
    public HealthCheckResponse call() {
        return HealthCheckResponse.named("streaming").status(function.isAlive()).build();
    }
}
