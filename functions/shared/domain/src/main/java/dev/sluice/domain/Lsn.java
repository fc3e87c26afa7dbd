package dev.sluice.domain;

/**
 * A place in the source's write-ahead log. Not an offset: that word is Kafka's.
 *
 * @param value the 64 bits as PostgreSQL counts them, unsigned
 */
public record Lsn(long value) implements Comparable<Lsn> {

    public static final Lsn ZERO = new Lsn(0);

    /**
     * Reads PostgreSQL's text form, {@code 16/B374D848}.
     *
     * @throws IllegalArgumentException if the text is not two hexadecimal numbers of at most 32 bits
     */
    public static Lsn parse(String text) {
        int slash = text.indexOf('/');
        try {
            if (slash > 0) {
                long high = Integer.parseUnsignedInt(text, 0, slash, 16) & 0xffffffffL;
                long low = Integer.parseUnsignedInt(text, slash + 1, text.length(), 16) & 0xffffffffL;
                return new Lsn(high << 32 | low);
            }
        } catch (NumberFormatException | IndexOutOfBoundsException e) {
            throw new IllegalArgumentException("«" + text + "» is not an LSN", e);
        }
        throw new IllegalArgumentException("«" + text + "» is not an LSN");
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
