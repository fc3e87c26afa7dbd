package dev.sluice.completion;

import dev.sluice.completion.Work.Decision;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.messaging.KnownStates;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Which work the tables as they stand ask for, and which is under way. Safe for use by several threads. */
final class Agenda {

    private static final int BUILDS_MAX = 2;

    private final int closingsMax;
    private final KnownStates known;
    private final Map<TableName, Work> underWay = new HashMap<>();
    private final Map<TableName, Work> answered = new HashMap<>();
    private long reading;

    /** @param closingsMax how many runs are closed at once; beside them constraints of two tables are built */
    Agenda(int closingsMax, KnownStates known) {
        this.closingsMax = closingsMax;
        this.known = known;
    }

    private Map<TableName, TableRecord> look() {
        KnownStates.View view = known.view();
        if (view.reading() != reading) {
            reading = view.reading();
            answered.clear();
        }
        answered.keySet().retainAll(view.tables().keySet());
        return view.tables();
    }

    /** Takes what is due, as much as may be under way at once. Each is to be {@link #end ended}. */
    synchronized List<Work> take(Instant now) {
        List<Work> due = new ArrayList<>();
        for (TableRecord record : look().values()) {
            boolean free = record.pause().isEmpty() && !underWay.containsKey(record.table());
            if (free
                    && Work.decide(record, now) instanceof Decision.Do(Work work)
                    && hasPlace(work)
                    && !work.equals(answered.get(record.table()))) {
                underWay.put(record.table(), work);
                due.add(work);
            }
        }
        return due;
    }

    /**
     * Building an index waits for whoever has an old snapshot at the destination, hours perhaps: closing a run must not
     * wait for that.
     */
    private boolean hasPlace(Work work) {
        long sameKind = underWay.values().stream()
                .filter(other -> other.getClass() == work.getClass())
                .count();
        return sameKind < switch (work) {
            case Work.Close close -> closingsMax;
            case Work.Build build -> BUILDS_MAX;
        };
    }

    /** @param isAnswered whether the scheduler will hear of it; otherwise the work is taken again */
    synchronized void end(Work work, boolean isAnswered) {
        underWay.remove(work.table(), work);
        if (isAnswered && look().containsKey(work.table())) {
            answered.put(work.table(), work);
        }
    }
}
