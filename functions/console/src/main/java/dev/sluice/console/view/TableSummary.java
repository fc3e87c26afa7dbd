package dev.sluice.console.view;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * A table at a glance.
 *
 * @param since when it came to its state
 * @param position among the tables that wait for their turn: 1 is the next
 * @param part the keys that its run copies; empty: all
 * @param eta when its rows are copied, if it goes on like this
 * @param elapsedSeconds since its first chunk could go
 * @param waitingFor what its preparation waits for
 * @param streamsMeanwhile whether it goes on streaming while it waits for its turn
 * @param incomplete whether the destination lacks rows of it
 * @param actions which commands would be followed now, the likeliest first
 */
public record TableSummary(
        String name,
        String schema,
        String table,
        String state,
        Instant since,
        long run,
        Optional<Paused> paused,
        Optional<Integer> position,
        Optional<Part> part,
        Rows rows,
        long bytesCopied,
        Optional<Long> rowsPerSecond,
        Optional<Instant> eta,
        Optional<Long> elapsedSeconds,
        Optional<Chunks> chunks,
        Optional<Queue> queue,
        Optional<Drain> drain,
        Optional<String> waitingFor,
        Optional<Trouble> error,
        boolean streamsMeanwhile,
        boolean incomplete,
        Optional<Verified> verification,
        Optional<AskedFor> asked,
        List<String> actions) {

    /** @param resuming whether it goes on as soon as there is room among the tables at once */
    public record Paused(Optional<String> by, Instant since, boolean resuming) {}

    public record Part(Optional<List<String>> from, Optional<List<String>> to) {}

    /** @param estimated by the source's planner */
    public record Rows(long copied, Optional<Long> estimated, Optional<Double> percent) {}

    /**
     * Of the run under way, as far as they are planned.
     *
     * @param failing those that wait for another try after a failure
     */
    public record Chunks(int copied, int inFlight, int waiting, int failing) {}

    public record Queue(
            long waiting,
            long applied,
            long delayMillis,
            Optional<Instant> oldest,
            Optional<String> trouble,
            Optional<Long> perSecond) {}

    /** @param percent of what waited at most since it drains */
    public record Drain(Optional<Double> percent, long left) {}

    public record Trouble(String phase, String kind, String reason, String hint) {}

    /** @param status running, verified, differs, unsettled, stale or failed */
    public record Verified(
            String status,
            Instant at,
            Optional<String> by,
            Optional<Long> rowsCompared,
            Optional<Long> differing,
            Optional<Long> unsettled) {}

    public record AskedFor(String command, Optional<String> by, Instant at) {}
}
