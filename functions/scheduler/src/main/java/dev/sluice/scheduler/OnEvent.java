package dev.sluice.scheduler;

import dev.sluice.domain.Attempt;
import dev.sluice.domain.CaptureIdentity;
import dev.sluice.domain.Event;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Key;
import dev.sluice.domain.KeyOrder;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.Step;
import dev.sluice.domain.StepResult;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableRecord.Progress;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.Backfilling;
import dev.sluice.domain.TableState.Cancelled;
import dev.sluice.domain.TableState.ChunkPlan;
import dev.sluice.domain.TableState.Completing;
import dev.sluice.domain.TableState.Constraints;
import dev.sluice.domain.TableState.Draining;
import dev.sluice.domain.TableState.Failed;
import dev.sluice.domain.TableState.Leaving;
import dev.sluice.domain.TableState.OpenChunk;
import dev.sluice.domain.TableState.Outcome;
import dev.sluice.domain.TableState.Phase;
import dev.sluice.domain.TableState.Preparing;
import dev.sluice.domain.TableState.Queued;
import dev.sluice.domain.TableState.Remedy;
import dev.sluice.domain.TableState.Streaming;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** What an event means for a table, by the state it is in. Pure: the same input gives the same turn. */
final class OnEvent {

    private static final Remedy.Close RESUME = new Remedy.Close(Outcome.RESUMED, 0);

    private OnEvent() {}

    static Turn decide(TableRecord table, Event.OfRun event, Instant now) {
        return switch (event) {
            case Event.StepDone done -> stepDone(table, done.run(), done.step(), done.attempt(), done.result(), now);
            case Event.StepFailed failed ->
                stepFailed(table, failed.run(), failed.step(), failed.attempt(), failed.fault(), now);
            case Event.StepWaiting waiting -> stepWaiting(table, waiting, now);
            case Event.TableHeld held ->
                stepDone(table, held.run(), Step.HOLD, held.attempt(), new StepResult.Done(), now);
            case Event.HoldFailed failed ->
                stepFailed(table, failed.run(), Step.HOLD, failed.attempt(), failed.fault(), now);
            case Event.ChunksPlanned planned -> chunksPlanned(table, planned, now);
            case Event.PlanningFailed failed -> planningFailed(table, failed, now);
            case Event.ChunkCopied copied -> chunkCopied(table, copied, now);
            case Event.ChunkFailed failed -> chunkFailed(table, failed, now);
            case Event.RunClosed closed -> runClosed(table, closed, now);
            case Event.ClosingFailed failed -> closingFailed(table, failed, now);
            case Event.TableCaughtUp caughtUp -> caughtUp(table, caughtUp.run(), now);
            case Event.QueueMoved moved -> queueMoved(table, moved);
            case Event.StreamFailed failed -> streamFailed(table, failed, now);
            case Event.CaptureBroken broken -> captureBroken(table, broken, now);
            case Event.DefinitionFollowed followed -> definitionFollowed(table, followed, now);
            case Event.ConstraintsBuilt built -> constraints(table, built.run(), built.attempt(), now, pending ->
                    new Constraints.Built(built.count()));
            case Event.ConstraintsFailed failed -> constraints(table, failed.run(), failed.attempt(), now, pending ->
                    pending.after(failed.fault(), now)
                            .<Constraints>map(Constraints.Pending::new)
                            .orElseGet(() -> new Constraints.Missing(failed.fault())));
            case Event.TableLeft left -> tableLeft(table, left, now);
            case Event.LeavingFailed failed -> leavingFailed(table, failed, now);
        };
    }

