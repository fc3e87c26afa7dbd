package dev.sluice.domain;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which columns and rows of a table are carried, and how. They hold for a whole run: from the moment it is opened for
 * its chunks and for every change, until another run is opened.
 *
 * <p>Columns are named as PostgreSQL stores them, without quotes. Whether the table has them is known only at the
 * source.
 *
 * @param key columns that name a row, for a table whose own key is not to be used; empty: the table's own
 * @param include the only columns to carry; empty: all
 * @param exclude columns to leave out; not together with {@code include}
 * @param hash columns of which the SHA-256 of salt and text arrives instead of the value
 * @param mask columns of which a fixed text arrives instead of the value, or NULL where it is empty
 * @param where the rows to carry, as an SQL condition over the table's columns
 * @param softDelete the destination's column that marks a row which the source does not have any more; empty: such a
 *     row is deleted
 */
public record TableOptions(
        List<String> key,
        List<String> include,
        List<String> exclude,
        List<String> hash,
        Map<String, Optional<String>> mask,
        Optional<String> where,
        Optional<SoftDelete> softDelete) {

    public static final TableOptions NONE = new TableOptions(
            List.of(), List.of(), List.of(), List.of(), Map.of(), Optional.empty(), Optional.empty());

    /** More characters than this in all names and texts together are refused: options travel with messages. */
    public static final int LENGTH_MAX = 100_000;

    private static final int MASK_LENGTH_MAX = 1_000;

    /** @throws IllegalArgumentException if they contradict themselves or are too long; the message says what to change */
    public TableOptions {
        key = columns("key", key);
        include = columns("include", include);
        exclude = columns("exclude", exclude);
        hash = columns("hash", hash);
        mask = Collections.unmodifiableMap(new LinkedHashMap<>(mask));
        columns("mask", mask.keySet());
        mask.forEach((column, text) -> {
            if (text == null || text.filter(it -> it.length() > MASK_LENGTH_MAX || it.indexOf('\0') >= 0).isPresent()) {
                throw new IllegalArgumentException("the mask of column «" + column + "» is not a text of at most "
                        + MASK_LENGTH_MAX + " characters without NUL, nor null");
            }
        });
        where.ifPresent(RowCondition::require);
        if (!include.isEmpty() && !exclude.isEmpty()) {
            throw new IllegalArgumentException("options have «include» or «exclude», not both: include alone names the "
                    + "columns to carry, exclude alone those to leave out");
        }
        requireDisjoint(key, "key", exclude, "exclude", "a key column cannot be left out");
        requireDisjoint(key, "key", hash, "hash", "rows are found by their key, and ranges need its order");
        requireDisjoint(key, "key", mask.keySet(), "mask", "rows are found by their key");
        requireDisjoint(hash, "hash", mask.keySet(), "mask", "name it in one of them");
        requireDisjoint(hash, "hash", exclude, "exclude", "name it in one of them");
        requireDisjoint(mask.keySet(), "mask", exclude, "exclude", "name it in one of them");
        if (!include.isEmpty()) {
            requireAmong(key, "key", include);
            requireAmong(hash, "hash", include);
            requireAmong(mask.keySet(), "mask", include);
        }
        if (length(key, include, exclude, hash, mask, where) > LENGTH_MAX) {
            throw new IllegalArgumentException("the options have more than " + LENGTH_MAX
                    + " characters: name the columns to include instead of those to exclude, or the other way round");
        }
    }

    /**
     * How a row is marked that the source does not have any more.
     *
     * @param column of the destination; it is made if it is missing, and the source must not have it
     */
    public record SoftDelete(String column, Type type) {

        public SoftDelete {
            TableName.requireIdentifier(column, "soft-delete column");
        }

        public enum Type {
            /** {@code false} for a row that is there, {@code true} for one that is gone. */
            BOOLEAN,
            /** NULL for a row that is there, else when it went. */
            TIMESTAMPTZ
        }
    }

    /** Whether the column arrives at the destination, as it is or transformed. */
    public boolean carries(String column) {
        return include.isEmpty() ? !exclude.contains(column) : include.contains(column);
    }

    public boolean isNone() {
        return equals(NONE);
    }

    /** How much they add to a message, in characters. */
    public int length() {
        return length(key, include, exclude, hash, mask, where);
    }

    private static int length(
            List<String> key,
            List<String> include,
            List<String> exclude,
            List<String> hash,
            Map<String, Optional<String>> mask,
            Optional<String> where) {
        List<String> texts = new ArrayList<>();
        List.of(key, include, exclude, hash, mask.keySet()).forEach(texts::addAll);
        mask.values().forEach(text -> text.ifPresent(texts::add));
        where.ifPresent(texts::add);
        return texts.stream().mapToInt(String::length).sum();
    }

    private static List<String> columns(String option, Collection<String> names) {
        Set<String> seen = new HashSet<>();
        for (String name : names) {
            if (name == null) {
                throw new IllegalArgumentException("«" + option + "» names a column that is null");
            }
            TableName.requireIdentifier(name, "column name in «" + option + "»");
            if (!seen.add(name)) {
                throw new IllegalArgumentException("«" + option + "» names the column «" + name + "» twice");
            }
        }
        return List.copyOf(names);
    }

    private static void requireDisjoint(
            Collection<String> some, String option, Collection<String> others, String otherOption, String why) {
        some.stream().filter(others::contains).findFirst().ifPresent(name -> {
            throw new IllegalArgumentException("the column «" + name + "» stands in «" + option + "» and in «"
                    + otherOption + "»: " + why);
        });
    }

    private static void requireAmong(Collection<String> some, String option, List<String> include) {
        some.stream().filter(name -> !include.contains(name)).findFirst().ifPresent(name -> {
            throw new IllegalArgumentException("the column «" + name + "» stands in «" + option
                    + "» but not in «include»: add it there");
        });
    }
}
