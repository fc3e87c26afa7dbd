package dev.sluice.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
        name = "remove",
        description = "Forgets tables: no capture, no queue; the rows at the destination stay. Says first what it means, and asks.")
final class RemoveCommand implements Callable<Integer> {

    private final Sluice sluice;

    @Mixin
    private TableArguments tables;

    @Mixin
    private ActionOptions action;

    RemoveCommand(Sluice sluice) {
        this.sluice = sluice;
    }

    @Override
    public Integer call() {
        ConsoleApi api = sluice.api();
        return new ActionRun(sluice, api).run(Action.of("remove", tables.resolve(api)), action, Actions.Asks.ALWAYS);
    }
}