    private static Turn stepDone(
            TableRecord table, long run, Step step, int attempt, StepResult result, Instant now) {
        if (!(table.state() instanceof Preparing preparing) || !isAsked(preparing, run, step, attempt)) {
            return late(table, run, step + " attempt " + attempt);
        }
        boolean altered = result instanceof StepResult.DefinitionChanged && step != Step.INSPECT;
        boolean expected = altered || switch (step) {
            case INSPECT -> result instanceof StepResult.Inspected;
            case QUEUE -> result instanceof StepResult.Done || result instanceof StepResult.QueueHasHole;
            case PUBLISH -> result instanceof StepResult.Published;
            case BOUNDS -> result instanceof StepResult.Bounded;
            case CAPTURE, HOLD, BARRIER -> result instanceof StepResult.Done;
            case DESTINATION -> result instanceof StepResult.Done
                    && preparing.inspected().isPresent()
                    && preparing.bounded().isPresent();
        };
        if (!expected) {
            Fault fault = unexpected("the step " + step + " was answered with "
                    + result.getClass().getSimpleName());
            return stepFailed(table, run, step, attempt, fault, now);
        }
        TableRecord learned = table;
        Step next = step.next().orElse(step);
        Optional<StepResult.Inspected> inspected = preparing.inspected();
        Optional<StepResult.Bounded> bounded = preparing.bounded();
        switch (result) {
            case StepResult.Done done -> { }
            case StepResult.DefinitionChanged changed -> next = Step.INSPECT;
            case StepResult.QueueHasHole hole -> {
                learned = withoutCapture(table);
                next = Step.QUEUE;
            }
            case StepResult.Inspected found -> {
                inspected = Optional.of(found);
                Progress progress = new Progress(
                        found.rowsEstimated(), 0, 0, 0, Optional.empty(), Optional.empty());
                learned = Records.progress(table, progress);
            }
            case StepResult.Published published -> {
                boolean unbroken = table.captured()
                        .map(before -> isSameCapture(before, published.identity()))
                        .orElse(true);
                if (unbroken) {
                    learned = Records.captured(table, Optional.of(published.identity()));
                } else {
                    learned = withoutCapture(table);
                    // It left the publication at some time, or the slot is another: what the queue kept from before
                    // has a hole. Or the table was altered since, and whether that could have been followed nobody
                    // asked. The queue starts anew, and the table joins once more behind that start.
                    next = Step.QUEUE;
                }
            }
            case StepResult.Bounded found -> bounded = Optional.of(found);
        }
        if (step.next().isEmpty() && !altered) {
            return Turn.becomes(startCopying(learned, run, inspected.get(), bounded.get(), now));
        }
        var preparation = new Preparing(run, next, preparing.attempt().next(), Optional.empty(), inspected, bounded);
        return Turn.becomes(Records.to(learned, preparation, now));
    }

    private static TableRecord startCopying(
            TableRecord table, long run, StepResult.Inspected inspected, StepResult.Bounded bounded, Instant now) {
        Progress before = table.progress();
        TableRecord started = Records.progress(
                table, new Progress(before.rowsEstimated(), 0, 0, 0, Optional.of(now), Optional.empty()));
        ChunkPlan plan = ChunkPlan.start();
        if (inspected.whole().isPresent()) {
            plan = inOneChunk(plan);
        } else if (bounded.highest().isEmpty()) {
            plan = withTail(plan, Optional.empty());
        }
        return Records.to(started, new Backfilling(run, inspected, bounded, plan), now);
    }

    private static boolean isSameCapture(CaptureIdentity before, CaptureIdentity after) {
        return before.equals(after);
    }

    private static Turn stepFailed(TableRecord table, long run, Step step, int attempt, Fault fault, Instant now) {
        if (!(table.state() instanceof Preparing preparing) || !isAsked(preparing, run, step, attempt)) {
            return late(table, run, step + " attempt " + attempt);
        }
        return Turn.becomes(preparing
                .attempt()
                .after(fault, now)
                .map(next -> Records.to(
                        table,
                        new Preparing(run, step, next, Optional.empty(), preparing.inspected(), preparing.bounded()),
                        now))
                .orElseGet(() -> Records.failed(table, Phase.PREPARING, fault, now)));
    }

    private static Turn stepWaiting(TableRecord table, Event.StepWaiting waiting, Instant now) {
        if (!(table.state() instanceof Preparing preparing)
                || !isAsked(preparing, waiting.run(), waiting.step(), waiting.attempt())) {
            return late(table, waiting.run(), waiting.step() + " attempt " + waiting.attempt());
        }
        return Turn.becomes(Records.to(
                table,
                new Preparing(
                        preparing.run(),
                        preparing.step(),
                        preparing.attempt(),
                        Optional.of(waiting.waitingFor()),
                        preparing.inspected(),
                        preparing.bounded()),
                now));
    }

