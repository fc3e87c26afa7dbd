package dev.sluice.streaming;

import dev.sluice.domain.Change;
import dev.sluice.domain.Change.Cell;
import dev.sluice.domain.Change.Delete;
import dev.sluice.domain.Change.KeyChange;
import dev.sluice.domain.Change.Replaced;
import dev.sluice.domain.Change.Truncate;
import dev.sluice.domain.Change.Upsert;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Key;
import dev.sluice.domain.Mark;
import dev.sluice.postgres.ChangeBatch.Clear;
import dev.sluice.postgres.ChangeBatch.Counts;
import dev.sluice.postgres.ChangeBatch.Move;
import dev.sluice.postgres.ChangeBatch.Step;
import dev.sluice.postgres.Ledger.Progress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Decides what becomes of the changes that come next in a table's queue.
 *
 * @param steps what the destination has to do; none if all was skipped
 * @param reached how far the ledger is then
 * @param consumed how many of the changes this takes; the others wait for the next batch
 * @param passed how many were skipped because they were passed before (R4)
 * @param contained how many were skipped because a chunk has them (R9)
 */
record BatchPlan(List<Step> steps, Progress reached, int consumed, int passed, int contained) {

    BatchPlan {
        steps = List.copyOf(steps);
    }

    /**
     * A change and where it stands in the queue.
     *
     * @param millis when the source committed it, since the epoch; 0 if that is not known
     */
    record Queued(long offset, Change change, long millis) {}

    /**
     * @param queued in the order of the queue
     * @param from how far the ledger is
     * @param filtered whether the table has a condition for its rows: then a row that is not there may have to be, and a
     *     change that does not carry all of it stands on its own
     * @throws UnplaceableException if the first change cannot be placed; if a later one cannot, the plan ends before it
     */
    static BatchPlan of(List<Queued> queued, Progress from, RetainedChunks chunks, boolean filtered) {
        var planning = new Planning(from, chunks, filtered);
        int consumed = 0;
        while (consumed < queued.size()) {
            int taken;
            try {
                taken = planning.take(queued, consumed);
            } catch (UnplaceableException e) {
                if (consumed == 0) {
                    throw e;
                }
                break;
            }
            if (taken == 0) {
                break;
            }
            consumed += taken;
        }
        planning.endRows();
        return new BatchPlan(
                planning.steps, new Progress(planning.position, planning.mark), consumed, planning.passed,
                planning.contained);
    }

    /** Nobody can tell whether a change was applied before, now or later: its queue cannot be gone on with. */
    static final class UnplaceableException extends RuntimeException {
        private final transient Fault fault;

        private UnplaceableException(String reason, String hint) {
            super(reason + ": " + hint);
            this.fault = Fault.refused(reason, hint);
        }

        Fault fault() {
            return fault;
        }
    }

    private static final class Planning {
        private final RetainedChunks chunks;
        private final boolean filtered;
        private final List<Step> steps = new ArrayList<>();
        private Collapse rows = new Collapse();
        /** Of a table without a key: by how many rows of these values it has more or fewer. */
        private Map<Map<String, Cell>, Integer> counts = new LinkedHashMap<>();
        private long position;
        private Optional<Mark> mark;
        private int passed;
        private int contained;

        private Planning(Progress from, RetainedChunks chunks, boolean filtered) {
            this.chunks = chunks;
            this.filtered = filtered;
            this.position = from.position();
            this.mark = from.mark();
        }

        /** @return how many changes were taken; 0 if more of the queue is needed first */
        private int take(List<Queued> queued, int at) {
            Queued next = queued.get(at);
            if (next.change() instanceof Delete delete && delete.movedTo().isPresent()) {
                if (at + 1 == queued.size()) {
                    return 0;
                }
                Queued after = queued.get(at + 1);
                if (after.change() instanceof Upsert upsert && isPair(delete, upsert)) {
                    keyChange(delete.key(), upsert, after, 2);
                    return 2;
                }
                // Capture was killed between the two and sends the whole transaction again: neither is passed yet.
                position = next.offset() + 1;
                return 1;
            }
            if (next.change() instanceof KeyChange change) {
                var upsert = new Upsert(change.origin(), change.key(), change.row(), Optional.of(change.from()));
                keyChange(change.from(), upsert, next, 1);
                return 1;
            }
            position(next);
            return 1;
        }

        private static boolean isPair(Delete delete, Upsert upsert) {
            return upsert.origin().equals(delete.origin())
                    && upsert.movedFrom().equals(Optional.of(delete.key()))
                    && delete.movedTo().equals(Optional.of(upsert.key()));
        }

