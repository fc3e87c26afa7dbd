package dev.sluice.scheduler;

import dev.sluice.domain.Attempt;
import dev.sluice.domain.CaptureIdentity;
import dev.sluice.domain.Key;
import dev.sluice.domain.KeyBounds;
import dev.sluice.domain.Step;
import dev.sluice.domain.StepResult;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState.Backfilling;
import dev.sluice.domain.TableState.Leaving;
import dev.sluice.domain.TableState.Preparing;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What the world still lacks and the scheduler does itself. Two effects that are equal are the same one: it is started
 * once, however often the world is looked at, and again after a restart (R17).
 */
sealed interface Effect {

    /** Ask the source which tables a request names. */
    record MatchTables(long request, int attempt, List<String> tables) implements Effect {}

    /**
     * One step of a preparation.
     *
     * @param chunkRows rows of a chunk, for the inspection; no other step begins anew when that changes
     * @param part the only keys to copy, for the bounds; empty: all
     */
    record Prepare(
            TableName table,
            long run,
            Step step,
            int attempt,
            Optional<StepResult.Inspected> inspected,
            Optional<CaptureIdentity> captured,
            TableOptions options,
            Optional<Integer> chunkRows,
            Optional<KeyBounds> part,
            long epoch)
            implements Effect {}

    /**
     * Plan more chunks of a table.
     *
     * @param rows of each
     */
    record PlanChunks(
            TableName table,
            TableOptions options,
            long run,
            int attempt,
            String fingerprint,
            Optional<Key> after,
            Key highest,
            int chunks,
            int rows)
            implements Effect {}

    /** Take a table out of the ledger and the publication. */
    record Leave(
            TableName table, OptionalLong tableOid, long run, int attempt, boolean toBeRemoved, long epoch)
            implements Effect {}

    /**
     * The effects that are due now. Pure. Requests are asked about one at a time: their order is the queue's.
     *
     * @param configured what holds for settings that the world does not have
     */
    static List<Effect> due(World world, Limits configured, Instant now) {
        Limits limits = configured.under(world.pipeline().effective());
        List<Effect> due = new ArrayList<>();
        world.pipeline().requests().stream()
                .limit(1)
                .filter(request -> request.attempt().isDue(now))
                .forEach(request -> due.add(
                        new MatchTables(request.offset(), request.attempt().number(), request.tables())));
        boolean pipelineRests = world.pipeline().pause().isPresent();
        for (TableRecord table : world.tables().values()) {
            boolean rests = pipelineRests || table.pause().isPresent();
            switch (table.state()) {
                case Preparing preparing when !rests && preparing.attempt().isDue(now) ->
                    due.add(new Prepare(
                            table.table(),
                            preparing.run(),
                            preparing.step(),
                            preparing.attempt().number(),
                            preparing.inspected(),
                            table.captured(),
                            table.options(),
                            preparing.step() == Step.INSPECT
                                    ? Optional.of(limits.chunkRows())
                                    : Optional.empty(),
                            preparing.step() == Step.BOUNDS ? part(table, preparing) : Optional.empty(),
                            world.pipeline().epoch()));
                case Backfilling backfilling when !rests -> planning(table, backfilling, limits, now).ifPresent(due::add);
                case Leaving leaving when leaving.attempt().isDue(now) ->
                    due.add(new Leave(
                            table.table(),
                            table.captured().map(CaptureIdentity::tableOid).map(OptionalLong::of).orElse(OptionalLong.empty()),
                            leaving.run(),
                            leaving.attempt().number(),
                            leaving.toBeRemoved(),
                            world.pipeline().epoch()));
                default -> { }
            }
        }
        return due;
    }

    /** All of a table that the destination has not whole any more, or that is copied in one chunk. */
    private static Optional<KeyBounds> part(TableRecord table, Preparing preparing) {
        boolean wholeOnly = table.streamedRun().isEmpty()
                || preparing.inspected().flatMap(StepResult.Inspected::whole).isPresent();
        return wholeOnly ? Optional.empty() : table.part();
    }

    private static Optional<Effect> planning(
            TableRecord table, Backfilling backfilling, Limits limits, Instant now) {
        var plan = backfilling.plan();
        long waiting = plan.open().size() - plan.inFlight();
        // By halves: the effect stays equal to itself while chunks go out, and the window is never exceeded.
        int half = limits.chunksAhead() / 2;
        boolean low = waiting <= half;
        if (plan.complete() || !low || !plan.planning().isDue(now)) {
            return Optional.empty();
        }
        return backfilling.bounded().end().map(highest -> new PlanChunks(
                table.table(),
                table.options(),
                backfilling.run(),
                plan.planning().number(),
                backfilling.inspected().fingerprint(),
                plan.plannedUpTo(),
                highest,
                limits.chunksAhead() - half,
                ChunkRows.next(limits, plan)));
    }
}
