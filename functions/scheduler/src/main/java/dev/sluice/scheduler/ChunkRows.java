package dev.sluice.scheduler;

import dev.sluice.domain.Event.ChunkCopied;
import dev.sluice.domain.TableState.ChunkPlan;
import dev.sluice.domain.TableState.OpenChunk;
import dev.sluice.domain.TableState.Speed;
import java.util.List;
import java.util.Optional;

/** How many rows the next chunks get. Pure. */
final class ChunkRows {

    /** As few as a person may set. */
    static final int MIN = 100;

    /** Under a limit of rows per second: what it lets through in this time, so that it is kept in small steps. */
    private static final int PACED_SECONDS = 5;

    /** Of what a chunk may have, as long as nobody knows how long its rows take. */
    private static final int FIRST_SHARE = 10;

    private ChunkRows() {}

    /**
     * All that a chunk may have; or, with a time that it should take, what the chunks before took that time for, at most
     * twice and at least half of what was planned last.
     */
    static int next(Limits limits, ChunkPlan plan) {
        int max = max(limits);
        return limits.chunkSeconds()
                .map(seconds -> (int) Math.clamp(wanted(plan.speed(), seconds * 1_000.0, max), MIN, max))
                .orElse(max);
    }

    private static int max(Limits limits) {
        return limits.rowsPerSecond()
                .map(rate -> (int) Math.min(limits.chunkRows(), Math.max(MIN, (long) rate * PACED_SECONDS)))
                .orElse(limits.chunkRows());
    }

    private static double wanted(Optional<Speed> speed, double millis, int max) {
        if (speed.isEmpty()) {
            return (double) max / FIRST_SHARE;
        }
        Speed known = speed.get();
        return known.millisBefore() == 0
                ? known.rows()
                : Math.clamp(known.rowsBefore() * millis / known.millisBefore(), known.rows() / 2.0, known.rows() * 2.0);
    }

    /** What the planning after this one goes by: the chunks that came back meanwhile, or those before if none did. */
    static Speed planned(Optional<Speed> speed, int rows) {
        return speed.map(known -> known.millisSince() == 0
                        ? new Speed(rows, known.rowsBefore(), known.millisBefore(), 0, 0)
                        : new Speed(rows, known.rowsSince(), known.millisSince(), 0, 0))
                .orElseGet(() -> new Speed(rows, 0, 0, 0, 0));
    }

    /** A chunk that was found copied tells nothing, nor does one of which nobody noted what it was planned for. */
    static Speed copied(Speed speed, List<OpenChunk> open, ChunkCopied copied) {
        Optional<Integer> rows = open.stream()
                .filter(chunk -> chunk.chunk() == copied.chunk())
                .findFirst()
                .flatMap(OpenChunk::rows);
        return rows.isEmpty() || copied.bytes() == 0
                ? speed
                : new Speed(
                        speed.rows(),
                        speed.rowsBefore(),
                        speed.millisBefore(),
                        speed.rowsSince() + rows.get(),
                        speed.millisSince() + Math.max(1, copied.millis()));
    }
}
