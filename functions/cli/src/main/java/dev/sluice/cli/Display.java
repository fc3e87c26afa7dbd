package dev.sluice.cli;

import java.time.Duration;
import java.util.Optional;
import java.util.function.Predicate;

/** Shows how tables go on. */
interface Display {

    /**
     * @param which tables are watched
     * @param event what has come; empty: time has passed
     * @param lost for how long the console has not been there
     */
    void show(Board board, Predicate<String> which, Optional<ServerEvent> event, Optional<Duration> lost);

    /** Leaves the terminal as it was. */
    default void end() {
    }

    /** For scripts that want the end only. */
    record Silent() implements Display {
        @Override
        public void show(Board board, Predicate<String> which, Optional<ServerEvent> event, Optional<Duration> lost) {
            // Nothing, as the name says.
        }
    }

    /** Each event as one line of JSON. */
    record Events(Printer printer) implements Display {
        @Override
        public void show(Board board, Predicate<String> which, Optional<ServerEvent> event, Optional<Duration> lost) {
            // A line break can only stand between two parts of JSON.
            event.ifPresent(it -> printer.json(it.data().replace('\n', ' ').replace('\r', ' ')));
        }
    }
}
