package dev.sluice.scheduler;

import dev.sluice.domain.Attempt;
import dev.sluice.domain.CaptureIdentity;
import dev.sluice.domain.Fault;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableRecord.Progress;
import dev.sluice.domain.TableState;
import java.time.Instant;
import java.util.Optional;

/** Copies of a table's record with one thing changed. */
final class Records {

    private Records() {}

    static TableRecord fresh(TableName table, TableState state, TableOptions options, Instant now) {
        return new TableRecord(
                table, state, now, 0, Optional.empty(), Optional.empty(), Progress.none(), Optional.empty(), options,
                Optional.empty());
    }

    /** Another state; the time counts from now if it is a state of another kind or run. */
    static TableRecord to(TableRecord table, TableState state, Instant now) {
        boolean same = table.state().getClass() == state.getClass() && table.state().run() == state.run();
        return new TableRecord(
                table.table(),
                state,
                same ? table.stateSince() : now,
                Math.max(table.attempts(), attempt(state)),
                table.captured(),
                table.streamedRun(),
                table.progress(),
                table.queue(),
                table.options(),
                table.optionsAsked());
    }

    private static int attempt(TableState state) {
        return switch (state) {
            case TableState.Preparing preparing -> preparing.attempt().number();
            case TableState.Completing completing -> completing.attempt().number();
            case TableState.Leaving leaving -> leaving.attempt().number();
            case TableState.Streaming streaming -> switch (streaming.constraints()) {
                case TableState.Constraints.Pending pending -> pending.attempt().number();
                case TableState.Constraints.Built built -> 0;
                case TableState.Constraints.Missing missing -> 0;
            };
            // Planning and chunks count for themselves: a run is backfilled once.
            case TableState.Backfilling backfilling -> 0;
            case TableState.Queued queued -> 0;
            case TableState.Draining draining -> 0;
            case TableState.Cancelled cancelled -> 0;
            case TableState.Failed failed -> 0;
        };
    }

    /** The first try of what the table needs next. */
    static Attempt nextAttempt(TableRecord table) {
        return Attempt.numbered(table.attempts() + 1);
    }

    /** Failed so that only a new backfill helps. */
    static TableRecord failed(TableRecord table, TableState.Phase phase, Fault fault, Instant now) {
        return failed(table, phase, fault, new TableState.Remedy.CopyAnew(), now);
    }

    static TableRecord failed(
            TableRecord table, TableState.Phase phase, Fault fault, TableState.Remedy remedy, Instant now) {
        return to(table, new TableState.Failed(table.state().run(), phase, fault, remedy), now);
    }

    static TableRecord captured(TableRecord table, Optional<CaptureIdentity> identity) {
        return new TableRecord(
                table.table(),
                table.state(),
                table.stateSince(),
                table.attempts(),
                identity,
                table.streamedRun(),
                table.progress(),
                table.queue(),
                table.options(),
                table.optionsAsked());
    }

    /** Nothing that its queue may have missed counts as streamed. */
    static TableRecord withoutCapture(TableRecord table) {
        return streamed(captured(table, Optional.empty()), Optional.empty());
    }

    static TableRecord streamed(TableRecord table, Optional<Long> run) {
        return new TableRecord(
                table.table(),
                table.state(),
                table.stateSince(),
                table.attempts(),
                table.captured(),
                run,
                table.progress(),
                table.queue(),
                table.options(),
                table.optionsAsked());
    }

    static TableRecord progress(TableRecord table, Progress progress) {
        return new TableRecord(
                table.table(),
                table.state(),
                table.stateSince(),
                table.attempts(),
                table.captured(),
                table.streamedRun(),
                progress,
                table.queue(),
                table.options(),
                table.optionsAsked());
    }

    static TableRecord queue(TableRecord table, TableRecord.Queue queue) {
        return new TableRecord(
                table.table(),
                table.state(),
                table.stateSince(),
                table.attempts(),
                table.captured(),
                table.streamedRun(),
                table.progress(),
                Optional.of(queue),
                table.options(),
                table.optionsAsked());
    }

    /** The run that waits for its turn begins with these; empty: with those of the run before. */
    static TableRecord asked(TableRecord table, Optional<TableOptions> options) {
        return new TableRecord(
                table.table(),
                table.state(),
                table.stateSince(),
                table.attempts(),
                table.captured(),
                table.streamedRun(),
                table.progress(),
                table.queue(),
                table.options(),
                options.filter(asked -> !asked.equals(table.options())));
    }

    /**
     * The run has its turn. With other options than before, nothing of the table counts as complete any more: were it
     * cancelled then, some rows would be by the old options and some by the new.
     */
    static TableRecord begun(TableRecord table) {
        return table.optionsAsked()
                .map(asked -> new TableRecord(
                        table.table(),
                        table.state(),
                        table.stateSince(),
                        table.attempts(),
                        table.captured(),
                        Optional.empty(),
                        table.progress(),
                        table.queue(),
                        asked,
                        Optional.empty()))
                .orElse(table);
    }
}
