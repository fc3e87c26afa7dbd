package dev.sluice.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Event;
import dev.sluice.domain.Step;
import dev.sluice.domain.StepResult;
import dev.sluice.domain.TableRecord;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Redelivery and answers that come too late are normal: they change nothing, and the log says why (R17). */
class LateAnswersTest {

    /** What an answer to an older attempt, or to another run, would be. */
    static Stream<Event.OfRun> late() {
        return Given.events().values().stream()
                .flatMap(event -> Stream.concat(olderAttempt(event).stream(), Stream.of(otherRun(event))));
    }

    @ParameterizedTest
    @MethodSource("late")
    void isIgnoredInEveryState(Event.OfRun event) {
        Given.tables().forEach((name, table) -> assertThat(OnEvent.decide(table, event, Given.NOW))
                .as("%s: %s", name, event)
                .isInstanceOfSatisfying(Turn.Ignored.class, ignored -> assertThat(ignored.reason()).isNotBlank()));
    }

    /** Those that answer to no attempt have none; a chunk that is copied is copied, by whichever attempt. */
    private static Optional<Event.OfRun> olderAttempt(Event.OfRun event) {
        int older = Given.ATTEMPT - 1;
        return switch (event) {
            case Event.StepDone it -> Optional.of(new Event.StepDone(it.table(), it.run(), it.step(), older, it.result()));
            case Event.StepFailed it ->
                Optional.of(new Event.StepFailed(it.table(), it.run(), it.step(), older, it.fault()));
            case Event.StepWaiting it ->
                Optional.of(new Event.StepWaiting(it.table(), it.run(), it.step(), older, it.waitingFor()));
            case Event.TableHeld it -> Optional.of(new Event.TableHeld(it.table(), it.run(), older));
            case Event.HoldFailed it -> Optional.of(new Event.HoldFailed(it.table(), it.run(), older, it.fault()));
            case Event.ChunksPlanned it ->
                Optional.of(new Event.ChunksPlanned(it.table(), it.run(), older, it.boundaries(), it.complete()));
            case Event.PlanningFailed it -> Optional.of(new Event.PlanningFailed(it.table(), it.run(), older, it.fault()));
            case Event.ChunkFailed it ->
                Optional.of(new Event.ChunkFailed(it.table(), it.run(), it.chunk(), older, it.fault()));
            case Event.RunClosed it -> Optional.of(new Event.RunClosed(it.table(), it.run(), older, it.watermark()));
            case Event.ClosingFailed it -> Optional.of(new Event.ClosingFailed(it.table(), it.run(), older, it.fault()));
            case Event.ConstraintsBuilt it ->
                Optional.of(new Event.ConstraintsBuilt(it.table(), it.run(), older, it.count()));
            case Event.ConstraintsFailed it ->
                Optional.of(new Event.ConstraintsFailed(it.table(), it.run(), older, it.fault()));
            case Event.TableLeft it -> Optional.of(new Event.TableLeft(it.table(), it.run(), older));
            case Event.LeavingFailed it -> Optional.of(new Event.LeavingFailed(it.table(), it.run(), older, it.fault()));
            case Event.ChunkCopied it -> Optional.empty();
            case Event.TableCaughtUp it -> Optional.empty();
            case Event.QueueMoved it -> Optional.empty();
            case Event.StreamFailed it -> Optional.empty();
            case Event.CaptureBroken it -> Optional.empty();
            case Event.DefinitionFollowed it -> Optional.empty();
            case Event.OfVerification it -> Optional.empty();
        };
    }

    /** Run 1: before the run of every state, and before the one after which a table was complete. */
    private static Event.OfRun otherRun(Event.OfRun event) {
        return switch (event) {
            case Event.StepDone it -> new Event.StepDone(it.table(), 1, it.step(), it.attempt(), it.result());
            case Event.StepFailed it -> new Event.StepFailed(it.table(), 1, it.step(), it.attempt(), it.fault());
            case Event.StepWaiting it -> new Event.StepWaiting(it.table(), 1, it.step(), it.attempt(), it.waitingFor());
            case Event.TableHeld it -> new Event.TableHeld(it.table(), 1, it.attempt());
            case Event.HoldFailed it -> new Event.HoldFailed(it.table(), 1, it.attempt(), it.fault());
            case Event.ChunksPlanned it ->
                new Event.ChunksPlanned(it.table(), 1, it.attempt(), it.boundaries(), it.complete());
            case Event.PlanningFailed it -> new Event.PlanningFailed(it.table(), 1, it.attempt(), it.fault());
            case Event.ChunkCopied it -> new Event.ChunkCopied(it.table(), 1, it.chunk(), it.attempt(), 1, 1, 1);
            case Event.ChunkFailed it -> new Event.ChunkFailed(it.table(), 1, it.chunk(), it.attempt(), it.fault());
            case Event.RunClosed it -> new Event.RunClosed(it.table(), 1, it.attempt(), it.watermark());
            case Event.ClosingFailed it -> new Event.ClosingFailed(it.table(), 1, it.attempt(), it.fault());
            // A run that nobody names any more: newer ones are no late answers where a table waits to be held.
            case Event.TableCaughtUp it -> new Event.TableCaughtUp(it.table(), Given.RUN + 1);
            case Event.QueueMoved it -> new Event.QueueMoved(it.table(), 1, 0, 0, 0, Optional.empty());
            case Event.StreamFailed it -> new Event.StreamFailed(it.table(), 1, it.fault(), it.queueLost());
            case Event.CaptureBroken it -> new Event.CaptureBroken(it.table(), 1, it.judged(), it.fault());
            case Event.DefinitionFollowed it ->
                new Event.DefinitionFollowed(it.table(), 1, it.judged(), it.fingerprint());
            case Event.ConstraintsBuilt it -> new Event.ConstraintsBuilt(it.table(), 1, it.attempt(), it.count());
            case Event.ConstraintsFailed it -> new Event.ConstraintsFailed(it.table(), 1, it.attempt(), it.fault());
            case Event.TableLeft it -> new Event.TableLeft(it.table(), 1, it.attempt());
            case Event.LeavingFailed it -> new Event.LeavingFailed(it.table(), 1, it.attempt(), it.fault());
            case Event.VerificationMoved it -> new Event.VerificationMoved(it.table(), 1, it.number(), it.rows());
            case Event.Verified it -> new Event.Verified(it.table(), 1, it.number(), it.findings());
            case Event.VerificationFailed it -> new Event.VerificationFailed(it.table(), 1, it.number(), it.fault());
        };
    }

