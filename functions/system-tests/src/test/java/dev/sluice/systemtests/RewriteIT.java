package dev.sluice.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Command;
import dev.sluice.domain.Step;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** TRUNCATE and ALTER TABLE are not MVCC-safe: right, or Failed with the reason, never silently empty (R7, R12). */
class RewriteIT {

    private static final Predicate<TableRecord> HALFWAY = table ->
            table.state() instanceof TableState.Backfilling backfilling
                    && backfilling.plan().chunksCopied() > 5;

    private static SluiceStack stack;

    @BeforeAll
    static void start() {
        stack = SluiceStack.start(
                "rewrite", Map.of("sluice.scheduler.chunk-rows", "1000", "sluice.scheduler.chunks-per-table", "2"));
    }

    @AfterAll
    static void stop() throws Exception {
        stack.close();
    }

    private static void fill(String table) throws Exception {
        stack.onSource(
                "CREATE TABLE " + table + " (id int PRIMARY KEY, text text)",
                "INSERT INTO " + table + " SELECT g, 'row ' || g FROM generate_series(1, 100000) g",
                "ANALYZE " + table);
    }

    @Test
    void truncateDuringTheBackfillLeavesWhatCameAfterIt() throws Exception {
        fill("public.truncated");
        stack.add("public.truncated");
        stack.await("public.truncated", SluiceStack.LONG, HALFWAY);

        stack.onSource(
                "TRUNCATE public.truncated",
                "INSERT INTO public.truncated SELECT g, 'after' FROM generate_series(50000, 50100) g");

        stack.awaitStreaming("public.truncated");
        stack.assertEqual("public.truncated");
        assertThat(stack.one(stack.destination(), "SELECT count(*) FROM public.truncated")).contains("101");
    }

    @Test
    void truncateBetweenJoiningAndTheFirstChunkLeavesWhatCameAfterIt() throws Exception {
        fill("public.early");
        try (Connection older = stack.source(); Statement statement = older.createStatement()) {
            older.setAutoCommit(false);
            statement.execute("SELECT pg_current_xact_id()");
            stack.add("public.early");
            stack.await(
                    "public.early",
                    SluiceStack.LONG,
                    table -> table.state() instanceof TableState.Preparing preparing
                            && preparing.step() == Step.BARRIER);
            stack.onSource("TRUNCATE public.early", "INSERT INTO public.early VALUES (3, 'after'), (100001, 'after')");
            older.rollback();
        }

        stack.awaitStreaming("public.early");
        stack.assertEqual("public.early");
        assertThat(stack.one(stack.destination(), "SELECT count(*) FROM public.early")).contains("2");
    }

    @Test
    void truncateDuringTheDrainLeavesWhatCameAfterIt() throws Exception {
        fill("public.drained");
        stack.add("public.drained");
        stack.await("public.drained", SluiceStack.LONG, HALFWAY);
        // Without capture the drain cannot end: what comes now is drained in any case.
        stack.debezium().kill();
        // Changes that no chunk has seen, so that the drain has rows to write.
        stack.onSource("UPDATE public.drained SET text = text || '!' WHERE id <= 20000");
        stack.await("public.drained", SluiceStack.LONG, table -> table.state() instanceof TableState.Draining);
        stack.onSource(
                "BEGIN; INSERT INTO public.drained VALUES (200000, 'before'); TRUNCATE public.drained; "
                        + "INSERT INTO public.drained VALUES (7, 'between'); COMMIT",
                "TRUNCATE public.drained",
                "INSERT INTO public.drained SELECT g, 'after' FROM generate_series(90000, 90010) g");
        assertThat(stack.table("public.drained").orElseThrow().state()).isInstanceOf(TableState.Draining.class);
        stack.debezium().restart();

        stack.awaitStreaming("public.drained");
        stack.assertEqual("public.drained");
        assertThat(stack.one(stack.destination(), "SELECT count(*) FROM public.drained")).contains("11");
    }

