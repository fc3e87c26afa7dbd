package dev.sluice.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "source-tables", description = "Lists the tables that the source has, with their sizes, and whether they can be carried.")
final class SourceTablesCommand implements Callable<Integer> {

    private final Sluice sluice;

    @Parameters(arity = "0..1", paramLabel = "SEARCH", description = "A part of the name, or a pattern with *.")
    private String search;

    SourceTablesCommand(Sluice sluice) {
        this.sluice = sluice;
    }

    @Override
    public Integer call() {
        String query = search == null || search.isEmpty() ? "" : "?search=" + ConsoleAddress.encode(search);
        Answer answer = sluice.api().get("/source/tables" + query);
        if (sluice.json()) {
            sluice.printer().json(answer.body());
            return ExitCode.DONE;
        }
        List<JsonNode> tables = Json.list(answer.json(), "tables");
        if (tables.isEmpty()) {
            sluice.printer().note("the source has no such table that its role may see");
            return ExitCode.DONE;
        }
        var grid = new Grid("TABLE", ">ROWS", ">SIZE", "", "NOTE");
        for (JsonNode table : tables) {
            grid.row(
                    Json.text(table, "name").orElse(""),
                    Json.number(table, "rowsEstimated").isPresent()
                            ? "~" + Figures.count(Json.number(table, "rowsEstimated").getAsLong())
                            : "",
                    Json.number(table, "bytes").isPresent() ? Figures.bytes(Json.number(table, "bytes").getAsLong()) : "",
                    Json.is(table, "known") ? "in the pipeline" : "",
                    Json.text(table, "refused")
                            .map(why -> "cannot be carried: " + why)
                            .orElse(Json.is(table, "partitioned") ? "partitioned" : ""));
        }
        sluice.printer().grid(grid, (row, line) -> Json.text(tables.get(row), "refused").isPresent()
                ? sluice.printer().style().warning(line)
                : line);
        if (Json.is(answer.json(), "more")) {
            sluice.printer().note("there are more: name a part of what you look for");
        }
        return ExitCode.DONE;
    }
}
