package dev.sluice.domain;

/**
 * An entry of a list of tables: a table's name, or a pattern in which {@code *} stands for any characters.
 *
 * @param schemaLike as in SQL's {@code LIKE}: {@code %} for any characters, a backslash before what stands for itself
 * @param nameLike as {@code schemaLike}
 * @param isName whether it names one table, of whatever kind
 */
public record TablePattern(String schemaLike, String nameLike, boolean isName) {

    /**
     * Reads {@code schema.table}, or {@code table} for one in {@code public}; parts may be quoted as in SQL, and
     * what is quoted stands for itself.
     *
     * @throws IllegalArgumentException if the text is neither; the message says what is wrong with it
     */
    public static TablePattern parse(String text) {
        int dot = -1;
        boolean quoted = false;
        boolean star = false;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            quoted ^= c == '"';
            star |= !quoted && c == '*';
            if (!quoted && c == '.' && dot < 0) {
                dot = i;
            }
        }
        if (!star) {
            TableName name = TableName.parse(text);
            return new TablePattern(literal(name.schema()), literal(name.name()), true);
        }
        return new TablePattern(
                dot < 0 ? "public" : part(text, text.substring(0, dot)), part(text, text.substring(dot + 1)), false);
    }

    /** Whether it names the table, as the source's {@code LIKE} would say. */
    public boolean matches(TableName table) {
        return like(schemaLike, table.schema()) && like(nameLike, table.name());
    }

    /** Goes back to the last {@code %} only, so that no pattern takes longer than the two lengths multiplied. */
    private static boolean like(String pattern, String text) {
        int p = 0;
        int t = 0;
        int star = -1;
        int behind = 0;
        while (t < text.length()) {
            boolean escaped = p < pattern.length() && pattern.charAt(p) == '\\';
            if (!escaped && p < pattern.length() && pattern.charAt(p) == '%') {
                star = p++;
                behind = t;
            } else if (p < pattern.length() && pattern.charAt(escaped ? p + 1 : p) == text.charAt(t)) {
                p += escaped ? 2 : 1;
                t++;
            } else if (star >= 0) {
                p = star + 1;
                t = ++behind;
            } else {
                return false;
            }
        }
        while (p < pattern.length() && pattern.charAt(p) == '%') {
            p++;
        }
        return p == pattern.length();
    }

    private static String part(String text, String part) {
        if (part.startsWith("\"")) {
            // Only a single quoted identifier passes, as the table name of a schema that does not matter.
            return literal(TableName.parse("public." + part).name());
        }
        if (!part.matches("[a-z0-9_$*]+")) {
            throw new IllegalArgumentException("«" + text + "» is not a pattern: write schema.table with * for any "
                    + "characters, and double-quote a part that is not lower-case letters, digits and underscores");
        }
        return literal(part).replace("*", "%");
    }

    private static String literal(String identifier) {
        return identifier.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_");
    }
}
