package dev.sluice.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
        name = "to-front",
        description = "Makes tables that wait for their turn the first of those that wait; of several, as they are named.")
final class ToFrontCommand implements Callable<Integer> {

    private final Sluice sluice;

    @Mixin
    private TableArguments tables;

    @Mixin
    private ActionOptions action;

    ToFrontCommand(Sluice sluice) {
        this.sluice = sluice;
    }

    @Override
    public Integer call() {
        ConsoleApi api = sluice.api();
        return new ActionRun(sluice, api).run(Action.of("to-front", tables.resolve(api)), action, Actions.Asks.WHERE_IT_HURTS);
    }
}
