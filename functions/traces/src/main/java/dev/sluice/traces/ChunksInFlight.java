package dev.sluice.traces;

import dev.sluice.domain.Event;
import dev.sluice.domain.Fault;
import dev.sluice.domain.PipelineRecord.SlotTask;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableState.Backfilling;
import dev.sluice.domain.TableState.OpenChunk;
import io.opentelemetry.api.common.AttributesBuilder;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The chunks of a run that are with workers. The state says what became of one; the worker's answer adds when, and how
 * many rows.
 */
final class ChunksInFlight {

    private final Ids ids;
    private final TableName table;
    private final long run;
    private final String parent;
    private final Map<SlotTask, Integer> slots;
    private final Map<Integer, Sent> sent = new TreeMap<>();
    /** Planned, and with no worker yet. */
    private Set<Integer> waiting = new HashSet<>();
    private int next;

    private record Sent(int attempt, Instant at, Optional<Integer> slot) {}

    ChunksInFlight(Ids ids, TableName table, long run, String parent, Map<SlotTask, Integer> slots) {
        this.ids = ids;
        this.table = table;
        this.run = run;
        this.parent = parent;
        this.slots = slots;
    }

    void first(Backfilling state, Instant at) {
        take(state, at);
    }

    List<Span> after(Backfilling state, Instant at, Answers answers) {
        List<Span> spans = new ArrayList<>();
        Map<Integer, OpenChunk> open =
                state.plan().open().stream().collect(Collectors.toMap(OpenChunk::chunk, Function.identity()));
        unseen(open.keySet(), answers, spans);
        sent.entrySet().removeIf(entry -> {
            int chunk = entry.getKey();
            Sent before = entry.getValue();
            OpenChunk now = open.get(chunk);
            if (now == null) {
                spans.add(copied(chunk, before, at, answers));
            } else if (now.attempt().number() != before.attempt()) {
                spans.add(failed(chunk, before, at, now.attempt().last(), answers));
            }
            return now == null || now.attempt().number() != before.attempt();
        });
        take(state, at);
        return spans;
    }

    /**
     * No chunk is waited for any more.
     *
     * @param all whether every one was copied
     * @param end when the run went on to something else
     */
    List<Span> end(boolean all, Instant at, Instant end, Answers answers) {
        List<Span> spans = new ArrayList<>();
        unseen(Set.of(), answers, spans);
        sent.forEach((chunk, before) -> {
            if (all || answers.copied(table, run, chunk, before.attempt()).isPresent()) {
                spans.add(copied(chunk, before, at, answers));
            } else if (answers.failed(table, run, chunk, before.attempt()).isPresent()) {
                spans.add(failed(chunk, before, at, Optional.empty(), answers));
            } else {
                // A worker may still have it; whatever it answers is not waited for.
                AttributesBuilder attributes =
                        attributes(chunk, before.attempt(), before.slot()).put(Keys.OUTCOME, "cut off");
                spans.add(span(chunk, before.attempt(), before.at(), end, attributes, Optional.empty()));
            }
        });
        sent.clear();
        return spans;
    }

    private void take(Backfilling state, Instant at) {
        for (OpenChunk chunk : state.plan().open()) {
            if (chunk.inFlight()) {
                int attempt = chunk.attempt().number();
                sent.computeIfAbsent(chunk.chunk(), number -> new Sent(
                        attempt, at, Optional.ofNullable(slots.get(new SlotTask(table, run, number, attempt)))));
            }
        }
        waiting = state.plan().open().stream()
                .map(OpenChunk::chunk)
                .filter(chunk -> !sent.containsKey(chunk))
                .collect(Collectors.toSet());
        next = state.plan().next();
    }

    /** Chunks that went out and came back between two states: those in between are gone from the topic. */
    private void unseen(Set<Integer> open, Answers answers, List<Span> spans) {
        Set<Integer> told = new HashSet<>();
        answers.of(table, run).forEach(answer -> {
            int chunk = answer.event().chunk();
            if (answer.event() instanceof Event.ChunkCopied copied
                    && (chunk >= next || waiting.contains(chunk))
                    && !open.contains(chunk)
                    && told.add(chunk)) {
                spans.add(copied(copied, answer.at().minusMillis(copied.millis()), answer.at(), Optional.empty()));
            }
        });
    }

    private Span copied(int chunk, Sent before, Instant at, Answers answers) {
        return answers.copied(table, run, chunk, before.attempt())
                .map(answer -> copied(
                        (Event.ChunkCopied) answer.event(),
                        before.at(),
                        within(answer.at(), before.at(), at),
                        before.slot()))
                .orElseGet(() -> span(
                        chunk,
                        before.attempt(),
                        before.at(),
                        at,
                        attributes(chunk, before.attempt(), before.slot()),
                        Optional.empty()));
    }

    private Span copied(Event.ChunkCopied copied, Instant start, Instant end, Optional<Integer> slot) {
        AttributesBuilder attributes = attributes(copied.chunk(), copied.attempt(), slot)
                .put(Keys.ROWS, copied.rows())
                .put(Keys.BYTES, copied.bytes());
        return span(copied.chunk(), copied.attempt(), start, end, attributes, Optional.empty());
    }

    private Span failed(int chunk, Sent before, Instant at, Optional<Fault> known, Answers answers) {
        Optional<Answers.Answer> answer = answers.failed(table, run, chunk, before.attempt());
        Fault fault = answer.map(it -> ((Event.ChunkFailed) it.event()).fault())
                .or(() -> known)
                .orElseGet(() -> Fault.faulty("it was sent again", "see the log of the scheduler"));
        Instant end = answer.map(it -> within(it.at(), before.at(), at)).orElse(at);
        AttributesBuilder attributes = attributes(chunk, before.attempt(), before.slot());
        return span(chunk, before.attempt(), before.at(), end, attributes, Optional.of(fault));
    }

    /** A worker's clock may be another: what it says holds between what is known otherwise. */
    private static Instant within(Instant at, Instant start, Instant end) {
        return at.isBefore(start) || at.isAfter(end) ? end : at;
    }

    private AttributesBuilder attributes(int chunk, int attempt, Optional<Integer> slot) {
        AttributesBuilder attributes =
                Keys.of(table, run).put(Keys.CHUNK, (long) chunk).put(Keys.ATTEMPT, (long) attempt);
        slot.ifPresent(number -> attributes.put(Keys.SLOT, (long) number));
        return attributes;
    }

    private Span span(
            int chunk, int attempt, Instant start, Instant end, AttributesBuilder attributes, Optional<Fault> fault) {
        return new Span(
                ids.trace(table, run),
                ids.chunk(table, run, chunk, attempt),
                Optional.of(parent),
                "chunk",
                start,
                end,
                OpenRun.withFault(attributes, fault).build(),
                List.of(),
                fault,
                Optional.empty());
    }
}
