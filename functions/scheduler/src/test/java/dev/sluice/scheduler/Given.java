package dev.sluice.scheduler;

import dev.sluice.domain.Attempt;
import dev.sluice.domain.CaptureIdentity;
import dev.sluice.domain.Event;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Key;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.KeyType;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.Pause;
import dev.sluice.domain.PgSnapshot;
import dev.sluice.domain.Step;
import dev.sluice.domain.StepResult;
import dev.sluice.domain.TableDefinition.KeyColumn;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.domain.Verification;
import dev.sluice.domain.TableState.Constraints;
import dev.sluice.domain.TableState.Outcome;
import dev.sluice.domain.TableState.Phase;
import dev.sluice.domain.TableState.Remedy;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Tables in every state in which a decision differs, and every event, as the decision tables name them. */
final class Given {

    static final TableName TABLE = new TableName("public", "orders");
    static final Instant BEFORE = Instant.parse("2026-01-01T00:00:00Z");
    static final Instant NOW = BEFORE.plusSeconds(60);
    /** The run of every state here. */
    static final long RUN = 10;
    /** The run after which a table that streamed was complete. */
    static final long STREAMED = 3;
    /** Of every state here: an answer to another attempt is late. */
    static final int ATTEMPT = 2;

    static final Lsn LSN = Lsn.parse("1/AB");
    static final Fault FAULTY = Fault.faulty("it broke", "look");
    static final Fault REFUSED = Fault.refused("it cannot be", "change it");
    static final CaptureIdentity IDENTITY = new CaptureIdentity(1, "f", 2, "system", "topic", "capture");
    static final CaptureIdentity OTHER_IDENTITY = new CaptureIdentity(1, "f", 9, "system", "topic", "capture");
    static final StepResult.Inspected INSPECTED =
            new StepResult.Inspected("f", 1, List.of(new KeyColumn("id", KeyType.INTEGER)), 500);
    static final StepResult.Bounded BOUNDED =
            new StepResult.Bounded(LSN, Optional.of(Key.of("100")), PgSnapshot.parse("5:5:"));
    static final StepResult.Bounded BOUNDED_EMPTY =
            new StepResult.Bounded(LSN, Optional.empty(), PgSnapshot.parse("5:5:"));

    private Given() {}

    /** A first backfill, or whatever else never streamed. */
    static TableRecord first(TableState state) {
        return record(state, true, false);
    }

    /** Options that no table of the others has. */
    static final TableOptions OPTIONS = new TableOptions(
            List.of(), List.of(), List.of("note"), List.of(), Map.of(), Optional.empty(), Optional.empty());

    /** A table that was complete at the destination once. */
    static TableRecord again(TableState state) {
        return record(state, true, true);
    }

    static TableRecord record(TableState state, boolean captured, boolean streamed) {
        return new TableRecord(
                TABLE,
                state,
                BEFORE,
                ATTEMPT,
                captured ? Optional.of(IDENTITY) : Optional.empty(),
                streamed ? Optional.of(STREAMED) : Optional.empty(),
                TableRecord.Progress.none(),
                Optional.empty(),
                TableOptions.NONE,
                Optional.empty());
    }

    static Attempt attempt() {
        return Attempt.first().next();
    }

    /** The next fault ends it. */
    static Attempt lastAttempt() {
        return new Attempt(ATTEMPT, 4, 4, Optional.empty(), Optional.of(FAULTY));
    }

    static TableState.Preparing preparing(Step step) {
        return preparing(step, attempt());
    }

    static TableState.Preparing preparing(Step step, Attempt attempt) {
        return new TableState.Preparing(
                RUN, step, attempt, Optional.empty(), Optional.of(INSPECTED), Optional.of(BOUNDED));
    }

    static TableState.Backfilling backfilling() {
        return backfilling(attempt(), attempt());
    }

