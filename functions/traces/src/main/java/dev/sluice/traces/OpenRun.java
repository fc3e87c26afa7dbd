package dev.sluice.traces;

import dev.sluice.domain.Attempt;
import dev.sluice.domain.Fault;
import dev.sluice.domain.PastRun;
import dev.sluice.domain.PipelineRecord.SlotTask;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.trace.SpanContext;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A run between the command that asked for it and its end: what has begun and is not over. What is over is returned as
 * spans and forgotten.
 */
final class OpenRun {

    /** Longer than this before the run a command was not sent, whatever its producer's clock says. */
    private static final Duration ASKED_BEFORE_MAX = Duration.ofDays(7);

    private static final int WAITING_FOR_LENGTH_MAX = 500;

    private final Ids ids;
    private final TableName table;
    private final long run;
    private final long again;
    private final Optional<Asking> goingAgain;
    private final Instant began;
    private final Map<SlotTask, Integer> slots;
    private Phase phase;
    private Optional<StepTry> step = Optional.empty();
    private Optional<ChunksInFlight> chunks = Optional.empty();
    private Optional<TableRecord.Progress> copied = Optional.empty();
    private boolean cancelled;

    private record StepTry(TableState.Preparing preparing, Instant start) {}

    /**
     * @param again what tells it apart that the run has ended before and goes on now; 0 for a new one
     * @param asking what set it going, if it is not a new one and that is known
     * @param slots which worker slot has which task, kept up to date by whoever follows the pipeline
     */
    OpenRun(
            Ids ids,
            TableRecord table,
            long again,
            Optional<Asking> asking,
            Instant at,
            Map<SlotTask, Integer> slots) {
        this.ids = ids;
        this.table = table.table();
        this.run = table.state().run();
        this.again = again;
        this.goingAgain = asking;
        this.slots = slots;
        this.began = again != 0 ? table.stateSince() : began(table, run);
        enter(table, at);
    }

    /** Before it had its turn, it waited; what is remembered of it begins with its turn. */
    private static Instant began(TableRecord table, long run) {
        return table.runs().stream()
                .filter(past -> past.run() == run)
                .map(PastRun::began)
                .filter(at -> at.isBefore(table.stateSince()))
                .findFirst()
                .orElse(table.stateSince());
    }

    long run() {
        return run;
    }

    /** The table's next state, in which the run goes on. */
    List<Span> goesOn(TableRecord next, Instant at, Answers answers) {
        List<Span> spans = new ArrayList<>();
        boolean same = phase.isOf(next.state()) && phase.since().equals(next.stateSince());
        if (same) {
            phase.stays(next, at);
            stepped(next, at, spans);
            if (next.state() instanceof TableState.Backfilling backfilling) {
                chunks.ifPresent(inFlight -> spans.addAll(inFlight.after(backfilling, at, answers)));
            }
        } else {
            leave(Optional.of(next), at, phase.end(next), Optional.empty(), answers, spans);
            enter(next, at);
        }
        return spans;
    }

    /**
     * The run is over.
     *
     * @param next what the table is then; empty: it is forgotten
     * @param outcome for a person
     */
    List<Span> ends(
            Optional<TableRecord> next, Instant at, String outcome, Answers answers, Asking.Lookup lookup) {
        List<Span> spans = new ArrayList<>();
        Optional<Fault> fault = next.map(TableRecord::state)
                .filter(state -> state.run() == run && state instanceof TableState.Failed)
                .map(state -> ((TableState.Failed) state).fault());
        Instant end = next.map(TableRecord::stateSince).orElse(at);
        leave(next, at, next.map(phase::end).orElse(at), fault, answers, spans);
        spans.add(root(next, end, cancelled && fault.isEmpty() ? "cancelled" : outcome, fault, lookup));
        return spans;
    }

    /** A run of which only the end was seen. */
    static Span onlyRoot(Ids ids, TableRecord table, String outcome, Instant at, Asking.Lookup lookup) {
        var run = new OpenRun(ids, table, 0, Optional.empty(), at, Map.of());
        Optional<Fault> fault = table.state() instanceof TableState.Failed failed
                ? Optional.of(failed.fault())
                : Optional.empty();
        return run.root(Optional.of(table), table.stateSince(), outcome, fault, lookup);
    }

    private void enter(TableRecord now, Instant at) {
        phase = new Phase(now, at);
        switch (now.state()) {
            case TableState.Queued queued ->
                cancelled |= queued.close().filter(close -> isCancel(close.outcome())).isPresent();
            case TableState.Preparing preparing -> step = Optional.of(new StepTry(preparing, since(preparing, at)));
            case TableState.Backfilling backfilling -> {
                chunks = Optional.of(new ChunksInFlight(ids, table, run, phaseId(), slots));
                chunks.get().first(backfilling, at);
            }
            case TableState.Completing completing -> cancelled |= isCancel(completing.outcome());
            case TableState.Leaving leaving -> cancelled = true;
            case TableState.Draining draining -> {}
            case TableState.Streaming streaming -> {}
            case TableState.Cancelled state -> {}
            case TableState.Failed failed -> {}
        }
    }

