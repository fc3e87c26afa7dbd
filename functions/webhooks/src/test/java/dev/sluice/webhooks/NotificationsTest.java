package dev.sluice.webhooks;

import static dev.sluice.webhooks.Given.T0;
import static dev.sluice.webhooks.Given.copied;
import static dev.sluice.webhooks.Given.finished;
import static dev.sluice.webhooks.Given.table;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Attempt;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.Step;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableRecord.Progress;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.Constraints;
import dev.sluice.domain.TableState.Outcome;
import dev.sluice.domain.TableState.Phase;
import dev.sluice.domain.TableState.Remedy;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class NotificationsTest {

    private static final TableState QUEUED = new TableState.Queued(1, 1, 0, Optional.empty(), false);
    private static final TableState PREPARING = new TableState.Preparing(
            1, Step.values()[0], Attempt.first(), Optional.empty(), Optional.empty(), Optional.empty());
    private static final TableState COMPLETING = completing(Outcome.COPIED);
    private static final TableState DRAINING = new TableState.Draining(1, Lsn.parse("0/1"));
    private static final TableState STREAMING = streaming(1);

    @Test
    void aWholeRunIsToldInItsOrder() {
        List<TableRecord> story = List.of(
                table("t", QUEUED, Progress.none()),
                table("t", PREPARING, Progress.none()),
                table("t", PREPARING, copied(0)),
                table("t", PREPARING, copied(99)),
                table("t", PREPARING, copied(100)),
                table("t", PREPARING, copied(109)),
                table("t", PREPARING, copied(570)),
                table("t", COMPLETING, finished()),
                table("t", DRAINING, finished()),
                table("t", STREAMING, finished()),
                table("t", new TableState.Streaming(1, new Constraints.Built(2)), finished()));

        Optional<Standing> before = Optional.empty();
        var told = new java.util.ArrayList<String>();
        for (TableRecord record : story) {
            Standing after = Standing.of(record, 10);
            told.addAll(kinds(Notifications.of(new Pipeline("p"), before, after, record, 7, T0)));
            before = Optional.of(after);
        }

        assertThat(told).containsExactly(
                "backfill.started", "backfill.progress", "backfill.progress", "backfill.completed", "table.caught-up");
    }

    @Test
    void progressIsToldAtEachStepOfTheSetting() {
        assertThat(between(table("t", PREPARING, copied(240)), table("t", PREPARING, copied(249)), 25)).isEmpty();
        assertThat(between(table("t", PREPARING, copied(240)), table("t", PREPARING, copied(250)), 25))
                .containsExactly("backfill.progress");
    }

    @Test
    void aTableThatNobodyCouldEstimateHasNoProgress() {
        var unknown = new Progress(0, 500, 1, 1, Optional.of(T0), Optional.empty());
        assertThat(between(table("t", PREPARING, Progress.none()), table("t", PREPARING, unknown), 10))
                .containsExactly("backfill.started");
    }

    @ParameterizedTest
    @EnumSource(Phase.class)
    void everyFailureIsToldAndThatOfABackfillAsSuch(Phase phase) {
        List<String> told = between(table("t", DRAINING, finished()), table("t", failed(phase), finished()), 10);

        assertThat(told).isEqualTo(switch (phase) {
            case PREPARING, BACKFILLING, COMPLETING -> List.of("backfill.failed", "table.failed");
            case DRAINING, STREAMING, CAPTURE, LEAVING -> List.of("table.failed");
        });
    }

    @ParameterizedTest
    @EnumSource(Outcome.class)
    void whatIsCutOffIsToldOnce(Outcome outcome) {
        TableRecord closing = table("t", completing(outcome), copied(10));
        boolean cutOff = outcome == Outcome.CUT_SHORT || outcome == Outcome.ABANDONED || outcome == Outcome.DISCARDED;

        assertThat(between(table("t", PREPARING, copied(10)), closing, 10))
                .isEqualTo(cutOff ? List.of("backfill.cancelled") : List.of());
        assertThat(between(closing, table("t", new TableState.Cancelled(1, true), copied(10)), 10))
                .isEqualTo(cutOff ? List.of() : List.of("backfill.cancelled"));
    }

    @Test
    void theSameRunCanFailAgain() {
        TableRecord first = table("t", failed(Phase.STREAMING), T0, finished(), "f");
        TableRecord again = table("t", failed(Phase.STREAMING), T0.plusSeconds(60), finished(), "f");

        assertThat(between(first, first, 10)).isEmpty();
        assertThat(between(first, again, 10)).containsExactly("table.failed");
        assertThat(ids(first)).doesNotContainAnyElementsOf(failures(again));
    }

    @Test
    void theNextRunOfATableIsToldAnew() {
        TableRecord next = table("t", PREPARING, new Progress(10, 0, 0, 0, Optional.of(T0.plusSeconds(99)), Optional.empty()));
        assertThat(between(table("t", STREAMING, finished()), next, 10)).containsExactly("backfill.started");
        assertThat(between(table("t", STREAMING, finished()), table("t", streaming(2), finished()), 10))
                .containsExactly("table.caught-up");
    }

    @Test
    void aChangedDefinitionIsToldEachTimeUnderAnIdOfItsOwn() {
        TableRecord old = table("t", STREAMING, T0, finished(), "a");
        TableRecord altered = table("t", STREAMING, T0, finished(), "b");

        assertThat(between(old, altered, 10)).containsExactly("schema.changed");
        assertThat(between(altered, altered, 10)).isEmpty();
        assertThat(notifications(old, altered, 7).getFirst().id())
                .isNotEqualTo(notifications(old, altered, 9).getFirst().id());
    }

    @Test
    void aStateWhoseForerunnersAreGoneStillTellsWhatItImpliesUnderTheSameIds() {
        List<String> all = ids(table("t", STREAMING, finished()));

        assertThat(kinds(whole(table("t", STREAMING, finished()))))
                .containsExactly("backfill.started", "backfill.completed", "table.caught-up");
        assertThat(all).contains(ids(table("t", PREPARING, copied(0))).getFirst());
        assertThat(all).doesNotContainAnyElementsOf(ids(table("u", STREAMING, finished())));
    }

    @Test
    void aFailureSaysWhyAndWhatToDo() {
        Notification failure = whole(table("t", failed(Phase.STREAMING), finished())).getLast();

        assertThat(failure.data())
                .containsEntry("table", "public.t")
                .containsEntry("state", "Failed")
                .containsEntry("phase", "STREAMING")
                .containsEntry("reason", "it broke")
                .containsEntry("hint", "mend it");
    }

    private static TableState completing(Outcome outcome) {
        return new TableState.Completing(1, outcome, 3, Attempt.first());
    }

    private static TableState streaming(long run) {
        return new TableState.Streaming(run, new Constraints.Pending(Attempt.first()));
    }

    private static TableState failed(Phase phase) {
        return new TableState.Failed(1, phase, Fault.refused("it broke", "mend it"), new Remedy.CopyAnew());
    }

    private static List<String> between(TableRecord before, TableRecord after, int step) {
        return kinds(Notifications.of(
                new Pipeline("p"), Optional.of(Standing.of(before, step)), Standing.of(after, step), after, 7, T0));
    }

    private static List<Notification> notifications(TableRecord before, TableRecord after, long offset) {
        return Notifications.of(
                new Pipeline("p"), Optional.of(Standing.of(before, 10)), Standing.of(after, 10), after, offset, T0);
    }

    private static List<Notification> whole(TableRecord table) {
        return Notifications.of(new Pipeline("p"), Optional.empty(), Standing.of(table, 10), table, 7, T0);
    }

    private static List<String> ids(TableRecord table) {
        return whole(table).stream().map(Notification::id).toList();
    }

    private static List<String> failures(TableRecord table) {
        return whole(table).stream().filter(it -> it.kind() == Kind.TABLE_FAILED).map(Notification::id).toList();
    }

    private static List<String> kinds(List<Notification> notifications) {
        return notifications.stream().map(it -> it.kind().text()).toList();
    }
}
