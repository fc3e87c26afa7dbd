package dev.sluice.domain;

import java.util.Map;
import java.util.Optional;

/**
 * One change of a table as it was captured, values in PostgreSQL's text.
 */
public sealed interface Change {

    Origin origin();

    /**
     * Where in the source's WAL a change stands.
     *
     * @param commitBefore the end LSN of the commit before this transaction: constant within one, strictly rising
     *     between transactions, the same when the change is sent again ({@code sequence[0]}); empty when Debezium
     *     did not know it
     * @param lsn the change's own record
     * @param transaction the top-level transaction id, 32 bits unsigned
     */
    record Origin(Optional<Lsn> commitBefore, Lsn lsn, long transaction) {}

    /** A row that now is there, inserted or updated. */
    record Upsert(Origin origin, Key key, Map<String, Cell> row, Optional<Key> movedFrom) implements Change {}

    /**
     * A row that is gone.
     *
     * @param movedTo the key that the same row has from now on: an {@link Upsert} with {@code movedFrom} follows
     */
    record Delete(Origin origin, Key key, Optional<Key> movedTo) implements Change {}

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
