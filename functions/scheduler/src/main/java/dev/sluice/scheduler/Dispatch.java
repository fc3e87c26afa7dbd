package dev.sluice.scheduler;

import dev.sluice.domain.ChunkTask;
import dev.sluice.domain.PipelineRecord.SlotTask;
import dev.sluice.domain.Setting;
import dev.sluice.domain.Settings;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState.Backfilling;
import dev.sluice.domain.TableState.ChunkPlan;
import dev.sluice.domain.TableState.OpenChunk;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Gives chunks to free worker slots, within one batch of the fold. A task goes only to a slot that has none: nothing ever
 * waits behind a slow chunk.
 */
final class Dispatch {

    static final Comparator<TableRecord> OLDER_RUNS_FIRST =
            Comparator.comparingLong((TableRecord table) -> table.state().run()).thenComparing(TableRecord::table);

    private final Limits limits;
    private final Settings forChunks;
    private final Map<Integer, SlotTask> slots;
    private final Pacing pacing;
    private final List<Fold.Dispatched> tasks;

    /**
     * @param settings that hold
     * @param slots which task each busy slot has; those that get one are added
     * @param tasks what goes out is added
     */
    Dispatch(
            Limits limits,
            Settings settings,
            Map<Integer, SlotTask> slots,
            Pacing pacing,
            List<Fold.Dispatched> tasks) {
        this.limits = limits;
        this.forChunks = settings.only(Setting.READ_REPLICA, Setting.MISSING_ROWS);
        this.slots = slots;
        this.pacing = pacing;
        this.tasks = tasks;
    }

    /** @return the table as it is then, a backfilling one as before; empty if nothing of it goes out */
    Optional<TableRecord> send(TableRecord table, Instant now) {
        Backfilling backfilling = (Backfilling) table.state();
        List<OpenChunk> open = new ArrayList<>(backfilling.plan().open());
        long inFlight = backfilling.plan().inFlight();
        boolean sent = false;
        int slot = nextFreeSlot(0);
        for (int i = 0; i < open.size() && inFlight < limits.chunksPerTable() && slot < limits.slots(); i++) {
            OpenChunk chunk = open.get(i);
            if (chunk.inFlight() || !chunk.attempt().isDue(now) || !pacing.allows(now)) {
                continue;
            }
            ChunkTask task = task(table.table(), backfilling, chunk);
            tasks.add(new Fold.Dispatched(task, slot));
            pacing.sent(slot, rowsLikely(backfilling.plan(), chunk), now);
            slots.put(slot, new SlotTask(task.table(), task.run(), task.chunk(), task.attempt()));
            open.set(
                    i,
                    new OpenChunk(chunk.chunk(), chunk.range(), chunk.attempt(), true, chunk.aboveHighest(), chunk.rows()));
            inFlight++;
            sent = true;
            slot = nextFreeSlot(slot + 1);
        }
        return sent
                ? Optional.of(OnChunk.with(table, backfilling, OnChunk.withOpen(backfilling.plan(), open), now))
                : Optional.empty();
    }

    private int nextFreeSlot(int from) {
        int slot = from;
        while (slot < limits.slots() && slots.containsKey(slot)) {
            slot++;
        }
        return slot;
    }

    /** What it was planned for: chunks of before may have been of another size. */
    private long rowsLikely(ChunkPlan plan, OpenChunk chunk) {
        if (chunk.aboveHighest()) {
            return 0;
        }
        return chunk.rows()
                .map(Integer::longValue)
                .orElseGet(() -> plan.chunksCopied() == 0
                        ? ChunkRows.next(limits, plan)
                        : plan.rowsCopied() / plan.chunksCopied());
    }

    private ChunkTask task(TableName table, Backfilling backfilling, OpenChunk chunk) {
        return new ChunkTask(
                table,
                backfilling.run(),
                chunk.chunk(),
                chunk.attempt().number(),
                chunk.range(),
                backfilling.inspected().fingerprint(),
                backfilling.bounded().primary(),
                chunk.aboveHighest()
                        ? Optional.of(backfilling.bounded().snapshot())
                        : Optional.empty(),
                forChunks);
    }
}
