package dev.sluice.messaging;

import dev.sluice.domain.Pipeline;
import io.quarkus.arc.DefaultBean;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;

/** The one {@link Messages} of an application, for its pipeline. */
@Singleton
public class MessagesProducer {

    @Produces
    @Singleton
    @DefaultBean
    public Messages messages(Pipeline pipeline) {
        return new Messages(pipeline);
    }
}
