package dev.sluice.domain;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * The last comparison of a table's rows with the source's that somebody asked for.
 *
 * @param number the offset of the command that asked for it: later ones are higher
 * @param run that the table streamed in when it was asked for
 * @param by who asked, where the command said so
 * @param since when it came to its stage
 */
public record Verification(
        long number, long run, Instant asked, Optional<String> by, Instant since, Stage stage) {

    public sealed interface Stage {}

    /**
     * Waits for its turn, or is under way.
     *
     * @param rowsCompared of the source, up to now
     */
    public record Running(long rowsCompared) implements Stage {}

    /** @param stale whether the table was backfilled anew afterwards, so that it says nothing of its rows now */
    public record Compared(Findings findings, boolean stale) implements Stage {}

    /** It could not be done, or was cut off. */
    public record Ended(Fault fault) implements Stage {}

    public boolean isRunning() {
        return stage instanceof Running;
    }

    public Verification to(Stage stage, Instant now) {
        return new Verification(number, run, asked, by, now, stage);
    }

    /**
     * What a comparison came to. Every row of the source and of the destination is counted in one way: as equal, as
     * differing, or as unsettled.
     *
     * @param rows of the source that were compared
     * @param ranges of the key in which they were compared
     * @param differing keys of which it is certain that the destination has not what the source has
     * @param unsettled keys that changed whenever they were looked at, so that nothing is certain of them
     * @param keys the first of those that differ: at most {@value #KEYS_MAX}, and {@value #KEYS_LENGTH_MAX} characters
     */
    public record Findings(long rows, int ranges, long differing, long unsettled, List<Difference> keys) {

        public static final int KEYS_MAX = 100;
        public static final int KEYS_LENGTH_MAX = 20_000;

        public Findings {
            int length = 0;
            int told = 0;
            for (Difference key : keys) {
                length += key.length();
                if (told == KEYS_MAX || length > KEYS_LENGTH_MAX) {
                    break;
                }
                told++;
            }
            keys = List.copyOf(keys.subList(0, told));
        }

        public Findings(long rows, int ranges) {
            this(rows, ranges, 0, 0, List.of());
        }

        /** Whether every row is certain to be what the source has. */
        public boolean isEqual() {
            return differing == 0 && unsettled == 0;
        }

        public boolean hasMore() {
            return differing > keys.size();
        }
    }

    /** @param key its text; for a table without a key the hash that its equal rows have in common */
    public record Difference(List<String> key, Kind kind) {

        public Difference {
            key = List.copyOf(key);
        }

        int length() {
            return key.stream().mapToInt(String::length).sum();
        }
    }

    public enum Kind {
        MISSING_AT_DESTINATION,
        MISSING_AT_SOURCE,
        DIFFERENT
    }
}
