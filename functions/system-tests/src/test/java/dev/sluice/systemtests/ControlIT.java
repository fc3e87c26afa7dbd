package dev.sluice.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Command;
import dev.sluice.domain.KeyBounds;
import dev.sluice.domain.PastRun;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.Setting;
import dev.sluice.domain.Settings;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState.Backfilling;
import dev.sluice.domain.TableState.Preparing;
import dev.sluice.domain.TableState.Queued;
import dev.sluice.domain.TableState.Streaming;
import dev.sluice.domain.Verification;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What an operator does while tables are written to: pause and resume, put one to the front, change settings. */
class ControlIT {

    private static final int ROWS = 20_000;

    private static SluiceStack stack;

    @BeforeAll
    static void start() {
        stack = SluiceStack.start("control", Map.of("sluice.scheduler.chunk-rows", "200"));
    }

    @AfterAll
    static void end() throws Exception {
        stack.close();
    }

    @Test
    void aPausedTableRestsInItsBackfillAndInItsStreamAndLosesNothing() throws Exception {
        TestTable table = TestTable.BY_NUMBER;
        String name = table.tableName();
        table.create(stack, ROWS);
        try (var writes = LiveWrites.start(stack, 2, ROWS, table)) {
            stack.add(name);
            stack.await(name, SluiceStack.LONG, it -> copied(it) > 2);
            stack.send(new Command.Pause(TableName.parse(name)));
            TableRecord paused = stack.await(name, SluiceStack.LONG, it -> it.pause().isPresent() && inFlight(it) == 0);
            assertThat(paused.state()).isInstanceOf(Backfilling.class);

            awaitMore(writes, 200);
            assertThat(copied(stack.table(name).orElseThrow()))
                    .as("chunks copied while the table rests and is written to")
                    .isEqualTo(copied(paused));
            stack.send(new Command.Resume(TableName.parse(name)));
            stack.awaitStreaming(name);

            stack.send(new Command.Pause(TableName.parse(name)));
            stack.await(name, SluiceStack.LONG, it -> it.pause().isPresent() && isWaiting(it, 1));
            long position = restingPosition(name);
            long before = waiting(name);
            awaitMore(writes, 200);
            stack.await(name, SluiceStack.LONG, it -> isWaiting(it, before + 100));
            assertThat(stack.position(name)).as("what is applied of a queue that rests").isEqualTo(position);
            assertThat(stack.table(name).orElseThrow().state()).isInstanceOf(Streaming.class);

            stack.send(new Command.PausePipeline());
            stack.send(new Command.Resume(TableName.parse(name)));
            SluiceStack.awaitTrue("the pipeline rests and the table does not", SluiceStack.LONG, () ->
                    stack.pipelineRecord().pause().isPresent() && stack.table(name).orElseThrow().pause().isEmpty());
            long still = waiting(name);
            awaitMore(writes, 200);
            stack.await(name, SluiceStack.LONG, it -> isWaiting(it, still + 100));
            assertThat(stack.position(name)).as("what is applied while the pipeline rests").isEqualTo(position);

            stack.send(new Command.ResumePipeline());
            SluiceStack.awaitTrue("the queue moves again", SluiceStack.LONG, () -> stack.position(name) > position);
        }
        stack.assertEqual(name);
        assertThat(stack.table(name).orElseThrow().runs())
                .as("one run, however often it rested")
                .extracting(PastRun::outcome)
                .containsExactly(PastRun.Outcome.COPIED);
    }

