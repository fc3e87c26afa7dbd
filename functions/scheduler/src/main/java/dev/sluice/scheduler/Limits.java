package dev.sluice.scheduler;

import dev.sluice.domain.Settings;
import java.util.Optional;

/**
 * How much happens at once.
 *
 * @param tables past Queued and before Streaming, at most
 * @param slots worker slots: partitions of the chunk tasks topic
 * @param chunksPerTable chunks of one table in flight, at most
 * @param chunksAhead chunks of one table planned and not yet in flight, at most;
 *     the last chunk, above the highest key, comes on top
 * @param chunkRows rows of a chunk, at most
 * @param chunkSeconds how long a chunk should take; empty: it has all the rows that it may
 * @param rowsPerSecond of all backfills together; empty: no limit
 */
record Limits(
        int tables,
        int slots,
        int chunksPerTable,
        int chunksAhead,
        int chunkRows,
        Optional<Integer> chunkSeconds,
        Optional<Integer> rowsPerSecond) {

    private static final int CHUNK_ROWS = 50_000;

    Limits {
        require(tables, 1, 1_000, "sluice.scheduler.concurrency");
        require(slots, 1, 256, "sluice.chunk-worker.slots");
        require(chunksPerTable, 1, 256, "sluice.scheduler.chunks-per-table");
        require(chunksAhead, 1, 64, "sluice.scheduler.chunks-ahead");
        require(chunkRows, 100, 10_000_000, "sluice.scheduler.chunk-rows");
    }

    /** With chunks of the usual size, as fast as they go. */
    Limits(int tables, int slots, int chunksPerTable, int chunksAhead) {
        this(tables, slots, chunksPerTable, chunksAhead, CHUNK_ROWS, Optional.empty(), Optional.empty());
    }

    /** These, as far as the settings that hold do not say otherwise. */
    Limits under(Settings settings) {
        return new Limits(
                settings.tablesAtOnce().orElse(tables),
                slots,
                settings.chunksPerTable().orElse(chunksPerTable),
                chunksAhead,
                settings.chunkRows().orElse(chunkRows),
                settings.chunkSeconds().or(() -> chunkSeconds),
                settings.rowsPerSecond().or(() -> rowsPerSecond));
    }

    private static void require(int value, int min, int max, String setting) {
        if (value < min || value > max) {
            throw new IllegalArgumentException(setting + " is " + value + ": it must be from " + min + " to " + max);
        }
    }
}
