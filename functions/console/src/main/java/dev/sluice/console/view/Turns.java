package dev.sluice.console.view;

import dev.sluice.domain.Pause;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState.Queued;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** In which order the tables that wait have their turn: as the scheduler admits them. */
final class Turns {

    private Turns() {}

    /** @return 1 for the next; tables that do not wait are left out */
    static Map<TableName, Integer> positions(Collection<TableRecord> tables) {
        List<TableRecord> waiting = tables.stream()
                .filter(Turns::waits)
                .sorted(Comparator.comparingLong(Turns::place).thenComparingInt(Turns::placeOfRequest))
                .toList();
        Map<TableName, Integer> positions = new HashMap<>();
        for (int i = 0; i < waiting.size(); i++) {
            positions.put(waiting.get(i).table(), i + 1);
        }
        return positions;
    }

    private static boolean waits(TableRecord table) {
        return table.pause()
                .map(pause -> pause.resumed().isPresent())
                .orElse(table.state() instanceof Queued);
    }

    private static long place(TableRecord table) {
        return table.pause()
                .flatMap(Pause::resumed)
                .orElseGet(() -> table.state() instanceof Queued queued ? queued.requested() : Long.MAX_VALUE);
    }

    private static int placeOfRequest(TableRecord table) {
        return table.state() instanceof Queued queued ? queued.place() : 0;
    }
}
