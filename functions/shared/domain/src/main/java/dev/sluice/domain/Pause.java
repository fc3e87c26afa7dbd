package dev.sluice.domain;

import java.time.Instant;
import java.util.Optional;

/**
 * Somebody's wish that a table, or the whole pipeline, rests. It stands beside the state, which stays what it is: what is
 * under way is finished, and nothing new begins.
 *
 * @param by who asked for it, as far as that is known
 * @param resumed of a table that is to go on and waits for a place among the tables at once: its place in the queue
 */
public record Pause(Optional<String> by, Instant since, Optional<Long> resumed) {

    public Pause(Optional<String> by, Instant since) {
        this(by, since, Optional.empty());
    }
}
