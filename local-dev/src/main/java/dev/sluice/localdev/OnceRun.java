package dev.sluice.localdev;

import dev.sluice.domain.Lsn;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Decides when {@code up --once} goes on, and when there is no use in waiting: what is known now goes in, what is to
 * be done comes out.
 */
final class OnceRun {

    /** Longer than any step of the preparation waits before it tries again. */
    static final Duration STALL_LIMIT = Duration.ofMinutes(5);
    /** Somebody may kill a part and bring it back, to see what happens. */
    static final Duration DEAD_LIMIT = Duration.ofSeconds(60);

    private final List<TableName> expected;
    private Set<Object> moving = Set.of();
    private Instant movedAt = Instant.MIN;
    private Optional<Part> dead = Optional.empty();
    private Instant deadSince = Instant.MIN;

    OnceRun(List<TableName> expected) {
        this.expected = List.copyOf(expected);
    }

    /** How far a table has come. Further tries of the same step are not further. */
    private record Place(TableName table, String state, long rowsCopied, long applied) {

        static Place of(TableRecord table) {
            return new Place(table.table(), TableProgress.state(table.state()), table.progress().rowsCopied(),
                    table.queue().map(TableRecord.Queue::applied).orElse(0L));
        }
    }

    /** What to do next. */
    sealed interface Verdict {
        record Wait() implements Verdict {}

        record Done() implements Verdict {}

        record GiveUp(String reason, Optional<Part> culprit) implements Verdict {}
    }

    /** Whether all expected tables stream. */
    Verdict streaming(
            List<TableRecord> tables, List<PipelineRecord.Rejection> rejections, Optional<Part> deadNow, Instant now) {
        for (TableRecord table : tables) {
            if (table.state() instanceof TableState.Failed failed) {
                return giveUp(table.table() + " failed: " + TableProgress.text(failed.fault()));
            }
            if (table.state() instanceof TableState.Cancelled) {
                return giveUp(table.table() + " was cancelled: it is not complete at the destination");
            }
        }
        if (!rejections.isEmpty()) {
            PipelineRecord.Rejection last = rejections.get(rejections.size() - 1);
            return giveUp(last.what() + " was rejected: " + last.reason());
        }
        Set<TableName> streaming = new HashSet<>();
        Set<Object> underWay = new HashSet<>();
        for (TableRecord table : tables) {
            if (table.state() instanceof TableState.Streaming) {
                streaming.add(table.table());
            } else {
                underWay.add(Place.of(table));
            }
        }
        if (streaming.containsAll(expected)) {
            return new Verdict.Done();
        }
        return waitWhileItMoves(underWay, deadNow, now, "the tables that do not stream yet");
    }

    /** Whether all is captured that the source had committed by then, and nothing of it waits. */
    Verdict queuesEmpty(
            List<TableRecord> tables, Lsn committed, Optional<Lsn> captured, Optional<Part> deadNow, Instant now) {
        boolean allCaptured = captured.filter(lsn -> lsn.isAtLeast(committed)).isPresent();
        boolean noneWaits = tables.stream()
                .allMatch(table -> table.queue().map(TableRecord.Queue::waiting).orElse(0L) == 0);
        if (allCaptured && noneWaits) {
            return new Verdict.Done();
        }
        for (TableRecord table : tables) {
            if (table.state() instanceof TableState.Failed failed) {
                return giveUp(table.table() + " failed: " + TableProgress.text(failed.fault()));
            }
        }
        Set<Object> underWay = new HashSet<>();
        tables.forEach(table -> underWay.add(Place.of(table)));
        captured.ifPresent(underWay::add);
        return waitWhileItMoves(underWay, deadNow, now, allCaptured ? "the queues" : "change capture");
    }

    private Verdict waitWhileItMoves(Set<Object> underWay, Optional<Part> deadNow, Instant now, String what) {
        if (!deadNow.equals(dead)) {
            dead = deadNow;
            deadSince = now;
        }
        if (dead.isPresent() && Duration.between(deadSince, now).compareTo(DEAD_LIMIT) > 0) {
            return new Verdict.GiveUp(dead.get() + " is dead, and nobody brought it back", dead);
        }
        if (!underWay.equals(moving) || movedAt.equals(Instant.MIN)) {
            moving = underWay;
            movedAt = now;
        }
        if (Duration.between(movedAt, now).compareTo(STALL_LIMIT) > 0) {
            return new Verdict.GiveUp("nothing moved for " + Numbers.time(STALL_LIMIT) + ": " + what,
                    Optional.of(Part.FUNCTIONS));
        }
        return new Verdict.Wait();
    }

    private static Verdict giveUp(String reason) {
        return new Verdict.GiveUp(reason, Optional.empty());
    }
}
