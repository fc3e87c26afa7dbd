package dev.sluice.console.access;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/** How often somebody may fail before having to wait. Bounded; safe for use by several threads. */
final class Throttle {

    static final Duration WINDOW = Duration.ofMinutes(5);

    private static final int KNOWN_MAX = 10_000;

    private final int failuresMax;
    private final Map<String, Failures> failures = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Failures> eldest) {
            return size() > KNOWN_MAX;
        }
    };

    private record Failures(int count, long sinceNanos) {}

    Throttle(int failuresMax) {
        this.failuresMax = failuresMax;
    }

    synchronized boolean mustWait(String who) {
        Failures of = failures.get(who);
        if (of != null && System.nanoTime() - of.sinceNanos() > WINDOW.toNanos()) {
            failures.remove(who);
            return false;
        }
        return of != null && of.count() >= failuresMax;
    }

    synchronized void failed(String who) {
        failures.merge(who, new Failures(1, System.nanoTime()), (of, one) -> new Failures(of.count() + 1, of.sinceNanos()));
    }

    synchronized void succeeded(String who) {
        failures.remove(who);
    }
}
