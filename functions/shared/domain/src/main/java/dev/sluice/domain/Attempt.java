package dev.sluice.domain;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Which try of an effect this is. An answer to an older one is ignored (R17).
 *
 * @param number from 1 on
 * @param notBefore when a retry may start; empty for the first try
 * @param last what went wrong the time before
 */
public record Attempt(int number, Optional<Instant> notBefore, Optional<Fault> last) {

    private static final Duration BACKOFF_FIRST = Duration.ofSeconds(1);
    private static final Duration BACKOFF_MAX = Duration.ofSeconds(30);
    private static final int FAULTY_ATTEMPTS_MAX = 5;
    /** With the backoff above, close to two hours of a server that is not there. */
    private static final int UNAVAILABLE_ATTEMPTS_MAX = 240;

    public static Attempt first() {
        return new Attempt(1, Optional.empty(), Optional.empty());
    }

    public boolean isDue(Instant now) {
        return notBefore.map(at -> !now.isBefore(at)).orElse(true);
    }

    /** The next try after a fault, or empty if that is the end of it. Backoff doubles from 1 s to 30 s. */
    public Optional<Attempt> after(Fault fault, Instant now) {
        int max = switch (fault.kind()) {
            case UNAVAILABLE -> UNAVAILABLE_ATTEMPTS_MAX;
            case FAULTY -> FAULTY_ATTEMPTS_MAX;
            case REFUSED -> 1;
        };
        if (number >= max) {
            return Optional.empty();
        }
        long doublings = Math.min(number - 1, 5);
        Duration backoff = BACKOFF_FIRST.multipliedBy(1L << doublings);
        Instant notBefore = now.plus(backoff.compareTo(BACKOFF_MAX) > 0 ? BACKOFF_MAX : backoff);
        return Optional.of(new Attempt(number + 1, Optional.of(notBefore), Optional.of(fault)));
    }

    /** The next try at once, for an answer that did not come in time. */
    public Attempt again(Instant now) {
        return new Attempt(number + 1, Optional.of(now), last);
    }
}
