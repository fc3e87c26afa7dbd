package dev.sluice.localdev;

import dev.sluice.domain.TableName;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * What the comparison of a table of the source with the destination's came to.
 *
 * @param differences rows that differ or that one side lacks
 * @param told the first of them, for a person
 * @param took the comparison alone
 */
record ComparedTable(
        TableName table, long rowsAtSource, long rowsAtDestination, long differences, List<String> told, Duration took) {

    ComparedTable {
        told = List.copyOf(told);
    }

    boolean isEqual() {
        return differences == 0 && rowsAtSource == rowsAtDestination;
    }

    /** The table of what was compared, with a sum below it. */
    static List<String> lines(List<ComparedTable> all) {
        var grid = new Grid("TABLE", ">ROWS AT SOURCE", ">AT DESTINATION", ">DIFFERENT", "VERDICT", ">TIME");
        List<String> details = new ArrayList<>();
        for (ComparedTable compared : all) {
            grid.add(
                    compared.table().toString(),
                    Numbers.count(compared.rowsAtSource()),
                    Numbers.count(compared.rowsAtDestination()),
                    Numbers.count(compared.differences()),
                    compared.isEqual() ? "equal" : "NOT EQUAL",
                    Numbers.time(compared.took()));
            compared.told().forEach(told -> details.add(compared.table() + ": " + told));
        }
        long equal = all.stream().filter(ComparedTable::isEqual).count();
        long rows = all.stream().mapToLong(ComparedTable::rowsAtSource).sum();
        List<String> lines = new ArrayList<>(grid.lines());
        lines.addAll(details);
        lines.add(equal + " of " + all.size() + " tables are equal value for value; " + Numbers.count(rows)
                + " rows at the source.");
        return lines;
    }
}
