package dev.sluice.streaming;

import dev.sluice.domain.Change.Cell;
import dev.sluice.domain.Key;
import dev.sluice.postgres.ChangeBatch.Remove;
import dev.sluice.postgres.ChangeBatch.RowChange;
import dev.sluice.postgres.ChangeBatch.Rows;
import dev.sluice.postgres.ChangeBatch.Write;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Brings the changes of a batch down to one a key: the last one wins, column by column (R13). */
final class Collapse {

    private final Map<Key, Outcome> outcomes = new LinkedHashMap<>();
    private final List<RowChange> inOrder = new ArrayList<>();

    /**
     * What a key comes to.
     *
     * @param deleted whether the row that the destination has goes first
     * @param row null if there is none
     */
    private record Outcome(boolean deleted, Map<String, Cell> row, long millis) {}

    boolean isEmpty() {
        return inOrder.isEmpty();
    }

    /** @param millis when the source committed it, since the epoch; 0 if that is not known */
    void remove(Key key, long millis) {
        inOrder.add(new Remove(key, millis));
        outcomes.put(key, new Outcome(true, null, millis));
    }

    void write(Key key, Map<String, Cell> row, long millis) {
        inOrder.add(new Write(key, row, millis));
        outcomes.merge(key, new Outcome(false, row, millis), (before, now) -> {
            if (before.row() != null) {
                return new Outcome(before.deleted(), merged(before.row(), now.row()), millis);
            }
            // An update with a placeholder never inserts, and after the delete there is nothing to update.
            return leavesValues(row) ? before : new Outcome(true, row, millis);
        });
    }

    Rows rows() {
        List<Key> deletes = new ArrayList<>();
        List<Write> writes = new ArrayList<>();
        outcomes.forEach((key, outcome) -> {
            if (outcome.deleted()) {
                deletes.add(key);
            }
            if (outcome.row() != null) {
                writes.add(new Write(key, outcome.row(), outcome.millis()));
            }
        });
        return new Rows(deletes, writes, inOrder);
    }

    /** Whether a row has a placeholder for a value that stays as it is. */
    static boolean leavesValues(Map<String, Cell> row) {
        return row.containsValue(Cell.UNCHANGED);
    }

    private static Map<String, Cell> merged(Map<String, Cell> before, Map<String, Cell> now) {
        if (!leavesValues(now) && now.keySet().containsAll(before.keySet())) {
            return now;
        }
        Map<String, Cell> merged = new LinkedHashMap<>(before);
        now.forEach((column, cell) -> {
            if (cell instanceof Cell.Unchanged) {
                merged.putIfAbsent(column, cell);
            } else {
                merged.put(column, cell);
            }
        });
        return merged;
    }
}
