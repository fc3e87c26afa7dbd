package dev.sluice.streaming;

import dev.sluice.domain.Fault;
import dev.sluice.messaging.CapturedChanges.UnreadableChangeException;
import dev.sluice.postgres.Ledger.FencedException;
import dev.sluice.postgres.RefusedException;
import dev.sluice.postgres.SqlFaults;
import dev.sluice.streaming.BatchPlan.UnplaceableException;
import java.util.function.Predicate;
import org.apache.kafka.common.KafkaException;

/** What a failure means for the table whose queue is applied. Pure. */
final class StreamFaults {

    private StreamFaults() {}

    /** Whether somebody newer owns the table. */
    static boolean isFenced(Throwable failure) {
        return isCausedBy(failure, cause -> cause instanceof FencedException);
    }

    /** A change that stays in the queue and can never be applied: a backfill from the same position would meet it again. */
    static boolean isOfTheQueue(Throwable failure) {
        return isCausedBy(
                failure,
                cause -> cause instanceof UnreadableChangeException || cause instanceof UnplaceableException);
    }

    private static boolean isCausedBy(Throwable failure, Predicate<Throwable> what) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (what.test(cause)) {
                return true;
            }
        }
        return false;
    }

    /** @param doing what was being done, as the beginning of a sentence */
    static Fault of(Throwable failure, String doing) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            switch (cause) {
                case RefusedException refused -> {
                    return refused.fault();
                }
                case UnplaceableException unplaceable -> {
                    return unplaceable.fault();
                }
                case UnreadableChangeException unreadable -> {
                    return Fault.refused(
                            unreadable.getMessage(),
                            "Where a value cannot be captured, make it smaller or change the column's type at the "
                                    + "source; otherwise look at Debezium Server's log of that time. Then start a new "
                                    + "backfill of the table.");
                }
                case KafkaException kafka -> {
                    return Fault.unavailable(
                            doing + ": Kafka: " + kafka.getMessage(),
                            "Check that Kafka runs and is reachable; this is tried again by itself.");
                }
                default -> {
                    // The reason may be further down.
                }
            }
        }
        return SqlFaults.fault(failure, doing);
    }
}