    private static boolean isAsked(Preparing preparing, long run, Step step, int attempt) {
        return preparing.run() == run
                && preparing.step() == step
                && preparing.attempt().number() == attempt;
    }

    private static Turn chunksPlanned(TableRecord table, Event.ChunksPlanned planned, Instant now) {
        if (!(table.state() instanceof Backfilling backfilling) || !isAsked(backfilling, planned.run(), planned.attempt())) {
            return late(table, planned.run(), "plan attempt " + planned.attempt());
        }
        ChunkPlan plan = backfilling.plan();
        if (!continues(planned, backfilling)) {
            Fault fault = unexpected("the plan does not go on from " + plan.plannedUpTo() + ": " + planned.boundaries());
            return planningFailed(
                    table, new Event.PlanningFailed(table.table(), planned.run(), planned.attempt(), fault), now);
        }
        List<OpenChunk> open = new ArrayList<>(plan.open());
        int next = plan.next();
        Optional<Key> upTo = plan.plannedUpTo();
        for (Key boundary : planned.boundaries()) {
            var range = new KeyRange(upTo, Optional.of(boundary));
            open.add(new OpenChunk(next++, range, Attempt.first(), false, false));
            upTo = Optional.of(boundary);
        }
        ChunkPlan longer = new ChunkPlan(
                next,
                upTo,
                false,
                plan.planning().next(),
                open,
                plan.chunksCopied(),
                plan.rowsCopied(),
                plan.bytesCopied());
        return Turn.becomes(with(table, backfilling, planned.complete() ? withTail(longer, upTo) : longer, now));
    }

    /** Of a table whose key cannot be cut. */
    private static ChunkPlan inOneChunk(ChunkPlan plan) {
        var all = new OpenChunk(plan.next(), KeyRange.ALL, Attempt.first(), false, false);
        return new ChunkPlan(
                plan.next() + 1,
                Optional.empty(),
                true,
                plan.planning(),
                List.of(all),
                plan.chunksCopied(),
                plan.rowsCopied(),
                plan.bytesCopied());
    }

    /**
     * Whether the boundaries rise from where planning stood, up to the highest key and no further. Of keys whose order
     * only the database knows: whether they differ, and whether the end is where it is said to be.
     */
    private static boolean continues(Event.ChunksPlanned planned, Backfilling backfilling) {
        Optional<Key> highest = backfilling.bounded().highest();
        if (planned.boundaries().isEmpty() || highest.isEmpty()) {
            return false;
        }
        Optional<Key> before = backfilling.plan().plannedUpTo();
        if (backfilling.inspected().keyOrder().isEmpty()) {
            Set<Key> distinct = new HashSet<>(planned.boundaries());
            boolean isNew = distinct.size() == planned.boundaries().size()
                    && before.filter(distinct::contains).isEmpty();
            return isNew && planned.complete() == planned.boundaries().getLast().equals(highest.get());
        }
        KeyOrder order = backfilling.inspected().keyOrder().get();
        try {
            for (Key boundary : planned.boundaries()) {
                if (before.isPresent() && order.compare(before.get(), boundary) >= 0) {
                    return false;
                }
                before = Optional.of(boundary);
            }
            int distance = order.compare(planned.boundaries().getLast(), highest.get());
            return planned.complete() ? distance == 0 : distance < 0;
        } catch (IllegalArgumentException e) {
            // A key of another width, or a number that is none.
            return false;
        }
    }

    /** An answer that no function of ours gives. The table stops, and nothing else does. */
    private static Fault unexpected(String what) {
        return Fault.faulty(what, "look for functions of another version, and report it; then send retry");
    }

    /** The last chunk: above the highest key. It has no rows at the source, and is replaced like any other (R8). */
    private static ChunkPlan withTail(ChunkPlan plan, Optional<Key> highest) {
        List<OpenChunk> open = new ArrayList<>(plan.open());
        open.add(new OpenChunk(
                plan.next(), new KeyRange(highest, Optional.empty()), Attempt.first(), false, true));
        return new ChunkPlan(
                plan.next() + 1,
                highest,
                true,
                plan.planning(),
                open,
                plan.chunksCopied(),
                plan.rowsCopied(),
                plan.bytesCopied());
    }

