package dev.sluice.domain;

import java.util.Optional;

/** The steps of preparing a table, in order. Each is idempotent; what follows relies on what came before. */
public enum Step {
    /** Can the table be carried at all? Nothing is touched before that is known (R1). */
    INSPECT,
    /** Capture runs: the slot is active and passes a probe written now. */
    CAPTURE,
    /** The streaming function stops applying, and the run is open in the ledger. */
    HOLD,
    /** The table's topic exists, and the ledger knows where its queue starts. */
    QUEUE,
    /** The table is in the publication. */
    PUBLISH,
    /** Every transaction that could have written before the table was captured is over (R2). */
    BARRIER,
    /** The place in the WAL that chunks must have passed, and the highest key. */
    BOUNDS,
    /** The destination's table exists and fits. */
    DESTINATION;

    public Optional<Step> next() {
        return ordinal() + 1 < values().length ? Optional.of(values()[ordinal() + 1]) : Optional.empty();
    }
}