    /** Chunk 0 is copied, chunk 1 is in flight, chunk 2 waits; the rest is not planned. */
    static TableState.Backfilling backfilling(Attempt planning, Attempt chunk) {
        var inFlight = new TableState.OpenChunk(1, range("10", "20"), chunk, true, false);
        var waiting = new TableState.OpenChunk(2, range("20", "30"), Attempt.first(), false, false);
        return new TableState.Backfilling(
                RUN,
                INSPECTED,
                BOUNDED,
                new TableState.ChunkPlan(
                        3, Optional.of(Key.of("30")), false, planning, List.of(inFlight, waiting), 1, 10, 100));
    }

    /** Only the chunk above the highest key is missing. */
    static TableState.Backfilling lastChunk() {
        var range = new KeyRange(Optional.of(Key.of("100")), Optional.empty());
        var tail = new TableState.OpenChunk(1, range, attempt(), true, true);
        return new TableState.Backfilling(
                RUN,
                INSPECTED,
                BOUNDED,
                new TableState.ChunkPlan(
                        2, Optional.of(Key.of("100")), true, attempt(), List.of(tail), 1, 10, 100));
    }

    private static KeyRange range(String after, String upTo) {
        return new KeyRange(Optional.of(Key.of(after)), Optional.of(Key.of(upTo)));
    }

    private static TableState.Queued queued(Optional<Remedy.Close> close, boolean streams) {
        return new TableState.Queued(RUN, RUN, 0, close, streams);
    }

    static TableState.Failed failed(Phase phase, Remedy remedy) {
        return new TableState.Failed(RUN, phase, FAULTY, remedy);
    }

    static Map<String, TableRecord> tables() {
        Map<String, TableRecord> all = new LinkedHashMap<>();
        all.put("queued", record(queued(Optional.empty(), false), false, false));
        all.put("queued again, streams", again(queued(Optional.empty(), true)));
        all.put("queued again, held", again(queued(Optional.empty(), false)));
        all.put(
                "queued again, asked",
                Records.asked(again(queued(Optional.empty(), true)), Optional.of(OPTIONS)));
        all.put("queued to close", first(queued(Optional.of(new Remedy.Close(Outcome.COPIED, 12)), false)));
        all.put("queued to close again", again(queued(Optional.of(new Remedy.Close(Outcome.CUT_SHORT, 0)), false)));
        all.put("preparing INSPECT", record(preparing(Step.INSPECT), false, false));
        all.put("preparing CAPTURE", record(preparing(Step.CAPTURE), false, false));
        all.put("preparing HOLD again", again(preparing(Step.HOLD)));
        all.put("preparing QUEUE again", again(preparing(Step.QUEUE)));
        all.put("preparing PUBLISH", record(preparing(Step.PUBLISH), false, false));
        all.put("preparing PUBLISH again", again(preparing(Step.PUBLISH)));
        all.put("preparing BARRIER again", again(preparing(Step.BARRIER)));
        all.put("preparing BOUNDS", first(preparing(Step.BOUNDS)));
        all.put("preparing DESTINATION", first(preparing(Step.DESTINATION)));
        all.put("backfilling", first(backfilling()));
        all.put("backfilling again", again(backfilling()));
        all.put("last chunk", first(lastChunk()));
        all.put("completing COPIED", first(new TableState.Completing(RUN, Outcome.COPIED, 12, attempt())));
        all.put("completing CUT_SHORT", again(new TableState.Completing(RUN, Outcome.CUT_SHORT, 0, attempt())));
        all.put("completing ABANDONED", first(new TableState.Completing(RUN, Outcome.ABANDONED, 0, attempt())));
        all.put("completing DISCARDED", first(new TableState.Completing(RUN, Outcome.DISCARDED, 0, attempt())));
        all.put("completing RESUMED", first(new TableState.Completing(RUN, Outcome.RESUMED, 0, attempt())));
        all.put("draining", first(new TableState.Draining(RUN, LSN)));
        all.put("streaming", streaming(new Constraints.Pending(attempt())));
        all.put("streaming, built", streaming(new Constraints.Built(3)));
        all.put("streaming, missing", streaming(new Constraints.Missing(REFUSED)));
        all.put("cancelled", first(new TableState.Cancelled(RUN, true)));
        all.put("cancelled, no queue", record(new TableState.Cancelled(RUN, false), false, false));
        all.put("failed copying", first(failed(Phase.BACKFILLING, new Remedy.CopyAnew())));
        all.put("failed copying again", again(failed(Phase.BACKFILLING, new Remedy.CopyAnew())));
        all.put("failed completing", first(failed(Phase.COMPLETING, new Remedy.Close(Outcome.COPIED, 12))));
        all.put("failed cancelling", first(failed(Phase.COMPLETING, new Remedy.Close(Outcome.ABANDONED, 0))));
        all.put("failed draining", first(failed(Phase.DRAINING, new Remedy.Close(Outcome.RESUMED, 0))));
        all.put("failed streaming", again(failed(Phase.STREAMING, new Remedy.Close(Outcome.RESUMED, 0))));
        all.put("failed capture", record(failed(Phase.CAPTURE, new Remedy.CopyAnew()), false, false));
        all.put("failed leaving", first(failed(Phase.LEAVING, new Remedy.Leave(false))));
        all.put("failed removing", first(failed(Phase.LEAVING, new Remedy.Leave(true))));
        all.put("leaving", first(new TableState.Leaving(RUN, false, attempt())));
        all.put("removing", first(new TableState.Leaving(RUN, true, attempt())));
        all.put("queued, paused", paused(record(queued(Optional.empty(), false), false, false), Optional.empty()));
        all.put("backfilling, paused", paused(first(backfilling()), Optional.empty()));
        all.put("backfilling, goes on", paused(first(backfilling()), Optional.of(15L)));
        all.put("draining, paused", paused(first(new TableState.Draining(RUN, LSN)), Optional.empty()));
        all.put("streaming, paused", paused(streaming(new Constraints.Built(3)), Optional.empty()));
        return all;
    }

