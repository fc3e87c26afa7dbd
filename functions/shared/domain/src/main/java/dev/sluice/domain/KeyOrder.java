package dev.sluice.domain;

import java.util.Comparator;
import java.util.List;

/** The order of a table's key, as PostgreSQL's row comparison has it. */
public record KeyOrder(List<KeyType> types) implements Comparator<Key> {

    public KeyOrder {
        types = List.copyOf(types);
    }

    @Override
    public int compare(Key a, Key b) {
        if (a.values().size() != types.size() || b.values().size() != types.size()) {
            throw new IllegalArgumentException("the key has " + types.size() + " columns; got " + a + " and " + b);
        }
        for (int i = 0; i < types.size(); i++) {
            int order = types.get(i).compare(a.values().get(i), b.values().get(i));
            if (order != 0) {
                return order;
            }
        }
        return 0;
    }
}
