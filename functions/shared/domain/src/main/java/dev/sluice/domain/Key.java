package dev.sluice.domain;

import java.util.List;

/**
 * The key of a row: PostgreSQL's text of each key column, in the order of the key (not of the table's columns).
 */
public record Key(List<String> values) {

    public Key {
        values = List.copyOf(values);
        if (values.isEmpty()) {
            throw new IllegalArgumentException("a key has at least one column");
        }
    }

    public static Key of(String... values) {
        return new Key(List.of(values));
    }

    @Override
    public String toString() {
        return "(" + String.join(", ", values) + ")";
    }
}
