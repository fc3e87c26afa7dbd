package dev.sluice.streaming;

import dev.sluice.domain.Change;
import dev.sluice.domain.Change.Cell;
import dev.sluice.domain.Change.Delete;
import dev.sluice.domain.Change.KeyChange;
import dev.sluice.domain.Change.Origin;
import dev.sluice.domain.Change.Replaced;
import dev.sluice.domain.Change.Truncate;
import dev.sluice.domain.Change.Upsert;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Key;
import dev.sluice.domain.Mark;
import dev.sluice.postgres.ChangeBatch.Clear;
import dev.sluice.postgres.ChangeBatch.Counts;
import dev.sluice.postgres.ChangeBatch.Move;
import dev.sluice.postgres.ChangeBatch.Remove;
import dev.sluice.postgres.ChangeBatch.Reread;
import dev.sluice.postgres.ChangeBatch.Step;
import dev.sluice.postgres.Ledger.Progress;
import dev.sluice.streaming.RetainedChunks.Sight;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

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
        while (consumed < queued.size() && !planning.isFull()) {
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
        planning.end();
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
        /** Rows that a batch reads anew: they may all be as large as a row can be, and a batch has ten minutes. */
        private static final int REREAD_ROWS_MAX = 100;

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
        /** Rows to read from the source, by the time of their last change, and the transactions which that stands for. */
        private final Map<Key, Long> reread;
        private final Set<Long> rereadTransactions = new HashSet<>();

        private Planning(Progress from, RetainedChunks chunks, boolean filtered) {
            this.chunks = chunks;
            this.reread = chunks.byKey();
            this.filtered = filtered;
            this.position = from.position();
            this.mark = from.mark();
        }

        private boolean isFull() {
            return reread.size() >= REREAD_ROWS_MAX;
        }

        /** @return how many changes were taken; 0 if more of the queue is needed first, or they are for the next batch */
        private int take(List<Queued> queued, int at) {
            Queued next = queued.get(at);
            if (next.change() instanceof Delete delete && delete.movedTo().isPresent()) {
                if (at + 1 == queued.size()) {
                    return 0;
                }
                Queued after = queued.get(at + 1);
                if (after.change() instanceof Upsert upsert && isPair(delete, upsert)) {
                    return keyChange(delete.key(), upsert, after, 2) ? 2 : 0;
                }
                // Capture was killed between the two and sends the whole transaction again: neither is passed yet.
                position = next.offset() + 1;
                return 1;
            }
            if (next.change() instanceof KeyChange change) {
                var upsert = new Upsert(change.origin(), change.key(), change.row(), Optional.of(change.from()));
                return keyChange(change.from(), upsert, next, 1) ? 1 : 0;
            }
            return position(next) ? 1 : 0;
        }

        private static boolean isPair(Delete delete, Upsert upsert) {
            return upsert.origin().equals(delete.origin())
                    && upsert.movedFrom().equals(Optional.of(delete.key()))
                    && delete.movedTo().equals(Optional.of(upsert.key()));
        }

        /** @return false if it is for the next batch */
        private boolean position(Queued next) {
            Change change = next.change();
            Optional<Mark> own = markOf(change, next.offset());
            // Counting a row twice does harm, so an equal mark is passed, too.
            boolean exactly = change instanceof Replaced;
            boolean before = mark.isPresent() && own.isPresent()
                    && (exactly ? mark.get().compareTo(own.get()) >= 0 : mark.get().isPast(own.get()));
            if (before) {
                position = next.offset() + 1;
                passed++;
                return true;
            }
            long transaction = change.origin().transaction();
            boolean moves = change instanceof Upsert upsert
                    && Collapse.leavesValues(upsert.row())
                    && (upsert.movedFrom().isPresent() || filtered)
                    && sight(upsert.key(), transaction) == Sight.ABSENT;
            if (!reread.isEmpty() && (moves || change instanceof Truncate)) {
                return false;
            }
            position = next.offset() + 1;
            mark = own.or(() -> mark);
            switch (change) {
                case Delete delete ->
                    remove(delete.key(), delete.origin(), sight(delete.key(), transaction), next.millis());
                case Upsert upsert when moves ->
                    move(
                            upsert,
                            upsert.movedFrom().isPresent() ? Optional.empty() : Optional.of(upsert.key()),
                            next.millis());
                case Upsert upsert -> write(upsert, sight(upsert.key(), transaction), next.millis());
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
            return true;
        }

        /**
         * One change of the source, in one record or two. No other shares its mark, so an equal mark is passed, too.
         *
         * @param last the record, or the second of the two
         * @return false if it is for the next batch
         */
        private boolean keyChange(Key from, Upsert upsert, Queued last, int records) {
            long lastOffset = last.offset();
            Optional<Mark> own = markOf(upsert, lastOffset);
            boolean before = mark.isPresent() && own.isPresent() && mark.get().compareTo(own.get()) >= 0;
            if (before) {
                position = lastOffset + 1;
                passed += records;
                return true;
            }
            long transaction = upsert.origin().transaction();
            Sight old = sight(from, transaction);
            Sight now = sight(upsert.key(), transaction);
            boolean needsOldRow = now == Sight.ABSENT && Collapse.leavesValues(upsert.row());
            boolean moves = needsOldRow && old != Sight.UNSURE;
            if (moves && !reread.isEmpty()) {
                return false;
            }
            position = lastOffset + 1;
            mark = own.or(() -> mark);
            if (moves) {
                contained += old == Sight.CONTAINED ? 1 : 0;
                move(upsert, upsert.movedFrom().filter(key -> old == Sight.ABSENT), last.millis());
                return true;
            }
            remove(from, upsert.origin(), old, last.millis());
            // The values that it leaves stand in a row of which nobody knows whether it has moved yet.
            write(upsert, needsOldRow ? Sight.UNSURE : now, last.millis());
            return true;
        }

        private void remove(Key key, Origin origin, Sight sight, long millis) {
            switch (sight) {
                case CONTAINED -> contained++;
                case UNSURE -> reread(key, origin, millis);
                case ABSENT -> rows.remove(key, millis);
            }
        }

        private void write(Upsert upsert, Sight sight, long millis) {
            switch (sight) {
                case CONTAINED -> contained++;
                case UNSURE -> reread(upsert.key(), upsert.origin(), millis);
                case ABSENT -> rows.write(upsert.key(), upsert.row(), millis);
            }
        }

        /** Rows of other columns, before and after the table was altered, may be the same row: they keep their order. */
        private void count(Map<String, Cell> row, int net) {
            if (!counts.isEmpty() && !counts.keySet().iterator().next().keySet().equals(row.keySet())) {
                endRows();
            }
            counts.merge(row, net, Integer::sum);
        }

        private void reread(Key key, Origin origin, long millis) {
            reread.put(key, millis);
            rereadTransactions.add(origin.transaction());
        }

        /** The reading of a row comes after the whole batch, and so stands for later changes of the batch, too. */
        private Sight sight(Key key, long transaction) {
            Sight sight = chunks.sight(key, transaction);
            return sight == Sight.ABSENT && reread.containsKey(key) ? Sight.UNSURE : sight;
        }

        /** @param from the key under which the row stands that is changed, and no newer one */
        private void move(Upsert upsert, Optional<Key> from, long millis) {
            endRows();
            steps.add(new Move(
                    from, upsert.key(), upsert.row(), upsert.origin().transaction(), new Progress(position, mark), millis));
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

        private void end() {
            endRows();
            if (!reread.isEmpty()) {
                List<Remove> rows = reread.entrySet().stream()
                        .map(row -> new Remove(row.getKey(), row.getValue()))
                        .toList();
                steps.add(new Reread(rows, rereadTransactions));
            }
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
