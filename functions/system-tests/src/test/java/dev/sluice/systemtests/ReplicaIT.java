package dev.sluice.systemtests;

import static dev.sluice.systemtests.TestTable.BY_NUMBER;
import static dev.sluice.systemtests.TestTable.BY_PAIR;
import static dev.sluice.systemtests.TestTable.BY_UUID;
import static dev.sluice.systemtests.TestTable.BY_WORD;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Fault;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.testing.PostgresServer;
import dev.sluice.testing.SharedServers;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Chunks read from a physical standby (R11): one that lags, is paused, cancels, or takes part in every commit. */
class ReplicaIT {

    private static final int ROWS = 20_000;

    private static final String CANCELS_AFTER = "max_standby_streaming_delay";

    private static PostgresServer primary;
    private static PostgresServer standby;
    private static SluiceStack stack;

    @BeforeAll
    static void start() {
        primary = PostgresServer.start(SharedServers.folder("readit-primary"), 0, SharedServers.FAST_POSTGRES);
        standby = primary.standby(SharedServers.folder("readit-standby"), SharedServers.FAST_POSTGRES);
        // Nothing is cancelled but where a test is about that: least of all its own look at a standby that caught up.
        standby.set(CANCELS_AFTER, "-1");
        stack = SluiceStack.start(
                "readit",
                primary,
                standby,
                Map.of("sluice.scheduler.chunk-rows", "2000", "sluice.chunk-worker.replica-timeout", "25s"));
        SluiceStack.awaitTrue("the ledger is there", SluiceStack.LONG, () -> one(
                        stack::destination,
                        "SELECT (to_regclass('" + stack.pipeline.ledgerSchema() + ".row_reads') IS NOT NULL)::text")
                .equals("true"));
    }

    @AfterAll
    static void stop() throws Exception {
        stack.close();
        standby.close();
        primary.close();
    }

    /**
     * Killed while it reads a row anew that only this test writes to, and of which nothing but its version changes: no
     * change of a key asks for that, only that nobody knows what the standby's read contains.
     */
    @Test
    void aTableThatIsWrittenToIsReadFromAStandbyThatLags() throws Exception {
        BY_NUMBER.create(stack, ROWS);
        stack.onSource(BY_NUMBER.insert("SELECT -1::bigint AS n"));
        standby.set("recovery_min_apply_delay", "20s");
        try {
            backfillUnderWrites(
                    List.of(BY_NUMBER),
                    "INSERT ON " + stack.pipeline.ledgerSchema() + ".row_reads FOR EACH ROW WHEN (new.table_name = '"
                            + BY_NUMBER.tableName() + "' AND new.key = '{-1}')",
                    () -> one(stack::source, BY_NUMBER.update("n = -1") + " RETURNING n::text"));
        } finally {
            standby.reset("recovery_min_apply_delay");
        }
        assertReadAtTheStandby(BY_NUMBER);
        stack.assertEqual(BY_NUMBER.tableName());
    }

    /** Killed while it applies a batch of the drain. */
    @Test
    void aStandbyThatTakesPartInEveryCommitShowsRowsBeforeThePrimary() throws Exception {
        BY_PAIR.create(stack, ROWS);
        BY_WORD.create(stack, ROWS);
        primary.set("synchronous_commit", "remote_apply");
        primary.set("synchronous_standby_names", PostgresServer.standbyName(standby.folder()));
        try {
            backfillUnderWrites(
                    List.of(BY_PAIR, BY_WORD),
                    "UPDATE ON " + stack.pipeline.ledgerSchema() + ".tables FOR EACH ROW WHEN (old.table_name = '"
                            + BY_PAIR.tableName() + "' AND old.applying = 'DRAINING' AND new.position > old.position)",
                    () -> {});
        } finally {
            primary.reset("synchronous_standby_names");
            primary.reset("synchronous_commit");
        }
        assertReadAtTheStandby(BY_PAIR);
        assertReadAtTheStandby(BY_WORD);
        stack.assertEqual(BY_PAIR.tableName(), BY_WORD.tableName());
    }

    /**
     * @param killedAt of a trigger at the destination: what the functions are in the middle of when they are killed
     * @param meanwhile done again and again until then
     */
    private static void backfillUnderWrites(List<TestTable> tables, String killedAt, Runnable meanwhile) throws Exception {
        try (var writes = LiveWrites.start(stack, 2, ROWS, tables.toArray(TestTable[]::new));
                var reader = BackwardsReader.start(stack, tables.toArray(TestTable[]::new))) {
            try (Connection holder = standStillAt(killedAt)) {
                stack.add(tables.stream().map(TestTable::tableName).toArray(String[]::new));
                awaitStandingStill(killedAt, meanwhile);
                stack.functions().kill();
            }
            stack.functions().restart();
            for (TestTable table : tables) {
                stack.awaitStreaming(table.tableName());
            }
            reader.close();
            assertThat(reader.backwards()).as("rows that went backwards").isEmpty();
            assertThat(reader.reads()).as("reads of the reader").isGreaterThan(2);
            assertThat(writes.transactions()).as("transactions of the writers").isGreaterThan(100);
        }
    }

