package dev.sluice.domain;

import java.math.BigInteger;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;

/**
 * A type of key column whose order Java can decide from PostgreSQL's text, exactly as PostgreSQL does (R10). The order
 * of every other type only the database knows.
 */
public enum KeyType {
    /** smallint, integer, bigint, oid. */
    INTEGER {
        @Override
        public int compare(String a, String b) {
            return new BigInteger(a).compareTo(new BigInteger(b));
        }
    },
    /** numeric, with {@code -Infinity} first, then numbers, {@code Infinity} and {@code NaN}. */
    NUMERIC {
        @Override
        public int compare(String a, String b) {
            int rankA = rank(a);
            int rankB = rank(b);
            if (rankA != rankB || rankA != 1) {
                return Integer.compare(rankA, rankB);
            }
            return new BigDecimal(a).compareTo(new BigDecimal(b));
        }

        private static int rank(String text) {
            return switch (text.toLowerCase(Locale.ROOT)) {
                case "-infinity" -> 0;
                case "infinity" -> 2;
                case "nan" -> 3;
                default -> 1;
            };
        }
    },
    /** uuid: PostgreSQL writes it in lower-case hexadecimal, whose order is that of the bytes. */
    UUID {
        @Override
        public int compare(String a, String b) {
            return a.compareTo(b);
        }
    },
    /** text and varchar where the collation orders by code point: compared as bytes of UTF-8. */
    TEXT {
        @Override
        public int compare(String a, String b) {
            return Arrays.compareUnsigned(a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8));
        }
    },
    /** bytea as {@code \x…} in lower-case hexadecimal. */
    BYTEA {
        @Override
        public int compare(String a, String b) {
            return a.compareTo(b);
        }
    },
    /** boolean as {@code f} and {@code t}. */
    BOOLEAN {
        @Override
        public int compare(String a, String b) {
            return a.compareTo(b);
        }
    };

    /** Orders two values in PostgreSQL's text form. Neither is null: a key has no NULL. */
    public abstract int compare(String a, String b);
}
