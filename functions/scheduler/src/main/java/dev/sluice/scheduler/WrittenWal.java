package dev.sluice.scheduler;

import dev.sluice.domain.Lsn;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * When the source had written its WAL up to where, so that it can be told how old what a standby has replayed is. The
 * server's own figure stands still while a standby's replay does.
 *
 * <p>Known from the first look on, for as many looks as are kept, and as exact as they are frequent. Pure of any clock.
 */
final class WrittenWal {

    /** A day and more, at a look every five seconds. */
    private static final int LOOKS_MAX = 20_000;

    private record Look(Instant at, Lsn written) {}

    private final Deque<Look> looks = new ArrayDeque<>();

    void written(Lsn end, Instant at) {
        if (looks.isEmpty() || !looks.getLast().written().isAtLeast(end)) {
            looks.addLast(new Look(at, end));
        }
        if (looks.size() > LOOKS_MAX) {
            looks.removeFirst();
        }
    }

    /** How long ago the first look was that saw more than this; nothing, if none did. */
    Duration lag(Lsn replayed, Instant now) {
        return looks.stream()
                .filter(look -> !replayed.isAtLeast(look.written()))
                .findFirst()
                .map(look -> Duration.between(look.at(), now))
                .orElse(Duration.ZERO);
    }
}
