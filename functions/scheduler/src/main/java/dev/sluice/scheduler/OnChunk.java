package dev.sluice.scheduler;

import dev.sluice.domain.Attempt;
import dev.sluice.domain.Event;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Key;
import dev.sluice.domain.KeyOrder;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableRecord.Progress;
import dev.sluice.domain.TableState.Backfilling;
import dev.sluice.domain.TableState.ChunkPlan;
import dev.sluice.domain.TableState.Completing;
import dev.sluice.domain.TableState.OpenChunk;
import dev.sluice.domain.TableState.Outcome;
import dev.sluice.domain.TableState.Phase;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What the answers to planning and copying chunks mean for a table. Pure. */
final class OnChunk {

    private OnChunk() {}

    static Turn chunksPlanned(TableRecord table, Event.ChunksPlanned planned, Instant now) {
        if (!(table.state() instanceof Backfilling backfilling) || !isAsked(backfilling, planned.run(), planned.attempt())) {
            return Turn.late(table, planned.run(), "plan attempt " + planned.attempt());
        }
        ChunkPlan plan = backfilling.plan();
        if (!continues(planned, backfilling)) {
            Fault fault = OnEvent.unexpected(
                    "the plan does not go on from " + plan.plannedUpTo() + ": " + planned.boundaries());
            return planningFailed(
                    table, new Event.PlanningFailed(table.table(), planned.run(), planned.attempt(), fault), now);
        }
        List<OpenChunk> open = new ArrayList<>(plan.open());
        int next = plan.next();
        Optional<Key> upTo = plan.plannedUpTo();
        for (Key boundary : planned.boundaries()) {
            var range = new KeyRange(upTo, Optional.of(boundary));
            open.add(new OpenChunk(next++, range, Attempt.first(), false, false, planned.rows()));
            upTo = Optional.of(boundary);
        }
        boolean toTheEnd = backfilling.bounded().isToTheEnd();
        ChunkPlan longer = new ChunkPlan(
                next,
                upTo,
                planned.complete() && !toTheEnd,
                plan.planning().next(),
                open,
                plan.chunksCopied(),
                plan.rowsCopied(),
                plan.bytesCopied(),
                planned.rows().map(rows -> ChunkRows.planned(plan.speed(), rows)).or(plan::speed));
        return Turn.becomes(with(table, backfilling, planned.complete() && toTheEnd ? withTail(longer, upTo) : longer, now));
    }

    /** Of a table whose key cannot be cut. */
    static ChunkPlan inOneChunk(ChunkPlan plan) {
        var all = new OpenChunk(plan.next(), KeyRange.ALL, Attempt.first(), false, false);
        return new ChunkPlan(
                plan.next() + 1,
                Optional.empty(),
                true,
                plan.planning(),
                List.of(all),
                plan.chunksCopied(),
                plan.rowsCopied(),
                plan.bytesCopied(),
                plan.speed());
    }

    /**
     * Whether the boundaries rise from where planning stood, up to the highest key and no further. Of keys whose order
     * only the database knows: whether they differ, and whether the end is where it is said to be.
     */
    private static boolean continues(Event.ChunksPlanned planned, Backfilling backfilling) {
        Optional<Key> highest = backfilling.bounded().end();
        if (planned.boundaries().isEmpty() || highest.isEmpty()) {
            return false;
        }
        Optional<Key> before = backfilling.plan().plannedUpTo();
        if (backfilling.inspected().keyOrder().isEmpty()) {
            Set<Key> distinct = new HashSet<>(planned.boundaries());
            boolean isNew = distinct.size() == planned.boundaries().size()
                    && before.filter(distinct::contains).isEmpty();
            return isNew && planned.complete() == planned.boundaries().getLast().equals(highest.get());
        }
        KeyOrder order = backfilling.inspected().keyOrder().get();
        try {
            for (Key boundary : planned.boundaries()) {
                if (before.isPresent() && order.compare(before.get(), boundary) >= 0) {
                    return false;
                }
                before = Optional.of(boundary);
            }
            int distance = order.compare(planned.boundaries().getLast(), highest.get());
            return planned.complete() ? distance == 0 : distance < 0;
        } catch (IllegalArgumentException e) {
            // A key of another width, or a number that is none.
            return false;
        }
    }

    /** The last chunk: above the highest key. It has no rows at the source, and is replaced like any other (R8). */
    static ChunkPlan withTail(ChunkPlan plan, Optional<Key> highest) {
        List<OpenChunk> open = new ArrayList<>(plan.open());
        open.add(new OpenChunk(
                plan.next(), new KeyRange(highest, Optional.empty()), Attempt.first(), false, true));
        return new ChunkPlan(
                plan.next() + 1,
                highest,
                true,
                plan.planning(),
                open,
                plan.chunksCopied(),
                plan.rowsCopied(),
                plan.bytesCopied(),
                plan.speed());
    }

