package dev.sluice.traces;

import dev.sluice.domain.Event;
import dev.sluice.domain.TableName;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What workers answered of chunks, and what was asked of tables, in the inputs that one transaction of the scheduler
 * followed.
 */
final class Answers {

    static final Answers NONE = new Answers(List.of(), Map.of());

    /** @param at when, by the worker's clock */
    record Answer(Event.OfChunk event, Instant at) {}

    private final Map<TableName, List<Answer>> byTable;
    private final Map<TableName, Asking> asked;

    /** @param asked the last command about each table that sets going what has ended */
    Answers(List<Answer> answers, Map<TableName, Asking> asked) {
        this.asked = asked;
        byTable = answers.stream().collect(Collectors.groupingBy(answer -> answer.event().table()));
    }

    Optional<Asking> asked(TableName table) {
        return Optional.ofNullable(asked.get(table));
    }

    /** Of one run, in their order. */
    Stream<Answer> of(TableName table, long run) {
        return byTable.getOrDefault(table, List.of()).stream().filter(answer -> answer.event().run() == run);
    }

    /** That the chunk is copied: the answer of this attempt, if there are several. */
    Optional<Answer> copied(TableName table, long run, int chunk, int attempt) {
        List<Answer> copied = of(table, run)
                .filter(answer -> answer.event() instanceof Event.ChunkCopied && answer.event().chunk() == chunk)
                .toList();
        return copied.stream()
                .filter(answer -> answer.event().attempt() == attempt)
                .findFirst()
                .or(() -> copied.stream().findFirst());
    }

    Optional<Answer> failed(TableName table, long run, int chunk, int attempt) {
        return of(table, run)
                .filter(answer -> answer.event() instanceof Event.ChunkFailed
                        && answer.event().chunk() == chunk
                        && answer.event().attempt() == attempt)
                .findFirst();
    }
}
