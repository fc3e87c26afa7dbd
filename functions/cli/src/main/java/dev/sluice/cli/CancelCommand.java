package dev.sluice.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(name = "cancel", description = "Stops the backfill of tables. Says first what becomes of each, and asks.")
final class CancelCommand implements Callable<Integer> {

    private final Sluice sluice;

    @Mixin
    private TableArguments tables;

    @Option(
            names = "--drop-queue",
            description = "A table that never streamed stops queueing changes, too; the next backfill begins anew.")
    private boolean dropQueue;

    @Mixin
    private ActionOptions action;

    CancelCommand(Sluice sluice) {
        this.sluice = sluice;
    }

    @Override
    public Integer call() {
        ConsoleApi api = sluice.api();
        ObjectNode more = Json.object();
        if (dropQueue) {
            more.put("dropQueue", true);
        }
        return new ActionRun(sluice, api).run(new Action("cancel", tables.resolve(api), more), action, Actions.Asks.ALWAYS);
    }
}
