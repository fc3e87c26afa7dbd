package dev.sluice.console.act;

import dev.sluice.console.Json;
import dev.sluice.console.Problem;
import dev.sluice.messaging.Messages;
import io.quarkus.security.identity.SecurityIdentity;
import io.smallrye.common.annotation.Blocking;
import jakarta.inject.Inject;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import java.io.InputStream;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.ParameterIn;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/** The door for actions. */
@Path("/api/v1/actions")
@Tag(name = "Actions", description = "Change what becomes of tables. Needs the role operator.")
public class ActionsResource {

    private final Actions actions;
    private final ActionReader reader;
    private final SecurityIdentity identity;

    @Inject
    public ActionsResource(Actions actions, Messages messages, SecurityIdentity identity) {
        this.actions = actions;
        this.reader = new ActionReader(messages);
        this.identity = identity;
    }

    @POST
    @Blocking
    @Consumes(MediaType.APPLICATION_JSON)
    @Produces({MediaType.APPLICATION_JSON, Problem.MEDIA_TYPE})
    @Operation(
            operationId = "act",
            summary = "Do something with tables, or with the whole pipeline",
            description = "Sends a command for each table, in the order of the request, and waits up to five seconds for what "
                    + "the scheduler makes of it. With dryRun nothing is sent: the answer says what would happen to each "
                    + "table. Nothing is sent if anything of the request is wrong.")
    @Parameter(name = "X-Sluice", in = ParameterIn.HEADER, required = true, description = "Always 1.",
            schema = @Schema(type = org.eclipse.microprofile.openapi.annotations.enums.SchemaType.STRING))
    @RequestBody(
            required = true,
            content = @Content(
                    mediaType = MediaType.APPLICATION_JSON,
                    schema = @Schema(implementation = ActionRequest.class),
                    example = "{\"action\": \"backfill\", \"tables\": [\"public.orders\"], \"dryRun\": true}"))
    @APIResponse(responseCode = "200", description = "Of a dry run: what would happen.",
            content = @Content(mediaType = MediaType.APPLICATION_JSON, schema = @Schema(implementation = Consequences.class)))
    @APIResponse(responseCode = "202", description = "Sent; what became of each.",
            content = @Content(mediaType = MediaType.APPLICATION_JSON, schema = @Schema(implementation = Results.class)))
    @APIResponse(responseCode = "400", description = "The request is wrong; field says where. Nothing was sent.",
            content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
    @APIResponse(responseCode = "503", description = "Kafka did not take it; detail says what was sent before.",
            content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
    public Response act(InputStream body) throws IOException {
        Asking asking = reader.read(Body.read(body));
        return asking.dryRun()
                ? json(200, new Consequences(actions.consequences(asking)))
                : json(202, new Results(actions.send(asking, identity)));
    }

    static Response json(int status, Object answer) {
        return Response.status(status).type(MediaType.APPLICATION_JSON).entity(Json.text(answer)).build();
    }
}
