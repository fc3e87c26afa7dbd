package dev.sluice.domain;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A place in the source's write-ahead log. Not an offset: that word is Kafka's.
 *
 * @param value the 64 bits as PostgreSQL counts them, unsigned
 */
public record Lsn(long value) implements Comparable<Lsn> {

    public static final Lsn ZERO = new Lsn(0);

    private static final Pattern TEXT = Pattern.compile("([0-9A-Fa-f]{1,8})/([0-9A-Fa-f]{1,8})");

    /**
     * Reads PostgreSQL's text form, {@code 16/B374D848}.
     *
     * @throws IllegalArgumentException if the text is not two hexadecimal numbers of at most 32 bits
     */
    public static Lsn parse(String text) {
        Matcher parts = TEXT.matcher(text);
        if (!parts.matches()) {
            throw new IllegalArgumentException("«" + text + "» is not an LSN");
        }
        return new Lsn(Long.parseLong(parts.group(1), 16) << 32 | Long.parseLong(parts.group(2), 16));
    }

    @Override
    public int compareTo(Lsn other) {
        return Long.compareUnsigned(value, other.value);
    }

    public boolean isAtLeast(Lsn other) {
        return compareTo(other) >= 0;
    }

    @Override
    public String toString() {
        return "%X/%X".formatted(value >>> 32, value & 0xffffffffL);
    }
}
