package dev.sluice.traces;

import dev.sluice.domain.Attempt;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Key;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.PastRun;
import dev.sluice.domain.Pause;
import dev.sluice.domain.PgSnapshot;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.PipelineRecord.SlotTask;
import dev.sluice.domain.Settings;
import dev.sluice.domain.Step;
import dev.sluice.domain.StepResult;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableRecord.Progress;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.ChunkPlan;
import dev.sluice.domain.TableState.OpenChunk;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** States of tables for tests, at seconds behind a moment. */
final class Given {

    static final Instant T0 = Instant.parse("2026-01-01T00:00:00Z");
    static final Fault FAULT = Fault.faulty("it broke", "mend it");
    static final Attempt SECOND =
            Attempt.first().after(FAULT, T0).orElseThrow();

    private static final StepResult.Inspected INSPECTED = new StepResult.Inspected("f", 1, List.of(), 0);
    private static final StepResult.Bounded BOUNDED =
            new StepResult.Bounded(Lsn.parse("0/AA"), Optional.of(Key.of("9")), PgSnapshot.parse("5:5:"));

    private Given() {}

    static Instant at(double seconds) {
        return T0.plusMillis((long) (seconds * 1000));
    }

    static TableName name(String table) {
        return new TableName("public", table);
    }

    static TableRecord table(String table, TableState state, double since) {
        return table(table, state, since, Progress.none(), List.of(), Optional.empty());
    }

    static TableRecord copied(String table, TableState state, double since, int chunks) {
        return table(
                table,
                state,
                since,
                new Progress(100, chunks * 10L, chunks * 1000L, chunks, Optional.of(at(0)), Optional.empty()),
                List.of(),
                Optional.empty());
    }

    static TableRecord paused(TableRecord table, double since) {
        return table(
                table.table().name(),
                table.state(),
                Duration.between(T0, table.stateSince()).toMillis() / 1000.0,
                table.progress(),
                table.runs(),
                Optional.of(new Pause(Optional.of("ann"), at(since))));
    }

    static TableRecord table(
            String table,
            TableState state,
            double since,
            Progress progress,
            List<PastRun> runs,
            Optional<Pause> pause) {
        return new TableRecord(
                name(table), state, at(since), 0, Optional.empty(), Optional.empty(), progress, Optional.empty(),
                TableOptions.NONE, Optional.empty(), pause, Optional.empty(), runs, Optional.empty());
    }

    static TableState.Queued queued(long run, long requested) {
        return new TableState.Queued(run, requested, 0, Optional.empty(), false);
    }

    static TableState.Preparing preparing(long run, Step step, Attempt attempt) {
        return new TableState.Preparing(
                run, step, attempt, Optional.of("a lock"), Optional.empty(), Optional.empty());
    }

    /** @param open with numbers up to {@code next} */
    static TableState.Backfilling backfilling(long run, int next, OpenChunk... open) {
        return new TableState.Backfilling(
                run,
                INSPECTED,
                BOUNDED,
                new ChunkPlan(
                        next, Optional.empty(), false, Attempt.first(), List.of(open), next - open.length,
                        (next - open.length) * 10L, (next - open.length) * 1000L));
    }

    static OpenChunk chunk(int chunk, Attempt attempt, boolean inFlight) {
        return new OpenChunk(chunk, KeyRange.ALL, attempt, inFlight, false);
    }

    static TableState.Completing completing(long run, TableState.Outcome outcome) {
        return new TableState.Completing(run, outcome, 2, Attempt.first());
    }

    static TableState.Streaming streaming(long run) {
        return new TableState.Streaming(run, new TableState.Constraints.Built(0));
    }

    static TableState.Failed failed(long run, TableState.Remedy remedy) {
        return new TableState.Failed(run, TableState.Phase.BACKFILLING, FAULT, remedy);
    }

    static PipelineRecord pipeline(long inputOffset, Map<Integer, SlotTask> slots) {
        return new PipelineRecord(
                1, inputOffset, List.of(), slots, List.of(), Settings.NONE, Settings.NONE, Optional.empty(),
                Optional.empty(), Optional.empty());
    }

    static TracesConfig config(Optional<String> endpoint, Optional<String> headers) {
        return config(endpoint, headers, false, Duration.ofSeconds(5), Duration.ofHours(1));
    }

    static TracesConfig config(
            Optional<String> endpoint,
            Optional<String> headers,
            boolean allowHttp,
            Duration timeout,
            Duration giveUpAfter) {
        return new TracesConfig() {
            @Override
            public Optional<String> endpoint() {
                return endpoint;
            }

            @Override
            public Optional<String> headers() {
                return headers;
            }

            @Override
            public boolean allowHttp() {
                return allowHttp;
            }

            @Override
            public Duration timeout() {
                return timeout;
            }

            @Override
            public Duration giveUpAfter() {
                return giveUpAfter;
            }
        };
    }
}
