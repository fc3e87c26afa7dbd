package dev.sluice.scheduler;

import dev.sluice.domain.Command;
import dev.sluice.domain.KeyBounds;
import dev.sluice.domain.Pause;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.Active;
import dev.sluice.domain.TableState.Backfilling;
import dev.sluice.domain.TableState.Cancelled;
import dev.sluice.domain.TableState.Completing;
import dev.sluice.domain.TableState.Constraints;
import dev.sluice.domain.TableState.Draining;
import dev.sluice.domain.TableState.Failed;
import dev.sluice.domain.TableState.Leaving;
import dev.sluice.domain.TableState.Outcome;
import dev.sluice.domain.TableState.Preparing;
import dev.sluice.domain.TableState.Queued;
import dev.sluice.domain.TableState.Remedy;
import dev.sluice.domain.TableState.Streaming;
import java.time.Instant;
import java.util.Optional;

/** What a command means for a table, by the state it is in. Pure: the same input gives the same turn. */
final class OnCommand {

    private OnCommand() {}

    /**
     * @param by who asks, as far as that is known
     * @param offset of the command: the id of the run that it starts, and its place in the queue
     * @param front a place before all that wait for their turn
     */
    static Turn decide(
            TableRecord table, Command.OfTable command, Optional<String> by, long offset, long front, Instant now) {
        return switch (command) {
            case Command.Backfill backfill when isOnlyToGoOn(table, backfill) -> goingOn(Turn.becomes(table));
            case Command.Backfill backfill when backfill.keys().isPresent() && !(table.state() instanceof Streaming) ->
                Turn.rejected("it does not stream, so that the rows outside the keys would not be right; send backfill "
                        + "without keys");
            case Command.Backfill backfill ->
                goingOn(asking(
                        backfill(table, backfill.options(), offset, now),
                        backfill.options().isEmpty() && awaitsCopy(table) ? table.optionsAsked() : backfill.options(),
                        backfill.keys()));
            case Command.Cancel cancel ->
                goingOn(asking(cancel(table, cancel.dropQueue(), offset, now), Optional.empty(), Optional.empty()));
            case Command.Retry retry -> goingOn(retry(table, offset, now));
            case Command.Remove remove -> goingOn(remove(table, now));
            case Command.Verify verify -> OnVerification.asked(table, by, offset, now);
            case Command.CancelVerification cancel -> OnVerification.cancelled(table, now);
            case Command.Pause pause -> pause(table, by, now);
            case Command.Resume resume -> resume(table, offset);
            case Command.ToFront toFront -> toFront(table, front);
        };
    }

    /** It waits for its turn already, and its pause is all that keeps it from that. */
    private static boolean isOnlyToGoOn(TableRecord table, Command.Backfill backfill) {
        return table.pause().isPresent()
                && backfill.options().isEmpty()
                && backfill.keys().isEmpty()
                && table.state() instanceof Queued queued
                && queued.close().isEmpty();
    }

    /** What is to become of a table now ends its pause. */
    private static Turn goingOn(Turn turn) {
        return turn instanceof Turn.Becomes becomes
                ? Turn.becomes(Records.paused(becomes.next(), Optional.empty()))
                : turn;
    }

    private static Turn pause(TableRecord table, Optional<String> by, Instant now) {
        if (table.pause().filter(rest -> rest.resumed().isEmpty()).isPresent()) {
            return Turn.rejected("it is paused already");
        }
        return switch (table.state()) {
            case Queued queued -> rest(table, by, now);
            case Preparing preparing -> rest(table, by, now);
            case Backfilling backfilling -> rest(table, by, now);
            case Completing completing -> rest(table, by, now);
            case Draining draining -> rest(table, by, now);
            case Streaming streaming -> rest(table, by, now);
            case Cancelled cancelled -> Turn.rejected("it is cancelled; there is nothing that goes on");
            case Failed failed -> Turn.rejected("it has failed; there is nothing that goes on");
            case Leaving leaving -> Turn.rejected("it is being removed");
        };
    }

    private static Turn rest(TableRecord table, Optional<String> by, Instant now) {
        return Turn.becomes(Records.paused(table, Optional.of(new Pause(by, now))));
    }

    /** A table that would take a place among the tables at once waits for one, with what stands in the queue. */
    private static Turn resume(TableRecord table, long offset) {
        if (table.pause().isEmpty()) {
            return Turn.rejected("it is not paused");
        }
        Pause pause = table.pause().get();
        if (pause.resumed().isPresent()) {
            return Turn.rejected("it goes on already, as soon as fewer tables are being backfilled");
        }
        return Turn.becomes(Records.paused(
                table,
                table.state() instanceof Active
                        ? Optional.of(new Pause(pause.by(), pause.since(), Optional.of(offset)))
                        : Optional.empty()));
    }