    @Test
    void fewerTablesAtOnceAndOneToTheFrontWithoutARestart() throws Exception {
        List<String> names = List.of("control.a", "control.b", "control.c", "control.d");
        stack.onSource("CREATE SCHEMA control");
        for (String name : names) {
            stack.onSource(
                    "CREATE TABLE " + name + " (id int PRIMARY KEY, text text)",
                    "INSERT INTO " + name + " SELECT g, 'row ' || g FROM generate_series(1, 4000) g");
        }
        change(Setting.TABLES_AT_ONCE, Optional.of(1));
        change(Setting.BACKFILL_ON_ADD, Optional.of(false));
        stack.add(names.toArray(String[]::new));
        for (String name : names) {
            TableRecord added = stack.await(name, SluiceStack.LONG, it -> it.pause().isPresent());
            assertThat(added.state()).as("a table that is not backfilled as it comes").isInstanceOf(Queued.class);
        }
        // The first to go keeps its place until the others stand in the queue as they shall.
        change(Setting.ROWS_PER_SECOND, Optional.of(200));
        for (String name : names) {
            stack.send(new Command.Resume(TableName.parse(name)));
        }
        stack.await("control.a", SluiceStack.LONG, it -> it.state() instanceof Backfilling);
        stack.send(new Command.ToFront(TableName.parse("control.d")));
        stack.send(new Command.Cancel(TableName.parse("control.c"), false));
        SluiceStack.awaitTrue("the commands are followed", SluiceStack.LONG, () ->
                stack.table("control.c").orElseThrow().asked().filter(it -> it.command().equals("cancel")).isPresent());
        change(Setting.ROWS_PER_SECOND, Optional.empty());
        change(Setting.BACKFILL_ON_ADD, Optional.empty());
        for (String name : List.of("control.a", "control.d", "control.b")) {
            stack.awaitStreaming(name);
        }
        change(Setting.TABLES_AT_ONCE, Optional.empty());

        List<String> started = new ArrayList<>();
        for (TableRecord record : stack.history()) {
            String name = record.table().toString();
            if (names.contains(name) && record.state() instanceof Preparing && !started.contains(name)) {
                started.add(name);
            }
        }
        assertThat(started).containsExactly("control.a", "control.d", "control.b");
        stack.assertEqual("control.a", "control.b", "control.d");
    }

    @Test
    void aTableThatIsWrittenToIsComparedAndWhatDiffersIsFoundAndRepaired() throws Exception {
        TestTable table = TestTable.BY_PAIR;
        String name = table.tableName();
        table.create(stack, 5_000);
        try (var writes = LiveWrites.start(stack, 1, 5_000, table)) {
            stack.add(name);
            stack.awaitStreaming(name);
            assertThat(compared(name).findings().differing()).as("keys that differ, under a writer").isZero();

            // Rows that the writer leaves alone: nothing but the comparison would ever find them.
            stack.onSource("CREATE TABLE IF NOT EXISTS public.untouched (id int PRIMARY KEY, text text)",
                    "INSERT INTO public.untouched SELECT g, 'row ' || g FROM generate_series(1, 3000) g");
            stack.add("public.untouched");
            stack.awaitStreaming("public.untouched");
            stack.onDestination(
                    "UPDATE public.untouched SET text = 'other' WHERE id = 17",
                    "DELETE FROM public.untouched WHERE id = 2500",
                    "INSERT INTO public.untouched VALUES (-1, 'nobody''s')");
            assertThat(compared("public.untouched").findings().keys())
                    .containsExactlyInAnyOrder(
                            new Verification.Difference(List.of("17"), Verification.Kind.DIFFERENT),
                            new Verification.Difference(List.of("2500"), Verification.Kind.MISSING_AT_DESTINATION),
                            new Verification.Difference(List.of("-1"), Verification.Kind.MISSING_AT_SOURCE));

            long before = stack.table("public.untouched").orElseThrow().state().run();
            String outside = "SELECT xmin FROM public.untouched WHERE id = 2999";
            Optional<String> written = stack.one(stack.destination(), outside);
            stack.onDestination("UPDATE public.untouched SET text = 'not asked for' WHERE id = 3000");
            stack.send(new Command.Backfill(
                    TableName.parse("public.untouched"),
                    Optional.empty(),
                    Optional.of(new KeyBounds(Optional.of(List.of("-1")), Optional.of(List.of("2500"))))));
            TableRecord repaired = stack.awaitStreamingAfter("public.untouched", before);
            assertThat(repaired.progress().rowsCopied()).as("rows from -1 to 2500").isEqualTo(2_500);
            assertThat(stack.one(stack.destination(), outside)).as("a row outside the part").isEqualTo(written);
            assertThat(stack.table("public.untouched").orElseThrow().verification())
                    .as("what was found before the backfill")
                    .hasValueSatisfying(it -> assertThat(it.stage())
                            .isInstanceOfSatisfying(Verification.Compared.class, done -> assertThat(done.stale()).isTrue()));
            assertThat(compared("public.untouched").findings().keys())
                    .as("what still differs after the backfill of a part")
                    .containsExactly(new Verification.Difference(List.of("3000"), Verification.Kind.DIFFERENT));
        }
        stack.assertEqual(name);
    }

