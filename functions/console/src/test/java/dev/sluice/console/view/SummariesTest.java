package dev.sluice.console.view;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Fault;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.Pause;
import dev.sluice.domain.PgSnapshot;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.StepResult.Bounded;
import dev.sluice.domain.StepResult.Inspected;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableRecord.Progress;
import dev.sluice.domain.TableRecord.Queue;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.Backfilling;
import dev.sluice.domain.TableState.ChunkPlan;
import dev.sluice.domain.TableState.Constraints;
import dev.sluice.domain.TableState.Draining;
import dev.sluice.domain.TableState.Failed;
import dev.sluice.domain.TableState.Phase;
import dev.sluice.domain.TableState.Queued;
import dev.sluice.domain.TableState.Remedy;
import dev.sluice.domain.TableState.Streaming;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What is shown of a table, by its record. */
class SummariesTest {

    private static final Instant NOW = Instant.parse("2026-01-01T12:00:00Z");
    private static final Progress HALF =
            new Progress(1_000, 500, 9_000, 5, Optional.of(NOW.minusSeconds(10)), Optional.empty());

    private final Rates rates = new Rates();

    @Test
    void aBackfillSaysHowFarItIsAndWhenItIsReady() {
        TableSummary shown = shown(backfilling(HALF));

        assertThat(shown.state()).isEqualTo("Backfilling");
        assertThat(shown.rows().percent()).contains(50.0);
        assertThat(shown.rowsPerSecond()).as("500 rows in 10 s").contains(50L);
        assertThat(shown.eta()).as("500 rows are left").contains(NOW.plusSeconds(10));
        assertThat(shown.incomplete()).isTrue();
        assertThat(shown.actions()).contains("cancel", "pause").doesNotContain("resume", "verify");
    }

    @Test
    void anEstimateThatWasTooLowNeverSaysThatAllIsDone() {
        Progress beyond = new Progress(100, 500, 9_000, 5, Optional.of(NOW.minusSeconds(10)), Optional.empty());

        TableSummary shown = shown(backfilling(beyond));

        assertThat(shown.rows().percent()).contains(99.9);
        assertThat(shown.eta()).isEmpty();
    }

    @Test
    void withoutAnEstimateThereIsNoShareAndNoEnd() {
        Progress unknown = new Progress(0, 500, 9_000, 5, Optional.of(NOW.minusSeconds(10)), Optional.empty());

        assertThat(shown(backfilling(unknown)).rows().percent()).isEmpty();
        assertThat(shown(backfilling(unknown)).eta()).isEmpty();
    }

    @Test
    void speedIsWhatWasSeenLately() {
        for (int second = 0; second <= 5; second++) {
            Progress moved = new Progress(10_000, second * 200L, 0, 0, Optional.of(NOW.minusSeconds(1_000)), Optional.empty());
            rates.see(List.of(backfilling(moved)), Duration.ofSeconds(second).toNanos());
        }

        assertThat(shown(backfilling(HALF)).rowsPerSecond()).contains(200L);
    }

    @Test
    void aDrainIsMeasuredByTheMostThatWaited() {
        rates.see(List.of(draining(400)), 0);

        assertThat(shown(draining(100)).drain()).contains(new TableSummary.Drain(Optional.of(75.0), 100));
    }

    @Test
    void aFailureSaysWhatToDo() {
        Fault fault = Fault.refused("it has no key", "give it one");

        TableSummary shown = shown(record(
                new Failed(4, Phase.PREPARING, fault, new Remedy.CopyAnew()), Progress.none(), Optional.empty()));

        assertThat(shown.error()).contains(new TableSummary.Trouble("PREPARING", "REFUSED", "it has no key", "give it one"));
        assertThat(shown.actions()).first().isEqualTo("retry");
    }

    @Test
    void thoseThatWaitHaveTheirPlacesAndThePausedHaveNone() {
        TableRecord first = named("a", new Queued(7, 3, 0, Optional.empty(), false), Optional.empty());
        TableRecord second = named("b", new Queued(8, 3, 1, Optional.empty(), false), Optional.empty());
        TableRecord paused = named("c", new Queued(2, 2, 0, Optional.empty(), false),
                Optional.of(new Pause(Optional.empty(), NOW)));
        TableRecord resumed = named("d", new Draining(1, Lsn.ZERO), Optional.of(new Pause(Optional.empty(), NOW, Optional.of(9L))));
        TableRecord streaming = named("e", new Streaming(1, new Constraints.Built(0)), Optional.empty());

        assertThat(Turns.positions(List.of(streaming, resumed, paused, second, first)))
                .isEqualTo(Map.of(first.table(), 1, second.table(), 2, resumed.table(), 3));
    }

    private TableSummary shown(TableRecord table) {
        return Summaries.of(table, PipelineRecord.empty(), Optional.empty(), rates, NOW);
    }

    private static TableRecord backfilling(Progress progress) {
        return record(
                new Backfilling(
                        4,
                        new Inspected("", 1, List.of(), 0),
                        new Bounded(Lsn.ZERO, Optional.empty(), PgSnapshot.parse("1:1:")),
                        ChunkPlan.start()),
                progress,
                Optional.empty());
    }

    private static TableRecord draining(long waiting) {
        return record(new Draining(4, Lsn.ZERO), HALF, Optional.of(new Queue(waiting, 0, 0, Optional.empty())));
    }

    private static TableRecord named(String name, TableState state, Optional<Pause> pause) {
        return new TableRecord(
                new TableName("public", name), state, NOW, 1, Optional.empty(), Optional.empty(), Progress.none(), Optional.empty(),
                TableOptions.NONE, Optional.empty(), pause, Optional.empty(), List.of(), Optional.empty());
    }

    private static TableRecord record(TableState state, Progress progress, Optional<Queue> queue) {
        return new TableRecord(
                new TableName("public", "orders"), state, NOW, 1, Optional.empty(), Optional.empty(), progress, queue,
                TableOptions.NONE, Optional.empty());
    }
}
