package dev.sluice.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
        name = "pause",
        description = "Lets tables rest, or the whole pipeline: what is under way is finished, nothing new begins, changes queue.")
final class PauseCommand implements Callable<Integer> {

    private final Sluice sluice;

    @Mixin
    private PipelineOrTables tables;

    @Mixin
    private ActionOptions action;

    PauseCommand(Sluice sluice) {
        this.sluice = sluice;
    }

    @Override
    public Integer call() {
        ConsoleApi api = sluice.api();
        return new ActionRun(sluice, api).run(tables.action("pause", api), action, Actions.Asks.WHERE_IT_HURTS);
    }
}
