package dev.sluice.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
        name = "resume",
        description = "Lets paused tables go on, or the whole pipeline.")
final class ResumeCommand implements Callable<Integer> {

    private final Sluice sluice;

    @Mixin
    private PipelineOrTables tables;

    @Mixin
    private ActionOptions action;

    ResumeCommand(Sluice sluice) {
        this.sluice = sluice;
    }

    @Override
    public Integer call() {
        ConsoleApi api = sluice.api();
        return new ActionRun(sluice, api).run(tables.action("resume", api), action, Actions.Asks.WHERE_IT_HURTS);
    }
}
