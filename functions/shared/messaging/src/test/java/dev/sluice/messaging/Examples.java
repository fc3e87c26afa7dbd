package dev.sluice.messaging;

import dev.sluice.domain.Asked;
import dev.sluice.domain.Attempt;
import dev.sluice.domain.CaptureIdentity;
import dev.sluice.domain.ChunkTask;
import dev.sluice.domain.Command;
import dev.sluice.domain.Event;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Key;
import dev.sluice.domain.KeyBounds;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.KeyType;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.PastRun;
import dev.sluice.domain.Pause;
import dev.sluice.domain.PgSnapshot;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.Setting;
import dev.sluice.domain.Settings;
import dev.sluice.domain.Step;
import dev.sluice.domain.StepResult;
import dev.sluice.domain.StreamCommand;
import dev.sluice.domain.TableDefinition.KeyColumn;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.Constraints;
import dev.sluice.domain.TableState.Outcome;
import dev.sluice.domain.TableState.Phase;
import dev.sluice.domain.TableState.Remedy;
import dev.sluice.domain.Verification;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** One of everything that is sent, with the values that are hard to carry. */
final class Examples {

    static final TableName TABLE = new TableName("Sales \"2026\"", "Größe.表");
    static final Instant NOW = Instant.parse("2026-01-02T03:04:05.678901Z");
    static final Lsn LSN = Lsn.parse("FFFFFFFF/B374D848");
    static final PgSnapshot SNAPSHOT = PgSnapshot.parse("4294967297:4294967300:4294967298");
    static final Fault FAULT = Fault.faulty("«it» broke\n\"badly\"", "look \uD83D\uDE00");
    static final Attempt RETRIED = Attempt.first().after(FAULT, NOW).orElseThrow();
    static final Key KEY = Key.of("", "a\"b\\\n\uD83D\uDE00", "NaN");
    static final StepResult.Inspected INSPECTED = new StepResult.Inspected(
            "f00", 16_384, List.of(new KeyColumn("Id", KeyType.INTEGER), new KeyColumn("b", KeyType.TEXT)), 1L << 40);
    static final StepResult.Bounded BOUNDED = new StepResult.Bounded(
            LSN, Optional.of(KEY), SNAPSHOT, Optional.of(new KeyRange(Optional.empty(), Optional.of(KEY))));
    static final KeyBounds PART = new KeyBounds(Optional.of(List.of("1", "é")), Optional.of(List.of("2", "")));
    static final CaptureIdentity IDENTITY = new CaptureIdentity(16_384, "f00", 16_400, "7412345678901234567", "AAA", "BBB");

    static final TableOptions OPTIONS = new TableOptions(
            List.of("Id", "b"),
            List.of(),
            List.of("größe"),
            List.of("e\"mail"),
            Map.of("phone", Optional.empty(), "name", Optional.of("*\n\u0001*")),
            Optional.of("status <> 'a''b' AND (n > 1)"),
            Optional.of(new TableOptions.SoftDelete("gone at", TableOptions.SoftDelete.Type.TIMESTAMPTZ)));

    private static final Verification.Findings FINDINGS = new Verification.Findings(
            1L << 40, 3, 2, 1,
            List.of(new Verification.Difference(List.of("a\"ü", ""), Verification.Kind.MISSING_AT_SOURCE)));

    private Examples() {}

    static Stream<Command> commands() {
        return Stream.of(
                new Command.AddTables(List.of("public.*", TABLE.toString())),
                new Command.AddTables(List.of(TABLE.toString()), Optional.of(OPTIONS)),
                new Command.Backfill(TABLE),
                new Command.Backfill(TABLE, Optional.of(TableOptions.NONE)),
                new Command.Backfill(TABLE, Optional.of(OPTIONS)),
                new Command.Backfill(
                        TABLE, Optional.empty(), Optional.of(new KeyBounds(Optional.of(List.of("1", "")), Optional.empty()))),
                new Command.Cancel(TABLE, true),
                new Command.Retry(TABLE),
                new Command.Remove(TABLE),
                new Command.Verify(TABLE),
                new Command.CancelVerification(TABLE),
                new Command.Pause(TABLE),
                new Command.Resume(TABLE),
                new Command.ToFront(TABLE),
                new Command.PausePipeline(),
                new Command.ResumePipeline(),
                new Command.ChangeSettings(new Settings.Change(Map.of(Setting.ROWS_PER_SECOND, Optional.empty()))),
                new Command.ChangeSettings(new Settings.Change(Map.of(
                        Setting.CHUNK_ROWS, Optional.of(500),
                        Setting.READ_REPLICA, Optional.of(false),
                        Setting.MISSING_ROWS, Optional.of("keep"),
                        Setting.JOIN_PATTERNS, Optional.of(List.of("\"Größe\".*", "!public.a_b")),
                        Setting.CHUNK_SECONDS, Optional.empty()))));
    }