    private static Turn planningFailed(TableRecord table, Event.PlanningFailed failed, Instant now) {
        if (!(table.state() instanceof Backfilling backfilling) || !isAsked(backfilling, failed.run(), failed.attempt())) {
            return late(table, failed.run(), "plan attempt " + failed.attempt());
        }
        ChunkPlan plan = backfilling.plan();
        return Turn.becomes(plan.planning()
                .after(failed.fault(), now)
                .map(next -> with(
                        table,
                        backfilling,
                        new ChunkPlan(
                                plan.next(),
                                plan.plannedUpTo(),
                                plan.complete(),
                                next,
                                plan.open(),
                                plan.chunksCopied(),
                                plan.rowsCopied(),
                                plan.bytesCopied()),
                        now))
                .orElseGet(() -> Records.failed(table, Phase.BACKFILLING, failed.fault(), now)));
    }

    private static boolean isAsked(Backfilling backfilling, long run, int attempt) {
        return backfilling.run() == run
                && !backfilling.plan().complete()
                && backfilling.plan().planning().number() == attempt;
    }

    private static Turn chunkCopied(TableRecord table, Event.ChunkCopied copied, Instant now) {
        if (!(table.state() instanceof Backfilling backfilling) || backfilling.run() != copied.run()) {
            return late(table, copied.run(), "chunk " + copied.chunk());
        }
        ChunkPlan plan = backfilling.plan();
        // Whichever attempt it was: a chunk in the ledger is copied.
        List<OpenChunk> open =
                plan.open().stream().filter(chunk -> chunk.chunk() != copied.chunk()).toList();
        if (open.size() == plan.open().size()) {
            return Turn.ignored("chunk " + copied.chunk() + " is copied already");
        }
        ChunkPlan further = new ChunkPlan(
                plan.next(),
                plan.plannedUpTo(),
                plan.complete(),
                plan.planning(),
                open,
                plan.chunksCopied() + 1,
                plan.rowsCopied() + copied.rows(),
                plan.bytesCopied() + copied.bytes());
        Progress before = table.progress();
        TableRecord counted = Records.progress(
                table,
                new Progress(
                        before.rowsEstimated(),
                        further.rowsCopied(),
                        further.bytesCopied(),
                        further.chunksCopied(),
                        before.copyStarted(),
                        further.isCopied() ? Optional.of(now) : Optional.empty()));
        return Turn.becomes(
                further.isCopied()
                        ? Records.to(
                                counted,
                                new Completing(
                                        copied.run(),
                                        Outcome.COPIED,
                                        further.next(),
                                        Records.nextAttempt(table)),
                                now)
                        : with(counted, backfilling, further, now));
    }

    private static Turn chunkFailed(TableRecord table, Event.ChunkFailed failed, Instant now) {
        if (!(table.state() instanceof Backfilling backfilling) || backfilling.run() != failed.run()) {
            return late(table, failed.run(), "chunk " + failed.chunk());
        }
        ChunkPlan plan = backfilling.plan();
        Optional<OpenChunk> asked = plan.open().stream()
                .filter(chunk -> chunk.chunk() == failed.chunk()
                        && chunk.attempt().number() == failed.attempt())
                .findFirst();
        if (asked.isEmpty()) {
            return Turn.ignored("chunk " + failed.chunk() + " attempt " + failed.attempt() + " is not waited for");
        }
        Optional<Attempt> next = asked.get().attempt().after(failed.fault(), now);
        if (next.isEmpty()) {
            return Turn.becomes(Records.failed(table, Phase.BACKFILLING, failed.fault(), now));
        }
        List<OpenChunk> open = plan.open().stream()
                .map(chunk -> chunk.chunk() == failed.chunk()
                        ? new OpenChunk(chunk.chunk(), chunk.range(), next.get(), false, chunk.aboveHighest())
                        : chunk)
                .toList();
        return Turn.becomes(with(table, backfilling, withOpen(plan, open), now));
    }

