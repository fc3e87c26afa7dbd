package dev.sluice.verification;

import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.Verification;
import dev.sluice.messaging.KnownStates;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which comparisons the tables' states ask for, and which are under way. It is made anew from the topic at every start.
 * Safe for use by several threads.
 */
final class Agenda {

    /** One comparison. Equal exactly if it is the same one. */
    record Wanted(TableName table, long run, long number) {}

    private final int atOnce;
    private final KnownStates known;
    private final Set<Wanted> underWay = new HashSet<>();
    private final Map<TableName, Wanted> answered = new LinkedHashMap<>();
    private long reading;

    /** @param atOnce 1 to 16 */
    Agenda(int atOnce, KnownStates known) {
        if (atOnce < 1 || atOnce > 16) {
            throw new IllegalArgumentException("sluice.verification.tables-at-once is 1 to 16, not " + atOnce);
        }
        this.atOnce = atOnce;
        this.known = known;
    }

    /** None while the pipeline is paused: nothing of a stream passes then, and no comparison would come to an end. */
    private Map<TableName, TableRecord> look() {
        KnownStates.View view = known.view();
        if (view.reading() != reading) {
            reading = view.reading();
            answered.clear();
        }
        answered.keySet().retainAll(view.tables().keySet());
        return view.tables();
    }

    /** What is due, who asked first before the others. Each is to be {@link #end ended}. */
    synchronized List<Wanted> take() {
        List<Wanted> due = new ArrayList<>();
        look().values().stream()
                .flatMap(record -> wanted(record).stream())
                .sorted(Comparator.comparingLong(Wanted::number))
                .filter(wanted -> !wanted.equals(answered.get(wanted.table())))
                .filter(wanted -> underWay.stream().noneMatch(other -> other.table().equals(wanted.table())))
                .limit(Math.max(0, atOnce - underWay.size()))
                .forEach(due::add);
        underWay.addAll(due);
        return due;
    }

    /** What is under way, and nobody wants any more. */
    synchronized List<Wanted> unwanted() {
        Map<TableName, TableRecord> tables = look();
        return underWay.stream()
                .filter(wanted -> !Optional.ofNullable(tables.get(wanted.table()))
                        .flatMap(Agenda::wanted)
                        .equals(Optional.of(wanted)))
                .toList();
    }

    /** @param isAnswered whether the scheduler will hear of it; otherwise it is begun again */
    synchronized void end(Wanted wanted, boolean isAnswered) {
        underWay.remove(wanted);
        if (isAnswered && look().containsKey(wanted.table())) {
            answered.put(wanted.table(), wanted);
        }
    }

    private static Optional<Wanted> wanted(TableRecord record) {
        return record.verification()
                .filter(Verification::isRunning)
                .map(running -> new Wanted(record.table(), running.run(), running.number()));
    }
}
