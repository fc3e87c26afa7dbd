package dev.sluice.scheduler;

import dev.sluice.domain.Event.SourceMeasured;
import dev.sluice.domain.Settings;
import java.util.Optional;

/** Whether chunks go out while the source is busy. Pure. */
final class Resting {

    private Resting() {}

    static boolean isAsked(Settings settings) {
        return settings.sourceSessionsMax().isPresent() || settings.replicaLagSecondsMax().isPresent();
    }

    /**
     * Why no chunk goes out from now on; empty: they do. Once it rests, it does so until the source is a fifth below
     * what it may be, so that it does not change its mind with every look.
     *
     * @param settings that hold
     * @param before why none has gone out until now
     */
    static Optional<String> after(Settings settings, Optional<String> before, SourceMeasured measured) {
        if (!isAsked(settings)) {
            return Optional.empty();
        }
        if (measured.unseen().isPresent()) {
            return measured.unseen().map(why -> "whether the source is busy is not known: " + why);
        }
        return settings.sourceSessionsMax()
                .filter(max -> isAbove(measured.sessions(), max, before.isPresent()))
                .map(max -> measured.sessions() + " sessions are active at the source; sourceSessionsMax is " + max)
                .or(() -> settings.replicaLagSecondsMax()
                        .filter(max -> isAbove(measured.lagMillis(), max * 1_000L, before.isPresent()))
                        .map(max -> "a standby of the source is " + measured.lagMillis() / 1_000
                                + " s behind; replicaLagSecondsMax is " + max));
    }

    private static boolean isAbove(long value, long max, boolean rests) {
        return rests ? value * 5 > max * 4 : value > max;
    }
}
