package dev.sluice.systemtests;

import dev.sluice.testing.MatrixTable;
import dev.sluice.testing.TypeMatrix.Entry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What became of the values of the matrix on one version of PostgreSQL. */
final class TypeMatrixResult {

    private final Map<String, Integer> comparedByType = new HashMap<>();
    private final Set<String> redByBackfill = new HashSet<>();
    private final Set<String> redByChange = new HashSet<>();
    private final List<String> wrong = new ArrayList<>();

    void compared(Entry entry, boolean byBackfill, boolean exact, String what) {
        comparedByType.merge(entry.type(), 1, Integer::sum);
        if (!exact) {
            (byBackfill ? redByBackfill : redByChange).add(entry.type());
            wrong.add(entry.type() + (byBackfill ? " by backfill: " : " by change: ") + what);
        }
    }

    /** The table stopped: none of its types is known to arrive. */
    void failed(MatrixTable table, String why) {
        table.entries().forEach(entry -> {
            redByBackfill.add(entry.type());
            redByChange.add(entry.type());
        });
        wrong.add(table.name() + ": " + why);
    }

    List<String> wrong() {
        return wrong;
    }

    int compared() {
        return comparedByType.values().stream().mapToInt(Integer::intValue).sum();
    }

    /** Whether the type and its arrays were carried, whatever came of it. */
    boolean has(Entry entry) {
        return comparedByType.containsKey(entry.type()) || redByChange.contains(entry.type());
    }

    boolean isRed(Entry entry, boolean byBackfill) {
        Set<String> red = byBackfill ? redByBackfill : redByChange;
        return red.contains(entry.type()) || red.contains(entry.array().type());
    }
}
