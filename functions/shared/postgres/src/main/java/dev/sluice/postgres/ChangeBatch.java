package dev.sluice.postgres;

import dev.sluice.domain.Change.Cell;
import dev.sluice.domain.Key;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.TableName;
import dev.sluice.postgres.Ledger.Applying;
import dev.sluice.postgres.Ledger.Progress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What one transaction at the destination does: which changes to apply is decided already.
 *
 * @param table as the source names it
 * @param run the run that the ledger must still have
 * @param applying the state that the ledger must still be in
 * @param from the offset that the ledger must still be at
 * @param to how far the ledger is afterwards
 * @param steps in this order; none if every change was skipped
 */
public record ChangeBatch(
        TableName table, long run, Applying applying, long from, Progress to, List<Step> steps) {

    public ChangeBatch {
        steps = List.copyOf(steps);
    }

    public sealed interface Step {}

    /**
     * Changes of single rows, as a set.
     *
     * @param deletes keys whose rows go first
     * @param writes at most one a key, after the deletes
     * @param inOrder the same, one change after the other as the source made them: a valid history is valid in its
     *     order, where a set may violate a unique constraint for a moment
     */
    public record Rows(List<Key> deletes, List<Write> writes, List<RowChange> inOrder) implements Step {
        public Rows {
            deletes = List.copyOf(deletes);
            writes = List.copyOf(writes);
            inOrder = List.copyOf(inOrder);
        }
    }

    /**
     * A row gets another key and keeps values that the change does not carry (R13). Where the row is not at the
     * destination any more, it is read from the source.
     *
     * <p>It is also how a row of a table with a condition is updated by a change that does not carry all of it: the row
     * may begin to fulfil the condition, and then is to be had whole. Old and new key are the same then.
     *
     * @param from where the row stands; empty if it cannot be there, because a chunk saw the key change
     * @param transaction of the change, 32 bits: a reading that does not see it does not have the row yet
     * @param reached how far the ledger is if the batch ends with this step: after a read from the source, what
     *     follows has to be decided anew
     * @param millis when the source committed it, since the epoch; 0 if that is not known
     */
    public record Move(
            Optional<Key> from, Key to, Map<String, Cell> row, long transaction, Progress reached, long millis)
            implements Step {

        public Move(Optional<Key> from, Key to, Map<String, Cell> row, long transaction, Progress reached) {
            this(from, to, row, transaction, reached, 0);
        }

        boolean staysInPlace() {
            return from.equals(Optional.of(to));
        }
    }

    /**
     * Rows are read from the source and become what they are there, because nobody can tell whether their chunk has a
     * change (R11). Nothing that moves rows or clears ranges follows in the batch.
     *
     * @param rows which, at most one a key; that is what becomes of one that the source does not have
     * @param transactions of all changes that the reading stands for, 32 bits each: it must see them
     */
    public record Reread(List<Remove> rows, Set<Long> transactions) implements Step {
        public Reread {
            rows = List.copyOf(rows);
            transactions = Set.copyOf(transactions);
        }
    }

    /**
     * A table without a key gets more or fewer rows of some values.
     *
     * @param counts at most one for the same values
     */
    public record Counts(List<Count> counts) implements Step {
        public Counts {
            counts = List.copyOf(counts);
        }

        /**
         * @param row by the source's column names, no value unchanged
         * @param net how many rows more, or below 0 fewer; never 0
         */
        public record Count(Map<String, Cell> row, int net) {}
    }

    /**
     * Rows go that a TRUNCATE took (R12).
     *
     * @param ranges where; {@link KeyRange#ALL} alone for all
     * @param except keys that stay
     * @param millis when the source committed it, since the epoch; 0 if that is not known
     */
    public record Clear(List<KeyRange> ranges, List<Key> except, long millis) implements Step {
        public Clear(List<KeyRange> ranges, List<Key> except) {
            this(ranges, except, 0);
        }

        public Clear {
            ranges = List.copyOf(ranges);
            except = List.copyOf(except);
        }

        boolean isEverything() {
            return except.isEmpty() && ranges.equals(List.of(KeyRange.ALL));
        }
    }

    public sealed interface RowChange {
        Key key();

        /** When the source committed it, since the epoch; 0 if that is not known. */
        long millis();
    }

    public record Remove(Key key, long millis) implements RowChange {
        public Remove(Key key) {
            this(key, 0);
        }
    }

    /**
     * A row as it is now. With a cell that is {@link Cell.Unchanged} it is an update only and never inserts (R13).
     *
     * @param row by the source's column names
     */
    public record Write(Key key, Map<String, Cell> row, long millis) implements RowChange {
        public Write(Key key, Map<String, Cell> row) {
            this(key, row, 0);
        }
    }
}
