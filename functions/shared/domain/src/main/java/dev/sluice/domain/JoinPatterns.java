package dev.sluice.domain;

import java.util.ArrayList;
import java.util.List;

/**
 * Which tables of the source are added by themselves.
 *
 * @param including names and patterns as in {@link Command.AddTables}
 * @param excluding of those that match, the ones that are left alone
 */
public record JoinPatterns(List<TablePattern> including, List<TablePattern> excluding) {

    public JoinPatterns {
        including = List.copyOf(including);
        excluding = List.copyOf(excluding);
    }

    /**
     * @param entries each a name or pattern; one that begins with {@code !} excludes, wherever it stands
     * @throws IllegalArgumentException if one is neither; the message says what is wrong with it
     */
    public static JoinPatterns of(List<String> entries) {
        List<TablePattern> including = new ArrayList<>();
        List<TablePattern> excluding = new ArrayList<>();
        for (String entry : entries) {
            if (entry.startsWith("!")) {
                excluding.add(TablePattern.parse(entry.substring(1)));
            } else {
                including.add(TablePattern.parse(entry));
            }
        }
        return new JoinPatterns(including, excluding);
    }

    /** The entries among these that include, as they were written: what the source is asked for. */
    public static List<String> including(List<String> entries) {
        return entries.stream().filter(entry -> !entry.startsWith("!")).toList();
    }

    public boolean joins(TableName table) {
        return including.stream().anyMatch(pattern -> pattern.matches(table))
                && excluding.stream().noneMatch(pattern -> pattern.matches(table));
    }
}
