package dev.sluice.completion;

import dev.sluice.completion.Work.Decision;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.messaging.OwnedStates;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The tables as they stand, and which work is under way. It is made anew from the topic at every start, so it says
 * what is lacking, not what has happened. Safe for use by several threads.
 */
final class Agenda implements OwnedStates.Owner {

    private static final int BUILDS_MAX = 2;

    private final int closingsMax;
    private final Map<TableName, TableRecord> tables = new LinkedHashMap<>();
    private final Map<TableName, Work> underWay = new HashMap<>();
    private final Map<TableName, Work> answered = new HashMap<>();
    private boolean complete;
    private boolean rests;

    /** @param closingsMax how many runs are closed at once; beside them constraints of two tables are built */
    Agenda(int closingsMax) {
        this.closingsMax = closingsMax;
    }

    @Override
    public synchronized void forget() {
        tables.clear();
        answered.clear();
        complete = false;
        rests = false;
    }

    @Override
    public synchronized void rest(boolean all) {
        rests = all;
    }

    @Override
    public synchronized void complete() {
        complete = true;
    }

    synchronized boolean isComplete() {
        return complete;
    }

    @Override
    public synchronized void put(TableRecord record) {
        tables.put(record.table(), record);
    }

    @Override
    public synchronized void remove(TableName table) {
        tables.remove(table);
        answered.remove(table);
    }

    /** Takes what is due, as much as may be under way at once. Each is to be {@link #end ended}. */
    synchronized List<Work> take(Instant now) {
        List<Work> due = new ArrayList<>();
        if (!complete || rests) {
            return due;
        }
        for (TableRecord record : tables.values()) {
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
        if (isAnswered && tables.containsKey(work.table())) {
            answered.put(work.table(), work);
        }
    }
}
