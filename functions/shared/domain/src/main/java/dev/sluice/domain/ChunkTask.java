package dev.sluice.domain;

import java.util.Optional;

/**
 * One key range of a table to copy.
 *
 * @param run the backfill
 * @param chunk from 0 on, in the order of the key
 * @param attempt from 1 on
 * @param fingerprint the definition that the table must still have (R7)
 * @param primary the source must have replayed this before the range is read
 * @param emptyAsOf for the range above the highest key: the snapshot that saw no row in it. There is nothing to read,
 *     only to delete (R8)
 * @param settings those of the pipeline that the chunk goes by: {@link Setting#READ_REPLICA} and
 *     {@link Setting#MISSING_ROWS}
 */
public record ChunkTask(
        TableName table,
        long run,
        int chunk,
        int attempt,
        KeyRange range,
        String fingerprint,
        Lsn primary,
        Optional<PgSnapshot> emptyAsOf,
        Settings settings) {

    /** By the settings that hold where nobody changed any. */
    public ChunkTask(
            TableName table,
            long run,
            int chunk,
            int attempt,
            KeyRange range,
            String fingerprint,
            Lsn primary,
            Optional<PgSnapshot> emptyAsOf) {
        this(table, run, chunk, attempt, range, fingerprint, primary, emptyAsOf, Settings.NONE);
    }
}
