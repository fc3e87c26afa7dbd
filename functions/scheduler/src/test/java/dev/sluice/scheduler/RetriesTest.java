package dev.sluice.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Attempt;
import dev.sluice.domain.Event;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Step;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.Constraints;
import dev.sluice.domain.TableState.Outcome;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What becomes of a table when the last try of something fails. */
class RetriesTest {

    /** The state, how its work fails, and what the table is then. */
    static Stream<Arguments> lastTries() {
        Attempt last = Given.lastAttempt();
        Fault fault = Given.FAULTY;
        return Stream.of(
                Arguments.of(
                        Given.preparing(Step.BARRIER, last),
                        new Event.StepFailed(Given.TABLE, Given.RUN, Step.BARRIER, Given.ATTEMPT, fault),
                        "Failed PREPARING, copy anew"),
                Arguments.of(
                        Given.preparing(Step.HOLD, last),
                        new Event.HoldFailed(Given.TABLE, Given.RUN, Given.ATTEMPT, fault),
                        "Failed PREPARING, copy anew"),
                Arguments.of(
                        Given.backfilling(last, Given.attempt()),
                        new Event.PlanningFailed(Given.TABLE, Given.RUN, Given.ATTEMPT, fault),
                        "Failed BACKFILLING, copy anew"),
                Arguments.of(
                        Given.backfilling(Given.attempt(), last),
                        new Event.ChunkFailed(Given.TABLE, Given.RUN, 1, Given.ATTEMPT, fault),
                        "Failed BACKFILLING, copy anew"),
                Arguments.of(
                        new TableState.Completing(Given.RUN, Outcome.COPIED, 12, last), closingFailed(),
                        "Failed COMPLETING, close COPIED 12"),
                Arguments.of(
                        new TableState.Completing(Given.RUN, Outcome.ABANDONED, 0, last), closingFailed(),
                        "Failed COMPLETING, close ABANDONED 0"),
                Arguments.of(
                        new TableState.Completing(Given.RUN, Outcome.DISCARDED, 0, last), closingFailed(),
                        "Failed COMPLETING, close DISCARDED 0"),
                Arguments.of(
                        new TableState.Leaving(Given.RUN, true, last),
                        new Event.LeavingFailed(Given.TABLE, Given.RUN, Given.ATTEMPT, fault),
                        "Failed LEAVING, remove"),
                Arguments.of(
                        new TableState.Streaming(Given.RUN, new Constraints.Pending(last)),
                        new Event.ConstraintsFailed(Given.TABLE, Given.RUN, Given.ATTEMPT, fault),
                        "Streaming, missing"));
    }

    @ParameterizedTest
    @MethodSource("lastTries")
    void theLastTryEndsIt(TableState state, Event.OfRun event, String after) {
        TableRecord table = Given.first(state);

        assertThat(Given.text(table, OnEvent.decide(table, event, Given.NOW))).isEqualTo(after);
    }

    @Test
    void aTableWhoseRemovalFailedHasNothingToGoOnFrom() {
        // The ledger may have forgotten it, with its position: a drain would start nowhere.
        TableRecord table = Given.again(new TableState.Leaving(Given.RUN, true, Given.lastAttempt()));

        Turn turn = OnEvent.decide(
                table, new Event.LeavingFailed(Given.TABLE, Given.RUN, Given.ATTEMPT, Given.FAULTY), Given.NOW);

        assertThat(Given.text(table, turn)).isEqualTo("Failed LEAVING, remove; complete after nothing");
    }

    @Test
    void theFaultAndItsHintAreKept() {
        Turn.Becomes turn = (Turn.Becomes) OnEvent.decide(
                Given.first(Given.preparing(Step.INSPECT)),
                new Event.StepFailed(Given.TABLE, Given.RUN, Step.INSPECT, Given.ATTEMPT, Given.REFUSED),
                Given.NOW);

        assertThat(((TableState.Failed) turn.next().state()).fault()).isEqualTo(Given.REFUSED);
    }

    @Test
    void theTimeOfAStateCountsFromItsBeginning() {
        // given a step that is tried again
        Turn.Becomes again = (Turn.Becomes) OnEvent.decide(
                Given.first(Given.preparing(Step.INSPECT)),
                new Event.StepFailed(Given.TABLE, Given.RUN, Step.INSPECT, Given.ATTEMPT, Given.FAULTY),
                Given.NOW);

        assertThat(again.next().stateSince()).isEqualTo(Given.BEFORE);
    }

    @Test
    void anotherStateCountsFromNow() {
        Turn.Becomes drains = (Turn.Becomes) OnEvent.decide(
                Given.first(new TableState.Completing(Given.RUN, Outcome.COPIED, 1, Given.attempt())),
                new Event.RunClosed(Given.TABLE, Given.RUN, Given.ATTEMPT, Optional.of(Given.LSN)),
                Given.NOW);

        assertThat(drains.next().stateSince()).isEqualTo(Given.NOW);
    }

    private static Event closingFailed() {
        return new Event.ClosingFailed(Given.TABLE, Given.RUN, Given.ATTEMPT, Given.FAULTY);
    }
}
