package dev.sluice.console.metrics;

import java.util.Optional;

/** What is measured of a pipeline: the catalogue behind {@code /q/metrics}, the rules, the dashboard and the documents. */
public enum Metric {
    STATES_FRESH("sluice_states_fresh", Optional.empty(), "1 while the states of the tables are read; 0 while they are old."),
    UP("sluice_up", Optional.of("name"), "1 while what a pipeline needs is there: kafka, source, destination, capture, and each "
            + "function by its name."),
    TABLES("sluice_tables", Optional.of("state"), "Tables in a state."),
    TABLES_PAUSED("sluice_tables_paused", Optional.empty(), "Tables that are paused."),
    PIPELINE_PAUSED("sluice_pipeline_paused", Optional.empty(), "1 while all of the pipeline is paused."),
    WORKERS_BUSY("sluice_workers_busy", Optional.empty(), "Worker slots that have a chunk."),
    WORKERS_SLOTS("sluice_workers_slots", Optional.empty(), "Worker slots that there are."),
    REJECTIONS("sluice_rejections", Optional.empty(), "Commands among the last that could not be followed, at most 20."),
    SLOT_ACTIVE("sluice_slot_active", Optional.empty(), "1 while somebody reads the pipeline's slot."),
    SLOT_LAG_BYTES("sluice_slot_lag_bytes", Optional.empty(), "WAL of the source that Kafka has not acknowledged."),
    SLOT_RETAINED_BYTES("sluice_slot_retained_bytes", Optional.empty(), "WAL that the source keeps for the slot."),
    SLOT_SAFE_BYTES("sluice_slot_safe_bytes", Optional.empty(), "WAL that may be written before the slot loses what it needs; "
            + "absent without a limit."),
    TABLE_FAILED("sluice_table_failed", Optional.of("table"), "1 while the table is Failed."),
    TABLE_ROWS_COPIED("sluice_table_rows_copied", Optional.of("table"), "Rows that its run has copied."),
    TABLE_ROWS_ESTIMATED("sluice_table_rows_estimated", Optional.of("table"), "Rows that it has, as the source estimates."),
    TABLE_CHUNKS_FAILING("sluice_table_chunks_failing", Optional.of("table"), "Chunks that failed and wait for another try."),
    TABLE_STALLED_SECONDS("sluice_table_stalled_seconds", Optional.of("table"), "How long a table that is being backfilled, and "
            + "neither paused nor resting, has copied nothing; 0 for others."),
    TABLE_QUEUE_CHANGES("sluice_table_queue_changes", Optional.of("table"), "Changes that wait in its queue."),
    TABLE_QUEUE_OLDEST_SECONDS("sluice_table_queue_oldest_seconds", Optional.of("table"), "How long the oldest of them waits; 0 if "
            + "none does, absent if that is not known."),
    TABLE_DELAY_SECONDS("sluice_table_delay_seconds", Optional.of("table"), "Between a change at the source and at the destination, "
            + "for the last that was applied."),
    TABLE_DIFFERING_ROWS("sluice_table_differing_rows", Optional.of("table"), "Rows that differed when it was last compared; absent "
            + "if it never was, or a backfill began since.");

    private final String text;
    private final Optional<String> label;
    private final String help;

    Metric(String text, Optional<String> label, String help) {
        this.text = text;
        this.label = label;
        this.help = help;
    }

    /** As Prometheus has it. */
    public String text() {
        return text;
    }

    /** The one label that it has, if any. */
    public Optional<String> label() {
        return label;
    }

    public String help() {
        return help;
    }
}
