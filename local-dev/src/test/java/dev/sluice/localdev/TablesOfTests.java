package dev.sluice.localdev;

import dev.sluice.domain.Attempt;
import dev.sluice.domain.Fault;
import dev.sluice.domain.KeyType;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.PgSnapshot;
import dev.sluice.domain.Step;
import dev.sluice.domain.StepResult;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableRecord.Progress;
import dev.sluice.domain.TableRecord.Queue;
import dev.sluice.domain.TableState;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Tables in the states that the display and the decisions of a once-run speak of. */
final class TablesOfTests {

    static final Instant NOW = Instant.parse("2026-01-01T12:00:00Z");

    private TablesOfTests() {
    }

    static TableRecord table(String name, TableState state, Progress progress, Queue queue) {
        return new TableRecord(TableName.parse(name), state, NOW, 0, Optional.empty(), Optional.empty(), progress,
                Optional.ofNullable(queue), TableOptions.NONE, Optional.empty());
    }

    static TableRecord queued(String name) {
        return table(name, new TableState.Queued(1, 1, 0, Optional.empty(), false), Progress.none(), null);
    }

    /** Ten seconds into its copy. */
    static TableRecord backfilling(String name, long rowsEstimated, long rowsCopied) {
        var inspected = new StepResult.Inspected("f", 1, List.of(new TableDefinition.KeyColumn("id", KeyType.INTEGER)),
                rowsEstimated);
        var bounded = new StepResult.Bounded(Lsn.ZERO, Optional.empty(), PgSnapshot.parse("10:10:"));
        return table(name, new TableState.Backfilling(1, inspected, bounded, TableState.ChunkPlan.start()),
                new Progress(rowsEstimated, rowsCopied, 0, 1, Optional.of(NOW.minusSeconds(10)), Optional.empty()), null);
    }

    static TableRecord streaming(String name, long waiting, long applied) {
        return table(name, new TableState.Streaming(1, new TableState.Constraints.Built(0)),
                new Progress(100, 100, 0, 1, Optional.of(NOW), Optional.of(NOW)),
                new Queue(waiting, applied, 250, Optional.empty()));
    }

    static TableRecord draining(String name, long waiting, long applied) {
        return table(name, new TableState.Draining(1, Lsn.ZERO),
                new Progress(100, 100, 0, 1, Optional.of(NOW), Optional.of(NOW)),
                new Queue(waiting, applied, 90_000, Optional.empty()));
    }

    static TableRecord preparingAgain(String name, int failures) {
        Attempt attempt = Attempt.first();
        for (int i = 0; i < failures; i++) {
            attempt = attempt.after(fault(), NOW).orElseThrow();
        }
        return table(name, new TableState.Preparing(1, Step.HOLD, attempt, Optional.empty(),
                Optional.empty(), Optional.empty()), Progress.none(), null);
    }

    static TableRecord failed(String name) {
        return table(name, new TableState.Failed(1, TableState.Phase.BACKFILLING, fault(), new TableState.Remedy.CopyAnew()), Progress.none(), null);
    }

    static Fault fault() {
        return Fault.faulty("the disk is full", "make room");
    }
}