    private static boolean isCancel(TableState.Outcome outcome) {
        return switch (outcome) {
            case CUT_SHORT, ABANDONED, DISCARDED -> true;
            case COPIED, RESUMED -> false;
        };
    }

    private void leave(
            Optional<TableRecord> next,
            Instant at,
            Instant end,
            Optional<Fault> fault,
            Answers answers,
            List<Span> spans) {
        step.ifPresent(last -> spans.add(step(last, end, fault)));
        step = Optional.empty();
        // Of another run, progress may begin with nothing.
        Optional<TableRecord> ofRun = next.filter(after -> after.state().run() == run);
        chunks.ifPresent(inFlight -> {
            boolean all = ofRun.filter(after -> after.state() instanceof TableState.Completing completing
                            && completing.outcome() == TableState.Outcome.COPIED)
                    .isPresent();
            spans.addAll(inFlight.end(all, at, end, answers));
            copied = ofRun.map(TableRecord::progress);
        });
        chunks = Optional.empty();
        spans.add(new Span(
                ids.trace(table, run),
                phaseId(),
                Optional.of(ids.root(table, run, again)),
                phase.name(),
                phase.since(),
                end,
                withFault(phase.attributes(ofRun).toBuilder(), fault).build(),
                phase.moments(),
                fault,
                Optional.empty()));
    }

    private void stepped(TableRecord next, Instant at, List<Span> spans) {
        if (step.isEmpty() || !(next.state() instanceof TableState.Preparing preparing)) {
            return;
        }
        StepTry before = step.get();
        boolean same = before.preparing().step() == preparing.step()
                && before.preparing().attempt().number() == preparing.attempt().number();
        if (!same) {
            Optional<Fault> fault = preparing.attempt().failures() > before.preparing().attempt().failures()
                    ? preparing.attempt().last()
                    : Optional.empty();
            spans.add(step(before, at, fault));
        }
        step = Optional.of(new StepTry(preparing, same ? before.start() : since(preparing, at)));
    }

    /** A try begins when it is due. */
    private static Instant since(TableState.Preparing preparing, Instant at) {
        Attempt attempt = preparing.attempt();
        return attempt.notBefore().filter(due -> due.isAfter(at)).orElse(at);
    }

    private Span step(StepTry step, Instant end, Optional<Fault> fault) {
        TableState.Preparing preparing = step.preparing();
        AttributesBuilder attributes = Keys.of(table, run).put(Keys.ATTEMPT, (long) preparing.attempt().number());
        preparing.waitingFor().ifPresent(what -> attributes.put(
                Keys.WAITING_FOR, what.substring(0, Math.min(what.length(), WAITING_FOR_LENGTH_MAX))));
        return new Span(
                ids.trace(table, run),
                ids.step(table, run, preparing.attempt().number()),
                Optional.of(phaseId()),
                preparing.step().name(),
                step.start(),
                end,
                withFault(attributes, fault).build(),
                List.of(),
                fault,
                Optional.empty());
    }

    private Span root(
            Optional<TableRecord> next, Instant end, String outcome, Optional<Fault> fault, Asking.Lookup lookup) {
        Optional<Asking> asking = again != 0 ? goingAgain : lookup.at(table, run);
        AttributesBuilder attributes = withFault(Keys.of(table, run).put(Keys.OUTCOME, outcome), fault);
        asking.ifPresent(it -> {
            attributes.put(Keys.COMMAND, it.command());
            it.offset().ifPresent(offset -> attributes.put(Keys.OFFSET, offset));
            it.by().ifPresent(by -> attributes.put(Keys.BY, by));
        });
        copied.ifPresent(progress -> attributes
                .put(Keys.ROWS, progress.rowsCopied())
                .put(Keys.BYTES, progress.bytesCopied())
                .put(Keys.CHUNKS, (long) progress.chunksCopied()));
        Optional<SpanContext> caller = asking.flatMap(Asking::caller);
        return new Span(
                ids.trace(table, run),
                ids.root(table, run, again),
                Optional.empty(),
                (again != 0 ? asking.map(Asking::command).orElse("retry") : "backfill") + " " + table,
                asking.map(Asking::at)
                        .filter(at -> !at.isAfter(began) && at.isAfter(began.minus(ASKED_BEFORE_MAX)))
                        .orElse(began),
                end,
                attributes.build(),
                List.of(),
                fault,
                caller);
    }

    private String phaseId() {
        return ids.phase(table, run, phase.name(), phase.since());
    }

    static AttributesBuilder withFault(AttributesBuilder attributes, Optional<Fault> fault) {
        fault.ifPresent(it -> attributes.put(Keys.FAULT, it.kind().name()).put(Keys.HINT, it.hint()));
        return attributes;
    }
}
