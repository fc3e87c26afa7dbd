package dev.sluice.cli;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;

/** Watches tables until something is reached, time is up, or nobody reads any more. */
final class Watcher {

    private static final Duration TICK = Duration.ofSeconds(1);
    /** A wait in a script must not last for ever when the console is gone. */
    private static final Duration LOST_MAX = Duration.ofMinutes(2);

    /** Nothing was reached within the limit. */
    static final class TimeIsUp extends Trouble {

        TimeIsUp(Duration limit) {
            super(ExitCode.FAILED, "not within " + Figures.duration(limit) + ": it goes on, sluice watch shows how");
        }
    }

    private final ConsoleApi api;
    private final Printer printer;

    Watcher(ConsoleApi api, Printer printer) {
        this.api = api;
        this.printer = printer;
    }

    /**
     * @param which tables are shown
     * @param goal gives how it ended, once it has
     * @param limit of the wait
     * @return empty: nobody reads any more
     */
    Optional<List<Ending>> watch(
            Board board,
            Display display,
            Predicate<String> which,
            Function<Board, Optional<List<Ending>>> goal,
            Optional<Duration> limit,
            boolean givesUp) {
        long began = System.nanoTime();
        try (var live = new Live(api)) {
            display.show(board, which, Optional.empty(), Optional.empty());
            while (printer.flush()) {
                Optional<ServerEvent> event = live.next(TICK);
                event.ifPresent(board::apply);
                Optional<Duration> lost = live.lostFor();
                display.show(board, which, event, lost);
                Optional<List<Ending>> endings = goal.apply(board);
                if (endings.isPresent()) {
                    return endings;
                }
                if (givesUp && lost.isPresent() && lost.get().compareTo(LOST_MAX) > 0) {
                    throw Trouble.notReachable("the console at " + api.console() + " has been away for "
                            + Figures.duration(lost.get()) + ": what was asked for goes on without it");
                }
                if (limit.isPresent() && System.nanoTime() - began > limit.get().toNanos()) {
                    throw new TimeIsUp(limit.get());
                }
            }
            return Optional.empty();
        } finally {
            display.end();
        }
    }
}
