package dev.sluice.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.domain.ChunkTask;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.TableName;
import dev.sluice.testing.SharedServers;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;

/** A chunk is taken over from a worker that hangs, and from no other. */
class ChunkHolderIT {

    private static final ChunkTask TASK = new ChunkTask(
            TableName.parse("held"), 1, 2, 1, KeyRange.ALL, "any", Lsn.ZERO, Optional.empty());
    private static final Duration SILENCE = Duration.ofMillis(500);
    /** Longer than a hanging worker is let hang, so that it tells one from one that works. */
    private static final Duration WAIT = Duration.ofSeconds(3);

    private static String database;

    @BeforeAll
    static void create() throws SQLException {
        database = SharedServers.freshDatabase(SharedServers.destination());
        try (Connection connection = connect()) {
            connection.createStatement().execute("CREATE TABLE held (id int)");
            connection.commit();
        }
    }

    @Test
    void oneThatHangsBetweenTwoStatementsIsCutOff() throws SQLException {
        try (Connection first = connect();
                Connection second = connect()) {
            holder(first, TASK).takeOver(WAIT);

            holder(second, TASK).takeOver(WAIT);

            assertThatThrownBy(() -> first.createStatement().execute("SELECT 1")).isInstanceOf(SQLException.class);
        }
    }

    @Test
    void oneThatHangsInTheMiddleOfItsRowsIsCutOffAndNoneOfThemStay() throws SQLException {
        try (Connection first = connect();
                Connection second = connect()) {
            holder(first, TASK).takeOver(WAIT);
            CopyIn rows = copy(first);
            send(rows);

            holder(second, TASK).takeOver(WAIT);

            assertThatThrownBy(rows::endCopy).isInstanceOf(SQLException.class);
            first.abort(Runnable::run);
            try (var count = second.createStatement().executeQuery("SELECT count(*) FROM held")) {
                count.next();
                assertThat(count.getInt(1)).isZero();
            }
        }
    }

    @Test
    void oneWhoseRowsArriveIsWaitedFor() throws Exception {
        try (Connection first = connect();
                Connection second = connect()) {
            holder(first, TASK).takeOver(WAIT);
            CopyIn rows = copy(first);
            var stop = new AtomicBoolean();
            var sending = CompletableFuture.runAsync(() -> {
                while (!stop.get()) {
                    send(rows);
                }
            });

            assertThatThrownBy(() -> holder(second, TASK).takeOver(WAIT)).hasMessageContaining("another worker");

            stop.set(true);
            sending.join();
            rows.endCopy();
            first.rollback();
            holder(second, TASK).takeOver(WAIT);
        }
    }

    @Test
    void oneWhoseServerWorksIsWaitedFor() throws Exception {
        try (Connection first = connect();
                Connection second = connect()) {
            holder(first, TASK).takeOver(WAIT);
            var statement = first.createStatement();
            var working = CompletableFuture.runAsync(() -> assertThatThrownBy(
                            () -> statement.execute("SELECT pg_sleep(600)"))
                    .hasMessageContaining("canceling statement due to user request"));

            assertThatThrownBy(() -> holder(second, TASK).takeOver(WAIT)).hasMessageContaining("another worker");

            statement.cancel();
            working.join();
            first.rollback();
            holder(second, TASK).takeOver(WAIT);
        }
    }

    @Test
    void anotherChunkIsNobodysBusiness() throws SQLException {
        var other = new ChunkTask(
                TASK.table(), TASK.run(), TASK.chunk() + 1, 1, TASK.range(), "any", Lsn.ZERO, Optional.empty());
        try (Connection first = connect();
                Connection second = connect()) {
            holder(first, TASK).takeOver(WAIT);

            holder(second, other).takeOver(Duration.ZERO);

            first.createStatement().execute("SELECT 1");
        }
    }

    private static ChunkHolder holder(Connection connection, ChunkTask task) {
        return new ChunkHolder(connection, "sluice_ledger", task, SILENCE);
    }

    private static CopyIn copy(Connection connection) throws SQLException {
        return connection.unwrap(PGConnection.class).getCopyAPI().copyIn("COPY held FROM STDIN");
    }

    private static void send(CopyIn rows) {
        byte[] row = "1\n".getBytes(StandardCharsets.US_ASCII);
        try {
            rows.writeToCopy(row, 0, row.length);
            rows.flushCopy();
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Connection connect() throws SQLException {
        Connection connection = SharedServers.destination().connect(database);
        connection.setAutoCommit(false);
        return connection;
    }
}
