package dev.sluice.console.view;

import dev.sluice.console.view.TableDetail.Told;
import dev.sluice.domain.Event;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.Backfilling;
import dev.sluice.domain.Verification;
import dev.sluice.messaging.StateReader;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What happened to tables since this process runs. Bounded; safe for use by several threads. */
@Singleton
public class History {

    private static final int TABLES_MAX = 2_000;
    private static final int EVENTS_MAX = 50;
    private static final int CHUNKS_MAX = 500;

    /** The table that was told of longest ago is forgotten first. */
    private final Map<TableName, Past> pasts = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<TableName, Past> eldest) {
            return size() > TABLES_MAX;
        }
    };

    private static final class Past {
        private final Deque<Told> events = new ArrayDeque<>();
        private long run;
        private final Map<Integer, KeyRange> ranges = new HashMap<>();
        private final Deque<Copied> copied = new ArrayDeque<>();
    }

    /** @param range empty: it was planned before this process looked */
    record Copied(int chunk, int attempt, long rows, long millis, Optional<KeyRange> range) {}

    @Inject
    public History(StateReader states) {
        states.onChange(this::take);
    }

    private void take(StateReader.Change change) {
        switch (change) {
            case StateReader.Change.OfTable ofTable ->
                changed(ofTable.before(), ofTable.now(), Instant.now());
            case StateReader.Change.Gone gone -> forget(gone.table());
            case StateReader.Change.OfPipeline ofPipeline -> { }
            case StateReader.Change.Complete complete -> { }
        }
    }

    private synchronized void forget(TableName table) {
        pasts.remove(table);
    }

    private synchronized void changed(Optional<TableRecord> before, TableRecord now, Instant at) {
        Past past = past(now.table(), now.state().run());
        if (now.state() instanceof Backfilling backfilling) {
            backfilling.plan().open().forEach(chunk -> past.ranges.put(chunk.chunk(), chunk.range()));
        }
        before.ifPresent(earlier -> tell(earlier, now, at).forEach(told -> {
            past.events.addFirst(told);
            if (past.events.size() > EVENTS_MAX) {
                past.events.removeLast();
            }
        }));
    }

    private Past past(TableName table, long run) {
        Past past = pasts.computeIfAbsent(table, ignored -> new Past());
        if (past.run < run) {
            past.run = run;
            past.ranges.clear();
            past.copied.clear();
        }
        return past;
    }

    /** A chunk was copied, as its worker says. */
    synchronized void copied(Event.ChunkCopied event) {
        Past past = past(event.table(), event.run());
        if (past.run == event.run() && past.copied.stream().noneMatch(it -> it.chunk() == event.chunk())) {
            past.copied.addLast(new Copied(
                    event.chunk(), event.attempt(), event.rows(), event.millis(),
                    Optional.ofNullable(past.ranges.remove(event.chunk()))));
            if (past.copied.size() > CHUNKS_MAX) {
                past.copied.removeFirst();
            }
        }
    }

    /** Newest first. */
    synchronized List<Told> events(TableName table) {
        return Optional.ofNullable(pasts.get(table)).map(past -> List.copyOf(past.events)).orElse(List.of());
    }

    synchronized List<Copied> copied(TableName table, long run) {
        return Optional.ofNullable(pasts.get(table))
                .filter(past -> past.run == run)
                .map(past -> List.copyOf(past.copied))
                .orElse(List.of());
    }

    /** What a change of a table means, in plain words. Pure. */
    static List<Told> tell(TableRecord before, TableRecord now, Instant at) {
        List<Told> told = new ArrayList<>();
        if (!now.asked().equals(before.asked())) {
            now.asked().ifPresent(asked -> told.add(new Told(
                    asked.at(), "Asked for: " + asked.command() + asked.by().map(by -> " by " + by).orElse(""), "info")));
        }
        boolean rested = before.pause().isPresent();
        if (rested != now.pause().isPresent()) {
            told.add(new Told(at, rested ? "Goes on" : "Paused", "info"));
        }
        if (!now.state().getClass().equals(before.state().getClass()) || now.state().run() != before.state().run()) {
            told.add(state(now, at));
        }
        now.verification()
                .filter(verification -> !before.verification().map(Verification::stage).equals(Optional.of(verification.stage())))
                .flatMap(verification -> comparison(verification, before.verification(), at))
                .ifPresent(told::add);
        boolean altered = before.state() instanceof TableState.Streaming
                && now.state() instanceof TableState.Streaming
                && before.captured().isPresent()
                && now.captured().isPresent()
                && !before.captured().get().fingerprint().equals(now.captured().get().fingerprint());
        if (altered) {
            told.add(new Told(at, "The table was altered at the source, and the destination has followed", "info"));
        }
        return told;
    }

    private static Told state(TableRecord now, Instant at) {
        Instant since = now.stateSince().isAfter(at) ? at : now.stateSince();
        return switch (now.state()) {
            case TableState.Queued queued -> new Told(since, "Waits for its turn", "info");
            case TableState.Preparing preparing -> new Told(since, "Run " + preparing.run() + " is being prepared", "info");
            case TableState.Backfilling backfilling -> new Told(since, "Chunks are being copied", "info");
            case TableState.Completing completing -> new Told(
                    since,
                    switch (completing.outcome()) {
                        case COPIED -> "Every chunk is copied; the run is being closed";
                        case RESUMED -> "Goes on where it stopped";
                        case CUT_SHORT, ABANDONED, DISCARDED -> "The backfill is being cancelled";
                    },
                    "info");
            case TableState.Draining draining ->
                new Told(since, "The queue is being applied, up to " + draining.watermark(), "info");
            case TableState.Streaming streaming -> new Told(since, "Caught up: streams", "good");
            case TableState.Cancelled cancelled -> new Told(since, "Cancelled; the destination is incomplete", "bad");
            case TableState.Failed failed -> new Told(since, "Failed: " + failed.fault().reason(), "bad");
            case TableState.Leaving leaving ->
                new Told(since, leaving.toBeRemoved() ? "Is being removed" : "Its queue is being dropped", "info");
        };
    }

    private static Optional<Told> comparison(Verification now, Optional<Verification> before, Instant at) {
        return switch (now.stage()) {
            case Verification.Running running -> before.filter(Verification::isRunning).isPresent()
                    ? Optional.empty()
                    : Optional.of(new Told(now.asked(), "Is being compared with the source", "info"));
            case Verification.Compared compared -> Optional.of(
                    compared.stale()
                            ? new Told(at, "The last comparison says nothing any more: a backfill has begun", "info")
                            : new Told(
                                    now.since(),
                                    compared.findings().isEqual()
                                            ? "Compared: every row is equal"
                                            : "Compared: " + compared.findings().differing() + " rows differ, "
                                                    + compared.findings().unsettled() + " unsettled",
                                    compared.findings().differing() > 0 ? "bad" : "good"));
            case Verification.Ended ended ->
                Optional.of(new Told(now.since(), "Not compared: " + ended.fault().reason(), "bad"));
        };
    }
}
