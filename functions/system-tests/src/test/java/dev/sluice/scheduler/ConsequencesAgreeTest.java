package dev.sluice.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.console.act.Consequence;
import dev.sluice.domain.Attempt;
import dev.sluice.domain.CaptureIdentity;
import dev.sluice.domain.Command;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Key;
import dev.sluice.domain.KeyBounds;
import dev.sluice.domain.KeyType;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.Pause;
import dev.sluice.domain.PgSnapshot;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.Setting;
import dev.sluice.domain.Settings;
import dev.sluice.domain.Step;
import dev.sluice.domain.StepResult;
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
import org.junit.jupiter.api.Test;

/** What the console says of a command before it is sent, and what the scheduler does with it, in every state. */
class ConsequencesAgreeTest {

    private static final TableName TABLE = new TableName("public", "orders");
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
    private static final long RUN = 10;
    private static final Attempt ATTEMPT = Attempt.first();
    private static final Fault FAULT = Fault.refused("it cannot be", "change it");
    private static final TableOptions OPTIONS = new TableOptions(
            List.of(), List.of(), List.of("note"), List.of(), Map.of(), Optional.empty(), Optional.empty());
    private static final List<Optional<Pause>> PAUSES = List.of(
            Optional.empty(),
            Optional.of(new Pause(Optional.of("bob"), NOW)),
            Optional.of(new Pause(Optional.of("bob"), NOW, Optional.of(4L))));
    private static final List<Settings> SETTINGS = List.of(
            Settings.NONE,
            Settings.NONE.with(Setting.JOIN_PATTERNS, List.of("public.*")),
            Settings.NONE.with(Setting.JOIN_PATTERNS, List.of("public.*", "!public.orders")));

    @Test
    void theConsoleSaysThatACommandIsPossibleExactlyWhenTheSchedulerFollowsIt() {
        List<String> differences = new ArrayList<>();
        int compared = 0;
        for (TableRecord table : tables()) {
            for (Settings settings : SETTINGS) {
                for (Command.OfTable command : commands()) {
                    PipelineRecord pipeline = pipeline(settings);
                    Consequence said = Consequence.of(command, Optional.of(table), pipeline);
                    List<PipelineRecord.Rejection> rejections = rejections(pipeline, table, command);
                    compared++;
                    if (said.possible() != rejections.isEmpty() || said.text().isBlank()) {
                        differences.add(command + " of " + table.state() + " paused " + table.pause() + " says " + said
                                + ", the scheduler " + rejections);
                    }
                }
            }
        }
        assertThat(differences).isEmpty();
        assertThat(compared).isGreaterThan(1_000);
    }

    private static List<PipelineRecord.Rejection> rejections(
            PipelineRecord pipeline, TableRecord table, Command.OfTable command) {
        var fold = new Fold(new World(pipeline, Map.of(TABLE, table)), new Limits(1, 1, 1, 1));
        fold.command(command, Optional.of("ann"), 20, NOW);
        return fold.finish(NOW).world().pipeline().rejections();
    }

    private static PipelineRecord pipeline(Settings settings) {
        return new PipelineRecord(
                1, 20, List.of(), Map.of(), List.of(), settings, Settings.NONE, Optional.empty(), Optional.empty(),
                Optional.empty());
    }

    private static List<Command.OfTable> commands() {
        return List.of(
                new Command.Backfill(TABLE),
                new Command.Backfill(TABLE, Optional.of(OPTIONS)),
                new Command.Backfill(
                        TABLE, Optional.empty(), Optional.of(new KeyBounds(Optional.of(List.of("1")), Optional.empty()))),
                new Command.Cancel(TABLE, false),
                new Command.Cancel(TABLE, true),
                new Command.Retry(TABLE),
                new Command.Remove(TABLE),
                new Command.Verify(TABLE),
                new Command.CancelVerification(TABLE),
                new Command.Pause(TABLE),
                new Command.Resume(TABLE),
                new Command.ToFront(TABLE));
    }

    private static List<TableRecord> tables() {
        List<TableRecord> tables = new ArrayList<>();
        for (TableState state : states()) {
            for (Optional<Pause> pause : PAUSES) {
                for (boolean captured : new boolean[] {false, true}) {
                    for (boolean streamed : new boolean[] {false, true}) {
                        tables.add(table(state, pause, captured, streamed, Optional.empty()));
                    }
                }
            }
        }
        var running = new Verification(15, RUN, NOW, Optional.empty(), NOW, new Verification.Running(0));
        tables.add(table(
                new TableState.Streaming(RUN, new Constraints.Built(1)), Optional.empty(), true, true,
                Optional.of(running)));
        return tables;
    }

    private static TableRecord table(
            TableState state,
            Optional<Pause> pause,
            boolean captured,
            boolean streamed,
            Optional<Verification> verification) {
        return new TableRecord(
                TABLE,
                state,
                NOW,
                2,
                captured
                        ? Optional.of(new CaptureIdentity(1, "f", 2, "system", "topic", "capture"))
                        : Optional.empty(),
                streamed ? Optional.of(3L) : Optional.empty(),
                TableRecord.Progress.none(),
                Optional.empty(),
                TableOptions.NONE,
                Optional.empty(),
                pause,
                Optional.empty(),
                List.of(),
                verification);
    }

    private static List<TableState> states() {
        List<TableState> states = new ArrayList<>();
        for (boolean streams : new boolean[] {false, true}) {
            states.add(new TableState.Queued(RUN, RUN, 0, Optional.empty(), streams));
        }
        var inspected =
                new StepResult.Inspected("f", 1, List.of(new KeyColumn("id", KeyType.INTEGER)), 500);
        var bounded = new StepResult.Bounded(Lsn.parse("1/AB"), Optional.of(Key.of("100")), PgSnapshot.parse("5:5:"));
        for (Step step : Step.values()) {
            states.add(new TableState.Preparing(
                    RUN, step, ATTEMPT, Optional.empty(), Optional.of(inspected), Optional.of(bounded)));
        }
        states.add(new TableState.Backfilling(RUN, inspected, bounded, TableState.ChunkPlan.start()));
        List<Remedy> remedies = new ArrayList<>(
                List.of(new Remedy.CopyAnew(), new Remedy.Leave(false), new Remedy.Leave(true)));
        for (Outcome outcome : Outcome.values()) {
            states.add(new TableState.Queued(
                    RUN, RUN, 0, Optional.of(new Remedy.Close(outcome, 12)), false));
            states.add(new TableState.Completing(RUN, outcome, 12, ATTEMPT));
            remedies.add(new Remedy.Close(outcome, 12));
        }
        for (Remedy remedy : remedies) {
            for (Phase phase : Phase.values()) {
                states.add(new TableState.Failed(RUN, phase, FAULT, remedy));
            }
        }
        states.add(new TableState.Draining(RUN, Lsn.parse("1/AB")));
        states.add(new TableState.Streaming(RUN, new Constraints.Pending(ATTEMPT)));
        states.add(new TableState.Streaming(RUN, new Constraints.Built(1)));
        states.add(new TableState.Streaming(RUN, new Constraints.Missing(FAULT)));
        states.add(new TableState.Cancelled(RUN, false));
        states.add(new TableState.Cancelled(RUN, true));
        states.add(new TableState.Leaving(RUN, false, ATTEMPT));
        states.add(new TableState.Leaving(RUN, true, ATTEMPT));
        return states;
    }
}
