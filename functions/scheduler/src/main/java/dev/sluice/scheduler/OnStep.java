package dev.sluice.scheduler;

import dev.sluice.domain.CaptureIdentity;
import dev.sluice.domain.Event;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Step;
import dev.sluice.domain.StepResult;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableRecord.Progress;
import dev.sluice.domain.TableState.Backfilling;
import dev.sluice.domain.TableState.ChunkPlan;
import dev.sluice.domain.TableState.Phase;
import dev.sluice.domain.TableState.Preparing;
import java.time.Instant;
import java.util.Optional;

/** What the answers to the steps of a preparation mean for a table. Pure. */
final class OnStep {

    private OnStep() {}

    static Turn stepDone(
            TableRecord table, long run, Step step, int attempt, StepResult result, Instant now) {
        if (!(table.state() instanceof Preparing preparing) || !isAsked(preparing, run, step, attempt)) {
            return Turn.late(table, run, step + " attempt " + attempt);
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
            Fault fault = OnEvent.unexpected("the step " + step + " was answered with "
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
                learned = Records.withoutCapture(table);
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
                    learned = Records.withoutCapture(table);
                    // It left the publication at some time, or the slot is another: what the queue kept from before
                    // has a hole. Or the table was altered since, and whether that could have been followed nobody
                    // asked. The queue starts anew, and the table joins once more behind that start.
                    next = Step.QUEUE;
                }
            }
            case StepResult.Bounded found -> {
                bounded = Optional.of(found);
                learned = found.part().isPresent() ? table : Records.whole(table);
            }
        }
        if (step.next().isEmpty() && !altered) {
            return Turn.becomes(startCopying(learned, run, inspected.get(), bounded.get(), now));
        }
        var preparation = new Preparing(run, next, preparing.attempt().next(), Optional.empty(), inspected, bounded);
        return Turn.becomes(Records.to(learned, preparation, now));
    }

    private static TableRecord startCopying(
            TableRecord table, long run, StepResult.Inspected inspected, StepResult.Bounded bounded, Instant now) {
        // How many rows a part has nobody knows before they are copied.
        long rowsEstimated = bounded.part().isPresent() ? 0 : table.progress().rowsEstimated();
        TableRecord started = Records.progress(
                table, new Progress(rowsEstimated, 0, 0, 0, Optional.of(now), Optional.empty()));
        ChunkPlan plan = ChunkPlan.startAfter(bounded.start());
        if (inspected.whole().isPresent()) {
            plan = OnChunk.inOneChunk(plan);
        } else if (bounded.end().isEmpty()) {
            plan = OnChunk.withTail(plan, bounded.start());
        }
        return Records.to(started, new Backfilling(run, inspected, bounded, plan), now);
    }

    private static boolean isSameCapture(CaptureIdentity before, CaptureIdentity after) {
        return before.equals(after);
    }

    static Turn stepFailed(TableRecord table, long run, Step step, int attempt, Fault fault, Instant now) {
        if (!(table.state() instanceof Preparing preparing) || !isAsked(preparing, run, step, attempt)) {
            return Turn.late(table, run, step + " attempt " + attempt);
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

    static Turn stepWaiting(TableRecord table, Event.StepWaiting waiting, Instant now) {
        if (!(table.state() instanceof Preparing preparing)
                || !isAsked(preparing, waiting.run(), waiting.step(), waiting.attempt())) {
            return Turn.late(table, waiting.run(), waiting.step() + " attempt " + waiting.attempt());
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
}
