package dev.sluice.localdev;

import java.time.Duration;
import java.util.Locale;

/** Numbers as a person reads them. */
final class Numbers {

    private static final int SECONDS_EXACT_MAX = 10;

    private Numbers() {
    }

    static String count(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    /** {@code 0.3 s}, {@code 42 s}, {@code 3 min 20 s}, {@code 2 h 5 min}. */
    static String time(Duration time) {
        if (time.toSeconds() < SECONDS_EXACT_MAX) {
            return String.format(Locale.ROOT, "%.1f s", time.toMillis() / 1_000.0);
        }
        if (time.toMinutes() == 0) {
            return time.toSeconds() + " s";
        }
        if (time.toHours() == 0) {
            return time.toMinutes() + " min " + time.toSecondsPart() + " s";
        }
        return time.toHours() + " h " + time.toMinutesPart() + " min";
    }
}
