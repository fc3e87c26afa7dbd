package dev.sluice.scheduler;

import dev.sluice.domain.Attempt;
import dev.sluice.domain.Event;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Step;
import dev.sluice.domain.StepResult;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.Backfilling;
import dev.sluice.domain.TableState.Cancelled;
import dev.sluice.domain.TableState.Completing;
import dev.sluice.domain.TableState.Constraints;
import dev.sluice.domain.TableState.Draining;
import dev.sluice.domain.TableState.Failed;
import dev.sluice.domain.TableState.Leaving;
import dev.sluice.domain.TableState.Outcome;
import dev.sluice.domain.TableState.Phase;
import dev.sluice.domain.TableState.Preparing;
import dev.sluice.domain.TableState.Queued;
import dev.sluice.domain.TableState.Remedy;
import dev.sluice.domain.TableState.Streaming;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Function;

/**
 * What an event means for a table, by the state it is in. Pure: the same input gives the same turn.
 *
 * <p>Preparing is {@link OnStep}'s, backfilling {@link OnChunk}'s, what the watch finds {@link OnCapture}'s. Here
 * is how a run ends, and what comes after it.
 */
final class OnEvent {

    private static final Remedy.Close RESUME = new Remedy.Close(Outcome.RESUMED, 0);

    private OnEvent() {}

    static Turn decide(TableRecord table, Event.OfRun event, Instant now) {
        return switch (event) {
            case Event.StepDone done ->
                OnStep.stepDone(table, done.run(), done.step(), done.attempt(), done.result(), now);
            case Event.StepFailed failed ->
                OnStep.stepFailed(table, failed.run(), failed.step(), failed.attempt(), failed.fault(), now);
            case Event.StepWaiting waiting -> OnStep.stepWaiting(table, waiting, now);
            case Event.TableHeld held ->
                OnStep.stepDone(table, held.run(), Step.HOLD, held.attempt(), new StepResult.Done(), now);
            case Event.HoldFailed failed ->
                OnStep.stepFailed(table, failed.run(), Step.HOLD, failed.attempt(), failed.fault(), now);
            case Event.ChunksPlanned planned -> OnChunk.chunksPlanned(table, planned, now);
            case Event.PlanningFailed failed -> OnChunk.planningFailed(table, failed, now);
            case Event.ChunkCopied copied -> OnChunk.chunkCopied(table, copied, now);
            case Event.ChunkFailed failed -> OnChunk.chunkFailed(table, failed, now);
            case Event.RunClosed closed -> runClosed(table, closed, now);
            case Event.ClosingFailed failed -> closingFailed(table, failed, now);
            case Event.TableCaughtUp caughtUp -> caughtUp(table, caughtUp.run(), now);
            case Event.QueueMoved moved -> queueMoved(table, moved);
            case Event.StreamFailed failed -> streamFailed(table, failed, now);
            case Event.CaptureBroken broken -> OnCapture.captureBroken(table, broken, now);
            case Event.DefinitionFollowed followed -> OnCapture.definitionFollowed(table, followed, now);
            case Event.ConstraintsBuilt built -> constraints(table, built.run(), built.attempt(), now, pending ->
                    new Constraints.Built(built.count()));
            case Event.ConstraintsFailed failed -> constraints(table, failed.run(), failed.attempt(), now, pending ->
                    pending.after(failed.fault(), now)
                            .<Constraints>map(Constraints.Pending::new)
                            .orElseGet(() -> new Constraints.Missing(failed.fault())));
            case Event.TableLeft left -> tableLeft(table, left, now);
            case Event.LeavingFailed failed -> leavingFailed(table, failed, now);
            case Event.OfVerification verification -> OnVerification.answered(table, verification, now);
        };
    }

    /** An answer that no function of ours gives. The table stops, and nothing else does. */
    static Fault unexpected(String what) {
        return Fault.faulty(what, "look for functions of another version, and report it; then send retry");
    }

    private static Turn runClosed(TableRecord table, Event.RunClosed closed, Instant now) {
        if (!(table.state() instanceof Completing completing)
                || completing.run() != closed.run()
                || completing.attempt().number() != closed.attempt()) {
            return Turn.late(table, closed.run(), "closing attempt " + closed.attempt());
        }
        TableState next = switch (completing.outcome()) {
            case ABANDONED -> new Cancelled(closed.run(), table.captured().isPresent());
            case DISCARDED -> new Leaving(closed.run(), false, Records.nextAttempt(table));
            case COPIED, CUT_SHORT, RESUMED -> closed.watermark()
                    .<TableState>map(watermark -> new Draining(closed.run(), watermark))
                    .orElseGet(() -> new Failed(
                            closed.run(),
                            Phase.COMPLETING,
                            unexpected("its run was closed without a watermark"),
                            again(completing)));
        };
        return Turn.becomes(Records.to(table, next, now));
    }