    private static Turn toFront(TableRecord table, long place) {
        if (table.pause().isPresent()) {
            Pause pause = table.pause().get();
            return pause.resumed().isEmpty()
                    ? Turn.rejected("it is paused; send resume first")
                    : Turn.becomes(Records.paused(
                            table, Optional.of(new Pause(pause.by(), pause.since(), Optional.of(place)))));
        }
        return table.state() instanceof Queued queued
                ? Turn.becomes(Records.inQueue(
                        table, new Queued(queued.run(), place, 0, queued.close(), queued.streams())))
                : Turn.rejected("it does not wait for its turn");
    }

    /** What becomes of the table, with what is asked for its next run. A cancel takes back what was asked before. */
    private static Turn asking(Turn turn, Optional<TableOptions> options, Optional<KeyBounds> keys) {
        return turn instanceof Turn.Becomes becomes
                ? Turn.becomes(Records.partAsked(Records.asked(becomes.next(), options), keys))
                : turn;
    }

    private static boolean awaitsCopy(TableRecord table) {
        return table.state() instanceof Queued queued && queued.close().isEmpty();
    }

    private static Turn backfill(TableRecord table, Optional<TableOptions> options, long offset, Instant now) {
        return switch (table.state()) {
            case Queued queued when awaitsCopy(table) -> options.isPresent() || table.pause().isPresent()
                    ? Turn.becomes(table)
                    : Turn.rejected("it waits for its turn already");
            case Leaving leaving -> Turn.rejected("it is being removed; add it again afterwards");
            case Queued queued -> queue(table, offset, now);
            case Preparing preparing -> queue(table, offset, now);
            case Backfilling backfilling -> queue(table, offset, now);
            case Completing completing -> queue(table, offset, now);
            case Draining draining -> queue(table, offset, now);
            case Streaming streaming -> queue(table, offset, now);
            case Cancelled cancelled -> queue(table, offset, now);
            case Failed failed -> queue(table, offset, now);
        };
    }

    private static Turn cancel(TableRecord table, boolean dropQueue, long offset, Instant now) {
        return switch (table.state()) {
            case Queued queued when queued.streams() && table.streamedRun().isPresent() -> Turn.becomes(Records.to(
                    table,
                    new Streaming(table.streamedRun().get(), new Constraints.Pending(Records.nextAttempt(table))),
                    now));
            case Queued queued when queued.close().filter(close -> close.outcome().drains()).isPresent() ->
                Turn.rejected("its backfill is over already; it waits for its turn to drain");
            case Queued queued when queued.close().isPresent() -> Turn.rejected("it is being cancelled already");
            // An older run holds it, and only closing a run sets it going again. It keeps its place.
            case Queued queued when table.streamedRun().isPresent() -> Turn.becomes(Records.to(
                    table,
                    new Queued(
                            queued.run(),
                            queued.requested(),
                            queued.place(),
                            Optional.of(new Remedy.Close(Outcome.CUT_SHORT, 0)),
                            false),
                    now));
            case Queued queued -> Turn.becomes(stopped(table, dropQueue, now));
            case Preparing preparing -> Turn.becomes(cut(table, dropQueue, offset, now));
            case Backfilling backfilling -> Turn.becomes(cut(table, dropQueue, offset, now));
            case Failed failed when failed.remedy() instanceof Remedy.Leave leave ->
                leave.toBeRemoved()
                        ? Turn.rejected("its removal failed; send retry")
                        : Turn.becomes(Records.to(table, new Leaving(failed.run(), false, Records.nextAttempt(table)), now));
            case Failed failed when table.streamedRun().isPresent() ->
                Turn.becomes(close(table, failed.run(), new Remedy.Close(Outcome.CUT_SHORT, 0), offset, now));
            case Failed failed when failed.remedy() instanceof Remedy.Close close && close.outcome().drains() ->
                Turn.rejected("its backfill is complete; send retry to go on with its queue, or remove");
            case Failed failed -> Turn.becomes(stopped(table, dropQueue, now));
            case Cancelled cancelled when dropQueue && cancelled.queueing() ->
                Turn.becomes(stopped(table, true, now));
            case Cancelled cancelled -> Turn.rejected("it is cancelled already");
            case Completing completing when completing.outcome() == Outcome.ABANDONED && dropQueue ->
                Turn.becomes(cut(table, true, offset, now));
            case Completing completing -> switch (completing.outcome()) {
                case ABANDONED, DISCARDED, CUT_SHORT -> Turn.rejected("it is being cancelled already");
                case COPIED, RESUMED -> Turn.rejected("its backfill is complete; there is nothing left to cancel");
            };
            case Draining draining -> Turn.rejected("its backfill is complete; there is nothing left to cancel");
            case Streaming streaming -> Turn.rejected("it streams; there is no backfill to cancel");
            case Leaving leaving -> Turn.rejected("it is being removed");
        };
    }

