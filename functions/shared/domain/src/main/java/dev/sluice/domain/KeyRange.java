package dev.sluice.domain;

import java.util.Optional;

/**
 * A part of a table's key space: above {@code after}, up to and including {@code upTo}.
 *
 * @param after empty: from the lowest key on
 * @param upTo empty: to the highest key
 */
public record KeyRange(Optional<Key> after, Optional<Key> upTo) {

    public static final KeyRange ALL = new KeyRange(Optional.empty(), Optional.empty());

    public boolean contains(Key key, KeyOrder order) {
        return after.map(low -> order.compare(key, low) > 0).orElse(true)
                && upTo.map(high -> order.compare(key, high) <= 0).orElse(true);
    }

    @Override
    public String toString() {
        return "(" + after.map(Key::toString).orElse("-∞") + ", " + upTo.map(k -> k + "]").orElse("+∞)");
    }
}
