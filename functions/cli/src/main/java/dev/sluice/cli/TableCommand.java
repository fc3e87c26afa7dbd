package dev.sluice.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "table", description = "Shows all about one table: runs, chunks, columns, options, what differs, what happened.")
final class TableCommand implements Callable<Integer> {

    private final Sluice sluice;

    @Parameters(paramLabel = "NAME", description = "The table.")
    private String name;

    TableCommand(Sluice sluice) {
        this.sluice = sluice;
    }

    @Override
    public Integer call() {
        Answer answer = sluice.api().get("/tables/" + ConsoleAddress.encode(KnownTables.name(name)));
        if (sluice.json()) {
            sluice.printer().json(answer.body());
        } else {
            new TableDetail(sluice, answer.json()).print();
        }
        return ExitCode.DONE;
    }
}
