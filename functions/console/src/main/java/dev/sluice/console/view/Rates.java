package dev.sluice.console.view;

import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** How fast tables move, by what was seen of them lately. Not safe for use by several threads. */
final class Rates {

    private static final long WINDOW_NANOS = Duration.ofSeconds(30).toNanos();
    private static final long SPACING_NANOS = Duration.ofSeconds(1).toNanos();
    /** Below that, one chunk more or less says nothing. */
    private static final long SPAN_NANOS_MIN = Duration.ofSeconds(3).toNanos();

    private final Map<TableName, Track> tracks = new HashMap<>();

    private static final class Track {
        private long run;
        private final Deque<Sample> samples = new ArrayDeque<>();
        private long drainMost;
    }

    private record Sample(long nanos, long rows, long applied) {}

    /** Takes note of what the tables have come to. */
    void see(Collection<TableRecord> tables, long nanos) {
        Set<TableName> known = new HashSet<>();
        for (TableRecord table : tables) {
            known.add(table.table());
            see(tracks.computeIfAbsent(table.table(), ignored -> new Track()), table, nanos);
        }
        tracks.keySet().retainAll(known);
    }

    private static void see(Track track, TableRecord table, long nanos) {
        long applied = table.queue().map(TableRecord.Queue::applied).orElse(0L);
        Sample last = track.samples.peekLast();
        // A process that starts again counts from nothing.
        if (track.run != table.state().run() || last != null && (last.applied() > applied || last.rows() > rows(table))) {
            track.samples.clear();
            track.run = table.state().run();
            track.drainMost = 0;
            last = null;
        }
        if (last == null || nanos - last.nanos() >= SPACING_NANOS) {
            track.samples.addLast(new Sample(nanos, rows(table), applied));
        }
        while (nanos - track.samples.getFirst().nanos() > WINDOW_NANOS) {
            track.samples.removeFirst();
        }
        track.drainMost = table.state() instanceof TableState.Draining
                ? Math.max(track.drainMost, table.queue().map(TableRecord.Queue::waiting).orElse(0L))
                : 0;
    }

    private static long rows(TableRecord table) {
        return table.progress().rowsCopied();
    }

    Optional<Long> rowsPerSecond(TableName table) {
        return over(table).map(span -> perSecond(span.last().rows() - span.first().rows(), span));
    }

    Optional<Long> appliedPerSecond(TableName table) {
        return over(table).map(span -> perSecond(span.last().applied() - span.first().applied(), span));
    }

    /** The most changes that waited since the table drains. */
    long drainMost(TableName table) {
        return Optional.ofNullable(tracks.get(table)).map(track -> track.drainMost).orElse(0L);
    }

    private Optional<Span> over(TableName table) {
        return Optional.ofNullable(tracks.get(table))
                .filter(track -> !track.samples.isEmpty())
                .map(track -> new Span(track.samples.getFirst(), track.samples.getLast()))
                .filter(span -> span.nanos() >= SPAN_NANOS_MIN);
    }

    private static long perSecond(long count, Span span) {
        return Math.round(count * 1e9 / span.nanos());
    }

    private record Span(Sample first, Sample last) {
        long nanos() {
            return last.nanos() - first.nanos();
        }
    }
}