    private static TableRecord streaming(Constraints constraints) {
        return Records.streamed(first(new TableState.Streaming(RUN, constraints)), Optional.of(RUN));
    }

    /** Every kind of event of a run, for the run and attempt of every state above. */
    static Map<String, Event.OfRun> events() {
        Map<String, Event.OfRun> all = new LinkedHashMap<>();
        for (Step step : Step.values()) {
            all.put("StepDone " + step, new Event.StepDone(TABLE, RUN, step, ATTEMPT, result(step)));
        }
        all.put(
                "StepDone QUEUE, a hole",
                new Event.StepDone(TABLE, RUN, Step.QUEUE, ATTEMPT, new StepResult.QueueHasHole()));
        for (Step step : List.of(Step.PUBLISH, Step.BOUNDS, Step.DESTINATION)) {
            all.put(
                    "StepDone " + step + ", altered",
                    new Event.StepDone(TABLE, RUN, step, ATTEMPT, new StepResult.DefinitionChanged()));
        }
        all.put(
                "StepDone PUBLISH other",
                new Event.StepDone(TABLE, RUN, Step.PUBLISH, ATTEMPT, new StepResult.Published(OTHER_IDENTITY)));
        for (Step step : Step.values()) {
            all.put("StepFailed " + step, new Event.StepFailed(TABLE, RUN, step, ATTEMPT, FAULTY));
        }
        all.put("StepFailed BARRIER refused", new Event.StepFailed(TABLE, RUN, Step.BARRIER, ATTEMPT, REFUSED));
        all.put("StepWaiting BARRIER", new Event.StepWaiting(TABLE, RUN, Step.BARRIER, ATTEMPT, "pid 5"));
        all.put("TableHeld", new Event.TableHeld(TABLE, RUN, ATTEMPT));
        all.put("HoldFailed", new Event.HoldFailed(TABLE, RUN, ATTEMPT, FAULTY));
        all.put("HoldFailed refused", new Event.HoldFailed(TABLE, RUN, ATTEMPT, REFUSED));
        all.put("ChunksPlanned", new Event.ChunksPlanned(TABLE, RUN, ATTEMPT, List.of(Key.of("40")), false));
        all.put("ChunksPlanned last", new Event.ChunksPlanned(TABLE, RUN, ATTEMPT, List.of(Key.of("100")), true));
        all.put("PlanningFailed", new Event.PlanningFailed(TABLE, RUN, ATTEMPT, FAULTY));
        all.put("PlanningFailed refused", new Event.PlanningFailed(TABLE, RUN, ATTEMPT, REFUSED));
        all.put("ChunkCopied", new Event.ChunkCopied(TABLE, RUN, 1, ATTEMPT, 7, 70, 1));
        all.put("ChunkFailed", new Event.ChunkFailed(TABLE, RUN, 1, ATTEMPT, FAULTY));
        all.put("ChunkFailed refused", new Event.ChunkFailed(TABLE, RUN, 1, ATTEMPT, REFUSED));
        all.put("RunClosed", new Event.RunClosed(TABLE, RUN, ATTEMPT, Optional.of(LSN)));
        all.put("RunClosed, no watermark", new Event.RunClosed(TABLE, RUN, ATTEMPT, Optional.empty()));
        all.put("ClosingFailed", new Event.ClosingFailed(TABLE, RUN, ATTEMPT, FAULTY));
        all.put("ClosingFailed refused", new Event.ClosingFailed(TABLE, RUN, ATTEMPT, REFUSED));
        all.put("TableCaughtUp", new Event.TableCaughtUp(TABLE, RUN));
        all.put("TableCaughtUp older", new Event.TableCaughtUp(TABLE, STREAMED + 1));
        all.put("QueueMoved", new Event.QueueMoved(TABLE, RUN, 5, 6, 7, Optional.empty()));
        all.put("StreamFailed", new Event.StreamFailed(TABLE, RUN, FAULTY, false));
        all.put("StreamFailed streamed", new Event.StreamFailed(TABLE, STREAMED, FAULTY, false));
        all.put("StreamFailed lost", new Event.StreamFailed(TABLE, RUN, FAULTY, true));
        all.put("StreamFailed streamed lost", new Event.StreamFailed(TABLE, STREAMED, FAULTY, true));
        all.put("CaptureBroken", new Event.CaptureBroken(TABLE, RUN, IDENTITY, FAULTY));
        all.put("DefinitionFollowed", new Event.DefinitionFollowed(TABLE, RUN, IDENTITY, "g"));
        all.put("ConstraintsBuilt", new Event.ConstraintsBuilt(TABLE, RUN, ATTEMPT, 3));
        all.put("ConstraintsFailed", new Event.ConstraintsFailed(TABLE, RUN, ATTEMPT, FAULTY));
        all.put("ConstraintsFailed refused", new Event.ConstraintsFailed(TABLE, RUN, ATTEMPT, REFUSED));
        all.put("TableLeft", new Event.TableLeft(TABLE, RUN, ATTEMPT));
        all.put("VerificationMoved", new Event.VerificationMoved(TABLE, RUN, 5, 100));
        all.put("Verified", new Event.Verified(TABLE, RUN, 5, new Verification.Findings(100, 1)));
        all.put("VerificationFailed", new Event.VerificationFailed(TABLE, RUN, 5, FAULTY));
        all.put("LeavingFailed", new Event.LeavingFailed(TABLE, RUN, ATTEMPT, FAULTY));
        all.put("LeavingFailed refused", new Event.LeavingFailed(TABLE, RUN, ATTEMPT, REFUSED));
        return all;
    }

