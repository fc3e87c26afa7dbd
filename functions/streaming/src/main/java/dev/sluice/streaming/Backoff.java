package dev.sluice.streaming;

import java.time.Duration;

/** How long to wait before the next try: from half a second, doubling, to half a minute. */
final class Backoff {

    private static final Duration FIRST = Duration.ofMillis(500);
    private static final Duration MAX = Duration.ofSeconds(30);
    private static final int DOUBLINGS_MAX = 6;

    private Backoff() {}

    /** @param failures in a row, from 1 on */
    static Duration after(int failures) {
        Duration delay = FIRST.multipliedBy(1L << Math.min(failures - 1, DOUBLINGS_MAX));
        return delay.compareTo(MAX) > 0 ? MAX : delay;
    }
}