    @Test
    void truncateOfATableWithoutAKeyDuringTheCopyAndTheDrainLeavesWhatCameAfterIt() throws Exception {
        stack.onSource(
                "CREATE TABLE public.keyless (a int, text text)",
                "ALTER TABLE public.keyless REPLICA IDENTITY FULL",
                "INSERT INTO public.keyless SELECT g % 10, 'row' FROM generate_series(1, 1000) g");
        // The copy stands in the middle of its rows for as long as the lock is held.
        stack.onDestination(
                "CREATE TABLE public.keyless (a int, text text)",
                "CREATE FUNCTION public.stand_still() RETURNS trigger LANGUAGE plpgsql AS "
                        + "'BEGIN PERFORM pg_catalog.pg_advisory_xact_lock_shared(12); RETURN new; END'",
                "CREATE TRIGGER stand_still BEFORE INSERT ON public.keyless "
                        + "FOR EACH ROW EXECUTE FUNCTION public.stand_still()");
        Thread truncate;
        try (Connection holder = stack.destination(); Statement statement = holder.createStatement()) {
            statement.execute("SELECT pg_advisory_lock(12)");
            stack.add("public.keyless");
            SluiceStack.awaitTrue(
                    "the copy stands still", SluiceStack.LONG, () -> isWaitedFor(stack::destination, "advisory"));
            stack.onSource("INSERT INTO public.keyless VALUES (3, 'before'), (3, 'before')");
            // It waits for the copy to have read its rows, as the application's would.
            truncate = Thread.ofVirtual().start(() -> {
                try {
                    stack.onSource(
                            "TRUNCATE public.keyless",
                            "INSERT INTO public.keyless VALUES (4, 'between'), (4, 'between')");
                } catch (SQLException e) {
                    throw new AssertionError(e);
                }
            });
            SluiceStack.awaitTrue(
                    "TRUNCATE waits, or is done",
                    SluiceStack.LONG,
                    () -> !truncate.isAlive() || isWaitedFor(stack::source, "relation"));
            // Without capture no watermark is passed.
            stack.debezium().kill();
        }
        try {
            stack.await("public.keyless", SluiceStack.LONG, table -> table.state() instanceof TableState.Draining);
            truncate.join(60_000);
            assertThat(stack.one(stack.source(), "SELECT count(*) FROM public.keyless"))
                    .as("rows after the first TRUNCATE")
                    .contains("2");
            stack.onSource(
                    "INSERT INTO public.keyless VALUES (5, 'before'), (5, 'before')",
                    "TRUNCATE public.keyless",
                    "INSERT INTO public.keyless VALUES (7, 'after'), (7, 'after'), (8, 'after')",
                    "DELETE FROM public.keyless WHERE ctid = '(0,1)'");
        } finally {
            stack.debezium().restart();
        }

        stack.awaitStreaming("public.keyless");
        stack.assertEqual("public.keyless");
        assertThat(stack.one(stack.destination(), "SELECT count(*) FROM public.keyless")).contains("2");
    }

