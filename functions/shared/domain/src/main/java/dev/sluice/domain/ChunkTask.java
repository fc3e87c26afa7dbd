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
 */
public record ChunkTask(
        TableName table,
        long run,
        int chunk,
        int attempt,
        KeyRange range,
        String fingerprint,
        Lsn primary,
        Optional<PgSnapshot> emptyAsOf) {}