    static Turn planningFailed(TableRecord table, Event.PlanningFailed failed, Instant now) {
        if (!(table.state() instanceof Backfilling backfilling) || !isAsked(backfilling, failed.run(), failed.attempt())) {
            return Turn.late(table, failed.run(), "plan attempt " + failed.attempt());
        }
        ChunkPlan plan = backfilling.plan();
        return Turn.becomes(plan.planning()
                .after(failed.fault(), now)
                .map(next -> with(
                        table,
                        backfilling,
                        new ChunkPlan(
                                plan.next(),
                                plan.plannedUpTo(),
                                plan.complete(),
                                next,
                                plan.open(),
                                plan.chunksCopied(),
                                plan.rowsCopied(),
                                plan.bytesCopied(),
                                plan.speed()),
                        now))
                .orElseGet(() -> Records.failed(table, Phase.BACKFILLING, failed.fault(), now)));
    }

    private static boolean isAsked(Backfilling backfilling, long run, int attempt) {
        return backfilling.run() == run
                && !backfilling.plan().complete()
                && backfilling.plan().planning().number() == attempt;
    }

    static Turn chunkCopied(TableRecord table, Event.ChunkCopied copied, Instant now) {
        if (!(table.state() instanceof Backfilling backfilling) || backfilling.run() != copied.run()) {
            return Turn.late(table, copied.run(), "chunk " + copied.chunk());
        }
        ChunkPlan plan = backfilling.plan();
        // Whichever attempt it was: a chunk in the ledger is copied.
        List<OpenChunk> open =
                plan.open().stream().filter(chunk -> chunk.chunk() != copied.chunk()).toList();
        if (open.size() == plan.open().size()) {
            return Turn.ignored("chunk " + copied.chunk() + " is copied already");
        }
        ChunkPlan further = new ChunkPlan(
                plan.next(),
                plan.plannedUpTo(),
                plan.complete(),
                plan.planning(),
                open,
                plan.chunksCopied() + 1,
                plan.rowsCopied() + copied.rows(),
                plan.bytesCopied() + copied.bytes(),
                plan.speed().map(speed -> ChunkRows.copied(speed, plan.open(), copied)));
        Progress before = table.progress();
        TableRecord counted = Records.progress(
                table,
                new Progress(
                        before.rowsEstimated(),
                        further.rowsCopied(),
                        further.bytesCopied(),
                        further.chunksCopied(),
                        before.copyStarted(),
                        further.isCopied() ? Optional.of(now) : Optional.empty()));
        return Turn.becomes(
                further.isCopied()
                        ? Records.to(
                                counted,
                                new Completing(
                                        copied.run(),
                                        Outcome.COPIED,
                                        further.next(),
                                        Records.nextAttempt(table)),
                                now)
                        : with(counted, backfilling, further, now));
    }

    static Turn chunkFailed(TableRecord table, Event.ChunkFailed failed, Instant now) {
        if (!(table.state() instanceof Backfilling backfilling) || backfilling.run() != failed.run()) {
            return Turn.late(table, failed.run(), "chunk " + failed.chunk());
        }
        ChunkPlan plan = backfilling.plan();
        Optional<OpenChunk> asked = plan.open().stream()
                .filter(chunk -> chunk.chunk() == failed.chunk()
                        && chunk.attempt().number() == failed.attempt())
                .findFirst();
        if (asked.isEmpty()) {
            return Turn.ignored("chunk " + failed.chunk() + " attempt " + failed.attempt() + " is not waited for");
        }
        Optional<Attempt> next = asked.get().attempt().after(failed.fault(), now);
        if (next.isEmpty()) {
            return Turn.becomes(Records.failed(table, Phase.BACKFILLING, failed.fault(), now));
        }
        List<OpenChunk> open = plan.open().stream()
                .map(chunk -> chunk.chunk() == failed.chunk()
                        ? new OpenChunk(chunk.chunk(), chunk.range(), next.get(), false, chunk.aboveHighest(), chunk.rows())
                        : chunk)
                .toList();
        return Turn.becomes(with(table, backfilling, withOpen(plan, open), now));
    }

    static ChunkPlan withOpen(ChunkPlan plan, List<OpenChunk> open) {
        return new ChunkPlan(
                plan.next(),
                plan.plannedUpTo(),
                plan.complete(),
                plan.planning(),
                open,
                plan.chunksCopied(),
                plan.rowsCopied(),
                plan.bytesCopied(),
                plan.speed());
    }

    static TableRecord with(TableRecord table, Backfilling backfilling, ChunkPlan plan, Instant now) {
        return Records.to(
                table, new Backfilling(backfilling.run(), backfilling.inspected(), backfilling.bounded(), plan), now);
    }
}
