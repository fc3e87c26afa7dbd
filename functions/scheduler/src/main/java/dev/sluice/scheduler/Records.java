package dev.sluice.scheduler;

import dev.sluice.domain.Asked;
import dev.sluice.domain.Attempt;
import dev.sluice.domain.CaptureIdentity;
import dev.sluice.domain.Fault;
import dev.sluice.domain.KeyBounds;
import dev.sluice.domain.PastRun;
import dev.sluice.domain.Pause;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableRecord.Progress;
import dev.sluice.domain.TableState;
import dev.sluice.domain.Verification;
import java.time.Instant;
import java.util.List;
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
        var draft = new Draft(table);
        draft.state = state;
        draft.stateSince = same ? table.stateSince() : now;
        draft.attempts = Math.max(table.attempts(), attempt(state));
        return draft.record();
    }

    /** Another place in the queue; it has waited as long as before. */
    static TableRecord inQueue(TableRecord table, TableState.Queued queued) {
        var draft = new Draft(table);
        draft.state = queued;
        return draft.record();
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
        var draft = new Draft(table);
        draft.captured = identity;
        return draft.record();
    }

    /** Nothing that its queue may have missed counts as streamed. */
    static TableRecord withoutCapture(TableRecord table) {
        return streamed(captured(table, Optional.empty()), Optional.empty());
    }

    static TableRecord streamed(TableRecord table, Optional<Long> run) {
        var draft = new Draft(table);
        draft.streamedRun = run;
        return draft.record();
    }

    static TableRecord progress(TableRecord table, Progress progress) {
        var draft = new Draft(table);
        draft.progress = progress;
        return draft.record();
    }

    static TableRecord queue(TableRecord table, TableRecord.Queue queue) {
        var draft = new Draft(table);
        draft.queue = Optional.of(queue);
        return draft.record();
    }

    /** The run that waits for its turn begins with these; empty: with those of the run before. */
    static TableRecord asked(TableRecord table, Optional<TableOptions> options) {
        var draft = new Draft(table);
        draft.optionsAsked = options.filter(asked -> !asked.equals(table.options()));
        return draft.record();
    }

    /** The run that waits for its turn copies only these keys; empty: all. */
    static TableRecord partAsked(TableRecord table, Optional<KeyBounds> keys) {
        var draft = new Draft(table);
        draft.partAsked = keys;
        return draft.record();
    }

    /** The run copies all keys, whatever was asked: a part is of use only to a table that has the rest. */
    static TableRecord whole(TableRecord table) {
        var draft = new Draft(table);
        draft.part = Optional.empty();
        return draft.record();
    }

    /**
     * The run has its turn. With other options than before, nothing of the table counts as complete any more: were it
     * cancelled then, some rows would be by the old options and some by the new.
     */
    static TableRecord begun(TableRecord table) {
        var draft = new Draft(table);
        draft.part = table.partAsked();
        draft.partAsked = Optional.empty();
        table.optionsAsked().ifPresent(asked -> {
            draft.streamedRun = Optional.empty();
            draft.options = asked;
            draft.optionsAsked = Optional.empty();
        });
        return draft.record();
    }

    static TableRecord paused(TableRecord table, Optional<Pause> pause) {
        var draft = new Draft(table);
        draft.pause = pause;
        return draft.record();
    }

    /** Without a pause where nothing goes on, and without waiting for a place where it takes none. */
    static TableRecord settled(TableRecord table) {
        boolean keeps = switch (table.state()) {
            case TableState.Active active -> true;
            case TableState.Queued queued -> table.pause().flatMap(Pause::resumed).isEmpty();
            case TableState.Streaming streaming -> table.pause().flatMap(Pause::resumed).isEmpty();
            case TableState.Cancelled cancelled -> false;
            case TableState.Failed failed -> false;
            case TableState.Leaving leaving -> false;
        };
        return keeps ? table : paused(table, Optional.empty());
    }

    /** What was asked for last, and by whom. */
    static TableRecord asked(TableRecord table, Asked asked) {
        var draft = new Draft(table);
        draft.asked = Optional.of(asked);
        return draft.record();
    }

    static TableRecord runs(TableRecord table, List<PastRun> runs) {
        var draft = new Draft(table);
        draft.runs = runs;
        return draft.record();
    }

    static TableRecord verification(TableRecord table, Verification verification) {
        var draft = new Draft(table);
        draft.verification = Optional.of(verification);
        return draft.record();
    }

    /** A record while it is changed: the one place that lists its fields. */
    private static final class Draft {
        private final TableName table;
        private TableState state;
        private Instant stateSince;
        private int attempts;
        private Optional<CaptureIdentity> captured;
        private Optional<Long> streamedRun;
        private Progress progress;
        private Optional<TableRecord.Queue> queue;
        private TableOptions options;
        private Optional<TableOptions> optionsAsked;
        private Optional<Pause> pause;
        private Optional<Asked> asked;
        private List<PastRun> runs;
        private Optional<Verification> verification;
        private Optional<KeyBounds> part;
        private Optional<KeyBounds> partAsked;

        Draft(TableRecord from) {
            table = from.table();
            state = from.state();
            stateSince = from.stateSince();
            attempts = from.attempts();
            captured = from.captured();
            streamedRun = from.streamedRun();
            progress = from.progress();
            queue = from.queue();
            options = from.options();
            optionsAsked = from.optionsAsked();
            pause = from.pause();
            asked = from.asked();
            runs = from.runs();
            verification = from.verification();
            part = from.part();
            partAsked = from.partAsked();
        }

        TableRecord record() {
            return new TableRecord(
                    table, state, stateSince, attempts, captured, streamedRun, progress, queue, options, optionsAsked,
                    pause, asked, runs, verification, part, partAsked);
        }
    }
}
