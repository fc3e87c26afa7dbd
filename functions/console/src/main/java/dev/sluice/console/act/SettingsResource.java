package dev.sluice.console.act;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.console.Json;
import dev.sluice.console.Problem;
import dev.sluice.console.ProblemException;
import dev.sluice.domain.Command;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.Setting;
import dev.sluice.domain.Settings;
import dev.sluice.messaging.StateReader;
import io.quarkus.security.identity.SecurityIdentity;
import io.smallrye.common.annotation.Blocking;
import jakarta.inject.Inject;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.PATCH;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.ParameterIn;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/** The door for settings. */
@Path("/api/v1/settings")
@Tag(name = "Settings", description = "What can be changed while the pipeline runs.")
public class SettingsResource {

    private static final int SHOWN_LENGTH_MAX = 100;

    private final StateReader states;
    private final Actions actions;
    private final SecurityIdentity identity;

    @Inject
    public SettingsResource(StateReader states, Actions actions, SecurityIdentity identity) {
        this.states = states;
        this.actions = actions;
        this.identity = identity;
    }

    @GET
    @Produces({MediaType.APPLICATION_JSON, Problem.MEDIA_TYPE})
    @Operation(
            operationId = "settings",
            summary = "All settings",
            description = "Each with its value, default, bounds and effect.")
    @APIResponse(responseCode = "200", description = "All settings, in their usual order.",
            content = @Content(mediaType = MediaType.APPLICATION_JSON, schema = @Schema(implementation = SettingForms.class)))
    public Response settings() {
        PipelineRecord pipeline = states.pipeline().orElseGet(PipelineRecord::empty);
        return ActionsResource.json(200, new SettingForms(Arrays.stream(Setting.values())
                .map(setting -> SettingForm.of(setting, pipeline))
                .toList()));
    }

    @PATCH
    @Blocking
    @Consumes(MediaType.APPLICATION_JSON)
    @Produces({MediaType.APPLICATION_JSON, Problem.MEDIA_TYPE})
    @Operation(
            operationId = "changeSettings",
            summary = "Change settings",
            description = "All that are named, or none; null takes one back to its default. Needs the role operator.")
    @Parameter(name = "X-Sluice", in = ParameterIn.HEADER, required = true, description = "Always 1.",
            schema = @Schema(type = SchemaType.STRING))
    @RequestBody(
            required = true,
            content = @Content(
                    mediaType = MediaType.APPLICATION_JSON,
                    schema = @Schema(type = SchemaType.OBJECT),
                    example = "{\"chunkRows\": 20000, \"rowsPerSecond\": null}"))
    @APIResponse(responseCode = "202", description = "Sent; what became of it.",
            content = @Content(mediaType = MediaType.APPLICATION_JSON, schema = @Schema(implementation = Results.class)))
    @APIResponse(responseCode = "400", description = "A value is wrong; field names its setting. Nothing was sent.",
            content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
    @APIResponse(responseCode = "503", description = "Kafka did not take it.",
            content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
    public Response change(
            @Parameter(hidden = true) @QueryParam("dryRun") Optional<String> dryRun, InputStream body)
            throws IOException {
        if (dryRun.isPresent()) {
            throw ProblemException.refused("dryRun", "Settings have no dry run: what each does stands at GET /settings.");
        }
        var command = new Command.ChangeSettings(change(Body.read(body)));
        var asking = new Asking("change-settings", List.of(command), false);
        return ActionsResource.json(202, new Results(actions.send(asking, identity)));
    }

    /** @throws ProblemException at the first that is wrong */
    static Settings.Change change(ObjectNode body) {
        if (body.isEmpty()) {
            throw new ProblemException(Problem.of(400, "Name a setting that is to be changed, as {\"chunkRows\": 20000}."));
        }
        Map<Setting, Optional<Object>> changes = new EnumMap<>(Setting.class);
        for (Map.Entry<String, JsonNode> field : body.properties()) {
            try {
                Setting setting = Setting.named(field.getKey());
                Optional<Object> value =
                        Optional.ofNullable(Json.mapper().treeToValue(field.getValue(), Object.class));
                changes.put(setting, value.map(setting::require));
            } catch (IllegalArgumentException | JsonProcessingException e) {
                throw ProblemException.refused(shown(field.getKey()), e.getMessage());
            }
        }
        return new Settings.Change(changes);
    }

    private static String shown(String name) {
        String line = name.replaceAll("\\p{Cntrl}", "·");
        return line.length() <= SHOWN_LENGTH_MAX ? line : line.substring(0, SHOWN_LENGTH_MAX) + "…";
    }
}
