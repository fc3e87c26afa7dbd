package dev.sluice.domain;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** What has happened. Written by the functions; the scheduler decides what follows. */
public sealed interface Event {

    /**
     * The source was asked which tables a request names.
     *
     * @param request the offset of the {@link Command.AddTables}
     * @param unknown names that no table of the source has, patterns that match none
     */
    record TablesMatched(long request, List<TableName> tables, List<String> unknown) implements Event {
        public TablesMatched {
            tables = List.copyOf(tables);
            unknown = List.copyOf(unknown);
        }
    }

    /** The source could not be asked. */
    record MatchingFailed(long request, int attempt, Fault fault) implements Event {}

    /**
     * Tables of the source that nobody has added match the setting {@link Setting#JOIN_PATTERNS}.
     *
     * @param tables 1 to 1,000
     */
    record TablesJoined(List<TableName> tables) implements Event {
        public TablesJoined {
            tables = List.copyOf(tables);
        }
    }

    /**
     * How busy the source is, when that decides something.
     *
     * @param sessions that are active at the server, without Sluice's own
     * @param lagMillis of the standby that is furthest behind; 0 if there is none
     * @param unseen why the source does not tell, and what to do; empty: it does
     */
    record SourceMeasured(long sessions, long lagMillis, Optional<String> unseen) implements Event {}

    /** What no chunk comes near: a number above it, or below 0, is none that a function of ours has counted. */
    long COUNT_MAX = 10_000_000_000_000_000L;

    private static void requireCount(long count, String field) {
        if (count < 0 || count > COUNT_MAX) {
            throw new IllegalArgumentException(
                    "the field «" + field + "» is " + count + ": it is a number from 0 to " + COUNT_MAX);
        }
    }

    /** An event of one run of one table. */
    sealed interface OfRun extends Event {
        TableName table();

        long run();
    }

    record StepDone(TableName table, long run, Step step, int attempt, StepResult result) implements OfRun {}

    record StepFailed(TableName table, long run, Step step, int attempt, Fault fault) implements OfRun {}

    /** A step waits for something that a person may want to know of. */
    record StepWaiting(TableName table, long run, Step step, int attempt, String waitingFor) implements OfRun {}

    /** The streaming function has stopped, and the run is open in the ledger. */
    record TableHeld(TableName table, long run, int attempt) implements OfRun {}

    /** The streaming function could not hold the table. */
    record HoldFailed(TableName table, long run, int attempt, Fault fault) implements OfRun {}

    /**
     * More of the key space is planned.
     *
     * @param boundaries each the inclusive upper end of one chunk, rising; the first chunk starts where planning stood
     * @param complete whether the last boundary is the highest key
     * @param rows that each chunk was to have
     */
    record ChunksPlanned(
            TableName table, long run, int attempt, List<Key> boundaries, boolean complete, Optional<Integer> rows)
            implements OfRun {
        public ChunksPlanned {
            boundaries = List.copyOf(boundaries);
            rows.ifPresent(each -> requireCount(each, "rows"));
        }

        /** Of chunks whose size nobody noted. */
        public ChunksPlanned(TableName table, long run, int attempt, List<Key> boundaries, boolean complete) {
            this(table, run, attempt, boundaries, complete, Optional.empty());
        }
    }

    record PlanningFailed(TableName table, long run, int attempt, Fault fault) implements OfRun {}

    /** An answer to a chunk task, which frees its worker slot. */
    sealed interface OfChunk extends OfRun {
        int chunk();

        int attempt();
    }

    record ChunkCopied(TableName table, long run, int chunk, int attempt, long rows, long bytes, long millis)
            implements OfChunk {
        public ChunkCopied {
            requireCount(rows, "rows");
            requireCount(bytes, "bytes");
            requireCount(millis, "millis");
        }
    }

    record ChunkFailed(TableName table, long run, int chunk, int attempt, Fault fault) implements OfChunk {}

    /**
     * The run takes no more chunks, and the ledger agrees that nothing is missing.
     *
     * @param watermark empty for an abandoned first backfill: there is nothing to drain
     */
    record RunClosed(TableName table, long run, int attempt, Optional<Lsn> watermark) implements OfRun {}

    record ClosingFailed(TableName table, long run, int attempt, Fault fault) implements OfRun {}

    /** The queue is applied up to the watermark; the table streams. */
    record TableCaughtUp(TableName table, long run) implements OfRun {}

    /**
     * How the queue stands, every few seconds while that changes.
     *
     * @param waiting changes in the topic that are not applied yet
     * @param applied changes applied since the process started
     * @param delayMillis between a change at the source and now, for the last one applied
     * @param trouble what keeps the table from going on, for the time being
     * @param oldest when the oldest change that waits came into the queue, as far as that is known
     */
    record QueueMoved(
            TableName table,
            long run,
            long waiting,
            long applied,
            long delayMillis,
            Optional<String> trouble,
            Optional<Instant> oldest)
            implements OfRun {

        public QueueMoved(
                TableName table, long run, long waiting, long applied, long delayMillis, Optional<String> trouble) {
            this(table, run, waiting, applied, delayMillis, trouble, Optional.empty());
        }
    }

    /**
     * The queue cannot be applied.
     *
     * @param queueLost whether changes are gone, so that only a new backfill helps (R15)
     */
    record StreamFailed(TableName table, long run, Fault fault, boolean queueLost) implements OfRun {}

    /**
     * Capture of the table is not what it was when it joined (R20).
     *
     * @param judged what the source was compared with: the table may have joined anew meanwhile
     */
    record CaptureBroken(TableName table, long run, CaptureIdentity judged, Fault fault) implements OfRun {}

    /**
     * The table was altered at the source, and the destination's table has followed.
     *
     * @param judged what the source was compared with
     * @param fingerprint of the definition that is followed now
     */
    record DefinitionFollowed(TableName table, long run, CaptureIdentity judged, String fingerprint) implements OfRun {}

    /** What was put off until the table was caught up is built. */
    record ConstraintsBuilt(TableName table, long run, int attempt, int count) implements OfRun {}

    record ConstraintsFailed(TableName table, long run, int attempt, Fault fault) implements OfRun {}

    /** The table is out of the publication and the ledger. */
    record TableLeft(TableName table, long run, int attempt) implements OfRun {}

    record LeavingFailed(TableName table, long run, int attempt, Fault fault) implements OfRun {}

    /** An event of the comparison that a command asked for. */
    sealed interface OfVerification extends OfRun {

        /** Its {@link Verification#number}. */
        long number();
    }

    /** @param rows of the source that are compared, every few seconds */
    record VerificationMoved(TableName table, long run, long number, long rows) implements OfVerification {}

    record Verified(TableName table, long run, long number, Verification.Findings findings) implements OfVerification {}

    record VerificationFailed(TableName table, long run, long number, Fault fault) implements OfVerification {}
}
