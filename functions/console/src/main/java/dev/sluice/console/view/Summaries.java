package dev.sluice.console.view;

import dev.sluice.console.view.TableSummary.AskedFor;
import dev.sluice.console.view.TableSummary.Chunks;
import dev.sluice.console.view.TableSummary.Drain;
import dev.sluice.console.view.TableSummary.Part;
import dev.sluice.console.view.TableSummary.Paused;
import dev.sluice.console.view.TableSummary.Queue;
import dev.sluice.console.view.TableSummary.Rows;
import dev.sluice.console.view.TableSummary.Trouble;
import dev.sluice.console.view.TableSummary.Verified;
import dev.sluice.domain.Fault;
import dev.sluice.domain.KeyBounds;
import dev.sluice.domain.Pause;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.Backfilling;
import dev.sluice.domain.TableState.Cancelled;
import dev.sluice.domain.TableState.Completing;
import dev.sluice.domain.TableState.Constraints;
import dev.sluice.domain.TableState.Draining;
import dev.sluice.domain.TableState.Failed;
import dev.sluice.domain.TableState.Leaving;
import dev.sluice.domain.TableState.OpenChunk;
import dev.sluice.domain.TableState.Preparing;
import dev.sluice.domain.TableState.Queued;
import dev.sluice.domain.TableState.Streaming;
import dev.sluice.domain.Verification;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Tables' records as summaries. Pure but for the rates, which remember what was seen. */
final class Summaries {

    private Summaries() {}

    static TableSummary of(
            TableRecord table, PipelineRecord pipeline, Optional<Integer> position, Rates rates, Instant now) {
        TableState state = table.state();
        Optional<Long> speed = speed(table, rates, now);
        Rows rows = rows(table);
        return new TableSummary(
                table.table().toString(),
                table.table().schema(),
                table.table().name(),
                state.getClass().getSimpleName(),
                table.stateSince(),
                state.run(),
                table.pause().map(Summaries::paused),
                position,
                part(table).map(part -> new Part(part.from(), part.to())),
                rows,
                table.progress().bytesCopied(),
                speed,
                speed.flatMap(each -> eta(rows, each, now)),
                isCopying(table)
                        ? table.progress().copyStarted().map(at -> Math.max(0, Duration.between(at, now).toSeconds()))
                        : Optional.empty(),
                state instanceof Backfilling backfilling ? Optional.of(chunks(backfilling)) : Optional.empty(),
                queue(table, rates),
                state instanceof Draining ? Optional.of(drain(table, rates)) : Optional.empty(),
                waitingFor(state),
                trouble(table),
                state instanceof Queued queued && queued.streams(),
                isIncomplete(table),
                table.verification().map(Summaries::verified),
                table.asked().map(asked -> new AskedFor(asked.command(), asked.by(), asked.at())),
                PossibleActions.of(table, pipeline));
    }

    static Paused paused(Pause pause) {
        return new Paused(pause.by(), pause.since(), pause.resumed().isPresent());
    }

    private static Optional<KeyBounds> part(TableRecord table) {
        return table.state() instanceof Queued ? table.partAsked() : table.part();
    }

    private static boolean isCopying(TableRecord table) {
        return table.state() instanceof Backfilling && table.pause().isEmpty();
    }

    private static Rows rows(TableRecord table) {
        long copied = table.progress().rowsCopied();
        // The estimate is of the whole table.
        Optional<Long> estimated = table.part().isPresent() || table.progress().rowsEstimated() <= 0
                ? Optional.empty()
                : Optional.of(Math.max(table.progress().rowsEstimated(), copied));
        boolean whole = table.progress().copyFinished().isPresent();
        return new Rows(copied, estimated, whole
                ? Optional.of(100.0)
                // Until the last chunk is copied, an estimate that was too low must not say that all is done.
                : estimated.map(of -> Math.min(99.9, Math.floor(1_000.0 * copied / of) / 10)));
    }

