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

    /** @param rows that were copied; empty: it failed, and counts as what it was taken for */
    void answered(int slot, Optional<Long> rows) {
        Long taken = reserved.remove(slot);
        if (taken != null && rows.isPresent() && rowsPerSecond.isPresent()) {
            notBefore = notBefore.plus(time(rows.get() - taken, rowsPerSecond.get()));
        }
    }

    /** Empty without a limit. */
    Optional<Pace> pace() {
        boolean isIdle = reserved.isEmpty() && notBefore.equals(Instant.MIN);
        return rowsPerSecond.isEmpty() || isIdle ? Optional.empty() : Optional.of(new Pace(notBefore, reserved));
    }

    private static Duration time(long rows, int rate) {
        return Duration.ofSeconds(rows / rate, (long) (rows % rate * NANOS_PER_SECOND / rate));
    }
}