    static StepResult result(Step step) {
        return switch (step) {
            case INSPECT -> INSPECTED;
            case PUBLISH -> new StepResult.Published(IDENTITY);
            case BOUNDS -> BOUNDED;
            case CAPTURE, HOLD, QUEUE, BARRIER, DESTINATION -> new StepResult.Done();
        };
    }

    /** What a turn comes to, in a line. */
    private static TableRecord paused(TableRecord table, Optional<Long> resumed) {
        return Records.paused(table, Optional.of(new Pause(Optional.of("bob"), BEFORE, resumed)));
    }

    private static String text(Optional<Pause> pause) {
        return pause.map(rest -> "paused by " + rest.by().orElse("nobody")
                        + rest.resumed().map(place -> ", goes on at " + place).orElse(""))
                .orElse("paused no more");
    }

    static String text(TableRecord before, Turn turn) {
        return switch (turn) {
            case Turn.Ignored ignored -> "ignored";
            case Turn.Rejected rejected -> "rejected: " + rejected.reason();
            case Turn.Forgotten forgotten -> "forgotten";
            case Turn.Becomes becomes -> text(becomes.next().state())
                    + (before.streamedRun().equals(becomes.next().streamedRun())
                            ? ""
                            : "; complete after " + becomes.next().streamedRun().map(String::valueOf).orElse("nothing"))
                    + (before.captured().equals(becomes.next().captured())
                            ? ""
                            : becomes.next().captured().isPresent() ? "; captured" : "; not captured")
                    + becomes.next().optionsAsked().map(asked -> asked.equals(OPTIONS) ? "; asked" : "; asked others")
                            .orElse(before.optionsAsked().isPresent() ? "; asked no more" : "")
                    + (before.partAsked().equals(becomes.next().partAsked())
                            ? ""
                            : becomes.next().partAsked().map(keys -> "; keys " + keys).orElse("; all keys"))
                    + (before.pause().equals(becomes.next().pause()) ? "" : "; " + text(becomes.next().pause()))
                    + place(before.state(), becomes.next().state());
        };
    }