    private static Turn retry(TableRecord table, long offset, Instant now) {
        return switch (table.state()) {
            case Failed failed -> switch (failed.remedy()) {
                // As far as that was to be copied: of a table that is whole no more, all of it.
                case Remedy.CopyAnew anew -> asking(queue(table, offset, now), table.optionsAsked(), table.part());
                case Remedy.Close close -> Turn.becomes(close(table, failed.run(), close, offset, now));
                case Remedy.Leave leave -> Turn.becomes(
                        Records.to(table, new Leaving(failed.run(), leave.toBeRemoved(), Records.nextAttempt(table)), now));
            };
            case Cancelled cancelled -> queue(table, offset, now);
            case Queued queued -> Turn.rejected("it has not failed: it waits for its turn");
            case Preparing preparing -> Turn.rejected("it has not failed: it is being prepared");
            case Backfilling backfilling -> Turn.rejected("it has not failed: it is being backfilled");
            case Completing completing -> Turn.rejected("it has not failed: its backfill is being completed");
            case Draining draining -> Turn.rejected("it has not failed: it drains");
            case Streaming streaming -> switch (streaming.constraints()) {
                case Constraints.Missing missing -> Turn.becomes(Records.to(
                        table, new Streaming(streaming.run(), new Constraints.Pending(Records.nextAttempt(table))), now));
                case Constraints.Pending pending -> Turn.rejected("it has not failed: it streams");
                case Constraints.Built built -> Turn.rejected("it has not failed: it streams");
            };
            case Leaving leaving -> Turn.rejected("it is being removed");
        };
    }

    private static Turn remove(TableRecord table, Instant now) {
        return switch (table.state()) {
            case Leaving leaving when leaving.toBeRemoved() -> Turn.rejected("it is being removed already");
            // Another attempt: the answer of the one under way speaks of leaving, not of being removed.
            case Leaving leaving ->
                Turn.becomes(Records.to(table, new Leaving(leaving.run(), true, leaving.attempt().next()), now));
            case Queued queued -> leave(table, now);
            case Preparing preparing -> leave(table, now);
            case Backfilling backfilling -> leave(table, now);
            case Completing completing -> leave(table, now);
            case Draining draining -> leave(table, now);
            case Streaming streaming -> leave(table, now);
            case Cancelled cancelled -> leave(table, now);
            case Failed failed -> leave(table, now);
        };
    }

    private static Turn leave(TableRecord table, Instant now) {
        return Turn.becomes(Records.to(table, new Leaving(table.state().run(), true, Records.nextAttempt(table)), now));
    }

    private static Turn queue(TableRecord table, long offset, Instant now) {
        boolean streams = table.state() instanceof Streaming
                || table.state() instanceof Queued queued && queued.streams();
        return Turn.becomes(Records.to(table, new Queued(offset, offset, 0, Optional.empty(), streams), now));
    }

    /** Closing a run takes a place among the tables at once, so it waits for its turn like a backfill. */
    private static TableRecord close(TableRecord table, long run, Remedy.Close close, long offset, Instant now) {
        return Records.to(table, new Queued(run, offset, 0, Optional.of(close), false), now);
    }

    /** A first backfill that goes no further. */
    private static TableRecord stopped(TableRecord table, boolean dropQueue, Instant now) {
        long run = table.state().run();
        return Records.to(
                table,
                dropQueue
                        ? new Leaving(run, false, Records.nextAttempt(table))
                        : new Cancelled(run, table.captured().isPresent()),
                now);
    }

    /** Its run is closed: in its place among the tables at once, or when it gets one again after a pause. */
    private static TableRecord cut(TableRecord table, boolean dropQueue, long offset, Instant now) {
        Outcome outcome = table.streamedRun().isPresent()
                ? Outcome.CUT_SHORT
                : dropQueue ? Outcome.DISCARDED : Outcome.ABANDONED;
        long run = table.state().run();
        return table.pause().isPresent()
                ? close(table, run, new Remedy.Close(outcome, 0), offset, now)
                : Records.to(table, new Completing(run, outcome, 0, Records.nextAttempt(table)), now);
    }
}
