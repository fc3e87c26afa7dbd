package dev.sluice.console.act;

import dev.sluice.console.Problem;
import dev.sluice.console.ProblemException;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.messaging.StateReader;
import dev.sluice.postgres.SourceTable;
import dev.sluice.postgres.SourceTables;
import io.smallrye.common.annotation.Blocking;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jboss.logging.Logger;

/** What can be added. */
@Path("/api/v1/source/tables")
@Tag(name = "Source", description = "What the source has.")
public class SourceTablesResource {

    private static final Logger LOG = Logger.getLogger(SourceTablesResource.class);
    private static final int TABLES_MAX = 2_000;
    private static final int SEARCH_LENGTH_MAX = 200;
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(20);

    private final SourceTables source;
    private final StateReader states;

    @Inject
    public SourceTablesResource(SourceTables source, StateReader states) {
        this.source = source;
        this.states = states;
    }

    @GET
    @Blocking
    @Produces({MediaType.APPLICATION_JSON, Problem.MEDIA_TYPE})
    @Operation(
            operationId = "sourceTables",
            summary = "Tables of the source that can be added",
            description = "By name, at most 2,000, with what they have in rows and bytes. Views, partitions and the schemas of "
                    + "PostgreSQL and Sluice are left out.")
    @APIResponse(responseCode = "200", description = "The tables.",
            content = @Content(mediaType = MediaType.APPLICATION_JSON, schema = @Schema(implementation = ListedTables.class)))
    @APIResponse(responseCode = "400", description = "The search is too long.",
            content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
    @APIResponse(responseCode = "503", description = "The source does not answer.",
            content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
    public Response tables(
            @Parameter(description = "A part of schema.table, or with * for any characters all of it.",
                    schema = @Schema(implementation = String.class, maxLength = SEARCH_LENGTH_MAX))
                    @QueryParam("search")
                    Optional<String> search) {
        Optional<String> wanted = search.map(String::strip).filter(text -> !text.isEmpty());
        if (wanted.filter(text -> text.length() > SEARCH_LENGTH_MAX || text.indexOf('\0') >= 0).isPresent()) {
            throw ProblemException.refused("search", "It has at most " + SEARCH_LENGTH_MAX + " characters and no NUL.");
        }
        List<SourceTable> found;
        try {
            found = source.list(wanted, TABLES_MAX + 1).await().atMost(ANSWER_LIMIT);
        } catch (RuntimeException e) {
            LOG.warnf("the tables of the source could not be listed: %s", e.getMessage());
            throw ProblemException.unavailable("The source did not list its tables in time; see whether it can be reached, "
                    + "and try again.");
        }
        Map<TableName, TableRecord> known = states.tables();
        return ActionsResource.json(200, new ListedTables(
                found.stream()
                        .limit(TABLES_MAX)
                        .map(table -> ListedTables.Listed.of(table, known.containsKey(table.name())))
                        .toList(),
                found.size() > TABLES_MAX));
    }
}
