package dev.sluice.domain;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * The keys that a backfill of a part copies, as a person names them: text of each key column, in the order of the key.
 * Whether they are keys of the table is known only at the source.
 *
 * @param from the lowest; empty: from the beginning
 * @param to the highest; empty: to the end
 */
public record KeyBounds(Optional<List<String>> from, Optional<List<String>> to) {

    /** PostgreSQL's own bound on the columns of an index. */
    private static final int COLUMNS_MAX = 32;

    private static final int LENGTH_MAX = 20_000;

    /** @throws IllegalArgumentException if neither end is named, or an end is no key; the message says what to change */
    public KeyBounds {
        if (from.isEmpty() && to.isEmpty()) {
            throw new IllegalArgumentException("«keys» names neither «from» nor «to»: leave it out to copy all rows");
        }
        from.ifPresent(key -> require(key, "from"));
        to.ifPresent(key -> require(key, "to"));
        from = from.map(List::copyOf);
        to = to.map(List::copyOf);
    }

    private static void require(List<String> key, String end) {
        if (key.isEmpty() || key.size() > COLUMNS_MAX || key.stream().anyMatch(Objects::isNull)) {
            throw new IllegalArgumentException("«" + end + "» of «keys» has the text of each key column, 1 to " + COLUMNS_MAX
                    + " of them; no column of a key is null");
        }
        if (key.stream().mapToInt(String::length).sum() > LENGTH_MAX || key.stream().anyMatch(it -> it.indexOf('\0') >= 0)) {
            throw new IllegalArgumentException("«" + end + "» of «keys» has more than " + LENGTH_MAX
                    + " characters, or a NUL");
        }
    }

    public Optional<Key> lowest() {
        return from.map(Key::new);
    }

    public Optional<Key> highest() {
        return to.map(Key::new);
    }

    @Override
    public String toString() {
        return "[" + lowest().map(Key::toString).orElse("-∞") + ", " + highest().map(Key::toString).orElse("+∞") + "]";
    }
}
