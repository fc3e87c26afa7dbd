package dev.sluice.domain;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One run of a table as its history tells it.
 *
 * @param began when it had its turn
 * @param ended when the table streamed again, stopped, or another run took over; empty: not yet
 * @param reason why it failed
 * @param by who asked for it, as far as that is known
 */
public record PastRun(
        long run,
        Instant began,
        Optional<Instant> ended,
        Outcome outcome,
        long rows,
        long bytes,
        int chunks,
        Optional<String> reason,
        Optional<String> by) {

    /** A table remembers no more of them. */
    public static final int RUNS_MAX = 10;

    private static final int REASON_LENGTH_MAX = 300;

    public PastRun {
        reason = reason.map(it -> it.length() <= REASON_LENGTH_MAX ? it : it.substring(0, REASON_LENGTH_MAX) + "…");
    }

    public enum Outcome {
        /** Not known yet. */
        RUNNING,
        /** Every chunk was copied. */
        COPIED,
        CANCELLED,
        FAILED,
        /** Another run began before its copy was complete. */
        SUPERSEDED
    }

    /**
     * The history of a table after it has changed, newest first.
     *
     * @param runs as it was before the change
     * @param table as it is after the change
     */
    public static List<PastRun> after(List<PastRun> runs, TableRecord table, Instant now) {
        TableState state = table.state();
        if (runs.isEmpty() || runs.getFirst().run() != state.run()) {
            return state instanceof TableState.Preparing preparing
                    ? begun(runs, preparing.run(), table.asked().flatMap(Asked::by), now)
                    : overtaken(runs, state, now);
        }
        List<PastRun> after = new ArrayList<>(runs);
        after.set(0, runs.getFirst().in(state, table.progress(), now));
        return after;
    }

    private static List<PastRun> begun(List<PastRun> runs, long run, Optional<String> by, Instant now) {
        List<PastRun> after = new ArrayList<>();
        after.add(new PastRun(run, now, Optional.empty(), Outcome.RUNNING, 0, 0, 0, Optional.empty(), by));
        runs.stream().limit(RUNS_MAX - 1).map(earlier -> earlier.overtaken(now)).forEach(after::add);
        return after;
    }

    /** A newer run waits for its turn already. */
    private static List<PastRun> overtaken(List<PastRun> runs, TableState state, Instant now) {
        return runs.stream()
                .map(earlier -> earlier.run() < state.run() ? earlier.overtaken(now) : earlier)
                .toList();
    }

    private PastRun overtaken(Instant now) {
        return ended.isPresent() ? this : ended(outcome == Outcome.RUNNING ? Outcome.SUPERSEDED : outcome, reason, now);
    }

    private PastRun in(TableState state, TableRecord.Progress progress, Instant now) {
        return switch (state) {
            case TableState.Preparing preparing -> this;
            case TableState.Backfilling backfilling -> counting(progress);
            case TableState.Completing completing -> switch (completing.outcome()) {
                case COPIED -> counting(progress).going(Outcome.COPIED);
                case CUT_SHORT, ABANDONED, DISCARDED -> outcome == Outcome.RUNNING ? going(Outcome.CANCELLED) : this;
                case RESUMED -> going(Outcome.COPIED);
            };
            case TableState.Draining draining -> this;
            case TableState.Failed failed -> ended.isPresent()
                    ? this
                    : ended(Outcome.FAILED, Optional.of(failed.fault().reason()), now);
            case TableState.Queued queued -> this;
            case TableState.Streaming streaming -> stopped(now);
            case TableState.Cancelled cancelled -> stopped(now);
            case TableState.Leaving leaving -> stopped(now);
        };
    }

    private PastRun stopped(Instant now) {
        return ended.isPresent() ? this : ended(outcome == Outcome.RUNNING ? Outcome.CANCELLED : outcome, reason, now);
    }

    private PastRun counting(TableRecord.Progress progress) {
        return new PastRun(
                run, began, ended, outcome, progress.rowsCopied(), progress.bytesCopied(), progress.chunksCopied(), reason,
                by);
    }

    private PastRun going(Outcome to) {
        return new PastRun(run, began, Optional.empty(), to, rows, bytes, chunks, Optional.empty(), by);
    }

    private PastRun ended(Outcome with, Optional<String> why, Instant now) {
        return new PastRun(run, began, Optional.of(now), with, rows, bytes, chunks, why, by);
    }
}
