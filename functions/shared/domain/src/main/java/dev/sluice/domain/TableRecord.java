package dev.sluice.domain;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * All that is known of a table: one record of the compacted topic.
 *
 * @param attempts the highest number of an attempt so far. A state that the table enters once more goes on from there:
 *     the same run and attempt are never asked for twice, so an answer always belongs to what is asked (R17)
 * @param captured what its capture rests on, since it joined the publication and as long as nothing broke
 * @param streamedRun the run after which it last was complete at the destination, as long as it still is; empty for a
 *     table that never streamed
 * @param progress of the last run
 * @param options of the newest run that had its turn; the ledger has them too, and says which hold
 * @param optionsAsked others that the run which waits for its turn begins with
 * @param pause if the table rests: nothing new begins for it, whatever its state
 * @param asked the last command that was followed for it
 * @param runs the newest first, at most {@value PastRun#RUNS_MAX}
 * @param verification the last one that was asked for
 * @param part the keys that its newest run copies; empty: all
 * @param partAsked those of the run that waits for its turn
 */
public record TableRecord(
        TableName table,
        TableState state,
        Instant stateSince,
        int attempts,
        Optional<CaptureIdentity> captured,
        Optional<Long> streamedRun,
        Progress progress,
        Optional<Queue> queue,
        TableOptions options,
        Optional<TableOptions> optionsAsked,
        Optional<Pause> pause,
        Optional<Asked> asked,
        List<PastRun> runs,
        Optional<Verification> verification,
        Optional<KeyBounds> part,
        Optional<KeyBounds> partAsked) {

    public TableRecord {
        runs = List.copyOf(runs);
    }

    /** A table of which whole backfills are made. */
    public TableRecord(
            TableName table,
            TableState state,
            Instant stateSince,
            int attempts,
            Optional<CaptureIdentity> captured,
            Optional<Long> streamedRun,
            Progress progress,
            Optional<Queue> queue,
            TableOptions options,
            Optional<TableOptions> optionsAsked,
            Optional<Pause> pause,
            Optional<Asked> asked,
            List<PastRun> runs,
            Optional<Verification> verification) {
        this(
                table, state, stateSince, attempts, captured, streamedRun, progress, queue, options, optionsAsked, pause,
                asked, runs, verification, Optional.empty(), Optional.empty());
    }

    /** A table that nobody paused and that has no history. */
    public TableRecord(
            TableName table,
            TableState state,
            Instant stateSince,
            int attempts,
            Optional<CaptureIdentity> captured,
            Optional<Long> streamedRun,
            Progress progress,
            Optional<Queue> queue,
            TableOptions options,
            Optional<TableOptions> optionsAsked) {
        this(
                table, state, stateSince, attempts, captured, streamedRun, progress, queue, options, optionsAsked,
                Optional.empty(), Optional.empty(), List.of(), Optional.empty());
    }

    /** Whether it takes one of the places between Queued and Streaming. */
    public boolean isActive() {
        return state instanceof TableState.Active && pause.isEmpty();
    }

    /**
     * @param rowsEstimated the planner's estimate; 0 when unknown
     * @param copyStarted when the first chunk could go
     */
    public record Progress(
            long rowsEstimated,
            long rowsCopied,
            long bytesCopied,
            int chunksCopied,
            Optional<Instant> copyStarted,
            Optional<Instant> copyFinished) {

        public static Progress none() {
            return new Progress(0, 0, 0, 0, Optional.empty(), Optional.empty());
        }
    }

    /** @param oldest when the oldest change that waits came into the queue, as far as that is known */
    public record Queue(
            long waiting, long applied, long delayMillis, Optional<String> trouble, Optional<Instant> oldest) {

        public Queue(long waiting, long applied, long delayMillis, Optional<String> trouble) {
            this(waiting, applied, delayMillis, trouble, Optional.empty());
        }
    }
}