    @Test
    void aChunkIsCopiedByWhicheverAttempt() {
        TableRecord table = Given.first(Given.backfilling());

        Turn turn = OnEvent.decide(table, new Event.ChunkCopied(Given.TABLE, Given.RUN, 1, 1, 7, 70, 1), Given.NOW);

        assertThat(Given.text(table, turn)).isEqualTo("Backfilling [2 #1] plan #2");
    }

    @Test
    void aChunkCountsOnce() {
        TableRecord table = Given.first(Given.backfilling());

        assertThat(OnEvent.decide(table, new Event.ChunkCopied(Given.TABLE, Given.RUN, 0, 1, 7, 70, 1), Given.NOW))
                .isEqualTo(Turn.ignored("chunk 0 is copied already"));
    }

    @Test
    void aTableIsNotCalledCompleteAfterAnOlderRunThanItIs() {
        TableRecord table = Given.tables().get("queued again, streams");

        assertThat(OnEvent.decide(table, new Event.TableCaughtUp(Given.TABLE, Given.STREAMED), Given.NOW))
                .isInstanceOf(Turn.Ignored.class);
    }

    @Test
    void aTableWhoseCaptureBrokeIsNotCalledCompleteByALateAnswer() {
        TableRecord table = Records.streamed(
                Records.captured(Given.tables().get("queued again, held"), Optional.empty()), Optional.empty());

        assertThat(OnEvent.decide(table, new Event.TableCaughtUp(Given.TABLE, Given.STREAMED), Given.NOW))
                .isInstanceOf(Turn.Ignored.class);
    }

    @Test
    void retriedConstraintsAreAnotherAttempt() {
        // given constraints that failed for good on attempt 2
        TableRecord pending = Given.tables().get("streaming");
        Turn.Becomes failed = (Turn.Becomes) OnEvent.decide(
                pending, new Event.ConstraintsFailed(Given.TABLE, Given.RUN, 2, Given.REFUSED), Given.NOW);

        // when they are retried
        Turn retried = OnCommand.decide(
                failed.next(), new dev.sluice.domain.Command.Retry(Given.TABLE), Optional.empty(), 20, -1, Given.NOW);

        // then nobody takes them for answered
        assertThat(Given.text(failed.next(), retried)).isEqualTo("Streaming #3");
    }

    @Test
    void anAnswerOfAnotherKindFailsTheStepAndNothingElse() {
        Map<Step, StepResult> wrong = new LinkedHashMap<>();
        for (Step step : Step.values()) {
            wrong.put(step, step == Step.BOUNDS ? new StepResult.Done() : Given.BOUNDED);
        }
        for (Step step : Step.values()) {
            TableRecord table = Given.first(Given.preparing(step));
            Turn turn = OnEvent.decide(
                    table, new Event.StepDone(Given.TABLE, Given.RUN, step, Given.ATTEMPT, wrong.get(step)), Given.NOW);
            assertThat(Given.text(table, turn)).as(step.toString()).isEqualTo("Preparing " + step + " #3 later");
        }
    }

    @Test
    void aPlanThatDoesNotGoOnWhereItStoodFailsTheTableAndNothingElse() {
        TableRecord table = Given.first(Given.backfilling());
        for (List<String> boundaries : List.of(
                List.<String>of(), List.of("30"), List.of("20"), List.of("50", "40"), List.of("40", "40"),
                List.of("101"), List.of("100"), List.of("no number"))) {
            var keys = boundaries.stream().map(dev.sluice.domain.Key::of).toList();
            Turn turn = OnEvent.decide(
                    table, new Event.ChunksPlanned(Given.TABLE, Given.RUN, Given.ATTEMPT, keys, false), Given.NOW);
            assertThat(Given.text(table, turn))
                    .as("%s after 30, of 100", boundaries)
                    .isEqualTo("Backfilling [1▸ #2, 2 #1] plan #3 later");
        }
    }

    @Test
    void aPlanThatEndsBelowTheHighestKeyIsNotComplete() {
        TableRecord table = Given.first(Given.backfilling());
        var planned = new Event.ChunksPlanned(
                Given.TABLE, Given.RUN, Given.ATTEMPT, List.of(dev.sluice.domain.Key.of("99")), true);

        assertThat(Given.text(table, OnEvent.decide(table, planned, Given.NOW)))
                .isEqualTo("Backfilling [1▸ #2, 2 #1] plan #3 later");
    }
}
