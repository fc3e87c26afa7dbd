package dev.sluice.postgres;

import dev.sluice.domain.ChunkTask;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import org.jboss.logging.Logger;

/**
 * The one transaction at the destination that may be at a chunk: it holds an advisory lock of the chunk until it ends.
 *
 * <p>A task comes to a second worker when Kafka takes the first for dead, or moves its partition. If the first works,
 * it is waited for. If it hangs (a frozen process, a machine that the network lost) its server would keep its
 * transaction for minutes, and with it the chunk and its table: it is cut off. That loses nothing, as what it wrote is
 * not committed; and when it comes back it finds its connection gone.
 */
final class ChunkHolder {

    private static final Logger LOG = Logger.getLogger(ChunkHolder.class);

    /** A first worker whose server has waited for it so long, without a byte, hangs. At worst a chunk is copied twice. */
    static final Duration SILENCE = Duration.ofSeconds(5);

    private static final String LOCK_NOT_AVAILABLE = "55P03";

    private static final String KEY = "hashtextextended(concat_ws(' ', ?::text, ?::text, ?::bigint, ?::int), 0)";

    private static final String TRY = "SELECT pg_try_advisory_xact_lock(" + KEY + ")";

    /** What changes as soon as anything reaches the server: its answer to a statement, or bytes of a COPY. */
    private static final String LOOK = "SELECT a.pid, a.wait_event_type IS NOT DISTINCT FROM 'Client', "
            + "concat_ws(' ', a.backend_start, a.state_change, p.bytes_processed) "
            + "FROM pg_locks l JOIN pg_stat_activity a USING (pid) LEFT JOIN pg_stat_progress_copy p USING (pid) "
            + "WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 "
            + "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
            + "AND (l.classid::bigint << 32 | l.objid::bigint) = " + KEY;

    private final Connection to;
    private final String ledger;
    private final ChunkTask task;
    private final Duration silence;

    /**
     * @param to in the transaction that is to copy the chunk, READ COMMITTED
     * @param silence as {@link #SILENCE}
     */
    ChunkHolder(Connection to, String ledger, ChunkTask task, Duration silence) {
        this.silence = silence;
        this.to = to;
        this.ledger = ledger;
        this.task = task;
    }

    /** @param isAwaited whether its server waits for something from its worker */
    private record Holder(int pid, boolean isAwaited, String progress) {}

    /**
     * Makes this transaction the chunk's.
     *
     * @param limit how long to wait for another that works
     * @throws SQLException with 55P03 when that one is not through by then; whatever the server says
     */
    void takeOver(Duration limit) throws SQLException {
        long start = System.nanoTime();
        long seenAt = start;
        Optional<Holder> seen = Optional.empty();
        while (!isOurs()) {
            long now = System.nanoTime();
            if (now - start > limit.toNanos()) {
                throw new SQLException("another worker is at the chunk, for longer than " + limit, LOCK_NOT_AVAILABLE);
            }
            Optional<Holder> holder = look();
            if (holder.isEmpty() || !holder.get().isAwaited() || !holder.equals(seen)) {
                seen = holder;
                seenAt = now;
            } else if (now - seenAt > silence.toNanos()) {
                cutOff(holder.get());
                seen = Optional.empty();
            }
            pause();
        }
    }

    private boolean isOurs() throws SQLException {
        try (var statement = ofChunk(TRY);
                var rows = statement.executeQuery()) {
            rows.next();
            return rows.getBoolean(1);
        }
    }

    private Optional<Holder> look() throws SQLException {
        try (var statement = ofChunk(LOOK);
                var rows = statement.executeQuery()) {
            return rows.next()
                    ? Optional.of(new Holder(rows.getInt(1), rows.getBoolean(2), rows.getString(3)))
                    : Optional.empty();
        }
    }

    private void cutOff(Holder holder) throws SQLException {
        LOG.warnf(
                "a worker hangs at a chunk, its session at the destination is ended table=%s run=%d chunk=%d pid=%d",
                task.table(), task.run(), task.chunk(), holder.pid());
        try (var statement = to.prepareStatement("SELECT pg_terminate_backend(?)")) {
            statement.setInt(1, holder.pid());
            statement.execute();
        }
    }

    /** At the server, so that it ends with the connection; which then looks anew, and not at what it kept. */
    private void pause() throws SQLException {
        try (var statement = to.createStatement()) {
            statement.execute("SELECT pg_sleep(0.25), pg_stat_clear_snapshot()");
        }
    }

    private PreparedStatement ofChunk(String sql) throws SQLException {
        PreparedStatement statement = to.prepareStatement(sql);
        statement.setString(1, ledger);
        statement.setString(2, task.table().toString());
        statement.setLong(3, task.run());
        statement.setInt(4, task.chunk());
        return statement;
    }
}
