package dev.sluice.domain;

import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** The order of a table's key: PostgreSQL's, whoever knows it. Keys that compare as 0 name the same row. */
public sealed interface KeyOrder extends Comparator<Key> {

    static KeyOrder of(List<KeyType> types) {
        return new Typed(types);
    }

    /** Java decides, by the types of the key's columns, as PostgreSQL's row comparison does. */
    record Typed(List<KeyType> types) implements KeyOrder {

        public Typed {
            types = List.copyOf(types);
        }

        @Override
        public int compare(Key a, Key b) {
            if (a.values().size() != types.size() || b.values().size() != types.size()) {
                throw new IllegalArgumentException(
                        "the key has " + types.size() + " columns; got " + a + " and " + b);
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

    /**
     * A database has decided, once, for the keys that it was asked about (R10).
     *
     * @param places of these keys; equal keys have the same
     */
    record Located(Map<Key, Integer> places) implements KeyOrder {

        public Located {
            places = Map.copyOf(places);
        }

        /** @throws IllegalArgumentException if the database was not asked about one of them */
        @Override
        public int compare(Key a, Key b) {
            return Integer.compare(place(a), place(b));
        }

        private int place(Key key) {
            Integer place = places.get(key);
            if (place == null) {
                throw new IllegalArgumentException("nobody has asked the database for the place of the key " + key);
            }
            return place;
        }
    }
}
