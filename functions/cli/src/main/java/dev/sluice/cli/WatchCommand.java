package dev.sluice.cli;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.ArrayList;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.function.Predicate;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "watch",
        description = "Shows live how tables go on, until Ctrl-C: bars in a terminal, else a line for what is new. With --json "
                + "each event of the API as one line.")
final class WatchCommand implements Callable<Integer> {

    private final Sluice sluice;

    @Parameters(arity = "0..*", paramLabel = "NAME", description = "Only these, by name or pattern.")
    private List<String> names = new ArrayList<>();

    @Option(
            names = "--until",
            paramLabel = "streaming",
            description = "Ends when each of them streams, or cannot any more: exit code 0 if all stream, 1 if one failed or was "
                    + "cancelled.")
    private String until;

    @Option(names = "--timeout", paramLabel = "TIME", description = "Ends after this, such as 15m; with --until the exit code is 1.")
    private String timeout;

    WatchCommand(Sluice sluice) {
        this.sluice = sluice;
    }

    @Override
    public Integer call() {
        if (until != null && !until.equals("streaming")) {
            throw Trouble.usage("«" + Harmless.text(until, 40) + "» cannot be waited for: use --until streaming");
        }
        var given = new KnownTables(names);
        Predicate<String> which = given.which();
        Optional<Duration> limit = Optional.ofNullable(timeout).map(Figures::parse);
        var awaited = new Awaited(Awaited.Kind.STREAMING, Map.of(), Map.of(), board -> watched(board, given, which));
        Function<Board, Optional<List<Ending>>> goal = until == null ? board -> Optional.empty() : awaited::look;
        Display display = sluice.json() ? new Display.Events(sluice.printer()) : sluice.display();
        List<Ending> endings;
        try {
            endings = new Watcher(sluice.api(), sluice.printer())
                    .watch(new Board(), display, which, goal, limit, until != null)
                    .orElse(List.of());
        } catch (Watcher.TimeIsUp e) {
            if (until == null) {
                return ExitCode.DONE;
            }
            throw e;
        }
        List<Ending> failed = endings.stream().filter(ending -> !ending.well()).toList();
        failed.forEach(ending -> sluice.printer().note(ending.table() + " " + ending.text()));
        return failed.isEmpty() ? ExitCode.DONE : ExitCode.FAILED;
    }

    private static Collection<String> watched(Board board, KnownTables given, Predicate<String> which) {
        var watched = new TreeSet<>(given.names());
        board.tables().stream().map(Table::name).filter(which).forEach(watched::add);
        return watched;
    }
}
