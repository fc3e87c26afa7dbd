package dev.sluice.scheduler;

import dev.sluice.domain.ChunkTask;
import dev.sluice.domain.Command;
import dev.sluice.domain.Event;
import dev.sluice.domain.Key;
import dev.sluice.domain.KeyBounds;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.PipelineRecord.SlotTask;
import dev.sluice.domain.StepResult;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.Constraints;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/** A scheduler's inputs one after another, each folded by itself, and what has come of them. */
final class Story {

    /** Every table here has keys from 1 to this, but for {@link #empty}. */
    static final int HIGHEST = 100;

    final Limits limits;
    final Set<TableName> source = new HashSet<>();
    final Set<TableName> empty = new HashSet<>();
    final List<String> notes = new ArrayList<>();
    /** Every task there was, in order. */
    final List<Fold.Dispatched> tasks = new ArrayList<>();
    World world = World.empty();
    Instant now = Given.BEFORE;
    long offset;
    Fold.Folded last;

    Story(Limits limits) {
        this.limits = limits;
    }

    static Story withTables(int atOnce, String... names) {
        var story = new Story(new Limits(atOnce, 4, 2, 4));
        for (String name : names) {
            story.source.add(TableName.parse(name));
        }
        return story;
    }

    Story command(Command command) {
        return fold(fold -> fold.command(command, Optional.of("ann"), offset++, now));
    }

    Story event(Event event) {
        return fold(fold -> fold.event(event, offset++, now));
    }

    Story poison(String reason) {
        return fold(fold -> fold.poison(reason, offset++));
    }

    Story after(Duration time) {
        now = now.plus(time);
        return fold(fold -> {});
    }

    Story fold(Consumer<Fold> inputs) {
        var fold = new Fold(world, limits);
        inputs.accept(fold);
        last = fold.finish(now);
        world = last.world();
        notes.addAll(last.notes());
        tasks.addAll(last.tasks());
        return this;
    }

    /** A command to add tables, and the source's answer. */
    Story add(String... names) {
        return command(new Command.AddTables(List.of(names))).answerNextRequest();
    }

    Story answerNextRequest() {
        var request = world.pipeline().requests().getFirst();
        List<TableName> matched = new ArrayList<>();
        List<String> unknown = new ArrayList<>();
        for (String name : request.tables()) {
            try {
                TableName table = TableName.parse(name);
                if (source.contains(table)) {
                    matched.add(table);
                    continue;
                }
            } catch (IllegalArgumentException e) {
                // A pattern; here, none matches.
            }
            unknown.add(name);
        }
        return event(new Event.TablesMatched(request.offset(), matched, unknown));
    }

    TableRecord record(String name) {
        return world.tables().get(TableName.parse(name));
    }

    TableState state(String name) {
        return record(name).state();
    }

    String kind(String name) {
        TableRecord table = record(name);
        return table == null ? "none" : table.state().getClass().getSimpleName();
    }

    /** Answers everything well until the table is in a state of this kind. */
    Story until(String name, Class<? extends TableState> kind) {
        for (int i = 0; i < 1_000; i++) {
            if (record(name) != null && kind.isInstance(state(name))) {
                return this;
            }
            Optional<Event> answer = answers(TableName.parse(name)).stream().findFirst();
            if (answer.isPresent()) {
                event(answer.get());
            } else {
                after(Duration.ofSeconds(31));
            }
        }
        throw new AssertionError(name + " is " + state(name) + " and does not become " + kind.getSimpleName());
    }

    Story untilStreaming(String... names) {
        for (String name : names) {
            until(name, TableState.Streaming.class);
        }
        return this;
    }

    /** The good answers to all that a table waits for now. */
    List<Event> answers(TableName table) {
        List<Event> answers = new ArrayList<>();
        for (Effect effect : Effect.due(world, limits, now)) {
            answer(effect).filter(event -> event instanceof Event.OfRun ofRun && ofRun.table().equals(table))
                    .ifPresent(answers::add);
        }
        for (SlotTask task : world.pipeline().slots().values()) {
            if (task.table().equals(table)) {
                answers.add(new Event.ChunkCopied(table, task.run(), task.chunk(), task.attempt(), 10, 100, 5));
            }
        }
        TableRecord record = world.tables().get(table);
        if (record != null) {
            byOthers(record).ifPresent(answers::add);
        }
        return answers;
    }

    Optional<Event> answer(Effect effect) {
        return switch (effect) {
            case Effect.MatchTables match -> Optional.empty();
            case Effect.Prepare prepare -> Optional.of(new Event.StepDone(
                    prepare.table(), prepare.run(), prepare.step(), prepare.attempt(), result(prepare)));
            case Effect.PlanChunks plan -> Optional.of(planned(plan));
            case Effect.Leave leave -> Optional.of(new Event.TableLeft(leave.table(), leave.run(), leave.attempt()));
        };
    }

    private StepResult result(Effect.Prepare prepare) {
        return switch (prepare.step()) {
            case INSPECT -> Given.INSPECTED;
            case PUBLISH -> new StepResult.Published(Given.IDENTITY);
            case BOUNDS -> empty.contains(prepare.table())
                    ? Given.BOUNDED_EMPTY
                    : prepare.part().<StepResult>map(Story::bounded).orElse(Given.BOUNDED);
            case CAPTURE, HOLD, QUEUE, BARRIER, DESTINATION -> new StepResult.Done();
        };
    }

    /** There is a row for every key from 1 on. */
    private static StepResult bounded(KeyBounds keys) {
        Optional<Key> after = keys.lowest().map(Story::number).filter(first -> first > 1).map(first ->
                Key.of(Integer.toString(Math.min(first - 1, HIGHEST))));
        return new StepResult.Bounded(
                Given.LSN, Given.BOUNDED.highest(), Given.BOUNDED.snapshot(),
                Optional.of(new KeyRange(after, keys.highest())));
    }

    private static int number(Key key) {
        return Integer.parseInt(key.values().getFirst());
    }

    /** Chunks of ten rows. */
    static Event.ChunksPlanned planned(Effect.PlanChunks plan) {
        int at = plan.after().map(Story::number).orElse(0);
        int end = number(plan.highest());
        List<Key> boundaries = new ArrayList<>();
        while (boundaries.size() < plan.chunks() && at < end) {
            at = Math.min(at + 10, end);
            boundaries.add(Key.of(Integer.toString(at)));
        }
        return new Event.ChunksPlanned(plan.table(), plan.run(), plan.attempt(), boundaries, at == end, Optional.of(plan.rows()));
    }

    private static Optional<Event> byOthers(TableRecord table) {
        TableName name = table.table();
        return switch (table.state()) {
            case TableState.Completing completing -> Optional.of(new Event.RunClosed(
                    name,
                    completing.run(),
                    completing.attempt().number(),
                    completing.outcome().drains() ? Optional.of(Given.LSN) : Optional.empty()));
            case TableState.Draining draining -> Optional.of(new Event.TableCaughtUp(name, draining.run()));
            case TableState.Streaming streaming
            when streaming.constraints() instanceof Constraints.Pending pending ->
                Optional.of(new Event.ConstraintsBuilt(name, streaming.run(), pending.attempt().number(), 1));
            default -> Optional.empty();
        };
    }

    List<ChunkTask> tasksOf(String name) {
        return tasks.stream()
                .map(Fold.Dispatched::task)
                .filter(task -> task.table().equals(TableName.parse(name)))
                .toList();
    }
}