    static Stream<StepResult> stepResults() {
        return Stream.of(
                new StepResult.Done(),
                INSPECTED,
                new StepResult.QueueHasHole(),
                new StepResult.DefinitionChanged(),
                new StepResult.Published(IDENTITY),
                BOUNDED,
                new StepResult.Bounded(Lsn.ZERO, Optional.empty(), SNAPSHOT));
    }

    static Stream<Event> events() {
        Stream<Event> steps = stepResults().map(result -> new Event.StepDone(TABLE, 7, Step.BOUNDS, 2, result));
        return Stream.concat(
                steps,
                Stream.of(
                        new Event.TablesMatched(3, List.of(TABLE), List.of("public.nothing*")),
                        new Event.MatchingFailed(3, 1, FAULT),
                        new Event.TablesJoined(List.of(TABLE)),
                        new Event.SourceMeasured(21, 1_500, Optional.empty()),
                        new Event.SourceMeasured(0, 0, Optional.of("GRANT pg_read_all_stats")),
                        new Event.StepFailed(TABLE, 7, Step.INSPECT, 1, FAULT),
                        new Event.StepWaiting(TABLE, 7, Step.BARRIER, 1, "2 transactions"),
                        new Event.TableHeld(TABLE, 7, 1),
                        new Event.HoldFailed(TABLE, 7, 1, FAULT),
                        new Event.ChunksPlanned(TABLE, 7, 1, List.of(KEY, Key.of("b", "c", "d")), true),
                        new Event.ChunksPlanned(TABLE, 7, 1, List.of(KEY), false, Optional.of(5_000)),
                        new Event.PlanningFailed(TABLE, 7, 1, FAULT),
                        new Event.ChunkCopied(TABLE, 7, 0, 1, 1L << 40, 1L << 50, 12),
                        new Event.ChunkFailed(TABLE, 7, 0, 1, FAULT),
                        new Event.RunClosed(TABLE, 7, 1, Optional.of(LSN)),
                        new Event.RunClosed(TABLE, 7, 1, Optional.empty()),
                        new Event.ClosingFailed(TABLE, 7, 1, FAULT),
                        new Event.TableCaughtUp(TABLE, 7),
                        new Event.QueueMoved(
                                TABLE, 7, 5, 6, 7, Optional.of("the destination is away"), Optional.of(NOW)),
                        new Event.QueueMoved(TABLE, 7, 5, 6, 7, Optional.empty()),
                        new Event.StreamFailed(TABLE, 7, FAULT, true),
                        new Event.CaptureBroken(TABLE, 7, IDENTITY, FAULT),
                        new Event.DefinitionFollowed(TABLE, 7, IDENTITY, "f01"),
                        new Event.ConstraintsBuilt(TABLE, 7, 1, 3),
                        new Event.ConstraintsFailed(TABLE, 7, 1, FAULT),
                        new Event.VerificationMoved(TABLE, 7, 5, 1L << 40),
                        new Event.Verified(TABLE, 7, 5, FINDINGS),
                        new Event.VerificationFailed(TABLE, 7, 5, FAULT),
                        new Event.TableLeft(TABLE, 7, 1),
                        new Event.LeavingFailed(TABLE, 7, 1, FAULT)));
    }

    static Stream<TableState> states() {
        var range = new KeyRange(Optional.empty(), Optional.of(KEY));
        var tail = new KeyRange(Optional.of(KEY), Optional.empty());
        var plan = new TableState.ChunkPlan(
                2,
                Optional.of(KEY),
                true,
                RETRIED,
                List.of(
                        new TableState.OpenChunk(0, range, RETRIED, true, false),
                        new TableState.OpenChunk(1, tail, Attempt.first(), false, true, Optional.of(5))),
                1,
                2,
                3,
                Optional.of(new TableState.Speed(1, 2, 3, 4, 5)));
        Stream<TableState> remedies = Stream.of(
                        new Remedy.CopyAnew(), new Remedy.Close(Outcome.COPIED, 12), new Remedy.Leave(true))
                .map(remedy -> new TableState.Failed(7, Phase.COMPLETING, FAULT, remedy));
        Stream<TableState> streaming = Stream.of(
                        new Constraints.Pending(RETRIED), new Constraints.Built(3), new Constraints.Missing(FAULT))
                .map(constraints -> new TableState.Streaming(7, constraints));
        Stream<TableState> others = Stream.of(
                new TableState.Queued(7, 5, 2, Optional.empty(), true),
                new TableState.Queued(7, 5, 2, Optional.of(new Remedy.Close(Outcome.ABANDONED, 0)), false),
                new TableState.Preparing(
                        7, Step.INSPECT, Attempt.first(), Optional.empty(), Optional.empty(), Optional.empty()),
                new TableState.Preparing(
                        7, Step.BARRIER, RETRIED, Optional.of("pid 5"), Optional.of(INSPECTED), Optional.of(BOUNDED)),
                new TableState.Backfilling(7, INSPECTED, BOUNDED, TableState.ChunkPlan.start()),
                new TableState.Backfilling(7, INSPECTED, BOUNDED, plan),
                new TableState.Completing(7, Outcome.COPIED, 3, RETRIED),
                new TableState.Draining(7, LSN),
                new TableState.Cancelled(7, true),
                new TableState.Leaving(7, false, RETRIED));
        return Stream.of(others, streaming, remedies).flatMap(all -> all);
    }