    private static boolean isWaitedFor(Callable<Connection> opening, String lock) {
        try {
            return stack.one(
                            opening.call(),
                            "SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = '" + lock
                                    + "' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")
                    .isPresent();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void oneTruncateOfSeveralTablesArrivesAtEach() throws Exception {
        stack.onSource(
                "CREATE TABLE public.orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text)",
                "CREATE TABLE public.items (id int PRIMARY KEY, order_id int REFERENCES public.orders)",
                "CREATE TABLE public.others (id int PRIMARY KEY)",
                "INSERT INTO public.orders (text) SELECT 'row ' || g FROM generate_series(1, 100) g",
                "INSERT INTO public.items SELECT g, g FROM generate_series(1, 100) g",
                "INSERT INTO public.others SELECT generate_series(1, 100)");
        stack.add("public.orders", "public.items", "public.others");
        stack.awaitStreaming("public.orders");
        stack.awaitStreaming("public.items");
        stack.awaitStreaming("public.others");

        stack.onSource("BEGIN; INSERT INTO public.others VALUES (101); "
                + "TRUNCATE public.orders, public.others RESTART IDENTITY CASCADE; "
                + "INSERT INTO public.orders (text) VALUES ('number one again'); INSERT INTO public.items VALUES (1, 1); COMMIT");

        stack.assertEqual("public.orders", "public.items", "public.others");
        assertThat(stack.one(stack.destination(), "SELECT string_agg(o::text, '') FROM public.orders o"))
                .contains("(1,\"number one again\")");
        assertThat(stack.one(stack.destination(), "SELECT count(*) FROM public.others")).contains("0");
    }

    @Test
    void truncateOfAStreamingTableArrives() throws Exception {
        fill("public.emptied");
        stack.add("public.emptied");
        stack.awaitStreaming("public.emptied");

        stack.onSource("TRUNCATE public.emptied", "INSERT INTO public.emptied VALUES (7, 'after')");

        stack.assertEqual("public.emptied");
    }

    @Test
    void aRewritingAlterDuringTheBackfillFailsTheTableAndRetryMakesItEqual() throws Exception {
        fill("public.rewritten");
        stack.add("public.rewritten");
        stack.await("public.rewritten", SluiceStack.LONG, HALFWAY);

        // The type stays as it was, so nothing but the values tells; and a rewrite sends no changes.
        stack.onSource("ALTER TABLE public.rewritten ALTER COLUMN text TYPE text USING upper(text)");

        TableState.Failed failed = stack.awaitFailed("public.rewritten");
        assertThat(failed.fault().reason()).contains("definition");
        stack.send(new Command.Retry(TableName.parse("public.rewritten")));
        stack.awaitTrueState("public.rewritten", state -> !(state instanceof TableState.Failed));
        stack.awaitStreaming("public.rewritten");
        stack.assertEqual("public.rewritten");
    }

    @Test
    void aPartitionThatGoesDuringTheBackfillFailsTheTableAndRetryMakesItEqual() throws Exception {
        Map<String, String> changes = Map.of(
                "public.detached", "ALTER TABLE public.detached DETACH PARTITION public.detached_1",
                "public.emptied_part", "TRUNCATE public.emptied_part_1");
        for (String table : changes.keySet()) {
            stack.onSource(
                    "CREATE TABLE " + table + " (id int PRIMARY KEY, text text) PARTITION BY RANGE (id)",
                    "CREATE TABLE " + table + "_1 PARTITION OF " + table + " FOR VALUES FROM (0) TO (50001)",
                    "CREATE TABLE " + table + "_2 PARTITION OF " + table + " DEFAULT",
                    "INSERT INTO " + table + " SELECT g, 'row ' || g FROM generate_series(1, 100000) g",
                    "ANALYZE " + table);
        }
        stack.add(changes.keySet().toArray(String[]::new));
        for (String table : changes.keySet()) {
            stack.await(table, SluiceStack.LONG, HALFWAY);
            stack.onSource(changes.get(table));
        }

        assertThat(stack.awaitFailed("public.detached").fault().reason()).contains("detached_1 was detached");
        assertThat(stack.awaitFailed("public.emptied_part").fault().reason()).contains("emptied_part_1 was rewritten");
        for (String table : changes.keySet()) {
            assertThat(stack.history())
                    .as("states of %s before it failed", table)
                    .filteredOn(record -> record.table().equals(TableName.parse(table)))
                    .noneMatch(record -> record.state() instanceof TableState.Streaming);
            stack.send(new Command.Retry(TableName.parse(table)));
        }
        for (String table : changes.keySet()) {
            stack.awaitTrueState(table, state -> !(state instanceof TableState.Failed));
            stack.awaitStreaming(table);
            stack.assertEqual(table);
            assertThat(stack.one(stack.destination(), "SELECT count(*) FROM " + table)).contains("50000");
        }
    }

    @Test
    void aColumnAddedDuringTheBackfillIsFollowedInTheSameRun() throws Exception {
        fill("public.widened");
        stack.add("public.widened");
        long run = stack.await("public.widened", SluiceStack.LONG, HALFWAY).state().run();

        stack.onSource("ALTER TABLE public.widened ADD COLUMN added int DEFAULT 7");

        assertThat(stack.awaitStreaming("public.widened").state().run()).isEqualTo(run);
        stack.assertEqual("public.widened");
    }
}
