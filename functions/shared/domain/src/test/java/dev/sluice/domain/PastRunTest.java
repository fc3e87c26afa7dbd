package dev.sluice.domain;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.PastRun.Outcome;
import dev.sluice.domain.TableRecord.Progress;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PastRunTest {

    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    private static final Fault FAULT = Fault.refused("it does not fit", "change it");

    private List<PastRun> runs = List.of();
    private Instant now = START;

    @Test
    void aRunThatIsCopiedAndDrainedEndsOnceItStreams() {
        after(queued(7), 0);
        assertThat(runs).as("before it has its turn").isEmpty();
        after(preparing(7), 0);
        after(backfilling(7), 40);
        assertThat(runs).extracting(PastRun::outcome, PastRun::rows).containsExactly(tuple(Outcome.RUNNING, 40L));
        after(completing(7, TableState.Outcome.COPIED), 100);
        after(draining(7), 100);
        assertThat(runs.getFirst().ended()).as("while it drains").isEmpty();
        after(streaming(7), 100);

        assertThat(runs).containsExactly(new PastRun(
                7, START.plusSeconds(2), Optional.of(now), Outcome.COPIED, 100, 1000, 1, Optional.empty(),
                Optional.of("ann")));
    }

    @Test
    void whatComesAfterItStreamsIsNoPartOfIt() {
        after(preparing(7), 0);
        after(completing(7, TableState.Outcome.COPIED), 5);
        after(streaming(7), 5);
        List<PastRun> ended = runs;

        after(failed(7, TableState.Phase.STREAMING), 5);
        after(completing(7, TableState.Outcome.CUT_SHORT), 5);
        after(streaming(7), 5);

        assertThat(runs).isEqualTo(ended);
    }

    @Test
    void aRunThatIsCancelledIsSaidToBe() {
        after(preparing(7), 0);
        after(backfilling(7), 3);
        after(completing(7, TableState.Outcome.ABANDONED), 3);
        after(new TableState.Cancelled(7, true), 3);

        assertThat(runs).extracting(PastRun::outcome, PastRun::rows, PastRun::ended)
                .containsExactly(tuple(Outcome.CANCELLED, 3L, Optional.of(now)));
    }

    @Test
    void aRunThatFailsSaysWhyAndOneThatIsCancelledAfterwardsStaysFailed() {
        after(preparing(7), 0);
        after(backfilling(7), 3);
        after(failed(7, TableState.Phase.BACKFILLING), 3);
        after(completing(7, TableState.Outcome.CUT_SHORT), 3);
        after(streaming(7), 3);

        assertThat(runs).extracting(PastRun::outcome, PastRun::reason)
                .containsExactly(tuple(Outcome.FAILED, Optional.of("it does not fit")));
    }

    @Test
    void aDrainThatFailedAndWentOnIsCopiedAfterAll() {
        after(preparing(7), 0);
        after(completing(7, TableState.Outcome.COPIED), 9);
        after(draining(7), 9);
        after(failed(7, TableState.Phase.DRAINING), 9);
        assertThat(runs.getFirst().outcome()).isEqualTo(Outcome.FAILED);
        after(completing(7, TableState.Outcome.RESUMED), 9);
        after(draining(7), 9);
        after(streaming(7), 9);

        assertThat(runs).extracting(PastRun::outcome, PastRun::reason, PastRun::rows)
                .containsExactly(tuple(Outcome.COPIED, Optional.empty(), 9L));
    }

    @Test
    void aRunThatAnotherTookOverIsSupersededOnce() {
        after(preparing(7), 0);
        after(backfilling(7), 3);
        after(queued(20), 3);
        Instant overtaken = now;
        after(preparing(20), 0);

        assertThat(runs).extracting(PastRun::run, PastRun::outcome, PastRun::ended)
                .containsExactly(
                        tuple(20L, Outcome.RUNNING, Optional.empty()),
                        tuple(7L, Outcome.SUPERSEDED, Optional.of(overtaken)));
    }

    @Test
    void theNewestAreKept() {
        for (int run = 1; run <= PastRun.RUNS_MAX + 3; run++) {
            after(preparing(run), 0);
            after(completing(run, TableState.Outcome.COPIED), run);
            after(streaming(run), run);
        }

        assertThat(runs).hasSize(PastRun.RUNS_MAX);
        assertThat(runs.getFirst().run()).isEqualTo(PastRun.RUNS_MAX + 3);
        assertThat(runs.getLast().run()).isEqualTo(4);
    }

    private static org.assertj.core.groups.Tuple tuple(Object... values) {
        return org.assertj.core.groups.Tuple.tuple(values);
    }

    private void after(TableState state, long rows) {
        now = now.plusSeconds(1);
        var table = new TableRecord(
                TableName.parse("public.orders"), state, now, 1, Optional.empty(), Optional.empty(),
                new Progress(100, rows, rows * 10, rows > 0 ? 1 : 0, Optional.empty(), Optional.empty()), Optional.empty(),
                TableOptions.NONE, Optional.empty(), Optional.empty(),
                Optional.of(new Asked("backfill", Optional.of("ann"), START)), runs, Optional.empty());
        runs = PastRun.after(runs, table, now);
    }

    private static TableState queued(long run) {
        return new TableState.Queued(run, run, 0, Optional.empty(), false);
    }

    private static TableState preparing(long run) {
        return new TableState.Preparing(
                run, Step.INSPECT, Attempt.first(), Optional.empty(), Optional.empty(), Optional.empty());
    }

    private static TableState backfilling(long run) {
        return new TableState.Backfilling(
                run,
                new StepResult.Inspected("f", 1, List.of(), 100),
                new StepResult.Bounded(Lsn.ZERO, Optional.empty(), PgSnapshot.parse("5:5:")),
                TableState.ChunkPlan.start());
    }

    private static TableState completing(long run, TableState.Outcome outcome) {
        return new TableState.Completing(run, outcome, 1, Attempt.first());
    }

    private static TableState draining(long run) {
        return new TableState.Draining(run, Lsn.ZERO);
    }

    private static TableState streaming(long run) {
        return new TableState.Streaming(run, new TableState.Constraints.Built(0));
    }

    private static TableState failed(long run, TableState.Phase phase) {
        return new TableState.Failed(run, phase, FAULT, new TableState.Remedy.CopyAnew());
    }
}
