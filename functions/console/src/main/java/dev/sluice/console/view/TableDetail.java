package dev.sluice.console.view;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import com.fasterxml.jackson.databind.JsonNode;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * All that is known of a table.
 *
 * @param runs newest first
 * @param columnsTrouble why the columns are not known
 * @param options as in a command
 * @param events newest first
 */
public record TableDetail(
        @JsonUnwrapped TableSummary summary,
        List<Run> runs,
        Strip strip,
        List<ColumnShown> columns,
        Optional<String> columnsTrouble,
        JsonNode options,
        Optional<JsonNode> optionsAsked,
        Optional<Found> verificationFound,
        List<Told> events) {

    public record Run(
            long run,
            Instant began,
            Optional<Instant> ended,
            String outcome,
            long rows,
            long bytes,
            int chunks,
            Optional<String> reason,
            Optional<String> by,
            Optional<Long> rowsPerSecond) {}

    /**
     * The chunks of the run.
     *
     * @param planned whether all of its key space is planned
     * @param more chunks that are copied and not listed
     */
    public record Strip(boolean planned, List<ChunkShown> chunks, int more) {}

    /**
     * @param status copied, inFlight, waiting or failing
     * @param from the key that it lies above; empty: from the lowest
     * @param to the highest key; empty: to the end
     */
    public record ChunkShown(
            int chunk,
            String status,
            Optional<List<String>> from,
            Optional<List<String>> to,
            Optional<Long> rows,
            Optional<Long> millis,
            int attempt,
            Optional<String> failure,
            Optional<Instant> nextTry) {}

    /** @param travels how its values arrive */
    public record ColumnShown(String name, String type, boolean key, String travels, Optional<String> note) {}

    public record Found(
            long rows, int ranges, long differing, long unsettled, List<Difference> keys, long more, List<Repair> repairs) {}

    public record Difference(List<String> key, String kind) {}

    /** A range of keys that a backfill would copy anew. */
    public record Repair(List<String> from, List<String> to, int keys) {}

    /** @param kind info, good or bad */
    public record Told(Instant at, String text, String kind) {}
}
