package dev.sluice.scheduler;

import dev.sluice.domain.Event;
import dev.sluice.domain.Fault;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.Queued;
import dev.sluice.domain.TableState.Streaming;
import dev.sluice.domain.Verification;
import dev.sluice.domain.Verification.Compared;
import dev.sluice.domain.Verification.Ended;
import dev.sluice.domain.Verification.Running;
import java.time.Instant;
import java.util.Optional;

/**
 * What becomes of a comparison with the source. Pure: the same input gives the same turn. It hangs on the table's state
 * and never changes it.
 */
final class OnVerification {

    private static final String AGAIN = "Verify it again once it streams.";

    private OnVerification() {}

    /** @param offset of the command: the number of the comparison */
    static Turn asked(TableRecord table, Optional<String> by, long offset, Instant now) {
        if (table.pause().isPresent()) {
            return Turn.rejected("it is paused; resume it before it is compared");
        }
        if (!(table.state() instanceof Streaming)) {
            return Turn.rejected("it does not stream: it is "
                    + table.state().getClass().getSimpleName() + "; only a table that streams can be compared");
        }
        if (table.verification().filter(Verification::isRunning).isPresent()) {
            return Turn.rejected("it is being compared already");
        }
        return Turn.becomes(Records.verification(
                table, new Verification(offset, table.state().run(), now, by, now, new Running(0))));
    }

    static Turn cancelled(TableRecord table, Instant now) {
        return table.verification()
                .filter(Verification::isRunning)
                .map(running -> Turn.becomes(Records.verification(
                        table,
                        running.to(new Ended(Fault.refused("it was cancelled", "Verify it again.")), now))))
                .orElseGet(() -> Turn.rejected("it is not being compared"));
    }

    static Turn answered(TableRecord table, Event.OfVerification event, Instant now) {
        Optional<Verification> awaited = table.verification()
                .filter(Verification::isRunning)
                .filter(running -> running.number() == event.number() && running.run() == event.run());
        if (awaited.isEmpty()) {
            return Turn.late(table, event.run(), "comparison " + event.number());
        }
        Verification running = awaited.get();
        return Turn.becomes(Records.verification(table, switch (event) {
            case Event.VerificationMoved moved ->
                running.to(new Running(moved.rows()), running.since());
            case Event.Verified verified -> running.to(new Compared(verified.findings(), false), now);
            case Event.VerificationFailed failed -> running.to(new Ended(failed.fault()), now);
        }));
    }

    /** What a change of the table means for its comparison: one that runs is cut off, one that is done becomes stale. */
    static TableRecord after(TableRecord table, Instant now) {
        return table.verification()
                .flatMap(verification -> switch (verification.stage()) {
                    case Running running -> isComparable(table, verification)
                            ? Optional.<Verification>empty()
                            : Optional.of(verification.to(new Ended(cutOff(table)), now));
                    case Compared compared -> compared.stale() || !isOvertaken(table, verification)
                            ? Optional.<Verification>empty()
                            : Optional.of(verification.to(
                                    new Compared(compared.findings(), true), verification.since()));
                    case Ended ended -> Optional.<Verification>empty();
                })
                .map(next -> Records.verification(table, next))
                .orElse(table);
    }

    private static boolean isComparable(TableRecord table, Verification verification) {
        return table.pause().isEmpty()
                && table.state() instanceof Streaming streaming
                && streaming.run() == verification.run();
    }

    /** A run that waits for its turn has changed no row yet. */
    private static boolean isOvertaken(TableRecord table, Verification verification) {
        TableState state = table.state();
        return state.run() != verification.run() && !(state instanceof Queued);
    }

    private static Fault cutOff(TableRecord table) {
        return table.pause().isPresent()
                ? Fault.refused("the table was paused meanwhile", "Resume it, then verify it again.")
                : Fault.refused(
                        "the table streams no more in the run that was compared: it is "
                                + table.state().getClass().getSimpleName(),
                        AGAIN);
    }
}
