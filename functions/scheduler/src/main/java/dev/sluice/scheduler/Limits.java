package dev.sluice.scheduler;

/**
 * How much happens at once.
 *
 * @param tables past Queued and before Streaming, at most
 * @param slots worker slots: partitions of the chunk tasks topic
 * @param chunksPerTable chunks of one table in flight, at most
 * @param chunksAhead chunks of one table planned and not yet in flight, at most;
 *     the last chunk, above the highest key, comes on top
 */
record Limits(int tables, int slots, int chunksPerTable, int chunksAhead) {

    Limits {
        require(tables, 1, 1_000, "sluice.scheduler.concurrency");
        require(slots, 1, 256, "sluice.chunk-worker.slots");
        require(chunksPerTable, 1, 256, "sluice.scheduler.chunks-per-table");
        require(chunksAhead, 1, 64, "sluice.scheduler.chunks-ahead");
    }

    private static void require(int value, int min, int max, String setting) {
        if (value < min || value > max) {
            throw new IllegalArgumentException(setting + " is " + value + ": it must be from " + min + " to " + max);
        }
    }
}
