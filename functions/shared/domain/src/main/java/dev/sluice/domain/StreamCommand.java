package dev.sluice.domain;

/**
 * Wakes the streaming function up for a table. What it then may do, the ledger decides (R5).
 */
public sealed interface StreamCommand {

    TableName table();

    long run();

    /**
     * Finish the batch, stop, open the run in the ledger, and answer {@link Event.TableHeld}.
     *
     * @param options that the run is opened with, and that hold from then on
     */
    record Hold(TableName table, long run, int attempt, TableOptions options) implements StreamCommand {

        public Hold(TableName table, long run, int attempt) {
            this(table, run, attempt, TableOptions.NONE);
        }
    }

    /** Apply the queue up to the watermark, then go on for good. */
    record Drain(TableName table, long run, Lsn watermark) implements StreamCommand {}
}
