package dev.sluice.domain;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Which try of an effect this is. An answer to an older one is ignored (R17).
 *
 * @param number rises with every try, from 1 on
 * @param failures how many tries in a row have failed before this one
 * @param faulty how many of them not for want of a server: these few are counted on their own, so that a hiccup after an
 *     outage does not end it
 * @param notBefore when this try may start; empty: at once
 * @param last what went wrong the time before
 */
public record Attempt(int number, int failures, int faulty, Optional<Instant> notBefore, Optional<Fault> last) {

    private static final Duration BACKOFF_FIRST = Duration.ofSeconds(1);
    private static final Duration BACKOFF_MAX = Duration.ofSeconds(30);
    private static final int BACKOFF_DOUBLINGS_MAX = 5;
    private static final int FAULTY_TRIES_MAX = 5;
    /** With the backoff above, close to two hours of a server that is not there. */
    private static final int UNAVAILABLE_TRIES_MAX = 240;

    public static Attempt first() {
        return numbered(1);
    }

    /** The first of a row of tries, after others of the same table. */
    public static Attempt numbered(int number) {
        return new Attempt(number, 0, 0, Optional.empty(), Optional.empty());
    }

    public boolean isDue(Instant now) {
        return notBefore.map(at -> !now.isBefore(at)).orElse(true);
    }

    /** The next try after a fault, or empty if that is the end of it. Backoff doubles from 1 s to 30 s. */
    public Optional<Attempt> after(Fault fault, Instant now) {
        boolean worthAnother = switch (fault.kind()) {
            case UNAVAILABLE -> failures + 1 < UNAVAILABLE_TRIES_MAX;
            case FAULTY -> faulty + 1 < FAULTY_TRIES_MAX && failures + 1 < UNAVAILABLE_TRIES_MAX;
            case REFUSED -> false;
        };
        if (!worthAnother) {
            return Optional.empty();
        }
        int faultyNow = fault.kind() == Fault.Kind.FAULTY ? faulty + 1 : faulty;
        Duration doubled = BACKOFF_FIRST.multipliedBy(1L << Math.min(failures, BACKOFF_DOUBLINGS_MAX));
        Instant notBefore = now.plus(doubled.compareTo(BACKOFF_MAX) > 0 ? BACKOFF_MAX : doubled);
        return Optional.of(
                new Attempt(number + 1, failures + 1, faultyNow, Optional.of(notBefore), Optional.of(fault)));
    }

    /** This try without the wait before it: what it waited for has come. */
    public Attempt atOnce() {
        return new Attempt(number, failures, faulty, Optional.empty(), last);
    }

    /** The try of the next effect of the same kind, once this one succeeded. */
    public Attempt next() {
        return numbered(number + 1);
    }
}
