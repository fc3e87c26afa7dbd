package dev.sluice.domain;

import java.util.List;
import java.util.Optional;

/**
 * Where a table stands in its life. Each state holds what it needs and nothing else.
 */
public sealed interface TableState {

    /** The run that the state speaks of: the offset of the input that asked for it, so later runs are higher. */
    long run();

    /** Past Queued and before Streaming: counts towards the limit of tables at once. */
    sealed interface Active extends TableState {}

    /**
     * Waits for its turn.
     *
     * @param requested the offset of the input that asked for its turn: first in, first out
     * @param place among the tables that the same input asked for
     * @param close how its run is closed when its turn comes; empty: it is copied anew
     * @param streams whether it goes on streaming until then: nobody has held it since it was complete
     */
    record Queued(long run, long requested, int place, Optional<Remedy.Close> close, boolean streams)
            implements TableState {}

    /** @param waitingFor what the step waits for, for a person */
    record Preparing(
            long run,
            Step step,
            Attempt attempt,
            Optional<String> waitingFor,
            Optional<StepResult.Inspected> inspected,
            Optional<StepResult.Bounded> bounded)
            implements Active {}

    /** @param plan how much of the key space is planned, in flight and copied */
    record Backfilling(long run, StepResult.Inspected inspected, StepResult.Bounded bounded, ChunkPlan plan)
            implements Active {}

    /**
     * The run is being closed.
     *
     * @param chunks how many the ledger must list, for {@link Outcome#COPIED}
     */
    record Completing(long run, Outcome outcome, int chunks, Attempt attempt) implements Active {}

    record Draining(long run, Lsn watermark) implements Active {}

    /** @param constraints what was put off until now */
    record Streaming(long run, Constraints constraints) implements TableState {}

    /**
     * A first backfill that was stopped: the destination's rows are incomplete.
     *
     * @param queueing whether changes still queue
     */
    record Cancelled(long run, boolean queueing) implements TableState {}

    /** @param remedy what a retry does */
    record Failed(long run, Phase phase, Fault fault, Remedy remedy) implements TableState {}

    /** @param toBeRemoved whether the table is forgotten then; else it is Cancelled */
    record Leaving(long run, boolean toBeRemoved, Attempt attempt) implements TableState {}

    /** What a run that is being closed came to. */
    enum Outcome {
        /** Every chunk is copied. */
        COPIED,
        /** Cancelled, on a table that streamed before: drains and streams again. */
        CUT_SHORT,
        /** Cancelled, on a first backfill: stays incomplete. */
        ABANDONED,
        /** As {@link #ABANDONED}, and its changes stop queueing. */
        DISCARDED,
        /** Failed after the copy: goes on where it stopped. */
        RESUMED;

        /** Whether the queue is applied then. */
        public boolean drains() {
            return this == COPIED || this == CUT_SHORT || this == RESUMED;
        }
    }

    /** What helps a table that failed. */
    sealed interface Remedy {

        /** A new backfill. */
        record CopyAnew() implements Remedy {}

        /**
         * Closing its run, as it was to be closed: neither a copy nor a cancel is forgotten, and the chunks are counted.
         */
        record Close(Outcome outcome, int chunks) implements Remedy {}

        /** Taking it out, as was asked. */
        record Leave(boolean toBeRemoved) implements Remedy {}
    }

    /** When a table failed. */
    enum Phase {
        PREPARING,
        BACKFILLING,
        COMPLETING,
        DRAINING,
        STREAMING,
        /** Capture or the queue is not whole: only a new backfill helps. */
        CAPTURE,
        LEAVING
    }

    /** Indexes and constraints that wait until the table is caught up (R14). */
    sealed interface Constraints {

        record Pending(Attempt attempt) implements Constraints {}

        record Built(int count) implements Constraints {}

        /** The rows are right; the index is missing. */
        record Missing(Fault fault) implements Constraints {}
    }

    /**
     * The plan of a run: a bounded window of chunks that moves over the key space.
     *
     * @param next the number of the chunk to be planned next
     * @param plannedUpTo empty: nothing planned yet
     * @param complete whether the whole key space is planned
     * @param planning the attempt of the planning that is under way or due
     * @param open chunks planned and not yet copied, in order
     * @param speed how fast chunks were copied lately; empty: nothing noted yet
     */
    record ChunkPlan(
            int next,
            Optional<Key> plannedUpTo,
            boolean complete,
            Attempt planning,
            List<OpenChunk> open,
            int chunksCopied,
            long rowsCopied,
            long bytesCopied,
            Optional<Speed> speed) {

        public ChunkPlan {
            open = List.copyOf(open);
        }

        /** Of which no speed is noted yet. */
        public ChunkPlan(
                int next,
                Optional<Key> plannedUpTo,
                boolean complete,
                Attempt planning,
                List<OpenChunk> open,
                int chunksCopied,
                long rowsCopied,
                long bytesCopied) {
            this(next, plannedUpTo, complete, planning, open, chunksCopied, rowsCopied, bytesCopied, Optional.empty());
        }

        public static ChunkPlan start() {
            return startAfter(Optional.empty());
        }

        /** @param key the first chunk comes after it; empty: it begins with the lowest */
        public static ChunkPlan startAfter(Optional<Key> key) {
            return new ChunkPlan(0, key, false, Attempt.first(), List.of(), 0, 0, 0);
        }

        public boolean isCopied() {
            return complete && open.isEmpty();
        }

        public long inFlight() {
            return open.stream().filter(OpenChunk::inFlight).count();
        }
    }

    /**
     * How fast chunks of a run are copied. What the next planning goes by stands still until it is answered.
     *
     * @param rows of a chunk, as the last planning gave them
     * @param rowsBefore rows that chunks were planned for which were copied before the last planning and after the one
     *     before it
     * @param millisBefore how long these took
     * @param rowsSince the same since the last planning
     * @param millisSince how long those took
     */
    record Speed(int rows, long rowsBefore, long millisBefore, long rowsSince, long millisSince) {}

    /**
     * @param inFlight whether a worker slot has it now
     * @param rows that it was planned for, as far as that is known
     */
    record OpenChunk(
            int chunk, KeyRange range, Attempt attempt, boolean inFlight, boolean aboveHighest, Optional<Integer> rows) {

        /** Of which nobody knows how many rows it has. */
        public OpenChunk(int chunk, KeyRange range, Attempt attempt, boolean inFlight, boolean aboveHighest) {
            this(chunk, range, attempt, inFlight, aboveHighest, Optional.empty());
        }
    }
}
