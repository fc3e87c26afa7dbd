package dev.sluice.cli;

import java.io.Console;
import java.util.Arrays;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
        name = "login",
        description = "Begins a session at a console that knows its users by password, and keeps it in a file that only you can "
                + "read. Where a proxy before it wants a token, set SLUICE_TOKEN.")
final class LoginCommand implements Callable<Integer> {

    private static final int NAME_LENGTH_MAX = 200;

    private final Sluice sluice;

    @Option(names = {"-u", "--user"}, paramLabel = "NAME", description = "Who you are; else it is asked for.")
    private String user;

    @Option(names = "--password-stdin", description = "Reads the password from the standard input, up to the first line break.")
    private boolean passwordStdin;

    LoginCommand(Sluice sluice) {
        this.sluice = sluice;
    }

    @Override
    public Integer call() {
        ConsoleAddress console = sluice.address();
        sluice.requireSafe(console);
        if (passwordStdin && user == null) {
            throw Trouble.usage("with --password-stdin nobody can be asked for the name: give --user, too");
        }
        String name = user == null ? askName() : user;
        if (name.isBlank() || name.length() > NAME_LENGTH_MAX) {
            throw Trouble.usage("a user's name has 1 to " + NAME_LENGTH_MAX + " characters");
        }
        var nobody = new ConsoleApi(console, new Credentials.Newcomer());
        String password = password();
        var headers = nobody.postForHeaders("/login", Json.object().put("user", name).put("password", password));
        String cookie = ConsoleApi.cookies(headers)
                .orElseThrow(() -> Trouble.failed("the console began no session: does it want a login at all? sluice status"));
        sluice.sessions().keep(console, cookie);
        sluice.printer().note("logged in at " + console + " as " + name);
        return ExitCode.DONE;
    }

    private String askName() {
        if (!sluice.surroundings().canAsk()) {
            throw Trouble.usage("nobody is there to be asked: give --user and --password-stdin, or set SLUICE_TOKEN");
        }
        sluice.surroundings().err().print("User: ");
        sluice.surroundings().err().flush();
        return Actions.readLine(sluice.surroundings()).strip();
    }

    private String password() {
        if (passwordStdin) {
            return Actions.readLine(sluice.surroundings()).replaceFirst("\r$", "");
        }
        // Only a terminal can be told not to show what is typed.
        Console terminal = System.console();
        if (!sluice.surroundings().canAsk() || terminal == null) {
            throw Trouble.usage("the password cannot be asked for here: give --password-stdin");
        }
        char[] typed = terminal.readPassword("Password: ");
        if (typed == null) {
            throw Trouble.usage("no password was given");
        }
        String password = new String(typed);
        Arrays.fill(typed, ' ');
        return password;
    }
}
