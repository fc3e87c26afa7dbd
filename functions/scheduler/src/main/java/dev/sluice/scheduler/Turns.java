package dev.sluice.scheduler;

import dev.sluice.domain.Pause;
import dev.sluice.domain.Step;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState.Completing;
import dev.sluice.domain.TableState.Preparing;
import dev.sluice.domain.TableState.Queued;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;

/** Who waits for a place among the tables at once, and in which order: queued, or to go on after a pause. Pure. */
final class Turns {

    private Turns() {}

    private static Stream<TableRecord> waiting(Collection<TableRecord> tables) {
        return tables.stream()
                .filter(table -> table.pause()
                        .map(rest -> rest.resumed().isPresent())
                        .orElse(table.state() instanceof Queued));
    }

    /** First in, first out. */
    static Stream<TableRecord> inOrder(Collection<TableRecord> tables) {
        return waiting(tables).sorted(Comparator.comparingLong(Turns::place).thenComparingInt(Turns::placeOfRequest));
    }

    /** A place before all that wait. */
    static long front(Collection<TableRecord> tables) {
        return waiting(tables).mapToLong(Turns::place).min().orElse(0) - 1;
    }

    private static long place(TableRecord table) {
        return table.pause().flatMap(Pause::resumed).orElseGet(() -> ((Queued) table.state()).requested());
    }

    private static int placeOfRequest(TableRecord table) {
        return table.state() instanceof Queued queued ? queued.place() : 0;
    }

    /** The table has its turn. */
    static TableRecord begun(TableRecord table, Instant now) {
        if (!(table.state() instanceof Queued queued)) {
            return Records.paused(table, Optional.empty());
        }
        return queued.close()
                .map(close -> Records.to(
                        table,
                        new Completing(queued.run(), close.outcome(), close.chunks(), Records.nextAttempt(table)),
                        now))
                .orElseGet(() -> Records.to(
                        Records.begun(table),
                        new Preparing(
                                queued.run(),
                                Step.INSPECT,
                                Records.nextAttempt(table),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty()),
                        now));
    }
}
