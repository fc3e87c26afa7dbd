package dev.sluice.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sluice.domain.Fault;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableName;
import dev.sluice.testing.SharedServers;
import io.smallrye.mutiny.TimeoutException;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.core.Vertx;
import io.vertx.mutiny.sqlclient.Tuple;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A server that takes a request and does not answer it. The pool has one connection, so nothing can go round it. */
class DatabaseIT {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(1);

    private final Vertx vertx = Vertx.vertx();
    private String name;
    private Database database;

    @BeforeEach
    void open() throws SQLException {
        name = SharedServers.freshDatabase(SharedServers.destination());
        database = Database.open(
                vertx, SharedServers.destination().url(name), "test", "sluice", 1, ANSWER_LIMIT);
        atServer("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)");
    }

    @AfterEach
    void close() {
        database.close();
        vertx.closeAndAwait();
    }

    @Test
    void aTransactionThatWaitsForTooLongEndsAtBothSides() throws SQLException {
        long before = backend();
        try (Connection holder = SharedServers.destination().connect(name)) {
            holder.setAutoCommit(false);
            holder.createStatement().execute("LOCK TABLE t");

            assertTimedOut(database.inTransaction(ANSWER_LIMIT, connection -> connection
                    .query("DELETE FROM public.t")
                    .execute()));

            await().atMost(LIMIT)
                    .untilAsserted(() -> assertThat(first(holder, "SELECT count(*) FROM pg_locks WHERE NOT granted "
                                    + "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"))
                            .as("requests for a lock that nobody wants any more")
                            .isEqualTo("0"));
            holder.rollback();
        }
        assertThat(backend()).as("a connection in the middle of a transaction is not used again").isNotEqualTo(before);
        assertThat(atServer("SELECT count(*) FROM t")).isEqualTo("1");
    }

    @Test
    void aHungServerProcessDoesNotKeepTheNextRequestFromAnother() throws Exception {
        long hung = backend();
        signal(hung, "STOP");
        try {
            assertTimedOut(database.query("SELECT 1", Tuple.tuple()));

            assertThat(backend()).isNotEqualTo(hung);
        } finally {
            signal(hung, "CONT");
        }
    }

    @Test
    void theLedgerAnswersInTimeOrFails() throws SQLException {
        var pipeline = new Pipeline("hanging");
        var ledger = new Ledger(database, pipeline);
        ledger.create().await().atMost(LIMIT);
        try (Connection holder = SharedServers.destination().connect(name)) {
            holder.setAutoCommit(false);
            holder.createStatement().execute("LOCK TABLE " + pipeline.ledgerSchema() + ".tables");

            assertTimedOut(ledger.read(new TableName("public", "t")));

            holder.rollback();
        }
        assertThat(ledger.read(new TableName("public", "t")).await().atMost(LIMIT)).isEmpty();
    }

    @Test
    void theProbeThatGivesTheWatermarkAnswersInTimeOrFails() throws SQLException {
        var capture = new SourceCapture(database, new Pipeline("hanging"));
        // A commit waits for a standby that does not exist.
        synchronousStandby("= 'nobody'", "nobody");
        try {
            assertTimedOut(capture.probe());
        } finally {
            synchronousStandby("TO DEFAULT", "");
        }
        assertThat(capture.probe().await().atMost(LIMIT)).isNotNull();
    }

    @Test
    void aCallerThatGivesUpEarlierLeavesNoConnectionThatOwesAnAnswer() {
        long before = backend();

        assertTimedOut(database.query("SELECT pg_sleep(60)", Tuple.tuple())
                .ifNoItem()
                .after(ANSWER_LIMIT.dividedBy(2))
                .fail());

        assertThat(backend()).isNotEqualTo(before);
    }

    private void synchronousStandby(String setting, String shown) throws SQLException {
        atServer("ALTER SYSTEM SET synchronous_standby_names " + setting);
        atServer("SELECT pg_reload_conf()");
        await().atMost(LIMIT)
                .untilAsserted(() -> assertThat(atServer("SHOW synchronous_standby_names")).isEqualTo(shown));
    }

    @Test
    void aTransactionIsRolledBackWhenItsWorkFails() throws SQLException {
        assertThatThrownBy(() -> database.inTransaction(connection -> connection
                                .query("DELETE FROM public.t")
                                .execute()
                                .chain(() -> Uni.createFrom().failure(new IllegalStateException("no"))))
                        .await()
                        .atMost(LIMIT))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("no");

        assertThat(atServer("SELECT count(*) FROM t")).isEqualTo("1");
        database.inTransaction(connection -> connection.query("DELETE FROM public.t").execute()).await().atMost(LIMIT);
        assertThat(atServer("SELECT count(*) FROM t")).isEqualTo("0");
    }

    private static void assertTimedOut(Uni<?> asked) {
        Optional<Throwable> failure = asked.map(answer -> Optional.<Throwable>empty())
                .onFailure()
                .recoverWithItem(Optional::of)
                .await()
                .atMost(LIMIT);
        assertThat(failure).containsInstanceOf(TimeoutException.class);
        assertThat(SqlFaults.fault(failure.get(), "asking").kind()).isEqualTo(Fault.Kind.UNAVAILABLE);
    }

    /** The process that serves the pool's one connection. */
    private long backend() {
        return database.query("SELECT pg_backend_pid()", Tuple.tuple())
                .await()
                .atMost(LIMIT)
                .iterator()
                .next()
                .getInteger(0);
    }

    private static void signal(long process, String name) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("kill", "-" + name, Long.toString(process)).start().waitFor()).isZero();
    }

    private String atServer(String sql) throws SQLException {
        try (Connection connection = SharedServers.destination().connect(name)) {
            return first(connection, sql);
        }
    }

    private static String first(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            if (!statement.execute(sql)) {
                return "";
            }
            try (var rows = statement.getResultSet()) {
                rows.next();
                return rows.getString(1);
            }
        }
    }
}