    private static Turn closingFailed(TableRecord table, Event.ClosingFailed failed, Instant now) {
        if (!(table.state() instanceof Completing completing)
                || completing.run() != failed.run()
                || completing.attempt().number() != failed.attempt()) {
            return Turn.late(table, failed.run(), "closing attempt " + failed.attempt());
        }
        // Refused: the ledger misses chunks. Going on with what there is would lose rows, so a retry copies anew.
        boolean incomplete =
                failed.fault().kind() == Fault.Kind.REFUSED && completing.outcome().drains();
        return Turn.becomes(completing
                .attempt()
                .after(failed.fault(), now)
                .map(next -> Records.to(
                        table, new Completing(completing.run(), completing.outcome(), completing.chunks(), next), now))
                .orElseGet(() -> incomplete
                        ? Records.failed(table, Phase.BACKFILLING, failed.fault(), now)
                        : Records.failed(table, Phase.COMPLETING, failed.fault(), again(completing), now)));
    }

    /** Closing a run twice is closing it once; what it came to stays what it was. */
    private static Remedy.Close again(Completing completing) {
        return new Remedy.Close(completing.outcome(), completing.chunks());
    }

    private static Turn caughtUp(TableRecord table, long run, Instant now) {
        TableRecord complete = Records.streamed(table, Optional.of(run));
        return switch (table.state()) {
            case Draining draining when draining.run() == run -> Turn.becomes(streams(complete, run, now));
            // The drain command goes out before the event that the run is closed: a short queue may be quicker.
            case Completing completing when completing.run() == run && completing.outcome().drains() ->
                Turn.becomes(streams(complete, run, now));
            case Failed failed when failed.run() == run && drains(failed.remedy()) ->
                Turn.becomes(streams(complete, run, now));
            // It recovered by itself before its retry had its turn.
            case Queued queued when queued.run() == run && queued.close().filter(OnEvent::drains).isPresent() ->
                Turn.becomes(streams(complete, run, now));
            // A new backfill waits while the old one drains: if it is cancelled, the table goes on from here.
            case Queued queued when isNewlyCaughtUp(table, run) -> Turn.becomes(complete);
            case Preparing preparing when isNewlyCaughtUp(table, run) && isBeforeQueue(preparing) ->
                Turn.becomes(complete);
            case Queued queued -> Turn.late(table, run, "catching up");
            case Preparing preparing -> Turn.late(table, run, "catching up");
            case Backfilling backfilling -> Turn.late(table, run, "catching up");
            case Completing completing -> Turn.late(table, run, "catching up");
            case Draining draining -> Turn.late(table, run, "catching up");
            case Streaming streaming -> Turn.late(table, run, "catching up");
            case Cancelled cancelled -> Turn.late(table, run, "catching up");
            case Failed failed -> Turn.late(table, run, "catching up");
            case Leaving leaving -> Turn.late(table, run, "catching up");
        };
    }

    /** Not for a run that something newer has overtaken, nor when its queue is known to be lost. */
    private static boolean isNewlyCaughtUp(TableRecord table, long run) {
        return table.state().run() > run
                && table.captured().isPresent()
                && table.streamedRun().filter(streamed -> streamed >= run).isEmpty();
    }

    /** From the step on that looks at the queue, what is known of an older run is settled. */
    private static boolean isBeforeQueue(Preparing preparing) {
        return preparing.step().compareTo(Step.QUEUE) < 0;
    }

    private static TableRecord streams(TableRecord table, long run, Instant now) {
        return Records.to(table, new Streaming(run, new Constraints.Pending(Records.nextAttempt(table))), now);
    }

    private static boolean drains(Remedy remedy) {
        return remedy instanceof Remedy.Close close && close.outcome().drains();
    }

    private static Turn queueMoved(TableRecord table, Event.QueueMoved moved) {
        boolean known = table.state().run() == moved.run()
                || table.streamedRun().filter(run -> run == moved.run()).isPresent();
        return known
                ? Turn.becomes(Records.queue(
                        table,
                        new TableRecord.Queue(
                                moved.waiting(), moved.applied(), moved.delayMillis(), moved.trouble(), moved.oldest())))
                : Turn.late(table, moved.run(), "queue progress");
    }

