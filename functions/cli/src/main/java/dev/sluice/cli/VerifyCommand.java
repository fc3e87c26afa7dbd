package dev.sluice.cli;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "verify",
        description = "Compares tables that stream with the source, while both are written to. With --wait it prints what differs "
                + "and how to mend it; the exit code is 0 only if nothing does.")
final class VerifyCommand implements Callable<Integer> {

    private final Sluice sluice;

    @Mixin
    private TableArguments tables;

    @Option(names = "--cancel", description = "Stops comparing.")
    private boolean cancel;

    @Mixin
    private ActionOptions action;

    @Mixin
    private WaitOptions waits;

    VerifyCommand(Sluice sluice) {
        this.sluice = sluice;
    }

    @Override
    public Integer call() {
        if (cancel && waits.isAsked()) {
            throw Trouble.usage("--cancel and --wait exclude each other: give one of them");
        }
        ConsoleApi api = sluice.api();
        List<String> names = tables.resolve(api);
        var run = new ActionRun(sluice, api);
        return cancel
                ? run.run(Action.of("cancel-verification", names), action, Actions.Asks.WHERE_IT_HURTS)
                : run.run(List.of(Action.of("verify", names)), action, waits, Awaited.Kind.VERIFIED, board -> names);
    }
}
