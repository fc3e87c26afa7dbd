package dev.sluice.streaming;

import dev.sluice.domain.Event;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.Pipeline;
import dev.sluice.messaging.StateReader;
import dev.sluice.postgres.ChangeApply;
import dev.sluice.postgres.Ledger;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * What the tables of an instance share.
 *
 * @param ledgerCreation makes the ledger if it is not there
 * @param confirmedFlush up to where everything of the source stands in Kafka
 * @param events never blocks
 * @param planner where changes are decoded and planned, which takes processor time
 * @param answerLimit how long what is asked with {@link #answered} may take
 * @param states says which tables rest
 */
record StreamServices(
        Pipeline pipeline,
        StreamingConfig config,
        Ledger ledger,
        Supplier<Uni<Void>> ledgerCreation,
        ChangeApply apply,
        Supplier<Uni<Lsn>> confirmedFlush,
        QueueTopics topics,
        Consumer<Event> events,
        Executor planner,
        Duration answerLimit,
        StateReader states) {

    Uni<Void> ledgerReady() {
        return ledgerCreation.get();
    }

    /** As what is asked, but failing when the answer does not come: one that hangs must not keep others from asking. */
    <T> Uni<T> answered(Uni<T> asked) {
        return asked.ifNoItem().after(answerLimit).fail();
    }
}
