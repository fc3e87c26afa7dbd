package dev.sluice.messaging;

import dev.sluice.domain.Pipeline;
import io.quarkus.arc.DefaultBean;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** The pipeline of a process that knows no database: where there is one, its settings name the pipeline. */
@Singleton
public class PipelineProducer {

    @Produces
    @Singleton
    @DefaultBean
    public Pipeline pipeline(@ConfigProperty(name = "sluice.pipeline", defaultValue = "sluice") String name) {
        return new Pipeline(name);
    }
}