    private static Turn streamFailed(TableRecord table, Event.StreamFailed failed, Instant now) {
        boolean streamedRun = table.streamedRun().filter(run -> run == failed.run()).isPresent();
        if (table.state().run() != failed.run() && !streamedRun) {
            return Turn.late(table, failed.run(), "stream failure");
        }
        TableRecord after = failed.queueLost() ? Records.withoutCapture(table) : table;
        return switch (table.state()) {
            case Draining draining -> Turn.becomes(failedApplying(after, Phase.DRAINING, failed, RESUME, now));
            case Completing completing ->
                Turn.becomes(failedApplying(after, Phase.DRAINING, failed, again(completing), now));
            case Streaming streaming -> Turn.becomes(failedApplying(after, Phase.STREAMING, failed, RESUME, now));
            case Failed earlier
            when failed.queueLost()
                    && earlier.phase() != Phase.CAPTURE
                    && !(earlier.remedy() instanceof Remedy.Leave) ->
                Turn.becomes(Records.failed(after, Phase.CAPTURE, failed.fault(), now));
            case Failed earlier -> Turn.ignored("it has failed already");
            case Queued queued when queued.close().isPresent() -> failed.queueLost()
                    ? Turn.becomes(Records.failed(after, Phase.CAPTURE, failed.fault(), now))
                    : Turn.ignored("it waits for its turn to try again");
            // It is about to be copied anew; that it cannot go on from before is what must be remembered.
            case Queued queued -> Turn.becomes(Records.streamed(after, Optional.empty()));
            case Preparing preparing when failed.queueLost() && !isBeforeQueue(preparing) ->
                Turn.becomes(Records.to(
                        after,
                        new Preparing(
                                preparing.run(),
                                Step.QUEUE,
                                preparing.attempt().next(),
                                Optional.empty(),
                                preparing.inspected(),
                                preparing.bounded()),
                        now));
            case Preparing preparing -> Turn.becomes(Records.streamed(after, Optional.empty()));
            case Backfilling backfilling -> Turn.late(table, failed.run(), "stream failure");
            case Cancelled cancelled -> Turn.late(table, failed.run(), "stream failure");
            case Leaving leaving -> Turn.late(table, failed.run(), "stream failure");
        };
    }

    private static TableRecord failedApplying(
            TableRecord table, Phase phase, Event.StreamFailed failed, Remedy remedy, Instant now) {
        return failed.queueLost()
                ? Records.failed(table, Phase.CAPTURE, failed.fault(), now)
                : Records.failed(table, phase, failed.fault(), remedy, now);
    }

    private static Turn constraints(
            TableRecord table, long run, int attempt, Instant now, Function<Attempt, Constraints> next) {
        if (table.state() instanceof Streaming streaming
                && streaming.run() == run
                && streaming.constraints() instanceof Constraints.Pending pending
                && pending.attempt().number() == attempt) {
            return Turn.becomes(Records.to(table, new Streaming(run, next.apply(pending.attempt())), now));
        }
        return Turn.late(table, run, "constraints attempt " + attempt);
    }

    private static Turn tableLeft(TableRecord table, Event.TableLeft left, Instant now) {
        if (!(table.state() instanceof Leaving leaving)
                || leaving.run() != left.run()
                || leaving.attempt().number() != left.attempt()) {
            return Turn.late(table, left.run(), "leaving attempt " + left.attempt());
        }
        return leaving.toBeRemoved()
                ? new Turn.Forgotten()
                : Turn.becomes(Records.to(Records.withoutCapture(table), new Cancelled(left.run(), false), now));
    }

    private static Turn leavingFailed(TableRecord table, Event.LeavingFailed failed, Instant now) {
        if (!(table.state() instanceof Leaving leaving)
                || leaving.run() != failed.run()
                || leaving.attempt().number() != failed.attempt()) {
            return Turn.late(table, failed.run(), "leaving attempt " + failed.attempt());
        }
        return Turn.becomes(leaving.attempt()
                .after(failed.fault(), now)
                .map(next -> Records.to(table, new Leaving(leaving.run(), leaving.toBeRemoved(), next), now))
                // The ledger may have forgotten it already, so there is nothing left to go on from.
                .orElseGet(() -> Records.failed(
                        Records.streamed(table, Optional.empty()),
                        Phase.LEAVING,
                        failed.fault(),
                        new Remedy.Leave(leaving.toBeRemoved()),
                        now)));
    }
}
