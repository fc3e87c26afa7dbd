package dev.sluice.cli;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;

@Command(
        name = "completion",
        description = "Prints a script that completes commands and options in bash and zsh: source <(sluice completion).")
final class CompletionCommand implements Callable<Integer> {

    private final Sluice sluice;

    CompletionCommand(Sluice sluice) {
        this.sluice = sluice;
    }

    @Override
    public Integer call() {
        sluice.printer().styled(AutoComplete.bash("sluice", sluice.commandLine()));
        return ExitCode.DONE;
    }
}
