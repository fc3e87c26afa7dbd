package dev.sluice.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "tables", description = "Lists the tables of the pipeline: state, progress, queue, and what to know of each.")
final class TablesCommand implements Callable<Integer> {

    private static final List<String> STATES = List.of(
            "Queued", "Preparing", "Backfilling", "Completing", "Draining", "Streaming", "Cancelled", "Failed", "Leaving",
            "paused");

    private final Sluice sluice;

    @Parameters(arity = "0..*", paramLabel = "NAME", description = "Only these, by name or pattern.")
    private List<String> names = new ArrayList<>();

    @Option(
            names = "--state",
            split = ",",
            paramLabel = "STATE",
            description = "Only tables in these states, such as failed or queued,paused.")
    private List<String> states = new ArrayList<>();

    TablesCommand(Sluice sluice) {
        this.sluice = sluice;
    }

    @Override
    public Integer call() {
        Predicate<String> which = new KnownTables(names).which();
        states.forEach(TablesCommand::requireState);
        Answer answer = sluice.api().get("/tables");
        List<Table> tables = TableArguments.tables(answer.json()).stream()
                .filter(table -> which.test(table.name()) && isInAState(table))
                .toList();
        if (sluice.json()) {
            if (names.isEmpty() && states.isEmpty()) {
                sluice.printer().json(answer.body());
            } else {
                ArrayNode shown = Json.array();
                tables.forEach(table -> shown.add(table.json()));
                sluice.printer().json(Json.write(shown));
            }
            return ExitCode.DONE;
        }
        if (tables.isEmpty()) {
            sluice.printer().note(names.isEmpty() && states.isEmpty()
                    ? "the pipeline has no tables yet: sluice source-tables shows what the source has, sluice add adds some"
                    : "no table is like this: sluice tables lists all");
            return ExitCode.DONE;
        }
        var grid = new Grid("TABLE", "STATE", "ROWS COPIED", ">", ">SPEED", ">LEFT", ">QUEUE", ">DELAY", "NOTE");
        for (Table table : tables) {
            grid.row(
                    table.name(),
                    TableText.state(table),
                    TableText.rows(table),
                    TableText.percent(table),
                    TableText.speed(table),
                    sluice.text().left(table),
                    TableText.queue(table),
                    TableText.delay(table),
                    TableText.note(table));
        }
        sluice.printer().grid(grid, (row, line) -> sluice.printer().style().of(tables.get(row), line));
        return ExitCode.DONE;
    }

    private static void requireState(String state) {
        if (STATES.stream().noneMatch(state::equalsIgnoreCase)) {
            throw Trouble.usage("there is no state «" + Harmless.text(state, 40) + "»: use " + String.join(", ", STATES));
        }
    }

    private boolean isInAState(Table table) {
        return states.isEmpty()
                || states.stream().anyMatch(state -> state.equalsIgnoreCase("paused")
                        ? table.paused().isPresent()
                        : state.equalsIgnoreCase(table.state()));
    }
}
