package dev.sluice.cli;

/** How many columns of a terminal a text takes, and how to make it take just as many as there are. */
final class Columns {

    private Columns() {
    }

    static int of(String text) {
        int columns = 0;
        for (int at = 0; at < text.length(); ) {
            int c = text.codePointAt(at);
            columns += of(c);
            at += Character.charCount(c);
        }
        return columns;
    }

    /** Cut off where it is too long, with «…» for what is missing. */
    static String cut(String text, int columns) {
        if (text.length() <= columns && of(text) <= columns) {
            return text;
        }
        var cut = new StringBuilder();
        int used = 0;
        for (int at = 0; at < text.length(); ) {
            int c = text.codePointAt(at);
            if (used + of(c) > columns - 1) {
                break;
            }
            cut.appendCodePoint(c);
            used += of(c);
            at += Character.charCount(c);
        }
        return columns < 1 ? "" : cut.append('…').toString();
    }

    static String left(String text, int columns) {
        return text + " ".repeat(Math.max(0, columns - of(text)));
    }

    static String right(String text, int columns) {
        return " ".repeat(Math.max(0, columns - of(text))) + text;
    }

    private static int of(int c) {
        if (c < 0x300) {
            return 1;
        }
        int type = Character.getType(c);
        if (type == Character.NON_SPACING_MARK || type == Character.ENCLOSING_MARK) {
            return 0;
        }
        boolean wide = c >= 0x1100 && c <= 0x115f
                || c >= 0x2e80 && c <= 0xa4cf
                || c >= 0xac00 && c <= 0xd7a3
                || c >= 0xf900 && c <= 0xfaff
                || c >= 0xfe30 && c <= 0xfe6f
                || c >= 0xff00 && c <= 0xff60
                || c >= 0xffe0 && c <= 0xffe6
                || c >= 0x1f300 && c <= 0x1faff
                || c >= 0x20000 && c <= 0x3fffd;
        return wide ? 2 : 1;
    }
}
