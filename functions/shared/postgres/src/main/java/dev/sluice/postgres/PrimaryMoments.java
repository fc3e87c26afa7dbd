package dev.sluice.postgres;

import dev.sluice.domain.Lsn;
import dev.sluice.domain.PgSnapshot;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.Optional;

/**
 * Moments of the primary that a standby has reached or will reach, of one table. Chunks share them: behind a standby
 * that lags, a chunk begins at the newest moment that is reached instead of waiting for one of its own.
 *
 * <p>Safe for use by several threads. Holds as many moments as were taken while the standby was behind, at most
 * {@value #MOMENTS_MAX}.
 */
final class PrimaryMoments {

    private static final int MOMENTS_MAX = 1_000;
    private static final Duration FRESH = Duration.ofSeconds(1);
    /** An old moment makes more changes uncertain than waiting for the next one does. */
    private static final Duration GAP_MAX = Duration.ofSeconds(60);

    private final Deque<Moment> moments = new ArrayDeque<>();

    /**
     * @param snapshot of the primary
     * @param lsn of the primary: every transaction that the snapshot sees ended before it
     * @param files which files the table had, as the snapshot sees it: a TRUNCATE or rewrite gives it others
     * @param nanos when it was taken, as {@link System#nanoTime}
     */
    record Moment(PgSnapshot snapshot, Lsn lsn, String files, long nanos) {}

    /**
     * Whether the newest moment is too old for a chunk that begins now.
     *
     * @param from where its backfill started
     */
    synchronized boolean wantsOne(long nowNanos, Lsn from) {
        Moment newest = moments.peekLast();
        return newest == null || nowNanos - newest.nanos() > FRESH.toNanos() || !newest.lsn().isAtLeast(from);
    }

    synchronized void add(Moment moment) {
        if (moments.size() >= MOMENTS_MAX) {
            moments.pollFirst();
        }
        moments.addLast(moment);
    }

    /**
     * The newest moment that a standby has reached, if it is not much older than the next.
     *
     * @param replayed how far the standby is
     * @param from moments before this are too old: the backfill started later
     */
    synchronized Optional<Moment> reached(Lsn replayed, Lsn from) {
        Optional<Moment> newest = Optional.empty();
        Optional<Moment> next = Optional.empty();
        for (Iterator<Moment> all = moments.descendingIterator(); all.hasNext() && newest.isEmpty(); ) {
            Moment moment = all.next();
            if (replayed.isAtLeast(moment.lsn())) {
                newest = Optional.of(moment);
            } else {
                next = Optional.of(moment);
            }
        }
        newest.ifPresent(kept -> moments.removeIf(moment -> moment.nanos() < kept.nanos()));
        Optional<Moment> following = next;
        return newest.filter(moment -> moment.lsn().isAtLeast(from))
                .filter(moment -> following
                        .map(after -> after.nanos() - moment.nanos() <= GAP_MAX.toNanos())
                        .orElse(true));
    }

    /** The first moment that a standby has not reached. */
    synchronized Optional<Lsn> awaited(Lsn replayed) {
        return moments.stream().map(Moment::lsn).filter(lsn -> !replayed.isAtLeast(lsn)).findFirst();
    }
}
