package dev.sluice.cli;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(name = "retry", description = "Tries again what failed: a copy anew, a drain from where it stopped.")
final class RetryCommand implements Callable<Integer> {

    private final Sluice sluice;

    @Mixin
    private TableArguments tables;

    @Mixin
    private ActionOptions action;

    @Mixin
    private WaitOptions waits;

    RetryCommand(Sluice sluice) {
        this.sluice = sluice;
    }

    @Override
    public Integer call() {
        ConsoleApi api = sluice.api();
        List<String> names = tables.resolve(api);
        return new ActionRun(sluice, api)
                .run(List.of(Action.of("retry", names)), action, waits, Awaited.Kind.RETRIED, board -> names);
    }
}
