package dev.sluice.cli;

import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The command {@code sluice}, and what all its commands share. */
@Command(
        name = "sluice",
        description = "Shows and steers a pipeline of Sluice, by the HTTP API of its console.",
        footer = {
            "",
            "A table is named as in SQL: orders (which is public.orders), sales.items, '\"Sales\".\"Order Items\"'. Where a "
                    + "pattern may stand, * means any characters: 'sales.*'.",
            "",
            "Exit codes: 0 done, 1 failed, differs or rejected, 2 wrong usage, 3 no console at the address, 4 not logged "
                    + "in or not allowed.",
            "",
            "Environment: SLUICE_URL, SLUICE_TOKEN (instead of sluice login), SLUICE_JAVA_OPTIONS, NO_COLOR."
        })
public final class Sluice implements Runnable {

    private static final String DEFAULT_URL = "http://127.0.0.1:8080";
    private static final int HELP_WIDTH = 100;

    private final Surroundings surroundings;
    private final Printer printer;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--url",
            scope = ScopeType.INHERIT,
            paramLabel = "URL",
            description = "Where the console is. Default: SLUICE_URL, else " + DEFAULT_URL + ".")
    private String url;

    @Option(
            names = "--json",
            scope = ScopeType.INHERIT,
            description = "Prints what the API answers, for scripts.")
    private boolean json;

    @Option(
            names = "--allow-http",
            scope = ScopeType.INHERIT,
            description = "Sends password, session or token over http:// to another machine, where others can read them.")
    private boolean allowHttp;

    @Option(names = {"-h", "--help"}, usageHelp = true, scope = ScopeType.INHERIT, description = "Prints this help.")
    private boolean help;

    @Option(names = "--version", versionHelp = true, description = "Prints the version.")
    private boolean version;

    Sluice(Surroundings surroundings) {
        this.surroundings = surroundings;
        this.printer = new Printer(surroundings);
    }

    public static void main(String... arguments) {
        // Numbers and messages are the same on every machine.
        Locale.setDefault(Locale.ROOT);
        System.exit(new Sluice(Surroundings.ofProcess()).execute(arguments));
    }

    /** @return the exit code */
    int execute(String... arguments) {
        Set<String> names = commands().keySet();
        // Making all commands costs more than most of them do.
        boolean named = arguments.length > 0 && names.contains(arguments[0]);
        int exitCode = commandLine(named ? Set.of(arguments[0]) : names).execute(arguments);
        printer.flush();
        return exitCode;
    }

    /** With all commands. */
    CommandLine commandLine() {
        return commandLine(commands().keySet());
    }

    private Map<String, Supplier<Object>> commands() {
        Map<String, Supplier<Object>> commands = new LinkedHashMap<>();
        commands.put("tables", () -> new TablesCommand(this));
        commands.put("table", () -> new TableCommand(this));
        commands.put("status", () -> new StatusCommand(this));
        commands.put("watch", () -> new WatchCommand(this));
        commands.put("add", () -> new AddCommand(this));
        commands.put("backfill", () -> new BackfillCommand(this));
        commands.put("cancel", () -> new CancelCommand(this));
        commands.put("pause", () -> new PauseCommand(this));
        commands.put("resume", () -> new ResumeCommand(this));
        commands.put("retry", () -> new RetryCommand(this));
        commands.put("remove", () -> new RemoveCommand(this));
        commands.put("to-front", () -> new ToFrontCommand(this));
        commands.put("verify", () -> new VerifyCommand(this));
        commands.put("settings", () -> new CommandLine(new SettingsCommand(this))
                .addSubcommand(new SettingsSetCommand(this))
                .addSubcommand(new SettingsResetCommand(this)));
        commands.put("source-tables", () -> new SourceTablesCommand(this));
        commands.put("login", () -> new LoginCommand(this));
        commands.put("logout", () -> new LogoutCommand(this));
        commands.put("completion", () -> new CompletionCommand(this));
        return commands;
    }

    private CommandLine commandLine(Set<String> names) {
        var commands = new CommandLine(this);
        commands().forEach((name, command) -> {
            if (names.contains(name)) {
                commands.addSubcommand(name, command.get());
            }
        });
        String version = Sluice.class.getPackage().getImplementationVersion();
        commands.getCommandSpec().version("sluice " + (version == null ? "(not packaged)" : version));
        return commands
                .setOut(new PrintWriter(surroundings.out(), true))
                .setErr(new PrintWriter(surroundings.err(), true))
                .setColorScheme(CommandLine.Help.defaultColorScheme(surroundings.colours() ? Ansi.ON : Ansi.OFF))
                .setUsageHelpWidth(HELP_WIDTH)
                // A quoted name may begin with anything.
                .setExpandAtFiles(false)
                .setParameterExceptionHandler(this::wrongUsage)
                .setExecutionExceptionHandler(this::failed);
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "no command is given");
    }

    private int wrongUsage(ParameterException e, String[] arguments) {
        CommandLine command = e.getCommandLine();
        printer.note(Harmless.text(e.getMessage(), 500) + ": see " + command.getCommandSpec().qualifiedName() + " --help");
        return ExitCode.USAGE;
    }

    private int failed(Exception e, CommandLine command, ParseResult parsed) {
        if (e instanceof Trouble trouble) {
            printer.note(trouble.getMessage());
            return trouble.exitCode();
        }
        printer.note("this should not happen, please report it: " + e + at(e));
        return ExitCode.FAILED;
    }

    private static String at(Exception e) {
        return e.getStackTrace().length == 0 ? "" : " at " + e.getStackTrace()[0];
    }

    Surroundings surroundings() {
        return surroundings;
    }

    Printer printer() {
        return printer;
    }

    boolean json() {
        return json;
    }

    TableText text() {
        return new TableText(surroundings.clock());
    }

    /** A time of the API in the zone of whoever looks. */
    String time(String text) {
        return Figures.time(text, surroundings.clock().getZone());
    }

    ConsoleAddress address() {
        String given = url != null ? url : surroundings.variable("SLUICE_URL");
        return ConsoleAddress.parse(given.isBlank() ? DEFAULT_URL : given);
    }

    Sessions sessions() {
        return new Sessions(surroundings);
    }

    ConsoleApi api() {
        ConsoleAddress console = address();
        Credentials credentials = credentials(console);
        if (credentials.header().isPresent()) {
            requireSafe(console);
        }
        return new ConsoleApi(console, credentials);
    }

    /** @throws Trouble if what is secret would go over the network in clear */
    void requireSafe(ConsoleAddress console) {
        if (console.isOpen() && !allowHttp) {
            throw Trouble.usage("password, session or token would go to " + console + " in clear: give an https:// address, or "
                    + "--allow-http if nobody else is on the way");
        }
    }

    private Credentials credentials(ConsoleAddress console) {
        String token = surroundings.variable("SLUICE_TOKEN").strip();
        if (!token.isEmpty()) {
            if (!token.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
                throw Trouble.usage("SLUICE_TOKEN is no token: it has characters that none has");
            }
            return new Credentials.Token(token);
        }
        return sessions().cookie(console)
                .<Credentials>map(Credentials.Session::new)
                .orElseGet(Credentials.Nobody::new);
    }

    /** How the tables are shown while somebody waits. */
    Display display() {
        if (json) {
            return new Display.Silent();
        }
        return surroundings.canRedraw()
                ? new Screen(surroundings.out(), new Frame(printer.style(), new Bar(surroundings.unicode()), text()))
                : new Lines(printer, surroundings.clock());
    }
}
