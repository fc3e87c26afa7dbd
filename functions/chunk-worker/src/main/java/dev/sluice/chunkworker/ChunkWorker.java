package dev.sluice.chunkworker;

import dev.sluice.domain.ChunkTask;
import dev.sluice.domain.Event;
import dev.sluice.domain.Fault;
import dev.sluice.postgres.ChunkCopy.Answer;
import java.time.Duration;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jboss.logging.Logger;

/** Runs one chunk task, and has an answer to every one: the answer is what frees the worker slot. */
final class ChunkWorker {

    private static final Logger LOG = Logger.getLogger(ChunkWorker.class);

    private final Function<ChunkTask, Answer> copy;
    private final LongSupplier nanoTime;

    /** @param nanoTime as {@link System#nanoTime} */
    ChunkWorker(Function<ChunkTask, Answer> copy, LongSupplier nanoTime) {
        this.copy = copy;
        this.nanoTime = nanoTime;
    }

    Event.OfChunk run(ChunkTask task) {
        long start = nanoTime.getAsLong();
        Answer answer = copied(task);
        long millis = Duration.ofNanos(nanoTime.getAsLong() - start).toMillis();
        Event.OfChunk event = event(task, answer, millis);
        log(event);
        return event;
    }

    private Answer copied(ChunkTask task) {
        try {
            return copy.apply(task);
        } catch (RuntimeException e) {
            // A defect of ours. Without an answer the slot would stay taken for good.
            LOG.errorf(e, "chunk broke off table=%s run=%d chunk=%d", task.table(), task.run(), task.chunk());
            return new Answer.Failed(Fault.faulty(
                    "copying chunk " + task.chunk() + " of " + task.table() + ": " + e,
                    "Look at the log of the chunk-worker, and report this."));
        }
    }

    static Event.OfChunk event(ChunkTask task, Answer answer, long millis) {
        return switch (answer) {
            case Answer.Copied copied -> new Event.ChunkCopied(
                    task.table(), task.run(), task.chunk(), task.attempt(), copied.rows(), copied.bytes(), millis);
            // Nothing travelled this time, so no bytes are counted.
            case Answer.CopiedBefore before -> new Event.ChunkCopied(
                    task.table(), task.run(), task.chunk(), task.attempt(), before.rows(), 0, millis);
            case Answer.Failed failed -> new Event.ChunkFailed(
                    task.table(), task.run(), task.chunk(), task.attempt(), failed.fault());
        };
    }

    private static void log(Event.OfChunk event) {
        switch (event) {
            case Event.ChunkCopied copied -> LOG.debugf(
                    "chunk copied table=%s run=%d chunk=%d rows=%d bytes=%d millis=%d",
                    copied.table(), copied.run(), copied.chunk(), copied.rows(), copied.bytes(), copied.millis());
            case Event.ChunkFailed failed -> LOG.warnf(
                    "chunk failed table=%s run=%d chunk=%d attempt=%d kind=%s reason=\"%s\"",
                    failed.table(), failed.run(), failed.chunk(), failed.attempt(), failed.fault().kind(),
                    failed.fault().reason());
        }
    }
}
