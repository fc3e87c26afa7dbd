package dev.sluice.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The tables of the pipeline that something is done to. */
final class TableArguments {

    @Parameters(arity = "0..*", paramLabel = "NAME", description = "Tables of the pipeline, by name or pattern.")
    private List<String> names = new ArrayList<>();

    @Option(names = "--all", description = "All tables of the pipeline.")
    private boolean all;

    boolean isEmpty() {
        return names.isEmpty() && !all;
    }

    List<String> resolve(ConsoleApi api) {
        if (isEmpty()) {
            throw Trouble.usage("no table is named: give names, patterns or --all");
        }
        if (all && !names.isEmpty()) {
            throw Trouble.usage("--all and names exclude each other: give one of them");
        }
        var given = new KnownTables(names);
        if (!all && given.areNames()) {
            return given.names();
        }
        List<Table> known = tables(api.get("/tables").json());
        List<String> resolved = all ? known.stream().map(Table::name).toList() : given.resolve(known);
        if (resolved.isEmpty()) {
            throw Trouble.failed("the pipeline has no tables: sluice add adds some");
        }
        return resolved;
    }

    static List<Table> tables(JsonNode json) {
        return Json.list(json).stream().map(Table::new).toList();
    }
}
