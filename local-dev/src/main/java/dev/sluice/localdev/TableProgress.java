package dev.sluice.localdev;

import dev.sluice.domain.Attempt;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Step;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The tables as a person follows them: state, how much is copied, how fast, and how much waits.
 *
 * <p>It remembers the last seconds, to tell how fast changes are applied.
 */
final class TableProgress {

    private static final Duration SPEED_OVER = Duration.ofSeconds(10);
    private static final String NOTHING = "–";

    private final Map<TableName, Deque<Sample>> samples = new HashMap<>();

    private record Sample(Instant at, long applied) {}

    /** A heading, a line a table, and lines below for what is wrong or waited for. */
    List<String> lines(List<TableRecord> tables, Instant now) {
        var grid = new Grid("TABLE", "STATE", ">ROWS COPIED", ">", ">SPEED", ">QUEUE", ">DELAY");
        Map<String, List<String>> tablesByNote = new LinkedHashMap<>();
        for (TableRecord table : tables) {
            grid.add(
                    table.table().toString(),
                    state(table.state()),
                    Numbers.count(table.progress().rowsCopied()),
                    percentage(table),
                    speed(table, now),
                    table.queue().map(queue -> Numbers.count(queue.waiting())).orElse(NOTHING),
                    table.queue().map(queue -> Numbers.time(Duration.ofMillis(queue.delayMillis()))).orElse(NOTHING));
            note(table).ifPresent(note ->
                    tablesByNote.computeIfAbsent(note, unused -> new ArrayList<>()).add(table.table().toString()));
        }
        List<String> lines = new ArrayList<>(grid.lines());
        // A server that is not there is the trouble of every table.
        tablesByNote.forEach((note, names) -> lines.add(String.join(", ", names) + ": " + note));
        return lines;
    }

    static String state(TableState state) {
        return switch (state) {
            case TableState.Preparing preparing ->
                "Preparing " + (preparing.step().ordinal() + 1) + "/" + Step.values().length;
            case TableState.Leaving leaving -> leaving.toBeRemoved() ? "Leaving" : "Cancelling";
            case TableState.Queued queued -> "Queued";
            case TableState.Backfilling backfilling -> "Backfilling";
            case TableState.Completing completing -> "Completing";
            case TableState.Draining draining -> "Draining";
            case TableState.Streaming streaming -> "Streaming";
            case TableState.Cancelled cancelled -> "Cancelled";
            case TableState.Failed failed -> "Failed";
        };
    }

    /** Of the planner's estimate, so never quite all before all is copied. */
    static String percentage(TableRecord table) {
        TableRecord.Progress progress = table.progress();
        if (progress.copyFinished().isPresent()) {
            return "100 %";
        }
        if (progress.copyStarted().isEmpty() || progress.rowsEstimated() <= 0) {
            return "";
        }
        return Math.min(99, progress.rowsCopied() * 100 / progress.rowsEstimated()) + " %";
    }

    private String speed(TableRecord table, Instant now) {
        Optional<Double> applied = table.queue().flatMap(queue -> appliedPerSecond(table.table(), queue.applied(), now));
        boolean copying = table.state() instanceof TableState.Backfilling;
        if (copying && table.progress().copyStarted().isPresent()) {
            double seconds = Duration.between(table.progress().copyStarted().get(), now).toMillis() / 1_000.0;
            return seconds <= 0 ? NOTHING : Numbers.count(Math.round(table.progress().rowsCopied() / seconds)) + " rows/s";
        }
        return applied.map(perSecond -> Numbers.count(Math.round(perSecond)) + " changes/s").orElse(NOTHING);
    }

    private Optional<Double> appliedPerSecond(TableName table, long applied, Instant now) {
        Deque<Sample> ofTable = samples.computeIfAbsent(table, unused -> new ArrayDeque<>());
        if (!ofTable.isEmpty() && ofTable.getLast().applied() > applied) {
            // Counted anew: another run, or another process.
            ofTable.clear();
        }
        ofTable.addLast(new Sample(now, applied));
        // Two at least: who looks once a minute wants the speed of that minute.
        while (ofTable.size() > 2 && Duration.between(ofTable.getFirst().at(), now).compareTo(SPEED_OVER) > 0) {
            ofTable.removeFirst();
        }
        Sample first = ofTable.getFirst();
        double seconds = Duration.between(first.at(), now).toMillis() / 1_000.0;
        return seconds < 1 ? Optional.empty() : Optional.of((applied - first.applied()) / seconds);
    }

    /** Whether there is nothing to wait for and nothing to worry about. */
    static boolean isStreamingWell(TableRecord table) {
        return table.state() instanceof TableState.Streaming && note(table).isEmpty();
    }

    /** What is wrong with the table or what it waits for, and what to do about it. */
    static Optional<String> note(TableRecord table) {
        Optional<String> ofState = switch (table.state()) {
            case TableState.Preparing preparing -> preparing.waitingFor().or(() -> note(preparing.attempt()));
            case TableState.Backfilling backfilling -> backfilling.plan().open().stream()
                    .map(chunk -> note(chunk.attempt()))
                    .flatMap(Optional::stream)
                    .findFirst()
                    .or(() -> note(backfilling.plan().planning()));
            case TableState.Completing completing -> note(completing.attempt());
            case TableState.Streaming streaming -> switch (streaming.constraints()) {
                case TableState.Constraints.Pending pending -> note(pending.attempt());
                case TableState.Constraints.Built built -> Optional.empty();
                case TableState.Constraints.Missing missing -> Optional.of(text(missing.fault()));
            };
            case TableState.Failed failed -> Optional.of(text(failed.fault()));
            case TableState.Leaving leaving -> note(leaving.attempt());
            case TableState.Queued queued -> Optional.empty();
            case TableState.Draining draining -> Optional.empty();
            case TableState.Cancelled cancelled -> Optional.empty();
        };
        return ofState.or(() -> table.queue().flatMap(TableRecord.Queue::trouble));
    }

    private static Optional<String> note(Attempt attempt) {
        return attempt.last().map(fault -> "tries again after " + text(fault));
    }

    static String text(Fault fault) {
        return fault.reason() + " → " + fault.hint();
    }
}