    /** Of a table that waited before and does so now. */
    private static String place(TableState before, TableState after) {
        return before instanceof TableState.Queued first
                        && after instanceof TableState.Queued then
                        && first.run() == then.run()
                        && first.requested() != then.requested()
                ? "; place " + then.requested()
                : "";
    }

    static String text(TableState state) {
        return state.getClass().getSimpleName() + (state.run() == RUN ? "" : " " + state.run()) + switch (state) {
            case TableState.Queued queued -> queued.close().map(Given::text).orElse("")
                    + (queued.streams() ? ", streams" : "");
            case TableState.Preparing preparing -> " " + preparing.step() + text(preparing.attempt())
                    + preparing.waitingFor().map(what -> ", waits for " + what).orElse("");
            case TableState.Backfilling backfilling -> " " + backfilling.plan().open().stream()
                            .map(open -> open.chunk() + (open.inFlight() ? "▸" : "") + text(open.attempt()))
                            .toList()
                    + (backfilling.plan().complete() ? "" : " plan" + text(backfilling.plan().planning()));
            case TableState.Completing completing -> " " + completing.outcome() + " " + completing.chunks()
                    + text(completing.attempt());
            case TableState.Draining draining -> " to " + draining.watermark();
            case TableState.Streaming streaming -> switch (streaming.constraints()) {
                case Constraints.Pending pending -> text(pending.attempt());
                case Constraints.Built built -> ", built";
                case Constraints.Missing missing -> ", missing";
            };
            case TableState.Cancelled cancelled -> cancelled.queueing() ? ", queueing" : "";
            case TableState.Failed failed -> " " + failed.phase() + text(failed.remedy());
            case TableState.Leaving leaving -> (leaving.toBeRemoved() ? " for good" : "") + text(leaving.attempt());
        };
    }

    private static String text(Remedy remedy) {
        return switch (remedy) {
            case Remedy.CopyAnew anew -> ", copy anew";
            case Remedy.Close close -> ", close " + close.outcome() + " " + close.chunks();
            case Remedy.Leave leave -> leave.toBeRemoved() ? ", remove" : ", leave";
        };
    }

    private static String text(Attempt attempt) {
        return " #" + attempt.number() + (attempt.notBefore().isPresent() ? " later" : "");
    }
}
