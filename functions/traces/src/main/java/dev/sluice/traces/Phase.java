package dev.sluice.traces;

import dev.sluice.domain.Pause;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import io.opentelemetry.api.common.Attributes;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A state of a run that it is in now, as far as it is known. */
final class Phase {

    /** Of one phase, no more are told. */
    static final int MOMENTS_MAX = 50;

    private final String name;
    private final Instant since;
    private final List<Span.Moment> moments = new ArrayList<>();
    private TableRecord table;
    private boolean paused;

    Phase(TableRecord table, Instant at) {
        this.name = name(table.state());
        this.since = table.stateSince();
        this.table = table;
        stays(table, at);
    }

    static String name(TableState state) {
        return state.getClass().getSimpleName();
    }

    String name() {
        return name;
    }

    Instant since() {
        return since;
    }

    boolean isOf(TableState state) {
        return name.equals(name(state));
    }

    /** @param now its record, in which it is the same state still */
    void stays(TableRecord now, Instant at) {
        Optional<Pause> pause = now.pause();
        if (pause.isPresent() != paused && moments.size() < MOMENTS_MAX) {
            moments.add(pause.map(rest -> new Span.Moment(
                            "paused",
                            rest.since(),
                            rest.by().map(by -> Attributes.of(Keys.BY, by)).orElse(Attributes.empty())))
                    .orElseGet(() -> new Span.Moment("resumed", at, Attributes.empty())));
        }
        paused = pause.isPresent();
        table = now;
    }

    /**
     * When it was over.
     *
     * @param next of the table, as what came behind it has it. States in between may be gone from the topic: what it
     *     remembers of them says when the first of them began
     */
    Instant end(TableRecord next) {
        Optional<Instant> known = switch (table.state()) {
            case TableState.Queued queued -> next.runs().stream()
                    .filter(run -> run.run() == queued.run() && queued.close().isEmpty())
                    .map(run -> run.began())
                    .findFirst();
            case TableState.Backfilling backfilling when next.state().run() == backfilling.run() ->
                next.progress().copyFinished();
            case TableState.Backfilling backfilling -> Optional.empty();
            case TableState.Preparing preparing -> Optional.empty();
            case TableState.Completing completing -> Optional.empty();
            case TableState.Draining draining -> Optional.empty();
            case TableState.Leaving leaving -> Optional.empty();
            case TableState.Streaming streaming -> Optional.empty();
            case TableState.Cancelled cancelled -> Optional.empty();
            case TableState.Failed failed -> Optional.empty();
        };
        return known.filter(at -> !at.isBefore(since) && at.isBefore(next.stateSince())).orElse(next.stateSince());
    }

    /** @param next as for {@link #end}; empty: the table was forgotten */
    Attributes attributes(Optional<TableRecord> next) {
        var attributes = Keys.of(table.table(), table.state().run());
        switch (table.state()) {
            case TableState.Backfilling backfilling -> {
                // The chunk that ends the phase is counted only in what comes behind it.
                TableRecord.Progress progress = next.map(TableRecord::progress).orElse(table.progress());
                attributes.put(Keys.LSN, backfilling.bounded().primary().toString())
                        .put(Keys.ROWS, progress.rowsCopied())
                        .put(Keys.BYTES, progress.bytesCopied())
                        .put(Keys.CHUNKS, (long) progress.chunksCopied());
            }
            case TableState.Completing completing -> attributes
                    .put(Keys.OUTCOME, completing.outcome().name())
                    .put(Keys.ATTEMPT, (long) completing.attempt().number());
            case TableState.Draining draining -> attributes.put(Keys.LSN, draining.watermark().toString());
            case TableState.Leaving leaving -> attributes.put(Keys.ATTEMPT, (long) leaving.attempt().number());
            case TableState.Queued queued -> {}
            case TableState.Preparing preparing -> {}
            case TableState.Streaming streaming -> {}
            case TableState.Cancelled cancelled -> {}
            case TableState.Failed failed -> {}
        }
        return attributes.build();
    }

    List<Span.Moment> moments() {
        return moments;
    }
}
