package dev.sluice.postgres;

import dev.sluice.domain.Change;
import dev.sluice.domain.Change.Cell;
import dev.sluice.domain.Change.Delete;
import dev.sluice.domain.Change.KeyChange;
import dev.sluice.domain.Change.Replaced;
import dev.sluice.domain.Change.Truncate;
import dev.sluice.domain.Change.Upsert;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a column's name in the queue means now: a change carries the names of the time when it was made.
 *
 * @param fingerprint of the definition that the ledger has; empty if it has none
 * @param past names that are none any more, each with the name that the column has now; empty if it was dropped
 */
record SourceNames(Optional<String> fingerprint, Map<String, Optional<String>> past) {

    static final SourceNames UNKNOWN = new SourceNames(Optional.empty(), Map.of());

    SourceNames {
        past = Map.copyOf(past);
    }

    /**
     * The change under the names of now.
     *
     * @param there the columns of the destination: the value of a dropped column is left out where it is not there
     */
    Change now(Change change, Set<String> there) {
        if (past.isEmpty()) {
            return change;
        }
        return switch (change) {
            case Upsert upsert ->
                new Upsert(upsert.origin(), upsert.key(), now(upsert.row(), there), upsert.movedFrom());
            case KeyChange moved ->
                new KeyChange(moved.origin(), moved.from(), moved.key(), now(moved.row(), there));
            case Replaced replaced -> new Replaced(
                    replaced.origin(),
                    replaced.before().map(row -> now(row, there)),
                    replaced.after().map(row -> now(row, there)));
            case Delete delete -> delete;
            case Truncate truncate -> truncate;
        };
    }

    private Map<String, Cell> now(Map<String, Cell> then, Set<String> there) {
        Map<String, Cell> row = new LinkedHashMap<>();
        then.forEach((name, cell) -> {
            if (!past.containsKey(name)) {
                row.put(name, cell);
            } else if (past.get(name).isPresent()) {
                row.put(past.get(name).get(), cell);
            } else if (there.contains(name)) {
                row.put(name, cell);
            }
        });
        return row;
    }
}
