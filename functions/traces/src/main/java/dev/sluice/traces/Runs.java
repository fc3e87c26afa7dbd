package dev.sluice.traces;

import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.PipelineRecord.SlotTask;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Follows the states of all tables and says what of their runs is over. It reads no clock, and the same states give the
 * same spans.
 */
final class Runs {

    /** More tables than these are not told of. */
    static final int TABLES_MAX = 10_000;

    private final Ids ids;
    private final Map<TableName, Followed> tables = new HashMap<>();
    private final Map<SlotTask, Integer> slots = new HashMap<>();
    private long tooMany;

    /** @param last the newest run that has ended, or was there when following began; empty: none has */
    private record Followed(Optional<OpenRun> open, Optional<Long> last) {}

    Runs(Ids ids) {
        this.ids = ids;
    }

    /** Before the tables of the same transaction: it says which worker slots have their chunks. */
    void pipeline(PipelineRecord pipeline) {
        slots.clear();
        pipeline.slots().forEach((slot, task) -> slots.put(task, slot));
    }

    /**
     * A table's next state.
     *
     * @param at when it was written
     * @return what is over by it, in the order in which it ended
     */
    List<Span> table(TableRecord table, Instant at, Answers answers, Asking.Lookup lookup) {
        if (!tables.containsKey(table.table()) && tables.size() >= TABLES_MAX) {
            tooMany++;
            return List.of();
        }
        Followed before = tables.getOrDefault(table.table(), new Followed(Optional.empty(), Optional.empty()));
        List<Span> spans = new ArrayList<>();
        if (before.open().filter(open -> open.run() != table.state().run()).isPresent()) {
            OpenRun overtaken = before.open().get();
            // It goes back to a run of before only if it was cancelled while it waited.
            String outcome = overtaken.run() < table.state().run() ? "superseded" : "cancelled";
            spans.addAll(overtaken.ends(Optional.of(table), at, outcome, answers, lookup));
            before = new Followed(Optional.empty(), Optional.of(overtaken.run()));
        }
        tables.put(table.table(), follow(before, table, at, answers, lookup, spans));
        return spans;
    }

    /** The table is forgotten. */
    List<Span> gone(TableName table, Instant at, Answers answers, Asking.Lookup lookup) {
        return Optional.ofNullable(tables.remove(table))
                .flatMap(Followed::open)
                .map(open -> open.ends(Optional.empty(), at, "removed", answers, lookup))
                .orElse(List.of());
    }

    /** How many states were of tables beyond {@value #TABLES_MAX}. */
    long tooMany() {
        return tooMany;
    }

    private Followed follow(
            Followed before, TableRecord table, Instant at, Answers answers, Asking.Lookup lookup, List<Span> spans) {
        return switch (table.state()) {
            case TableState.Queued queued -> goesOn(before, table, at, answers, spans);
            case TableState.Active active -> goesOn(before, table, at, answers, spans);
            case TableState.Streaming streaming -> ended(before, table, at, "streaming", answers, lookup, spans);
            case TableState.Cancelled cancelled -> ended(before, table, at, "cancelled", answers, lookup, spans);
            case TableState.Failed failed -> ended(before, table, at, "failed", answers, lookup, spans);
            case TableState.Leaving leaving -> before.open().isPresent()
                    ? goesOn(before, table, at, answers, spans)
                    : before;
        };
    }

    private Followed goesOn(Followed before, TableRecord table, Instant at, Answers answers, List<Span> spans) {
        if (before.open().isPresent()) {
            spans.addAll(before.open().get().goesOn(table, at, answers));
            return before;
        }
        boolean isNew = before.last().filter(last -> last >= table.state().run()).isEmpty();
        OpenRun open = isNew
                ? new OpenRun(ids, table, 0, Optional.empty(), at, slots)
                : new OpenRun(ids, table, table.stateSince().toEpochMilli(), again(table, answers), at, slots);
        return new Followed(Optional.of(open), before.last());
    }

    /** What sets a run going that has ended: it is followed at the moment at which the state begins. */
    private static Optional<Asking> again(TableRecord table, Answers answers) {
        return answers.asked(table.table()).or(() -> table.asked()
                .filter(asked -> asked.at().equals(table.stateSince()))
                .map(asked ->
                        new Asking(asked.command(), asked.by(), asked.at(), Optional.empty(), Optional.empty())));
    }

    private Followed ended(
            Followed before,
            TableRecord table,
            Instant at,
            String outcome,
            Answers answers,
            Asking.Lookup lookup,
            List<Span> spans) {
        long run = table.state().run();
        if (before.open().isPresent()) {
            spans.addAll(before.open().get().ends(Optional.of(table), at, outcome, answers, lookup));
        } else if (before.last().filter(last -> last >= run).isEmpty()) {
            spans.add(OpenRun.onlyRoot(ids, table, outcome, at, lookup));
        }
        return new Followed(Optional.empty(), Optional.of(before.last().filter(last -> last > run).orElse(run)));
    }
}
