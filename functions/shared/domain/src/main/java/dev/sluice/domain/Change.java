package dev.sluice.domain;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One change of a table as it was captured, values in PostgreSQL's text.
 */
public sealed interface Change {

    Origin origin();

    /** The keys that it names; none for one of all rows. */
    default List<Key> keys() {
        return switch (this) {
            case Upsert upsert -> upsert.movedFrom().map(from -> List.of(upsert.key(), from))
                    .orElseGet(() -> List.of(upsert.key()));
            case Delete delete -> delete.movedTo().map(to -> List.of(delete.key(), to))
                    .orElseGet(() -> List.of(delete.key()));
            case KeyChange change -> List.of(change.from(), change.key());
            case Replaced replaced -> List.of();
            case Truncate truncate -> List.of();
        };
    }

    /**
     * Where in the source's WAL a change stands.
     *
     * @param commitBefore the end LSN of the commit before this transaction: constant within one, strictly rising
     *     between transactions, the same when the change is sent again ({@code sequence[0]}); empty when Debezium
     *     did not know it
     * @param lsn the change's own record
     * @param transaction the top-level transaction id, 32 bits unsigned
     * @param ordinal which of the changes of that record, for a table without a key; else 0
     */
    record Origin(Optional<Lsn> commitBefore, Lsn lsn, long transaction, int ordinal) {

        public Origin(Optional<Lsn> commitBefore, Lsn lsn, long transaction) {
            this(commitBefore, lsn, transaction, 0);
        }
    }

    /** A row that now is there, inserted or updated. */
    record Upsert(Origin origin, Key key, Map<String, Cell> row, Optional<Key> movedFrom) implements Change {}

    /**
     * A row that is gone.
     *
     * @param movedTo the key that the same row has from now on: an {@link Upsert} with {@code movedFrom} follows
     */
    record Delete(Origin origin, Key key, Optional<Key> movedTo) implements Change {}

    /**
     * A row that has another key from now on, in one change.
     *
     * @param from the key that it had
     */
    record KeyChange(Origin origin, Key from, Key key, Map<String, Cell> row) implements Change {}

    /**
     * A change of a table without a key: one row less of these values, and one more of those.
     *
     * @param before empty for an insert
     * @param after empty for a delete
     */
    record Replaced(Origin origin, Optional<Map<String, Cell>> before, Optional<Map<String, Cell>> after)
            implements Change {}

    /** All rows are gone. */
    record Truncate(Origin origin) implements Change {}

    /** The value of one column. */
    sealed interface Cell {

        /** PostgreSQL's own text. */
        record Text(String text) implements Cell {}

        record Null() implements Cell {}

        /** A large value that the update left as it was, and that the WAL therefore does not carry (R13). */
        record Unchanged() implements Cell {}

        Cell NULL = new Null();
        Cell UNCHANGED = new Unchanged();
    }
}