    static Stream<TableRecord> tableRecords() {
        List<TableRecord> records = new ArrayList<>();
        states().forEach(state -> records.add(new TableRecord(
                TABLE,
                state,
                NOW,
                12,
                Optional.of(IDENTITY),
                Optional.of(3L),
                new TableRecord.Progress(1, 2, 3, 4, Optional.of(NOW), Optional.empty()),
                Optional.of(new TableRecord.Queue(1, 2, 3, Optional.of("slow"), Optional.of(NOW))),
                OPTIONS,
                Optional.of(TableOptions.NONE),
                Optional.of(new Pause(Optional.of("ann"), NOW, Optional.of(-1L))),
                Optional.of(new Asked("pause", Optional.empty(), NOW)),
                List.of(new PastRun(
                        7, NOW, Optional.of(NOW), PastRun.Outcome.FAILED, 1, 2, 3, Optional.of("slow"),
                        Optional.of("ann"))),
                Optional.of(new Verification(
                        5, 7, NOW, Optional.of("ann"), NOW, new Verification.Compared(FINDINGS, true))),
                Optional.of(PART),
                Optional.of(PART))));
        for (Verification.Stage stage :
                List.of(new Verification.Running(5), new Verification.Ended(FAULT))) {
            records.add(new TableRecord(
                    TABLE, new TableState.Draining(7, LSN), NOW, 0, Optional.empty(), Optional.empty(),
                    TableRecord.Progress.none(), Optional.empty(), TableOptions.NONE, Optional.empty(), Optional.empty(),
                    Optional.empty(), List.of(),
                    Optional.of(new Verification(5, 7, NOW, Optional.empty(), NOW, stage))));
        }
        records.add(new TableRecord(
                TABLE,
                new TableState.Cancelled(7, false),
                NOW,
                0,
                Optional.empty(),
                Optional.empty(),
                TableRecord.Progress.none(),
                Optional.empty(),
                TableOptions.NONE,
                Optional.empty()));
        return records.stream();
    }

    static Stream<PipelineRecord> pipelineRecords() {
        return Stream.of(
                PipelineRecord.empty(),
                new PipelineRecord(
                        3,
                        1L << 40,
                        List.of(new PipelineRecord.Request(
                                5, List.of("public.*"), Optional.of(OPTIONS), RETRIED, Optional.of("ann"))),
                        Map.of(0, new PipelineRecord.SlotTask(TABLE, 7, 1, 2), 255, new PipelineRecord.SlotTask(TABLE, 7, 2, 1)),
                        List.of(
                                new PipelineRecord.Rejection(4, "cancel", "it streams"),
                                new PipelineRecord.Rejection(9, "add-tables a", "no table matches", Optional.of(6L))),
                        Settings.NONE.with(Setting.CHUNK_ROWS, 500).with(Setting.JOIN_PATTERNS, List.of("sales.*")),
                        Settings.builtIn(),
                        Optional.of("21 sessions are active"),
                        Optional.of(new PipelineRecord.Pace(NOW, Map.of(0, 1L << 40, 255, 0L))),
                        Optional.of(new Pause(Optional.of("ann"), NOW))));
    }

    static Stream<ChunkTask> chunkTasks() {
        return Stream.of(
                new ChunkTask(TABLE, 7, 0, 1, KeyRange.ALL, "f00", LSN, Optional.of(SNAPSHOT)),
                new ChunkTask(TABLE, 7, 1, 2, new KeyRange(Optional.of(KEY), Optional.of(KEY)), "f00", LSN, Optional.empty()),
                new ChunkTask(
                        TABLE, 7, 1, 2, KeyRange.ALL, "f00", LSN, Optional.empty(),
                        Settings.NONE.with(Setting.READ_REPLICA, false).with(Setting.MISSING_ROWS, "keep")));
    }

    static Stream<StreamCommand> streamCommands() {
        return Stream.of(new StreamCommand.Hold(TABLE, 7, 2), new StreamCommand.Hold(TABLE, 7, 2, OPTIONS), new StreamCommand.Drain(TABLE, 7, LSN));
    }

    /** The records that implement a sealed interface. */
    static Stream<Class<?>> leaves(Class<?> sealed) {
        return Stream.of(sealed.getPermittedSubclasses())
                .flatMap(permitted -> permitted.isSealed() ? leaves(permitted) : Stream.of(permitted));
    }
}
