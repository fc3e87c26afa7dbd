package dev.sluice.domain;

import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * PostgreSQL's {@code pg_snapshot}: which transactions a read could see.
 *
 * @see <a href="https://www.postgresql.org/docs/current/functions-info.html">PostgreSQL, transaction ID functions</a>
 */
public final class PgSnapshot {

    private static final Pattern TEXT = Pattern.compile("([0-9]+):([0-9]+):([0-9,]*)");

    private final long xmin;
    private final long xmax;
    private final long[] inProgress;

    private PgSnapshot(long xmin, long xmax, long[] inProgress) {
        this.xmin = xmin;
        this.xmax = xmax;
        this.inProgress = inProgress;
    }

    /**
     * Reads {@code xmin:xmax:xip,xip,…} with 64-bit transaction ids.
     *
     * @throws IllegalArgumentException if the text has another form
     */
    public static PgSnapshot parse(String text) {
        Matcher parts = TEXT.matcher(text);
        if (!parts.matches()) {
            throw new IllegalArgumentException("«" + text + "» is not a pg_snapshot");
        }
        try {
            long xmin = Long.parseLong(parts.group(1));
            long xmax = Long.parseLong(parts.group(2));
            long[] inProgress = parts.group(3).isEmpty()
                    ? new long[0]
                    : Arrays.stream(parts.group(3).split(",", -1)).mapToLong(Long::parseLong).sorted().toArray();
            if (xmin > xmax) {
                throw new IllegalArgumentException("«" + text + "» is not a pg_snapshot: xmin is above xmax");
            }
            return new PgSnapshot(xmin, xmax, inProgress);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("«" + text + "» is not a pg_snapshot", e);
        }
    }

    /** Whether the transaction, a 64-bit top-level id, had committed or aborted when the snapshot was taken. */
    public boolean sees(long transaction) {
        if (transaction < xmin) {
            return true;
        }
        return transaction < xmax && Arrays.binarySearch(inProgress, transaction) < 0;
    }

    /**
     * As {@link #sees}, for the 32 bits that a change carries: the epoch is the one that brings the id nearest to
     * the snapshot. Right as long as fewer than 2^31 transactions lie between the two.
     */
    public boolean sees32(long transaction32) {
        int distance = (int) (transaction32 - xmax);
        return sees(xmax + distance);
    }

    public long xmin() {
        return xmin;
    }

    /** One more than the highest id that is over. */
    public long xmax() {
        return xmax;
    }

    /** The transactions below {@link #xmax} that are not over, in order. */
    public LongStream inProgress() {
        return LongStream.of(inProgress);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof PgSnapshot that && toString().equals(that.toString());
    }

    @Override
    public int hashCode() {
        return toString().hashCode();
    }

    @Override
    public String toString() {
        return xmin + ":" + xmax + ":"
                + LongStream.of(inProgress).mapToObj(Long::toString).collect(Collectors.joining(","));
    }
}
