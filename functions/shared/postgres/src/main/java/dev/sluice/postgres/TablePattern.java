package dev.sluice.postgres;

import dev.sluice.domain.TableName;

/**
 * An entry of a list of tables: a table's name, or a pattern in which {@code *} stands for any characters.
 *
 * @param schemaLike for SQL's {@code LIKE}
 * @param nameLike for SQL's {@code LIKE}
 * @param isName whether it names one table, of whatever kind
 */
record TablePattern(String schemaLike, String nameLike, boolean isName) {

    /**
     * Reads {@code schema.table}, or {@code table} for one in {@code public}; parts may be quoted as in SQL, and
     * what is quoted stands for itself.
     *
     * @throws IllegalArgumentException if the text is neither; the message says what is wrong with it
     */
    static TablePattern parse(String text) {
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