        private void position(Queued next) {
            Change change = next.change();
            Optional<Mark> own = markOf(change, next.offset());
            // Counting a row twice does harm, so an equal mark is passed, too.
            boolean exactly = change instanceof Replaced;
            boolean before = mark.isPresent() && own.isPresent()
                    && (exactly ? mark.get().compareTo(own.get()) >= 0 : mark.get().isPast(own.get()));
            position = next.offset() + 1;
            if (before) {
                passed++;
                return;
            }
            mark = own.or(() -> mark);
            long transaction = change.origin().transaction();
            switch (change) {
                case Delete delete -> {
                    if (chunks.contain(delete.key(), transaction)) {
                        contained++;
                    } else {
                        rows.remove(delete.key(), next.millis());
                    }
                }
                case Upsert upsert -> {
                    if (chunks.contain(upsert.key(), transaction)) {
                        contained++;
                    } else if (!Collapse.leavesValues(upsert.row())) {
                        rows.write(upsert.key(), upsert.row(), next.millis());
                    } else if (upsert.movedFrom().isPresent()) {
                        move(upsert, Optional.empty(), next.millis());
                    } else if (filtered) {
                        move(upsert, Optional.of(upsert.key()), next.millis());
                    } else {
                        rows.write(upsert.key(), upsert.row(), next.millis());
                    }
                }
                case KeyChange keyChange -> throw new IllegalStateException("a key change is placed as such");
                case Replaced replaced -> {
                    if (chunks.containAll(transaction)) {
                        contained++;
                    } else {
                        replaced.before().ifPresent(row -> count(row, -1));
                        replaced.after().ifPresent(row -> count(row, 1));
                    }
                }
                case Truncate truncate -> truncate(transaction, next.millis());
            }
        }

        /**
         * One change of the source, in one record or two. No other shares its mark, so an equal mark is passed, too.
         *
         * @param last the record, or the second of the two
         */
        private void keyChange(Key from, Upsert upsert, Queued last, int records) {
            long lastOffset = last.offset();
            Optional<Mark> own = markOf(upsert, lastOffset);
            boolean before = mark.isPresent() && own.isPresent() && mark.get().compareTo(own.get()) >= 0;
            position = lastOffset + 1;
            if (before) {
                passed += records;
                return;
            }
            mark = own.or(() -> mark);
            long transaction = upsert.origin().transaction();
            boolean oldContained = chunks.contain(from, transaction);
            boolean newContained = chunks.contain(upsert.key(), transaction);
            contained += (oldContained ? 1 : 0) + (newContained ? 1 : 0);
            boolean moves = !newContained && Collapse.leavesValues(upsert.row());
            if (moves) {
                move(upsert, upsert.movedFrom().filter(old -> !oldContained), last.millis());
                return;
            }
            if (!oldContained) {
                rows.remove(from, last.millis());
            }
            if (!newContained) {
                rows.write(upsert.key(), upsert.row(), last.millis());
            }
        }

        /** Rows of other columns, before and after the table was altered, may be the same row: they keep their order. */
        private void count(Map<String, Cell> row, int net) {
            if (!counts.isEmpty() && !counts.keySet().iterator().next().keySet().equals(row.keySet())) {
                endRows();
            }
            counts.merge(row, net, Integer::sum);
        }

        /** @param from the key under which the row stands that is changed, and no newer one */
        private void move(Upsert upsert, Optional<Key> from, long millis) {
            endRows();
            steps.add(new Move(from, upsert.key(), upsert.row(), new Progress(position, mark), millis));
        }

        private void truncate(long transaction, long millis) {
            RetainedChunks.Unseen unseen = chunks.unseen(transaction);
            if (unseen.ranges().isEmpty()) {
                contained++;
                return;
            }
            endRows();
            steps.add(new Clear(unseen.ranges(), unseen.except(), millis));
        }

        private void endRows() {
            if (!rows.isEmpty()) {
                steps.add(rows.rows());
                rows = new Collapse();
            }
            counts.values().removeIf(net -> net == 0);
            if (!counts.isEmpty()) {
                steps.add(new Counts(counts.entrySet().stream()
                        .map(count -> new Counts.Count(count.getKey(), count.getValue()))
                        .toList()));
                counts = new LinkedHashMap<>();
            }
        }

        private Optional<Mark> markOf(Change change, long offset) {
            Optional<Mark> own = change.origin().commitBefore().map(commit -> new Mark(
                    commit, change.origin().lsn(), change.origin().ordinal()));
            if (own.isEmpty() && mark.isPresent()) {
                throw new UnplaceableException(
                        "the change at offset " + offset + " does not say which commit came before it, so nobody can "
                                + "tell whether it was applied before",
                        "Capture started without its stored offset. Start a new backfill of the table.");
            }
            return own;
        }
    }
}
