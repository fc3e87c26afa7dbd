package dev.sluice.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Command;
import dev.sluice.domain.Step;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableState;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Transactions that were under way when the table joined the publication lose nothing, and hold nobody up (R2). */
class BarrierIT {

    private static SluiceStack stack;

    @BeforeAll
    static void start() {
        stack = SluiceStack.start("barrier", Map.of("sluice.scheduler.barrier-limit", "15s"));
    }

    @AfterAll
    static void stop() throws Exception {
        stack.close();
    }

    @Test
    void rowsOfTransactionsOlderThanTheCaptureArrive() throws Exception {
        stack.onSource(
                "CREATE TABLE public.late (id int PRIMARY KEY, text text)",
                "INSERT INTO public.late SELECT g, 'before' FROM generate_series(1, 1000) g");
        try (Connection old = stack.source();
                Statement oldTransaction = old.createStatement();
                Connection idOnly = stack.source();
                Statement laterWriter = idOnly.createStatement()) {
            old.setAutoCommit(false);
            oldTransaction.execute("INSERT INTO public.late VALUES (100001, 'written before, committed after')");
            oldTransaction.execute("UPDATE public.late SET text = 'changed by the old one' WHERE id = 500");
            idOnly.setAutoCommit(false);
            laterWriter.execute("SELECT pg_current_xact_id()");

            stack.add("public.late");
            stack.await(
                    "public.late",
                    SluiceStack.LONG,
                    table -> table.state() instanceof TableState.Preparing preparing
                            && preparing.step() == Step.BARRIER
                            && preparing.waitingFor().filter(it -> it.contains("2 transactions") && it.contains("process ")).isPresent());

            // Nobody waits: not a writer of the table, while the barrier does.
            stack.onSource("SET statement_timeout = '5s'", "UPDATE public.late SET text = 'meanwhile' WHERE id = 1");

            laterWriter.execute("INSERT INTO public.late VALUES (100002, 'id taken before, written after')");
            idOnly.commit();
            old.commit();
        }
        stack.awaitStreaming("public.late");
        stack.assertEqual("public.late");
    }

    @Test
    void aTransactionThatStaysOpenForTooLongFailsTheTableAndIsNamed() throws Exception {
        stack.onSource("CREATE TABLE public.kept (id int PRIMARY KEY)", "INSERT INTO public.kept VALUES (1)");
        try (Connection old = stack.source(); Statement oldTransaction = old.createStatement()) {
            oldTransaction.execute("SET application_name = 'month end'");
            old.setAutoCommit(false);
            oldTransaction.execute("INSERT INTO public.kept VALUES (2)");
            ResultSet process = oldTransaction.executeQuery("SELECT pg_backend_pid()");
            process.next();

            stack.add("public.kept");

            TableState.Failed failed = stack.awaitFailed("public.kept");
            assertThat(failed.phase()).isEqualTo(TableState.Phase.PREPARING);
            assertThat(failed.fault().reason())
                    .contains("1 transactions", "process " + process.getString(1), "month end");
            assertThat(failed.fault().hint()).contains("retry", "sluice.scheduler.barrier-limit");
            old.commit();
        }
        stack.send(new Command.Retry(TableName.parse("public.kept")));
        stack.awaitTrueState("public.kept", state -> !(state instanceof TableState.Failed));
        stack.awaitStreaming("public.kept");
        stack.assertEqual("public.kept");
    }

    @Test
    void transactionsThatTakeTheirIdAtAnyMomentOfThePreparationLoseNothing() throws Exception {
        List<String> tables = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            tables.add("public.many" + i);
            stack.onSource("CREATE TABLE public.many" + i + " (id bigint PRIMARY KEY, text text)");
        }
        stack.onSource("CREATE SEQUENCE ids CACHE 1");
        var running = new AtomicInteger(1);
        List<Throwable> failures = new ArrayList<>();
        List<Thread> writers = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            int writer = i;
            writers.add(Thread.ofVirtual().start(() -> {
                try {
                    write(tables, running, writer);
                } catch (SQLException e) {
                    synchronized (failures) {
                        failures.add(e);
                    }
                }
            }));
        }
        for (String table : tables) {
            stack.add(table);
        }
        for (String table : tables) {
            stack.awaitStreaming(table);
        }
        running.set(0);
        for (Thread writer : writers) {
            writer.join();
        }
        assertThat(failures).isEmpty();
        for (String table : tables) {
            stack.assertEqual(table);
        }
    }

    /** Takes an id, lingers, writes to every table, lingers, commits: so that every order of these happens. */
    private static void write(List<String> tables, AtomicInteger running, int writer) throws SQLException {
        try (Connection connection = stack.source(); Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            while (running.get() > 0) {
                statement.execute("SELECT pg_current_xact_id()");
                LockSupport.parkNanos(Duration.ofMillis(7L * writer).toNanos());
                for (String table : tables) {
                    statement.execute("INSERT INTO " + table + " VALUES (nextval('ids'), 'from " + writer + "')");
                }
                LockSupport.parkNanos(Duration.ofMillis(11L * writer).toNanos());
                connection.commit();
            }
        }
    }
}
