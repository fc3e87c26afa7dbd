package dev.sluice.domain;

/**
 * How far into the source's WAL the changes of a table have been passed (R4). The ledger keeps it with the position.
 *
 * @param commitBefore the transaction, by the end LSN of the commit before it
 * @param lsn the change within the transaction
 * @param ordinal which of the changes of one WAL record, from 0 on; kept where a change must be passed exactly once,
 *     because rows have no key, and 0 elsewhere
 */
public record Mark(Lsn commitBefore, Lsn lsn, int ordinal) implements Comparable<Mark> {

    public Mark(Lsn commitBefore, Lsn lsn) {
        this(commitBefore, lsn, 0);
    }

    @Override
    public int compareTo(Mark other) {
        int byTransaction = commitBefore.compareTo(other.commitBefore);
        int byRecord = byTransaction != 0 ? byTransaction : lsn.compareTo(other.lsn);
        return byRecord != 0 ? byRecord : Integer.compare(ordinal, other.ordinal);
    }

    /**
     * Whether a change at {@code other} was passed before and must not be applied again. An equal mark is not: several
     * rows share one WAL record, and applying one of them twice does no harm.
     */
    public boolean isPast(Mark other) {
        return compareTo(other) > 0;
    }
}