    private static Verification.Compared compared(String name) {
        Optional<Verification> before = stack.table(name).orElseThrow().verification();
        stack.send(new Command.Verify(TableName.parse(name)));
        Verification done = stack.await(name, SluiceStack.LONG, it -> it.verification()
                        .filter(now -> !now.isRunning() && before.map(Verification::number).orElse(-1L) < now.number())
                        .isPresent())
                .verification()
                .orElseThrow();
        assertThat(done.stage()).as("what the comparison of %s came to", name).isInstanceOf(Verification.Compared.class);
        return (Verification.Compared) done.stage();
    }

    @Test
    void aValueThatASettingCannotHaveChangesNothingAndSaysWhy() {
        Settings before = stack.pipelineRecord().settings();
        stack.sendRaw("""
                {"specversion":"1.0","id":"1","source":"/test","type":"dev.sluice.command.change-settings",
                 "data":{"settings":{"chunksPerTable":3,"chunkRows":1}}}""");

        SluiceStack.awaitTrue("it is rejected", SluiceStack.LONG, () -> stack.pipelineRecord().rejections().stream()
                .map(PipelineRecord.Rejection::reason)
                .anyMatch(reason -> reason.contains("chunkRows") && reason.contains("100")));
        assertThat(stack.pipelineRecord().settings()).isEqualTo(before);
    }

    private static void change(Setting setting, Optional<Object> value) {
        stack.send(new Command.ChangeSettings(new Settings.Change(Map.of(setting, value))));
        SluiceStack.awaitTrue(setting + " is " + value, SluiceStack.LONG, () ->
                stack.pipelineRecord().settings().value(setting).equals(value));
    }

    private static void awaitMore(LiveWrites writes, long transactions) {
        long until = writes.transactions() + transactions;
        SluiceStack.awaitTrue("the application writes on", SluiceStack.LONG, () -> writes.transactions() >= until);
    }

    /** A batch that was under way when the pause came is finished; then the queue only grows. */
    private static long restingPosition(String name) {
        var last = new AtomicLong(stack.position(name));
        var reported = new AtomicLong(waiting(name));
        SluiceStack.awaitTrue("the queue rests", SluiceStack.LONG, () -> {
            if (waiting(name) == reported.get()) {
                return false;
            }
            reported.set(waiting(name));
            long now = stack.position(name);
            return last.getAndSet(now) == now;
        });
        return last.get();
    }

    private static long waiting(String name) {
        return stack.table(name).orElseThrow().queue().orElseThrow().waiting();
    }

    private static boolean isWaiting(TableRecord table, long atLeast) {
        return table.queue().filter(queue -> queue.waiting() >= atLeast).isPresent();
    }

    private static int copied(TableRecord table) {
        return table.state() instanceof Backfilling backfilling ? backfilling.plan().chunksCopied() : 0;
    }

    private static long inFlight(TableRecord table) {
        return table.state() instanceof Backfilling backfilling ? backfilling.plan().inFlight() : -1;
    }
}
