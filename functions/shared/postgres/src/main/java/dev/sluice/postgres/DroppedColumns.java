package dev.sluice.postgres;

/** What becomes at the destination of a column that is dropped at the source. */
public enum DroppedColumns {
    /** It stays, with the values that it had; NULL may come into it. */
    KEEP,
    /** It goes, too. */
    DROP
}