    /** Lately; at the beginning since the first chunk could go. */
    private static Optional<Long> speed(TableRecord table, Rates rates, Instant now) {
        if (!isCopying(table)) {
            return Optional.empty();
        }
        return rates.rowsPerSecond(table.table())
                .or(() -> table.progress()
                        .copyStarted()
                        .map(at -> Duration.between(at, now).toMillis())
                        .filter(millis -> millis >= 1_000)
                        .map(millis -> table.progress().rowsCopied() * 1_000 / millis));
    }

    private static Optional<Instant> eta(Rows rows, long perSecond, Instant now) {
        return rows.estimated()
                .filter(of -> perSecond > 0 && of > rows.copied())
                .map(of -> now.plusSeconds((of - rows.copied()) / perSecond));
    }

    private static Chunks chunks(Backfilling backfilling) {
        List<OpenChunk> open = backfilling.plan().open();
        int failing = (int) open.stream().filter(Summaries::isFailing).count();
        int inFlight = (int) backfilling.plan().inFlight();
        return new Chunks(backfilling.plan().chunksCopied(), inFlight, open.size() - inFlight - failing, failing);
    }

    static boolean isFailing(OpenChunk chunk) {
        return !chunk.inFlight() && chunk.attempt().failures() > 0;
    }

    private static Optional<Queue> queue(TableRecord table, Rates rates) {
        return table.queue().map(queue -> new Queue(
                queue.waiting(),
                queue.applied(),
                queue.delayMillis(),
                queue.oldest(),
                queue.trouble(),
                rates.appliedPerSecond(table.table())));
    }

    private static Drain drain(TableRecord table, Rates rates) {
        long left = table.queue().map(TableRecord.Queue::waiting).orElse(0L);
        long most = rates.drainMost(table.table());
        return new Drain(
                most == 0 ? Optional.empty() : Optional.of(Math.floor(1_000.0 * (most - left) / most) / 10), left);
    }

    private static Optional<String> waitingFor(TableState state) {
        return state instanceof Preparing preparing
                ? preparing.waitingFor().or(() -> preparing.attempt().last().map(Fault::reason))
                : Optional.empty();
    }

    /** What failed, also where the table goes on or is tried again. */
    private static Optional<Trouble> trouble(TableRecord table) {
        return switch (table.state()) {
            case Failed failed -> Optional.of(of(failed.phase().name(), failed.fault()));
            case Streaming streaming when streaming.constraints() instanceof Constraints.Missing missing ->
                Optional.of(of("CONSTRAINTS", missing.fault()));
            case Completing completing -> completing.attempt().last().map(fault -> of("COMPLETING", fault));
            case Leaving leaving -> leaving.attempt().last().map(fault -> of("LEAVING", fault));
            case Queued queued -> Optional.empty();
            case Preparing preparing -> Optional.empty();
            case Backfilling backfilling -> Optional.empty();
            case Draining draining -> Optional.empty();
            case Streaming streaming -> Optional.empty();
            case Cancelled cancelled -> Optional.empty();
        };
    }

    private static Trouble of(String phase, Fault fault) {
        return new Trouble(phase, fault.kind().name(), fault.reason(), fault.hint());
    }

    private static boolean isIncomplete(TableRecord table) {
        return table.streamedRun().isEmpty() && !(table.state() instanceof Streaming);
    }

    private static Verified verified(Verification verification) {
        return switch (verification.stage()) {
            case Verification.Running running ->
                verified(verification, "running", Optional.of(running.rowsCompared()), Optional.empty());
            case Verification.Compared compared -> verified(
                    verification,
                    compared.stale() ? "stale" : status(compared.findings()),
                    Optional.of(compared.findings().rows()),
                    Optional.of(compared.findings()));
            case Verification.Ended ended -> verified(verification, "failed", Optional.empty(), Optional.empty());
        };
    }

    private static String status(Verification.Findings findings) {
        return findings.differing() > 0 ? "differs" : findings.unsettled() > 0 ? "unsettled" : "verified";
    }

    private static Verified verified(
            Verification verification, String status, Optional<Long> rows, Optional<Verification.Findings> findings) {
        return new Verified(
                status,
                verification.since(),
                verification.by(),
                rows,
                findings.map(Verification.Findings::differing),
                findings.map(Verification.Findings::unsettled));
    }
}
