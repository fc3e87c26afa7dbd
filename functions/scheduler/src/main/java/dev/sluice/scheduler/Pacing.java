package dev.sluice.scheduler;

import dev.sluice.domain.PipelineRecord.Pace;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * When the next chunk may go out, so that all backfills together copy no more rows a second than they may, on average.
 * Pure: of a batch, like the fold that has it.
 *
 * <p>A chunk takes up the time that its rows are worth from the moment when it goes out; what it was taken for is put
 * right when it comes back. Nothing is saved up while no chunk goes out.
 */
final class Pacing {

    private static final double NANOS_PER_SECOND = 1e9;
    /** Ten times the largest chunk. Above it a number is an error of whoever counted, and must not stop all for good. */
    private static final long ROWS_MAX = 100_000_000;

    private Optional<Integer> rowsPerSecond;
    private Instant notBefore;
    private final Map<Integer, Long> reserved;

    Pacing(Optional<Pace> before, Optional<Integer> rowsPerSecond) {
        this.rowsPerSecond = rowsPerSecond;
        this.notBefore = before.map(Pace::notBefore).orElse(Instant.MIN);
        this.reserved = new TreeMap<>(before.map(Pace::reserved).orElse(Map.of()));
    }

    /** From now on by another limit: what is not paid for yet costs what it costs by the new one. */
    void change(Optional<Integer> rowsPerSecondNow, Instant now) {
        if (notBefore.isAfter(now) && rowsPerSecond.isPresent() && rowsPerSecondNow.isPresent()) {
            double nanos = Duration.between(now, notBefore).toMillis() * 1e6;
            notBefore = now.plusNanos((long) (nanos * rowsPerSecond.get() / rowsPerSecondNow.get()));
        }
        rowsPerSecond = rowsPerSecondNow;
    }

    boolean allows(Instant now) {
        return rowsPerSecond.isEmpty() || !now.isBefore(notBefore);
    }

    /** @param rows as many as the chunk is likely to have */
    void sent(int slot, long rows, Instant now) {
        rowsPerSecond.ifPresent(rate -> {
            notBefore = (notBefore.isAfter(now) ? notBefore : now).plus(time(rows, rate));
            reserved.put(slot, rows);
        });
    }

    /**
     * @param rows that were copied; 0 for a chunk that failed. What it read of the source nobody knows, and a table that
     *     fails at every try must not take the time of the others
     */
    void answered(int slot, long rows) {
        Long taken = reserved.remove(slot);
        if (taken != null) {
            rowsPerSecond.ifPresent(rate -> notBefore = notBefore.plus(time(rows - taken, rate)));
        }
    }

    /** Empty without a limit. */
    Optional<Pace> pace() {
        boolean isIdle = reserved.isEmpty() && notBefore.equals(Instant.MIN);
        return rowsPerSecond.isEmpty() || isIdle ? Optional.empty() : Optional.of(new Pace(notBefore, reserved));
    }

    private static Duration time(long counted, int rate) {
        long rows = Math.clamp(counted, -ROWS_MAX, ROWS_MAX);
        return Duration.ofSeconds(rows / rate, (long) (rows % rate * NANOS_PER_SECOND / rate));
    }
}
