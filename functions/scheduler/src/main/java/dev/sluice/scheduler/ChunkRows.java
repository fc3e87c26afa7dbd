package dev.sluice.scheduler;

/** How many rows the next chunks get. Pure. */
final class ChunkRows {

    /** As few as a person may set. */
    static final int MIN = 100;

    /** Under a limit of rows per second: what it lets through in this time, so that it is kept in small steps. */
    private static final int PACED_SECONDS = 5;

    private ChunkRows() {}

    static int next(Limits limits) {
        return limits.rowsPerSecond()
                .map(rate -> (int) Math.min(limits.chunkRows(), Math.max(MIN, (long) rate * PACED_SECONDS)))
                .orElse(limits.chunkRows());
    }
}
