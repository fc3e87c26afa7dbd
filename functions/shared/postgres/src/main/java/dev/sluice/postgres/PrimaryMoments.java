package dev.sluice.postgres;

import dev.sluice.domain.Lsn;
import dev.sluice.domain.PgSnapshot;
import dev.sluice.domain.TableName;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Map.Entry;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Moments of the primary that a standby has reached or will reach. The chunks of a table share them: behind a standby
 * that lags, a chunk begins at the newest moment that is reached instead of waiting for one of its own. So that there
 * always is one, others are taken while a chunk waits: only the first chunks wait as long as the standby lags.
 *
 * <p>Pure but for what it remembers: nobody's clock, no server. Safe for use by several threads. Asks for no more than
 * {@value #MOMENTS_MAX} moments of a table, at 15 s each those of four hours; more are kept only where several threads
 * take one at the same time. A table is forgotten when another's moment is added ten minutes after its last one.
 */
final class PrimaryMoments {

    private static final int MOMENTS_MAX = 1_000;
    private static final Duration FRESH = Duration.ofSeconds(1);
    /** While the standby has not reached it: what a chunk's moment may be older than the standby's lag makes it. */
    private static final Duration FRESH_WHILE_WAITING = Duration.ofSeconds(15);
    /**
     * An old moment makes more changes uncertain than waiting for the next one does. More than the longest pause between
     * two tries of a chunk together with the time between two moments: a chunk that waits leaves no such gap.
     */
    private static final Duration GAP_MAX = Duration.ofSeconds(60);
    private static final Duration KEPT = Duration.ofMinutes(10);

    private final Map<TableName, TreeMap<Lsn, Moment>> tables = new HashMap<>();

    /**
     * @param snapshot of the primary
     * @param lsn of the primary: every transaction that the snapshot sees ended before it
     * @param files which files the table had, as the snapshot sees it: a TRUNCATE or rewrite gives it others
     * @param nanos when it was taken, as {@link System#nanoTime}
     */
    record Moment(PgSnapshot snapshot, Lsn lsn, String files, long nanos) {}

    /** What a chunk is to do that has not begun yet. */
    sealed interface Next {

        /** @param moment the newest that the standby has reached, and not much older than the next */
        record Begin(Moment moment) implements Next {}

        /** The newest moment is too old: take one, add it, and ask again. */
        record TakeOne() implements Next {}

        /** @param needed how far the standby must come */
        record Wait(Lsn needed) implements Next {}
    }

    /**
     * @param nowNanos as {@link System#nanoTime}
     * @param replayed how far the standby is
     * @param from moments before this are too old: the backfill started later
     */
    synchronized Next next(TableName table, long nowNanos, Lsn replayed, Lsn from) {
        TreeMap<Lsn, Moment> moments = tables.getOrDefault(table, new TreeMap<>());
        moments.headMap(from, false).clear();
        Optional<Moment> reached = moment(moments.floorEntry(replayed));
        reached.ifPresent(moment -> moments.headMap(moment.lsn(), false).clear());
        Optional<Moment> following = moment(moments.higherEntry(replayed));
        Duration fresh = following.isPresent() ? FRESH_WHILE_WAITING : FRESH;
        boolean isTooOld = moments.isEmpty()
                || nowNanos - moments.lastEntry().getValue().nanos() > fresh.toNanos();
        if (isTooOld && moments.size() < MOMENTS_MAX) {
            return new Next.TakeOne();
        }
        return reached.filter(moment -> following
                        .map(after -> after.nanos() - moment.nanos() <= GAP_MAX.toNanos())
                        .orElse(true))
                .<Next>map(Next.Begin::new)
                .orElseGet(() -> new Next.Wait(following.orElseThrow().lsn()));
    }

    synchronized void add(TableName table, Moment moment) {
        tables.values().removeIf(moments -> moments.isEmpty()
                || moment.nanos() - moments.lastEntry().getValue().nanos() > KEPT.toNanos());
        tables.computeIfAbsent(table, any -> new TreeMap<>()).put(moment.lsn(), moment);
    }

    synchronized void forget(TableName table) {
        tables.remove(table);
    }

    private static Optional<Moment> moment(Entry<Lsn, Moment> entry) {
        return Optional.ofNullable(entry).map(Entry::getValue);
    }
}