    static ChunkPlan withOpen(ChunkPlan plan, List<OpenChunk> open) {
        return new ChunkPlan(
                plan.next(),
                plan.plannedUpTo(),
                plan.complete(),
                plan.planning(),
                open,
                plan.chunksCopied(),
                plan.rowsCopied(),
                plan.bytesCopied());
    }

    static TableRecord with(TableRecord table, Backfilling backfilling, ChunkPlan plan, Instant now) {
        return Records.to(
                table, new Backfilling(backfilling.run(), backfilling.inspected(), backfilling.bounded(), plan), now);
    }

    private static Turn runClosed(TableRecord table, Event.RunClosed closed, Instant now) {
        if (!(table.state() instanceof Completing completing)
                || completing.run() != closed.run()
                || completing.attempt().number() != closed.attempt()) {
            return late(table, closed.run(), "closing attempt " + closed.attempt());
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
            return late(table, failed.run(), "closing attempt " + failed.attempt());
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
            case Queued queued -> late(table, run, "catching up");
            case Preparing preparing -> late(table, run, "catching up");
            case Backfilling backfilling -> late(table, run, "catching up");
            case Completing completing -> late(table, run, "catching up");
            case Draining draining -> late(table, run, "catching up");
            case Streaming streaming -> late(table, run, "catching up");
            case Cancelled cancelled -> late(table, run, "catching up");
            case Failed failed -> late(table, run, "catching up");
            case Leaving leaving -> late(table, run, "catching up");
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
                        new TableRecord.Queue(moved.waiting(), moved.applied(), moved.delayMillis(), moved.trouble())))
                : late(table, moved.run(), "queue progress");
    }

    private static Turn streamFailed(TableRecord table, Event.StreamFailed failed, Instant now) {
        boolean streamedRun = table.streamedRun().filter(run -> run == failed.run()).isPresent();
        if (table.state().run() != failed.run() && !streamedRun) {
            return late(table, failed.run(), "stream failure");
        }
        TableRecord after = failed.queueLost() ? withoutCapture(table) : table;
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
            case Backfilling backfilling -> late(table, failed.run(), "stream failure");
            case Cancelled cancelled -> late(table, failed.run(), "stream failure");
            case Leaving leaving -> late(table, failed.run(), "stream failure");
        };
    }

    private static TableRecord failedApplying(
            TableRecord table, Phase phase, Event.StreamFailed failed, Remedy remedy, Instant now) {
        return failed.queueLost()
                ? Records.failed(table, Phase.CAPTURE, failed.fault(), now)
                : Records.failed(table, phase, failed.fault(), remedy, now);
    }

    private static Turn captureBroken(TableRecord table, Event.CaptureBroken broken, Instant now) {
        if (table.captured().filter(broken.judged()::equals).isEmpty()
                || table.state().run() != broken.run()) {
            return late(table, broken.run(), "broken capture");
        }
        TableRecord without = withoutCapture(table);
        return switch (table.state()) {
            case Queued queued when queued.close().isPresent() ->
                Turn.becomes(Records.failed(without, Phase.CAPTURE, broken.fault(), now));
            // Its backfill starts over anyway, with a new queue.
            case Queued queued -> Turn.becomes(without);
            case Leaving leaving -> Turn.ignored("it is being removed");
            // What broke is the capture of the run before. This one prepares once more, without relying on it.
            case Preparing preparing when preparing.step().compareTo(Step.PUBLISH) <= 0 -> Turn.becomes(Records.to(
                    without,
                    new Preparing(
                            preparing.run(),
                            Step.INSPECT,
                            Records.nextAttempt(table),
                            Optional.empty(),
                            Optional.empty(),
                            Optional.empty()),
                    now));
            case Preparing preparing -> Turn.becomes(Records.failed(without, Phase.CAPTURE, broken.fault(), now));
            case Backfilling backfilling -> Turn.becomes(Records.failed(without, Phase.CAPTURE, broken.fault(), now));
            case Completing completing -> Turn.becomes(Records.failed(without, Phase.CAPTURE, broken.fault(), now));
            case Draining draining -> Turn.becomes(Records.failed(without, Phase.CAPTURE, broken.fault(), now));
            case Streaming streaming -> Turn.becomes(Records.failed(without, Phase.CAPTURE, broken.fault(), now));
            case Cancelled cancelled -> Turn.becomes(Records.failed(without, Phase.CAPTURE, broken.fault(), now));
            // It may be half out already, which looks the same.
            case Failed failed when failed.remedy() instanceof Remedy.Leave -> Turn.ignored("it is to be removed");
            case Failed failed -> Turn.becomes(Records.failed(without, Phase.CAPTURE, broken.fault(), now));
        };
    }

    /** The part of a run's fingerprint that is not of the definition. */
    private static String orderOf(String runFingerprint) {
        int dash = runFingerprint.indexOf('-');
        return dash < 0 ? "" : runFingerprint.substring(dash);
    }

    /** Chunks are read under the new definition from here on; those that met it before it was followed go at once. */
    private static Turn definitionFollowed(TableRecord table, Event.DefinitionFollowed followed, Instant now) {
        if (table.captured().filter(followed.judged()::equals).isEmpty()
                || table.state().run() != followed.run()) {
            return late(table, followed.run(), "following a definition");
        }
        TableRecord captured =
                Records.captured(table, Optional.of(followed.judged().with(followed.fingerprint())));
        if (!(table.state() instanceof Backfilling backfilling)) {
            return Turn.becomes(captured);
        }
        StepResult.Inspected before = backfilling.inspected();
        var inspected = new StepResult.Inspected(
                // How its key is compared has not changed; should it have, every chunk finds that out.
                followed.fingerprint() + orderOf(before.fingerprint()),
                before.tableOid(),
                before.key(),
                before.rowsEstimated(),
                before.whole());
        ChunkPlan plan = backfilling.plan();
        List<OpenChunk> open = plan.open().stream()
                .map(chunk -> chunk.inFlight()
                        ? chunk
                        : new OpenChunk(
                                chunk.chunk(), chunk.range(), chunk.attempt().atOnce(), false, chunk.aboveHighest()))
                .toList();
        var further = new ChunkPlan(
                plan.next(),
                plan.plannedUpTo(),
                plan.complete(),
                plan.planning().next(),
                open,
                plan.chunksCopied(),
                plan.rowsCopied(),
                plan.bytesCopied());
        return Turn.becomes(Records.to(
                captured, new Backfilling(backfilling.run(), inspected, backfilling.bounded(), further), now));
    }

    private static TableRecord withoutCapture(TableRecord table) {
        return Records.streamed(Records.captured(table, Optional.empty()), Optional.empty());
    }

    private static Turn constraints(
            TableRecord table, long run, int attempt, Instant now, Function<Attempt, Constraints> next) {
        if (table.state() instanceof Streaming streaming
                && streaming.run() == run
                && streaming.constraints() instanceof Constraints.Pending pending
                && pending.attempt().number() == attempt) {
            return Turn.becomes(Records.to(table, new Streaming(run, next.apply(pending.attempt())), now));
        }
        return late(table, run, "constraints attempt " + attempt);
    }

    private static Turn tableLeft(TableRecord table, Event.TableLeft left, Instant now) {
        if (!(table.state() instanceof Leaving leaving)
                || leaving.run() != left.run()
                || leaving.attempt().number() != left.attempt()) {
            return late(table, left.run(), "leaving attempt " + left.attempt());
        }
        return leaving.toBeRemoved()
                ? new Turn.Forgotten()
                : Turn.becomes(Records.to(withoutCapture(table), new Cancelled(left.run(), false), now));
    }

    private static Turn leavingFailed(TableRecord table, Event.LeavingFailed failed, Instant now) {
        if (!(table.state() instanceof Leaving leaving)
                || leaving.run() != failed.run()
                || leaving.attempt().number() != failed.attempt()) {
            return late(table, failed.run(), "leaving attempt " + failed.attempt());
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

    private static Turn late(TableRecord table, long run, String what) {
        return Turn.ignored(what + " of run " + run + " is not waited for: the table is "
                + table.state().getClass().getSimpleName() + " in run "
                + table.state().run());
    }
}
