package dev.sluice.console.view;

import dev.sluice.domain.TableName;
import io.quarkus.security.identity.SecurityIdentity;
import io.smallrye.mutiny.Multi;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.sse.OutboundSseEvent;
import jakarta.ws.rs.sse.Sse;
import java.util.Optional;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jboss.resteasy.reactive.RestStreamElementType;

/** What changes, as it changes. */
@Path("/api/v1/events")
@Tag(name = "Looking")
public class StreamResource {

    private final Streams streams;
    private final SecurityIdentity identity;

    @Inject
    public StreamResource(Streams streams, SecurityIdentity identity) {
        this.streams = streams;
        this.identity = identity;
    }

    @GET
    @Produces(MediaType.SERVER_SENT_EVENTS)
    @RestStreamElementType(MediaType.TEXT_PLAIN)
    @Operation(summary = "The overview, then what of it changes, once a second at most",
            description = "Server-sent events: «overview» with the whole, then «change» with the pipeline, the health and "
                    + "the tables that changed, and the names of those that are gone. With a table, also «table» with all "
                    + "that is known of it, whenever that changes.")
    public Multi<OutboundSseEvent> events(@QueryParam("table") String table, @Context Sse sse) {
        Optional<TableName> watched = Optional.ofNullable(table).map(ViewResource::named);
        String user = identity.isAnonymous() ? "" : identity.getPrincipal().getName();
        return streams.open(user, watched)
                .map(message -> sse.newEventBuilder().name(message.event()).data(String.class, message.data()).build());
    }
}
