package dev.sluice.chunkworker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.ChunkTask;
import dev.sluice.domain.Event;
import dev.sluice.domain.Fault;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.TableName;
import dev.sluice.postgres.ChunkCopy.Answer;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ChunkWorkerTest {

    private static final TableName TABLE = TableName.parse("public.orders");
    private static final ChunkTask TASK =
            new ChunkTask(TABLE, 7, 3, 2, KeyRange.ALL, "fingerprint", Lsn.ZERO, Optional.empty());

    @Test
    void aCopiedChunkIsAnsweredWithWhatTravelledAndHowLong() {
        var clock = new AtomicLong(0);
        var worker = new ChunkWorker(
                task -> {
                    clock.addAndGet(1_500_000_000L);
                    return new Answer.Copied(100, 2_000);
                },
                clock::get);

        assertThat(worker.run(TASK)).isEqualTo(new Event.ChunkCopied(TABLE, 7, 3, 2, 100, 2_000, 1_500));
    }

    @Test
    void aChunkThatWasCopiedBeforeIsAnsweredAgainWithoutBytes() {
        assertThat(ChunkWorker.event(TASK, new Answer.CopiedBefore(100), 5))
                .isEqualTo(new Event.ChunkCopied(TABLE, 7, 3, 2, 100, 0, 5));
    }

    @Test
    void aFencedChunkIsAnsweredTooSinceTheAnswerFreesTheSlot() {
        Fault fenced = Fault.refused("fenced: the run is CANCELLED", "");

        assertThat(ChunkWorker.event(TASK, new Answer.Failed(fenced), 5))
                .isEqualTo(new Event.ChunkFailed(TABLE, 7, 3, 2, fenced));
    }

    @Test
    void aDefectIsAnsweredAsAFault() {
        var worker = new ChunkWorker(
                task -> {
                    throw new IllegalStateException("broken");
                },
                System::nanoTime);

        assertThat(worker.run(TASK)).isInstanceOfSatisfying(Event.ChunkFailed.class, failed -> {
            assertThat(failed.fault().kind()).isEqualTo(Fault.Kind.FAULTY);
            assertThat(failed.fault().reason()).contains("chunk 3 of public.orders", "broken");
        });
    }
}
