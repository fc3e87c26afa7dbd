package dev.sluice.localdev;

import static dev.sluice.localdev.TablesOfTests.NOW;
import static dev.sluice.localdev.TablesOfTests.backfilling;
import static dev.sluice.localdev.TablesOfTests.failed;
import static dev.sluice.localdev.TablesOfTests.preparingAgain;
import static dev.sluice.localdev.TablesOfTests.streaming;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Lsn;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.localdev.OnceRun.Verdict;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class OnceRunTest {

    private static final Instant LATE = NOW.plus(OnceRun.STALL_LIMIT).plusSeconds(1);

    private final OnceRun run = new OnceRun(List.of(TableName.parse("shop.a"), TableName.parse("shop.b")));

    @Test
    void itIsDoneWhenEveryExpectedTableStreams() {
        assertThat(streamingAt(NOW)).isInstanceOf(Verdict.Wait.class);
        assertThat(streamingAt(NOW, streaming("shop.a", 0, 0))).isInstanceOf(Verdict.Wait.class);
        assertThat(streamingAt(NOW, streaming("shop.a", 0, 0), backfilling("shop.b", 9, 5))).isInstanceOf(Verdict.Wait.class);
        assertThat(streamingAt(NOW, streaming("shop.a", 0, 0), streaming("shop.b", 7, 0))).isInstanceOf(Verdict.Done.class);
    }

    @Test
    void aFailedTableEndsItWithReasonAndHint() {
        assertThat(streamingAt(NOW, streaming("shop.a", 0, 0), failed("shop.b")))
                .isEqualTo(new Verdict.GiveUp("shop.b failed: the disk is full → make room", Optional.empty()));
    }

    @Test
    void aRejectedRequestEndsIt() {
        assertThat(run.streaming(List.of(), List.of(new PipelineRecord.Rejection(1, "add-tables", "no such table")),
                        Optional.empty(), NOW))
                .isEqualTo(new Verdict.GiveUp("add-tables was rejected: no such table", Optional.empty()));
    }

    @Test
    void itWaitsAsLongAsSomethingMoves() {
        assertThat(streamingAt(NOW, backfilling("shop.a", 100, 10))).isInstanceOf(Verdict.Wait.class);
        assertThat(streamingAt(LATE, backfilling("shop.a", 100, 20))).isInstanceOf(Verdict.Wait.class);
        assertThat(streamingAt(LATE.plus(OnceRun.STALL_LIMIT).plusSeconds(1), backfilling("shop.a", 100, 20)))
                .isInstanceOf(Verdict.GiveUp.class);
    }

    @Test
    void tryingTheSameAgainIsNoMovement() {
        assertThat(streamingAt(NOW, preparingAgain("shop.a", 1))).isInstanceOf(Verdict.Wait.class);
        assertThat(streamingAt(LATE, preparingAgain("shop.a", 4))).isInstanceOf(Verdict.GiveUp.class);
    }

    @Test
    void aDeadPartMayComeBackForAWhile() {
        List<TableRecord> tables = List.of(backfilling("shop.a", 100, 10));
        Optional<Part> kafka = Optional.of(Part.KAFKA);

        assertThat(run.streaming(tables, List.of(), kafka, NOW)).isInstanceOf(Verdict.Wait.class);
        assertThat(run.streaming(tables, List.of(), Optional.empty(), NOW.plusSeconds(50))).isInstanceOf(Verdict.Wait.class);
        assertThat(run.streaming(tables, List.of(), kafka, NOW.plusSeconds(70))).isInstanceOf(Verdict.Wait.class);
        assertThat(run.streaming(tables, List.of(), kafka, NOW.plusSeconds(131)))
                .isEqualTo(new Verdict.GiveUp("kafka is dead, and nobody brought it back", kafka));
    }

    @Test
    void theQueuesAreEmptyOnlyOnceCaptureHasPassedTheLastCommit() {
        var committed = new Lsn(1_000);
        List<TableRecord> empty = List.of(streaming("shop.a", 0, 5));

        assertThat(run.queuesEmpty(empty, committed, Optional.empty(), Optional.empty(), NOW)).isInstanceOf(Verdict.Wait.class);
        assertThat(run.queuesEmpty(empty, committed, Optional.of(new Lsn(999)), Optional.empty(), NOW))
                .isInstanceOf(Verdict.Wait.class);
        assertThat(run.queuesEmpty(List.of(streaming("shop.a", 3, 5)), committed, Optional.of(new Lsn(1_000)),
                        Optional.empty(), NOW))
                .isInstanceOf(Verdict.Wait.class);
        assertThat(run.queuesEmpty(empty, committed, Optional.of(new Lsn(1_000)), Optional.empty(), NOW))
                .isInstanceOf(Verdict.Done.class);
    }

    private Verdict streamingAt(Instant now, TableRecord... tables) {
        return run.streaming(List.of(tables), List.of(), Optional.empty(), now);
    }
}
