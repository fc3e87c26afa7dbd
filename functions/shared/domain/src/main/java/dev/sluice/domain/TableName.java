package dev.sluice.domain;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * A table of the source, by schema and name as PostgreSQL stores them (already folded, without quotes).
 *
 * <p>The text form is what a person writes in SQL: {@code public.orders}, {@code "Sales"."Order.Items"}. It is the
 * key of every message and ledger row about the table, so {@link #parse} and {@link #toString} are inverse.
 *
 * @param schema 1 to 63 bytes of UTF-8
 * @param name 1 to 63 bytes of UTF-8
 */
public record TableName(String schema, String name) implements Comparable<TableName> {

    private static final int IDENTIFIER_BYTES_MAX = 63;
    private static final Pattern PLAIN = Pattern.compile("[a-z_][a-z0-9_$]*");

    public TableName {
        requireIdentifier(schema, "schema");
        requireIdentifier(name, "table name");
    }

    /**
     * Reads {@code schema.table}, or {@code table} for one in {@code public}; parts may be quoted as in SQL.
     *
     * @throws IllegalArgumentException if the text is not such a name; the message says what is wrong with it
     */
    public static TableName parse(String text) {
        Objects.requireNonNull(text, "text");
        List<String> parts = new ArrayList<>();
        int at = 0;
        while (true) {
            var part = new StringBuilder();
            if (at < text.length() && text.charAt(at) == '"') {
                at = readQuoted(text, at + 1, part);
            } else {
                while (at < text.length() && text.charAt(at) != '.') {
                    part.append(text.charAt(at++));
                }
                if (!PLAIN.matcher(part).matches()) {
                    throw new IllegalArgumentException("«" + text + "» is not a table name: write schema.table, and "
                            + "double-quote a part that is not lower-case letters, digits and underscores");
                }
            }
            parts.add(part.toString());
            if (at == text.length()) {
                break;
            }
            if (text.charAt(at) != '.' || parts.size() == 2) {
                throw new IllegalArgumentException("«" + text + "» is not a table name: write schema.table");
            }
            at++;
        }
        return parts.size() == 1 ? new TableName("public", parts.get(0)) : new TableName(parts.get(0), parts.get(1));
    }

    private static int readQuoted(String text, int from, StringBuilder part) {
        int at = from;
        while (at < text.length()) {
            char c = text.charAt(at++);
            if (c != '"') {
                part.append(c);
            } else if (at < text.length() && text.charAt(at) == '"') {
                part.append('"');
                at++;
            } else {
                return at;
            }
        }
        throw new IllegalArgumentException("«" + text + "» is not a table name: a double quote is not closed");
    }

    static void requireIdentifier(String value, String what) {
        Objects.requireNonNull(value, what);
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(value)) {
            // Half a surrogate pair would be written as «?», and two names would become one.
            throw new IllegalArgumentException("a " + what + " is Unicode text, this is not");
        }
        int bytes = value.getBytes(StandardCharsets.UTF_8).length;
        if (bytes == 0 || bytes > IDENTIFIER_BYTES_MAX || value.indexOf('\0') >= 0) {
            throw new IllegalArgumentException(
                    "a " + what + " has 1 to " + IDENTIFIER_BYTES_MAX + " bytes and no NUL, this has " + bytes);
        }
    }

    /**
     * Whether change capture reads the name as it is. Debezium 3.6 writes schema and table as one text and reads that
     * again, which is not exact for all names; changes of a table whose name comes out as another are left out.
     */
    public boolean isExactInCapture() {
        return isExactInCapture(schema) && isExactInCapture(name);
    }

    private static boolean isExactInCapture(String part) {
        return !part.startsWith("\"") && !part.endsWith("\"") && !part.contains("''") && !part.contains("``");
    }

    /** The name as SQL text, each part quoted, safe to place in a statement. */
    public String sql() {
        return quote(schema) + "." + quote(name);
    }

    /** One identifier as SQL text, always quoted. */
    public static String quote(String identifier) {
        return '"' + identifier.replace("\"", "\"\"") + '"';
    }

    @Override
    public int compareTo(TableName other) {
        int bySchema = schema.compareTo(other.schema);
        return bySchema != 0 ? bySchema : name.compareTo(other.name);
    }

    @Override
    public String toString() {
        return plainOrQuoted(schema) + "." + plainOrQuoted(name);
    }

    private static String plainOrQuoted(String identifier) {
        return PLAIN.matcher(identifier).matches() ? identifier : quote(identifier);
    }
}
