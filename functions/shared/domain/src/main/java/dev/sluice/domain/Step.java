package dev.sluice.domain;

import java.time.Duration;
import java.util.Optional;

/** The steps of preparing a table, in order. Each is idempotent; what follows relies on what came before. */
public enum Step {
    /** Can the table be carried at all? Nothing is touched before that is known (R1). */
    INSPECT(Duration.ofMinutes(2)),
    /** Capture runs: the slot is active and passes a probe written now. */
    CAPTURE(Duration.ofMinutes(2)),
    /** The streaming function stops applying, and the run is open in the ledger. */
    HOLD(Duration.ofSeconds(20)),
    /** The table's topic exists, and the ledger knows where its queue starts. */
    QUEUE(Duration.ofMinutes(1)),
    /** The table is in the publication. */
    PUBLISH(Duration.ofMinutes(1)),
    /** Every transaction that could have written before the table was captured is over (R2). */
    BARRIER(Duration.ofHours(1)),
    /** The place in the WAL that chunks must have passed, and the highest key. */
    BOUNDS(Duration.ofMinutes(5)),
    /** The destination's table exists and fits. */
    DESTINATION(Duration.ofMinutes(5));

    private final Duration timeout;

    Step(Duration timeout) {
        this.timeout = timeout;
    }

    /** How long one attempt may take before it counts as failed. */
    public Duration timeout() {
        return timeout;
    }

    public Optional<Step> next() {
        return ordinal() + 1 < values().length ? Optional.of(values()[ordinal() + 1]) : Optional.empty();
    }
}
