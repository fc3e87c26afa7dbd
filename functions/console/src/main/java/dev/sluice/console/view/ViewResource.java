package dev.sluice.console.view;

import dev.sluice.console.Json;
import dev.sluice.console.ProblemException;
import dev.sluice.domain.TableName;
import io.smallrye.common.annotation.Blocking;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/** Looking at the pipeline and its tables. */
@Path("/api/v1")
@Tag(name = "Looking")
@Produces(MediaType.APPLICATION_JSON)
@Blocking
public class ViewResource {

    private static final int NAME_LENGTH_MAX = 300;

    private final Overview overview;

    @Inject
    public ViewResource(Overview overview) {
        this.overview = overview;
    }

    @GET
    @Path("/overview")
    @Operation(summary = "The pipeline, its health and all tables")
    @APIResponse(responseCode = "200", content = @Content(schema = @Schema(implementation = OverviewShown.class)))
    public String overview() {
        return Json.text(overview.look());
    }

    @GET
    @Path("/tables")
    @Operation(summary = "All tables, by name")
    @APIResponse(responseCode = "200", content = @Content(schema = @Schema(implementation = TableSummary[].class)))
    public String tables() {
        List<TableSummary> tables = overview.look().tables();
        return Json.text(tables);
    }

    @GET
    @Path("/tables/{name}")
    @Operation(summary = "One table with its runs, chunks, columns, last comparison and recent events",
            description = "The name is written as in SQL, percent-encoded.")
    @APIResponse(responseCode = "200", content = @Content(schema = @Schema(implementation = TableDetail.class)))
    @APIResponse(responseCode = "404", description = "There is no such table")
    public String table(@PathParam("name") String name) {
        return Json.text(overview.detail(named(name)));
    }

    /** @throws ProblemException if it is no name of a table */
    static TableName named(String text) {
        if (text.length() > NAME_LENGTH_MAX) {
            throw ProblemException.of(400, "the name of a table has at most " + NAME_LENGTH_MAX + " characters");
        }
        try {
            return TableName.parse(text);
        } catch (IllegalArgumentException e) {
            throw ProblemException.of(400, e.getMessage());
        }
    }
}
