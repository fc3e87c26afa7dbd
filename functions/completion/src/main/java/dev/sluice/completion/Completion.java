package dev.sluice.completion;

import dev.sluice.domain.Event;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.StreamCommand;
import dev.sluice.domain.TableState.Outcome;
import dev.sluice.postgres.Database;
import dev.sluice.postgres.DestinationTables;
import dev.sluice.postgres.Ledger;
import dev.sluice.postgres.Ledger.FencedException;
import dev.sluice.postgres.Partitions;
import dev.sluice.postgres.RefusedException;
import dev.sluice.postgres.SourceCapture;
import dev.sluice.postgres.SqlFaults;
import io.smallrye.mutiny.Uni;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jboss.logging.Logger;

/** Does the work. Each may be done twice: the second time finds it done and answers the same. */
@ApplicationScoped
public class Completion {

    private static final Logger LOG = Logger.getLogger(Completion.class);
    /** Statistics are a convenience: they do not hold up the drain for longer. */
    private static final Duration ANALYZE_TIMEOUT = Duration.ofSeconds(30);

    private final Ledger ledger;
    private final SourceCapture sourceCapture;
    private final Partitions partitions;
    private final DestinationTables destinationTables;
    private final Answers answers;

    @Inject
    public Completion(
            Ledger ledger,
            SourceCapture sourceCapture,
            Partitions partitions,
            DestinationTables destinationTables,
            Answers answers) {
        this.ledger = ledger;
        this.sourceCapture = sourceCapture;
        this.partitions = partitions;
        this.destinationTables = destinationTables;
        this.answers = answers;
    }

    /** Fails only if Kafka did not take the answer. */
    Uni<Void> perform(Work work) {
        return switch (work) {
            case Work.Close close -> close(close);
            case Work.Build build -> build(build);
        };
    }

    private Uni<Void> close(Work.Close close) {
        return closed(close)
                .onItem()
                .invoke(watermark -> LOG.infof(
                        "run closed table=%s run=%d outcome=%s lsn=%s",
                        close.table(), close.run(), close.outcome(), watermark.map(Lsn::toString).orElse("none")))
                .onItemOrFailure()
                .transformToUni((watermark, failure) -> {
                    if (failure == null) {
                        return closedAnswer(close, watermark);
                    }
                    String doing = "closing run " + close.run() + " of " + close.table();
                    return failed(close, failure, doing, fault -> new Event.ClosingFailed(
                            close.table(), close.run(), close.attempt(), fault));
                });
    }

    /** @return the watermark, empty when there is nothing to drain */
    private Uni<Optional<Lsn>> closed(Work.Close close) {
        Uni<Void> closed = 
                ledger.closeRun(close.table(), close.run(), close.outcome(), close.chunks(), close.partial());
        if (!close.outcome().drains()) {
            return closed.replaceWith(Optional.empty());
        }
        // The probe is written after the last chunk was read: what stands before it in the WAL is all that the chunks
        // may lack.
        return closed.chain(() -> close.outcome() == Outcome.COPIED ? analyzed(close) : Uni.createFrom().voidItem())
                .chain(() -> sourceCapture.probe().ifNoItem().after(Database.ANSWER_LIMIT).fail())
                .chain(watermark -> stillCaptured(close).replaceWith(watermark))
                .chain(watermark -> ledger.setWatermark(close.table(), close.run(), watermark))
                .map(Optional::of);
    }

    /** Behind the watermark: whole up to here, so that a table never streams with a queue that ended before (R20). */
    private Uni<Void> stillCaptured(Work.Close close) {
        if (close.captured().isEmpty()) {
            return Uni.createFrom().voidItem();
        }
        var captured = Map.of(close.table(), close.captured().get());
        return sourceCapture
                .look(captured)
                .chain(findings -> findings.broken().isEmpty()
                        ? partitions.broken(captured).map(findings::with)
                        : Uni.createFrom().item(findings))
                .ifNoItem()
                .after(Database.ANSWER_LIMIT)
                .fail()
                .invoke(findings -> {
                    Fault broken = findings.broken().get(close.table());
                    if (broken != null) {
                        throw new RefusedException(broken.reason(), broken.hint());
                    }
                    if (findings.redefined().contains(close.table())) {
                        throw new RedefinedException();
                    }
                })
                .replaceWithVoid();
    }

    private Uni<Void> closedAnswer(Work.Close close, Optional<Lsn> watermark) {
        var event = new Event.RunClosed(close.table(), close.run(), close.attempt(), watermark);
        // The command first: were it lost after the event, nobody would send it again.
        return watermark
                .map(lsn -> answers.send(new StreamCommand.Drain(close.table(), close.run(), lsn)))
                .orElse(Uni.createFrom().voidItem())
                .chain(() -> answers.send(event));
    }

    private Uni<Void> analyzed(Work.Close close) {
        return destinationTables
                .analyze(close.table())
                .ifNoItem()
                .after(ANALYZE_TIMEOUT)
                .fail()
                .onFailure()
                .invoke(failure -> LOG.warnf(
                        "statistics not built table=%s run=%d reason=\"%s\"",
                        close.table(), close.run(), failure.getMessage()))
                .onFailure()
                .recoverWithNull()
                .replaceWithVoid();
    }

    private Uni<Void> build(Work.Build build) {
        return destinationTables
                .buildDeferred(build.table())
                .onItemOrFailure()
                .transformToUni((count, failure) -> {
                    if (failure == null) {
                        LOG.infof("constraints built table=%s run=%d count=%d", build.table(), build.run(), count);
                        return answers.send(
                                new Event.ConstraintsBuilt(build.table(), build.run(), build.attempt(), count));
                    }
                    String doing = "building the constraints of " + build.table();
                    return failed(build, failure, doing, fault -> new Event.ConstraintsFailed(
                            build.table(), build.run(), build.attempt(), fault));
                });
    }

    private Uni<Void> failed(
            Work work,
            Throwable failure,
            String doing,
            Function<Fault, Event> event) {
        if (failure instanceof FencedException) {
            // The state that asked for it is outdated: the scheduler goes on with the newer run.
            LOG.infof("ignored table=%s run=%d reason=\"%s\"", work.table(), work.run(), failure.getMessage());
            return Uni.createFrom().voidItem();
        }
        Fault fault = failure instanceof RedefinedException
                ? Fault.unavailable(
                        doing + ": the table's definition changed at the source",
                        "It is tried again by itself once the destination has followed the change, or the table fails "
                                + "if it cannot.")
                : SqlFaults.fault(failure, doing);
        LOG.warnf(
                "failed table=%s run=%d attempt=%d kind=%s reason=\"%s\"",
                work.table(), work.run(), work.attempt(), fault.kind(), fault.reason());
        return answers.send(event.apply(fault));
    }

    /** Nobody knows yet whether the destination can follow: only then may what is copied count as complete. */
    private static final class RedefinedException extends RuntimeException {}
}
