package dev.sluice.postgres;

import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Whether every value of one type, as text, is a value of another. By names as {@code format_type} writes them. */
final class ColumnTypes {

    private static final Map<String, List<String>> WIDER = Map.of(
            "smallint", List.of("integer", "bigint", "numeric"),
            "integer", List.of("bigint", "numeric"),
            "bigint", List.of("numeric"),
            "real", List.of("double precision"));

    /** A name, a modifier, and the rest, as in {@code timestamp(3) with time zone}. */
    private static final Pattern WITH_MODIFIER = Pattern.compile("([a-z ]+)\\(([0-9]+)(,-?[0-9]+)?\\)([a-z ]*)");

    private ColumnTypes() {}

    static boolean fits(String from, String to) {
        if (from.equals(to) || to.equals("text") || to.equals("character varying")) {
            return true;
        }
        if (WIDER.getOrDefault(from, List.of()).contains(to)) {
            return true;
        }
        Matcher limited = WITH_MODIFIER.matcher(from);
        if (!limited.matches() || limited.group(1).equals("character") || limited.group(1).equals("bit")) {
            // These two pad or demand a length: character without one means character(1).
            return false;
        }
        if ((limited.group(1) + limited.group(4)).equals(to)) {
            return true;
        }
        Matcher wider = WITH_MODIFIER.matcher(to);
        if (!wider.matches() || !wider.group(1).equals(limited.group(1))) {
            return false;
        }
        int more = Integer.parseInt(wider.group(2)) - Integer.parseInt(limited.group(2));
        return switch (limited.group(1)) {
            case "character varying", "bit varying" -> more >= 0;
            // As many digits before the point, and as many after it.
            case "numeric" -> {
                int scales = scale(wider) - scale(limited);
                yield scales >= 0 && more >= scales;
            }
            default -> false;
        };
    }

    private static int scale(Matcher numeric) {
        return numeric.group(3) == null ? 0 : Integer.parseInt(numeric.group(3).substring(1));
    }
}
