package dev.sluice.cli;

/**
 * Text from elsewhere, made so that a terminal only shows it: no escape sequence, no line of its own, nothing that turns
 * the direction of writing.
 */
final class Harmless {

    private Harmless() {
    }

    /** One line. Line breaks and tabs become blanks, other characters that do something are written as their number. */
    static String text(String text) {
        StringBuilder harmless = null;
        int at = 0;
        while (at < text.length()) {
            int c = text.codePointAt(at);
            if (isActive(c)) {
                if (harmless == null) {
                    harmless = new StringBuilder(text.length() + 16).append(text, 0, at);
                }
                if (c == '\n' || c == '\t' || c == '\r') {
                    harmless.append(' ');
                } else {
                    harmless.append("\\u{").append(Integer.toHexString(c)).append('}');
                }
            } else if (harmless != null) {
                harmless.appendCodePoint(c);
            }
            at += Character.charCount(c);
        }
        return harmless == null ? text : harmless.toString();
    }

    /** As {@link #text}, cut off behind so many characters. */
    static String text(String text, int lengthMax) {
        int length = Math.min(text.length(), lengthMax);
        if (length < text.length() && length > 0 && Character.isHighSurrogate(text.charAt(length - 1))) {
            length--;
        }
        return length == text.length() ? text(text) : text(text.substring(0, length)) + "…";
    }

    /** JSON that means the same: what does something to a terminal can only stand within strings, and is escaped there. */
    static String json(String json) {
        StringBuilder harmless = null;
        int at = 0;
        while (at < json.length()) {
            int c = json.codePointAt(at);
            boolean active = isActive(c) && c != '\n' && c != '\r' && c != '\t';
            if (active && harmless == null) {
                harmless = new StringBuilder(json.length() + 16).append(json, 0, at);
            }
            if (harmless != null) {
                if (active) {
                    for (char unit : Character.toChars(c)) {
                        harmless.append("\\u").append(String.format("%04x", (int) unit));
                    }
                } else {
                    harmless.appendCodePoint(c);
                }
            }
            at += Character.charCount(c);
        }
        return harmless == null ? json : harmless.toString();
    }

    private static boolean isActive(int c) {
        if (c >= ' ' && c < 0x7f) {
            return false;
        }
        return switch (Character.getType(c)) {
            case Character.CONTROL, Character.FORMAT, Character.SURROGATE, Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR, Character.PRIVATE_USE, Character.UNASSIGNED -> true;
            default -> false;
        };
    }
}
