package dev.sluice.cli;

import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

@Command(name = "logout", description = "Ends the session, at the console and here.")
final class LogoutCommand implements Callable<Integer> {

    private final Sluice sluice;

    LogoutCommand(Sluice sluice) {
        this.sluice = sluice;
    }

    @Override
    public Integer call() {
        ConsoleAddress console = sluice.address();
        Optional<String> cookie = sluice.sessions().cookie(console);
        if (cookie.isEmpty()) {
            sluice.printer().note("there is no session at " + console);
            return ExitCode.DONE;
        }
        sluice.requireSafe(console);
        sluice.sessions().forget(console);
        try {
            new ConsoleApi(console, new Credentials.Session(cookie.get())).postForHeaders("/logout", Json.object());
        } catch (Trouble trouble) {
            if (trouble.exitCode() != ExitCode.NOT_ALLOWED) {
                throw new Trouble(trouble.exitCode(), "the session is forgotten here, but the console was not told: "
                        + trouble.getMessage());
            }
        }
        sluice.printer().note("logged out at " + console);
        return ExitCode.DONE;
    }
}
