package dev.sluice.console.act;

import dev.sluice.domain.Command;
import dev.sluice.domain.JoinPatterns;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TablePattern;
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
import dev.sluice.domain.TableState.Phase;
import dev.sluice.domain.TableState.Preparing;
import dev.sluice.domain.TableState.Queued;
import dev.sluice.domain.TableState.Remedy;
import dev.sluice.domain.TableState.Streaming;
import dev.sluice.domain.Verification;
import java.util.List;
import java.util.Optional;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/**
 * What a command would come to if it were sent now, for a person who is about to send it. Pure, and only a forecast:
 * the scheduler decides when the command's turn comes.
 *
 * @param table as it was named; empty: the command is about the whole pipeline
 * @param possible whether the scheduler would follow it now
 * @param warning whether it hurts: rows stay incomplete or behind for a while, changes are dropped, work is done anew
 */
@Schema(description = "What will happen to a table, as far as that is known now.")
public record Consequence(
        @Schema(implementation = String.class, description = "The table; left out for an action on the pipeline.")
                Optional<String> table,
        @Schema(description = "Whether the action would be followed now; if not, the text says why.") boolean possible,
        @Schema(description = "What will happen, in one or two sentences.") String text,
        @Schema(description = "Whether it hurts: ask before it is sent.") boolean warning) {

    private static final String WHOLE_COPY = "all its rows are copied anew";
    private static final String BEHIND =
            " Meanwhile the table is held and its changes queue, so the destination is behind until it has caught up.";

    /** Of a command about one table. */
    public static Consequence of(Command.OfTable command, Optional<TableRecord> known, PipelineRecord pipeline) {
        Consequence consequence = known.map(table -> of(command, table, pipeline))
                .orElseGet(() -> no("Sluice does not know this table; add it first."));
        return new Consequence(
                Optional.of(command.table().toString()), consequence.possible, consequence.text, consequence.warning);
    }

    /** Of adding one entry of the list: a table, or all that match a pattern. */
    public static Consequence ofAdding(
            String entry, Optional<TableOptions> options, Optional<TableRecord> known, PipelineRecord pipeline) {
        Consequence consequence = adding(entry, options, known, pipeline);
        return new Consequence(Optional.of(entry), consequence.possible, consequence.text, consequence.warning);
    }

    public static Consequence ofPausingThePipeline(PipelineRecord pipeline) {
        return pipeline.pause().isPresent()
                ? no("The pipeline is paused already.")
                : hurts("What is under way is finished, and then nothing is written to the destination until the pipeline "
                        + "is resumed: no chunk, no change. Changes queue, so every table falls behind.");
    }

    public static Consequence ofResumingThePipeline(PipelineRecord pipeline) {
        return pipeline.pause().isEmpty()
                ? no("The pipeline is not paused.")
                : yes("Backfills and changes go on. Tables that were paused themselves stay paused.");
    }

    private static Consequence adding(
            String entry, Optional<TableOptions> options, Optional<TableRecord> known, PipelineRecord pipeline) {
        if (pipeline.requests().size() >= PipelineRecord.REQUESTS_MAX) {
            return no("Too many requests to add tables wait for the source; try again later.");
        }
        if (known.isPresent()) {
            TableOptions now = known.get().optionsAsked().orElse(known.get().options());
            return no(options.filter(asked -> !asked.equals(now)).isPresent()
                    ? "It is known already, with other options; backfill it with the new ones, which copies it anew."
                    : "It is known already; nothing changes.");
        }
        boolean backfilled = pipeline.effective().backfillOnAdd().orElse(true);
        String then = backfilled
                ? " and waits for its turn to be backfilled."
                : " and waits, paused, until somebody resumes or backfills it: the setting backfillOnAdd is off.";
        return yes(
                TablePattern.parse(entry).isName()
                        ? "It is added" + then
                        : "Every table of the source that matches is added" + then + " Those that are known stay as they are.",
                backfilled ? Optional.of(pipeline) : Optional.empty());
    }

    private static Consequence of(Command.OfTable command, TableRecord table, PipelineRecord pipeline) {
        Consequence consequence = switch (command) {
            case Command.Backfill backfill -> goingOn(backfill(backfill, table, pipeline), table);
            case Command.Cancel cancel -> goingOn(cancel(cancel.dropQueue(), table, pipeline), table);
            case Command.Retry retry -> goingOn(retry(table, pipeline), table);
            case Command.Remove remove -> goingOn(remove(table, pipeline), table);
            case Command.Verify verify -> verify(table);
            case Command.CancelVerification cancel -> isCompared(table)
                    ? yes("The comparison stops without a result; the table streams on.")
                    : no("It is not being compared.");
            case Command.Pause pause -> pause(table);
            case Command.Resume resume -> resume(table, pipeline);
            case Command.ToFront toFront -> toFront(table, pipeline);
        };
        return isComparisonCutOff(command, table) && consequence.possible
                ? new Consequence(
                        Optional.empty(), true, consequence.text + " The comparison under way is cut off.",
                        consequence.warning)
                : consequence;
    }

    private static boolean isComparisonCutOff(Command.OfTable command, TableRecord table) {
        return isCompared(table)
                && (command instanceof Command.Pause
                        || command instanceof Command.Remove
                        || command instanceof Command.Backfill);
    }

    private static boolean isCompared(TableRecord table) {
        return table.verification().filter(Verification::isRunning).isPresent();
    }

    /** What is to become of a table now ends its pause. */
    private static Consequence goingOn(Consequence consequence, TableRecord table) {
        return consequence.possible && table.pause().isPresent()
                ? new Consequence(
                        consequence.table, true, consequence.text + " Its pause ends.", consequence.warning)
                : consequence;
    }

    private static Consequence backfill(Command.Backfill command, TableRecord table, PipelineRecord pipeline) {
        if (command.keys().isPresent() && !(table.state() instanceof Streaming)) {
            return no("It does not stream, so the rows outside the keys would not be right; backfill all of it.");
        }
        String copied = WHOLE_COPY + (command.options().isPresent() ? ", by the new options." : ".");
        return switch (table.state()) {
            case Queued queued when queued.close().isEmpty() -> backfillOfWaiting(command, table, pipeline);
            case Queued queued -> again(
                    "The backfill that it had is given up before it is closed. It waits for its turn once more, then "
                            + copied,
                    pipeline);
            case Preparing preparing -> again(
                    "The backfill under way begins anew: it goes back into the queue, then " + copied, pipeline);
            case Backfilling backfilling -> again(
                    "The backfill under way is given up, with what it has copied. It goes back into the queue, then "
                            + copied,
                    pipeline);
            case Completing completing -> again(
                    "The run that is being closed is given up. It goes back into the queue, then " + copied, pipeline);
            case Draining draining -> again(
                    "Its rows were copied just now and it drains. It goes back into the queue, then " + copied + BEHIND,
                    pipeline);
            case Streaming streaming -> command.keys()
                    .map(keys -> again(
                            "When its turn comes, its rows with keys " + shown(keys.toString())
                                    + " are copied anew; the others stay. Until then it streams." + BEHIND,
                            pipeline))
                    .orElseGet(() -> again(
                            "When its turn comes, " + copied + " Until then it streams." + BEHIND, pipeline));
            case Cancelled cancelled -> yes("It waits for its turn, then " + copied, Optional.of(pipeline));
            case Failed failed -> failed.remedy() instanceof Remedy.CopyAnew
                    ? yes("It waits for its turn, then " + copied, Optional.of(pipeline))
                    : again(
                            "It waits for its turn, then " + copied + " Retry would go on where it stopped.", pipeline);
            case Leaving leaving -> no("It is being taken out; " + (leaving.toBeRemoved()
                    ? "add it again afterwards."
                    : "backfill it afterwards."));
        };
    }

    /** It keeps its place in the queue. */
    private static Consequence backfillOfWaiting(
            Command.Backfill command, TableRecord table, PipelineRecord pipeline) {
        if (command.options().isPresent()) {
            return again(
                    "It keeps its place in the queue; its next backfill copies all its rows by the new options.",
                    pipeline);
        }
        return table.pause().isPresent()
                ? yes("It waits for its turn again, at the place in the queue that it had.", Optional.of(pipeline))
                : no("It waits for its turn already.");
    }

    private static Consequence cancel(boolean dropQueue, TableRecord table, PipelineRecord pipeline) {
        boolean streamed = table.streamedRun().isPresent();
        return switch (table.state()) {
            case Queued queued when queued.streams() && streamed ->
                yes("It leaves the queue and streams on; nothing of it was copied yet.");
            case Queued queued when queued.close().filter(close -> close.outcome().drains()).isPresent() ->
                no("Its backfill is over already; it waits for its turn to drain.");
            case Queued queued when queued.close().isPresent() -> no("It is being cancelled already.");
            case Queued queued when streamed -> drains(
                    "The backfill does not begin. It keeps its place in the queue; when its turn comes, what has queued "
                            + "is applied, and it streams again.",
                    pipeline);
            case Queued queued -> stopped("The backfill does not begin.", dropQueue, table);
            case Preparing preparing when streamed -> cutShort(table, pipeline);
            case Backfilling backfilling when streamed -> cutShort(table, pipeline);
            case Preparing preparing -> cut("The backfill stops before a row of it is copied.", dropQueue, table, pipeline);
            case Backfilling backfilling -> cut("The backfill stops.", dropQueue, table, pipeline);
            case Failed failed when failed.remedy() instanceof Remedy.Leave leave -> leave.toBeRemoved()
                    ? no("Its removal failed; retry that.")
                    : hurts("Taking it out is tried again: its changes queue no more, and its rows at the destination stay "
                            + "as they are, incomplete.");
            case Failed failed when streamed -> drains(
                    "It waits for its turn, then what has queued is applied, and it streams again.", pipeline);
            case Failed failed when failed.remedy() instanceof Remedy.Close close && close.outcome().drains() ->
                no("Its backfill is complete; retry to go on with its queue, or remove it.");
            case Failed failed -> stopped("The backfill that failed is not tried again.", dropQueue, table);
            case Cancelled cancelled when dropQueue && cancelled.queueing() -> hurts("Its changes queue no more and those "
                    + "that queued are dropped; its rows at the destination stay incomplete.");
            case Cancelled cancelled -> no("It is cancelled already.");
            case Completing completing when completing.outcome() == Outcome.ABANDONED && dropQueue ->
                hurts("It is being cancelled already; now its changes stop queueing, too, and those that queued are "
                        + "dropped.");
            case Completing completing -> switch (completing.outcome()) {
                case ABANDONED, DISCARDED, CUT_SHORT -> no("It is being cancelled already.");
                case COPIED, RESUMED -> no("Its backfill is complete; there is nothing left to cancel.");
            };
            case Draining draining -> no("Its backfill is complete; there is nothing left to cancel.");
            case Streaming streaming -> no("It streams; there is no backfill to cancel.");
            case Leaving leaving -> no("It is being taken out.");
        };
    }

    private static Consequence cutShort(TableRecord table, PipelineRecord pipeline) {
        return drains(
                "The backfill stops; what it has copied stays, and the rows that it has not reached are as they were. "
                        + (table.pause().isPresent() ? "When its turn comes" : "Then")
                        + ", what has queued is applied, and it streams again.",
                pipeline);
    }

    private static Consequence drains(String text, PipelineRecord pipeline) {
        return yes(text, Optional.of(pipeline));
    }

    /** A first backfill whose run has to be closed. */
    private static Consequence cut(String text, boolean dropQueue, TableRecord table, PipelineRecord pipeline) {
        Consequence consequence = stopped(text, dropQueue, table);
        return new Consequence(
                Optional.empty(), true, consequence.text + unlessPaused(Optional.of(pipeline)), consequence.warning);
    }

    /** A first backfill that goes no further. Before its capture began there is no queue, and no row was copied by it. */
    private static Consequence stopped(String text, boolean dropQueue, TableRecord table) {
        boolean captured = table.captured().isPresent();
        boolean copied = table.progress().rowsCopied() > 0
                || table.state() instanceof Backfilling
                || table.runs().stream().anyMatch(run -> run.rows() > 0);
        String rows = copied ? " Its rows at the destination are incomplete." : " No row of it was copied.";
        String queue = !captured
                ? " Nothing of it queues."
                : dropQueue
                        ? " Its changes queue no more, and those that queued are dropped."
                        : " Its changes go on queueing until it is backfilled or removed.";
        return copied || captured ? hurts(text + rows + queue) : yes(text + rows + queue);
    }

    private static Consequence retry(TableRecord table, PipelineRecord pipeline) {
        return switch (table.state()) {
            case Failed failed -> switch (failed.remedy()) {
                case Remedy.CopyAnew anew -> {
                    String text = "It waits for its turn, then " + table.part()
                            .map(keys -> "its rows with keys " + shown(keys.toString()) + " are copied anew.")
                            .orElse(WHOLE_COPY + ".");
                    yield failed.phase() == Phase.PREPARING ? yes(text, Optional.of(pipeline)) : again(text, pipeline);
                }
                case Remedy.Close close -> yes(
                        close.outcome().drains()
                                ? "It waits for its turn, then goes on where it stopped: its copied rows stay, and what has "
                                        + "queued is applied."
                                : "It waits for its turn, then its cancel is carried out.",
                        Optional.of(pipeline));
                case Remedy.Leave leave -> yes(leave.toBeRemoved()
                        ? "Its removal is tried again."
                        : "Taking it out is tried again; then it is Cancelled.");
            };
            case Cancelled cancelled ->
                yes("It waits for its turn, then " + WHOLE_COPY + ".", Optional.of(pipeline));
            case Streaming streaming when streaming.constraints() instanceof Constraints.Missing ->
                yes("Its missing indexes and constraints are built once more; it streams meanwhile.");
            case Streaming streaming -> no("It has not failed: it streams.");
            case Queued queued -> no("It has not failed: it waits for its turn.");
            case Preparing preparing -> no("It has not failed: it is being prepared.");
            case Backfilling backfilling -> no("It has not failed: it is being backfilled.");
            case Completing completing -> no("It has not failed: its backfill is being completed.");
            case Draining draining -> no("It has not failed: it drains.");
            case Leaving leaving -> no("It is being taken out.");
        };
    }

    private static Consequence remove(TableRecord table, PipelineRecord pipeline) {
        if (joins(table.table(), pipeline)) {
            return no("It would join again: the setting joinPatterns names it. Add the entry «!" + table.table()
                    + "» there first.");
        }
        return switch (table.state()) {
            case Leaving leaving when leaving.toBeRemoved() -> no("It is being removed already.");
            case Leaving leaving -> yes("It is being taken out; then it is forgotten, too.");
            case Queued queued -> forgotten("", table);
            case Preparing preparing -> forgotten("Its backfill stops. ", table);
            case Backfilling backfilling -> forgotten("Its backfill stops. ", table);
            case Completing completing -> forgotten("", table);
            case Draining draining -> forgotten("", table);
            case Streaming streaming -> forgotten("", table);
            case Cancelled cancelled -> forgotten("", table);
            case Failed failed -> forgotten("", table);
        };
    }

    private static Consequence forgotten(String before, TableRecord table) {
        boolean complete = table.state() instanceof Streaming
                || table.state() instanceof Queued queued && queued.streams();
        return hurts(before + "Sluice forgets the table: its changes are captured no more and those that queued are dropped."
                + (complete
                        ? " Its rows at the destination stay as they are then, and grow old."
                        : " Its rows at the destination, if there are any, stay as they are."));
    }

    private static boolean joins(TableName table, PipelineRecord pipeline) {
        return JoinPatterns.of(pipeline.effective().joinPatterns().orElse(List.of())).joins(table);
    }

    private static Consequence verify(TableRecord table) {
        if (table.pause().isPresent()) {
            return no("It is paused; resume it before it is compared.");
        }
        if (!(table.state() instanceof Streaming)) {
            return no("It does not stream, and only a table that streams can be compared.");
        }
        return isCompared(table)
                ? no("It is being compared already.")
                : yes("Its rows are compared with the source's while it streams. This reads all of the table on both sides.");
    }

    private static Consequence pause(TableRecord table) {
        if (table.pause().filter(rest -> rest.resumed().isEmpty()).isPresent()) {
            return no("It is paused already.");
        }
        return switch (table.state()) {
            case Queued queued when queued.streams() -> hurts("Its backfill does not begin, and its changes queue until it "
                    + "is resumed: the destination falls behind.");
            case Queued queued -> yes("Its turn does not come until it is resumed; its place in the queue stays.");
            case Preparing preparing -> rest(table, "What is under way is finished; its backfill goes on when it is resumed.");
            case Backfilling backfilling ->
                rest(table, "Chunks under way are finished; no other begins until it is resumed.");
            case Completing completing ->
                rest(table, "What is under way is finished; its run is closed when it is resumed.");
            case Draining draining -> hurts("What is under way is finished; then no change is applied until it is resumed, "
                    + "so the destination stays behind.");
            case Streaming streaming -> hurts("What is under way is finished; then its changes queue until it is resumed, "
                    + "so the destination falls behind.");
            case Cancelled cancelled -> no("It is cancelled; there is nothing that goes on.");
            case Failed failed -> no("It has failed; there is nothing that goes on.");
            case Leaving leaving -> no("It is being taken out.");
        };
    }

    /** A table that was complete before stays behind for as long as it rests. */
    private static Consequence rest(TableRecord table, String text) {
        return table.streamedRun().isPresent()
                ? hurts(text + " Until then the destination stays behind.")
                : yes(text + " Its changes queue.");
    }

    private static Consequence resume(TableRecord table, PipelineRecord pipeline) {
        if (table.pause().isEmpty()) {
            return no("It is not paused.");
        }
        if (table.pause().get().resumed().isPresent()) {
            return no("It goes on already, as soon as fewer tables are being backfilled.");
        }
        String text = switch (table.state()) {
            case Active active -> "It goes on as soon as there is room among the tables at once, behind those that wait.";
            case Queued queued -> queued.streams()
                    ? "It streams again, and waits for its turn."
                    : "It waits for its turn.";
            case Streaming streaming -> "What has queued is applied, and it streams on.";
            case Cancelled cancelled -> "It stays cancelled.";
            case Failed failed -> "It stays failed; retry it.";
            case Leaving leaving -> "It goes on being taken out.";
        };
        return yes(text, Optional.of(pipeline));
    }

    private static Consequence toFront(TableRecord table, PipelineRecord pipeline) {
        if (table.pause().isPresent() && table.pause().get().resumed().isEmpty()) {
            return no("It is paused; resume it first.");
        }
        return table.pause().isPresent() || table.state() instanceof Queued
                ? yes("It is the next that has its turn, before all others that wait.", Optional.of(pipeline))
                : no("It does not wait for its turn.");
    }

    private static String shown(String keys) {
        return keys.length() <= 200 ? keys : keys.substring(0, 200) + "…";
    }

    private static Consequence yes(String text) {
        return new Consequence(Optional.empty(), true, text, false);
    }

    /** @param pipeline that it begins in; a pause of all of it keeps it from that */
    private static Consequence yes(String text, Optional<PipelineRecord> pipeline) {
        return new Consequence(Optional.empty(), true, text + unlessPaused(pipeline), false);
    }

    private static Consequence again(String text, PipelineRecord pipeline) {
        return new Consequence(Optional.empty(), true, text + unlessPaused(Optional.of(pipeline)), true);
    }

    private static Consequence hurts(String text) {
        return new Consequence(Optional.empty(), true, text, true);
    }

    private static Consequence no(String reason) {
        return new Consequence(Optional.empty(), false, reason, false);
    }

    private static String unlessPaused(Optional<PipelineRecord> pipeline) {
        return pipeline.flatMap(PipelineRecord::pause).isPresent()
                ? " The pipeline is paused, so nothing begins until that is resumed."
                : "";
    }
}
