package dev.sluice.domain;

/**
 * How far into the source's WAL the changes of a table have been passed (R4). The ledger keeps it with the position.
 *
 * @param commitBefore the transaction, by the end LSN of the commit before it
 * @param lsn the change within the transaction
 */
public record Mark(Lsn commitBefore, Lsn lsn) implements Comparable<Mark> {

    @Override
    public int compareTo(Mark other) {
        int byTransaction = commitBefore.compareTo(other.commitBefore);
        return byTransaction != 0 ? byTransaction : lsn.compareTo(other.lsn);
    }

    /**
     * Whether a change at {@code other} was passed before and must not be applied again. An equal mark is not: several
     * rows share one WAL record, and applying one of them twice does no harm.
     */
    public boolean isPast(Mark other) {
        return compareTo(other) > 0;
    }
}