    /**
     * Makes a write at the destination stand still in the middle of its transaction, for as long as the connection is
     * open that this answers.
     *
     * @param event of a trigger
     */
    private static Connection standStillAt(String event) throws SQLException {
        stack.onDestination(
                "CREATE OR REPLACE FUNCTION public.stand_still() RETURNS trigger LANGUAGE plpgsql AS "
                        + "'BEGIN PERFORM pg_catalog.pg_advisory_xact_lock_shared(11); RETURN new; END'",
                "CREATE TRIGGER stand_still BEFORE " + event + " EXECUTE FUNCTION public.stand_still()");
        Connection holder = stack.destination();
        try (Statement statement = holder.createStatement()) {
            statement.execute("SELECT pg_advisory_lock(11)");
        }
        return holder;
    }

    private static void awaitStandingStill(String event, Runnable meanwhile) {
        SluiceStack.awaitTrue("standing still at " + event, SluiceStack.LONG, () -> {
            meanwhile.run();
            return !one(
                            stack::destination,
                            "SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory' AND NOT granted "
                                    + "AND (classid, objid) = (0, 11) "
                                    + "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")
                    .equals("0");
        });
    }

    private static void assertReadAtTheStandby(TestTable table) throws SQLException {
        String ledger = stack.pipeline.ledgerSchema();
        assertThat(stack.one(
                        stack.destination(),
                        "SELECT count(*) FILTER (WHERE later_snapshot IS NULL) || ' of more than 5: ' || (count(*) > 5) FROM "
                                + ledger + ".chunks WHERE table_name = '" + table.tableName() + "'"))
                .as("chunks that were not read at the standby: the one above the highest key")
                .contains("1 of more than 5: true");
        String name = table.tableName().substring("public.".length());
        SluiceStack.awaitTrue("rows of " + name + " are read at the standby", SluiceStack.LONG, () -> Long.parseLong(
                        atStandby("SELECT (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::text "
                                + "FROM pg_stat_user_tables WHERE relname = '" + name + "'"))
                >= ROWS / 2);
    }

    @Test
    void aStandbyThatIsPausedIsWaitedForAndTheStateSaysSo() throws Exception {
        String name = BY_UUID.tableName();
        BY_UUID.create(stack, 5_000);
        atStandby("SELECT pg_wal_replay_pause()::text");
        try {
            stack.onSource(BY_UUID.update("n <= 100"));
            stack.add(name);
            TableRecord waiting = stack.await(name, SluiceStack.LONG, table -> lastFault(table)
                    .anyMatch(fault -> fault.reason().contains("has replayed up to")));
            assertThat(lastFault(waiting)).allSatisfy(fault -> {
                assertThat(fault.kind()).isEqualTo(Fault.Kind.UNAVAILABLE);
                assertThat(fault.reason()).contains("the backfill needs", "its replay is paused");
                assertThat(fault.hint()).contains("pg_wal_replay_resume()");
            });
        } finally {
            atStandby("SELECT pg_wal_replay_resume()::text");
        }
        stack.awaitStreaming(name);
        stack.assertEqual(name);
    }

    @Test
    void aReadThatTheStandbyCancelsIsTriedAgain() throws Exception {
        String table = "(id int PRIMARY KEY, v text)";
        stack.onSource(
                "CREATE TABLE public.conflicted " + table,
                "INSERT INTO public.conflicted SELECT i, 'v' || i FROM generate_series(1, 1000) i");
        stack.onDestination("CREATE TABLE public.conflicted " + table);
        standby.set(CANCELS_AFTER, "50ms");
        // The chunk is in the middle of its COPY then.
        String row = "INSERT ON public.conflicted FOR EACH ROW";
        try (Connection holder = standStillAt(row)) {
            stack.add("public.conflicted");
            awaitStandingStill(row, () -> {});
            stack.onSource("DELETE FROM public.conflicted WHERE id > 500", "VACUUM public.conflicted");
            SluiceStack.awaitTrue("the standby cancels the read", SluiceStack.LONG, () -> !atStandby(
                            "SELECT (confl_snapshot + confl_lock + confl_bufferpin)::text "
                                    + "FROM pg_stat_database_conflicts WHERE datname = current_database()")
                    .equals("0"));
        } finally {
            standby.set(CANCELS_AFTER, "-1");
        }
        stack.awaitStreaming("public.conflicted");
        stack.assertEqual("public.conflicted");
        assertThat(stack.history().stream()
                        .filter(record -> record.table().equals(TableName.parse("public.conflicted")))
                        .flatMap(ReplicaIT::lastFault))
                .as("what the states told of the cancelled chunk")
                .anySatisfy(fault -> {
                    assertThat(fault.reason()).contains("conflict with recovery");
                    assertThat(fault.hint()).contains("hot_standby_feedback");
                });
    }

    /** What went wrong with the chunks that are not copied yet. */
    private static Stream<Fault> lastFault(TableRecord table) {
        return table.state() instanceof TableState.Backfilling backfilling
                ? backfilling.plan().open().stream()
                        .flatMap(chunk -> chunk.attempt().last().stream())
                : Stream.empty();
    }

    private static String atStandby(String query) {
        return one(() -> standby.connect(stack.sourceDatabase), query);
    }

    private interface Opening {
        Connection open() throws SQLException;
    }

    private static String one(Opening opening, String query) {
        try (Connection connection = opening.open();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            return rows.next() ? rows.getString(1) : "0";
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }
}
