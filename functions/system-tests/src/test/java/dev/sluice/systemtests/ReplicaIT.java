package dev.sluice.systemtests;

import static dev.sluice.systemtests.TestTable.BY_NUMBER;
import static dev.sluice.systemtests.TestTable.BY_PAIR;
import static dev.sluice.systemtests.TestTable.BY_UUID;
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
    }

    @AfterAll
    static void stop() throws Exception {
        stack.close();
        standby.close();
        primary.close();
    }

    @Test
    void aTableThatIsWrittenToIsReadFromAStandbyThatLags() throws Exception {
        BY_NUMBER.create(stack, ROWS);
        standby.set("recovery_min_apply_delay", "20s");
        try {
            backfillUnderWrites(BY_NUMBER);
        } finally {
            standby.reset("recovery_min_apply_delay");
        }
        assertReadAtTheStandby(BY_NUMBER);
        SluiceStack.awaitTrue("rows that changed between the snapshots are read anew", SluiceStack.LONG, () -> Long.parseLong(
                        one(stack::destination, "SELECT n_tup_ins::text FROM pg_stat_user_tables WHERE schemaname = '"
                                + stack.pipeline.ledgerSchema() + "' AND relname = 'row_reads'"))
                > 0);
        stack.assertEqual(BY_NUMBER.tableName());
    }

    @Test
    void aStandbyThatTakesPartInEveryCommitShowsRowsBeforeThePrimary() throws Exception {
        BY_PAIR.create(stack, ROWS);
        primary.set("synchronous_commit", "remote_apply");
        primary.set("synchronous_standby_names", PostgresServer.standbyName(standby.folder()));
        try {
            backfillUnderWrites(BY_PAIR);
        } finally {
            primary.reset("synchronous_standby_names");
            primary.reset("synchronous_commit");
        }
        assertReadAtTheStandby(BY_PAIR);
        stack.assertEqual(BY_PAIR.tableName());
    }

    private static void backfillUnderWrites(TestTable table) throws Exception {
        try (var writes = LiveWrites.start(stack, 2, ROWS, table);
                var reader = BackwardsReader.start(stack, table)) {
            stack.add(table.tableName());
            // Killed in the middle of what it reads anew.
            stack.await(table.tableName(), SluiceStack.LONG, ReplicaIT::drainsOrIsDone);
            stack.functions().kill();
            stack.functions().restart();
            stack.awaitStreaming(table.tableName());
            reader.close();
            assertThat(reader.backwards()).as("rows that went backwards").isEmpty();
            assertThat(reader.reads()).as("reads of the reader").isGreaterThan(2);
            assertThat(writes.transactions()).as("transactions of the writers").isGreaterThan(100);
        }
    }

    private static boolean drainsOrIsDone(TableRecord table) {
        return table.state() instanceof TableState.Draining || table.state() instanceof TableState.Streaming;
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
        // The chunk stands in the middle of its COPY for as long as the lock is held.
        stack.onDestination(
                "CREATE TABLE public.conflicted " + table,
                "CREATE FUNCTION public.stand_still() RETURNS trigger LANGUAGE plpgsql AS "
                        + "'BEGIN PERFORM pg_catalog.pg_advisory_xact_lock_shared(11); RETURN new; END'",
                "CREATE TRIGGER stand_still BEFORE INSERT ON public.conflicted "
                        + "FOR EACH ROW EXECUTE FUNCTION public.stand_still()");
        standby.set(CANCELS_AFTER, "50ms");
        try (Connection holder = stack.destination(); Statement statement = holder.createStatement()) {
            statement.execute("SELECT pg_advisory_lock(11)");
            stack.add("public.conflicted");
            SluiceStack.awaitTrue("the chunk stands still", SluiceStack.LONG, () -> one(
                            stack::destination,
                            "SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory' AND NOT granted "
                                    + "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")
                    .equals("1"));
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
