package dev.sluice.domain;

/**
 * The text of a row filter, as far as it can be judged without PostgreSQL: that it stays within the parentheses that it
 * is put into. What it means, PostgreSQL decides.
 */
final class RowCondition {

    private static final int LENGTH_MAX = 10_000;
    private static final int DEPTH_MAX = 100;

    private RowCondition() {}

    /** @throws IllegalArgumentException if the text could end, comment out or outlast what it is put into */
    static void require(String text) {
        if (text.isBlank() || text.length() > LENGTH_MAX) {
            throw refused("it has " + text.length() + " characters; write a condition of 1 to " + LENGTH_MAX);
        }
        var open = new StringBuilder();
        int at = 0;
        while (at < text.length()) {
            char c = text.charAt(at);
            switch (c) {
                case '\'', '"' -> at = closing(text, at);
                case '(', '[' -> open.append(c == '(' ? ')' : ']');
                case ')', ']' -> {
                    if (open.isEmpty() || open.charAt(open.length() - 1) != c) {
                        throw refused("«" + c + "» closes what was not opened");
                    }
                    open.setLength(open.length() - 1);
                }
                case ';' -> throw refused("it has a semicolon; write one condition");
                case '$' -> throw refused("it has a dollar sign outside of quotes; write texts in single quotes");
                case '\\' -> throw refused("it has a backslash outside of quotes");
                case '-' -> refusePair(text, at, '-', "it has a comment (--); write two minus signs apart");
                case '/' -> refusePair(text, at, '*', "it has a comment (/*)");
                default -> {
                    if (c < ' ' && !Character.isWhitespace(c)) {
                        throw refused("it has a control character");
                    }
                }
            }
            if (open.length() > DEPTH_MAX) {
                throw refused("it has more than " + DEPTH_MAX + " parentheses within each other");
            }
            at++;
        }
        if (!open.isEmpty()) {
            throw refused("a parenthesis is not closed");
        }
    }

    /**
     * Where what is quoted ends; a quote that is doubled ends one and begins the next. Whether a backslash escapes in
     * {@code E'…'} and with old settings in any text, so there is none.
     */
    private static int closing(String text, int from) {
        char quote = text.charAt(from);
        int end = text.indexOf(quote, from + 1);
        if (end < 0) {
            throw refused("a quote is not closed");
        }
        for (int i = from; i < end; i++) {
            if (text.charAt(i) == '\\' || text.charAt(i) == '\0') {
                throw refused("a text in it has a backslash or NUL, which not every server reads alike");
            }
        }
        return end;
    }

    private static void refusePair(String text, int at, char second, String why) {
        if (at + 1 < text.length() && text.charAt(at + 1) == second) {
            throw refused(why);
        }
    }

    private static IllegalArgumentException refused(String why) {
        return new IllegalArgumentException("«where» is not a condition to be followed: " + why);
    }
}
