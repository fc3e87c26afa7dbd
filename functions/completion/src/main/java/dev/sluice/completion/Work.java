package dev.sluice.completion;

import dev.sluice.domain.Attempt;
import dev.sluice.domain.CaptureIdentity;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.Constraints;
import dev.sluice.domain.TableState.Outcome;
import java.time.Instant;
import java.util.Optional;

/** What a table's state lacks that completion can do. Two are equal exactly if they are the same try. */
sealed interface Work {

    TableName table();

    long run();

    int attempt();

    /**
     * Close the run, and send the table to drain if there is anything to drain.
     *
     * @param chunks how many the ledger must list, for {@link Outcome#COPIED}
     * @param captured what capture of the table rests on, to be checked once more (R20)
     * @param partial whether the chunks of {@link Outcome#COPIED} are of a part of the key space only
     */
    record Close(
            TableName table,
            long run,
            int attempt,
            Outcome outcome,
            int chunks,
            Optional<CaptureIdentity> captured,
            boolean partial)
            implements Work {}

    /** Build the constraints that waited until the table was caught up. */
    record Build(TableName table, long run, int attempt) implements Work {}

    /** What is to be done for a table, and why not. */
    sealed interface Decision {
        record Do(Work work) implements Decision {}

        /** The try before went wrong, and the next is not due yet. */
        record Wait(Instant until) implements Decision {}

        record Nothing() implements Decision {}
    }

    static Decision decide(TableRecord record, Instant now) {
        return switch (record.state()) {
            case TableState.Completing completing -> whenDue(
                    completing.attempt(),
                    now,
                    new Close(
                            record.table(),
                            completing.run(),
                            completing.attempt().number(),
                            completing.outcome(),
                            completing.chunks(),
                            record.captured(),
                            record.part().isPresent()));
            case TableState.Streaming streaming -> switch (streaming.constraints()) {
                case Constraints.Pending pending -> whenDue(
                        pending.attempt(),
                        now,
                        new Build(record.table(), streaming.run(), pending.attempt().number()));
                case Constraints.Built built -> new Decision.Nothing();
                case Constraints.Missing missing -> new Decision.Nothing();
            };
            case TableState.Queued queued -> new Decision.Nothing();
            case TableState.Preparing preparing -> new Decision.Nothing();
            case TableState.Backfilling backfilling -> new Decision.Nothing();
            case TableState.Draining draining -> new Decision.Nothing();
            case TableState.Cancelled cancelled -> new Decision.Nothing();
            case TableState.Failed failed -> new Decision.Nothing();
            case TableState.Leaving leaving -> new Decision.Nothing();
        };
    }

    private static Decision whenDue(Attempt attempt, Instant now, Work work) {
        return attempt.isDue(now)
                ? new Decision.Do(work)
                : new Decision.Wait(attempt.notBefore().orElseThrow());
    }
}
