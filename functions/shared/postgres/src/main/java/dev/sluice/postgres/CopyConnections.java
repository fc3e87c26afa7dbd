package dev.sluice.postgres;

import dev.sluice.postgres.ChunkCopy.Limits;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * The connections of one chunk, each asked for once, and cut when time is over. The servers bound their transactions
 * by themselves; this is for a server that is stopped or cut off, and does not even say so.
 */
final class CopyConnections implements AutoCloseable {

    /** A server that still works ends the transaction first, and with a better reason. */
    private static final Duration GRACE = Duration.ofSeconds(15);

    private static final ScheduledExecutorService CUTTER = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("chunk-copy-deadline").daemon().factory());

    private final Database sourceDatabase;
    private final Database destinationDatabase;
    private final Limits limits;
    private final ScheduledFuture<?> deadline;
    private final Deque<Connection> open = new ArrayDeque<>();
    private boolean cut;
    private boolean finished;

    /** @param waitMax how long the chunk may wait before its transactions begin */
    CopyConnections(Database sourceDatabase, Database destinationDatabase, Limits limits, Duration waitMax) {
        this.sourceDatabase = sourceDatabase;
        this.destinationDatabase = destinationDatabase;
        this.limits = limits;
        this.deadline = CUTTER.schedule(
                this::cut, limits.transaction().plus(waitMax).plus(GRACE).toMillis(), TimeUnit.MILLISECONDS);
    }

    /** @param settings of the session, beside those that every session has */
    Connection source(Map<String, String> settings) throws SQLException {
        return opened(sourceDatabase.connectForCopy(limits.lock(), limits.transaction(), settings));
    }

    /** @param settings as those of {@link #source} */
    Connection replica(Database replica, Map<String, String> settings) throws SQLException {
        return opened(replica.connectForCopy(limits.lock(), limits.transaction(), settings));
    }

    Connection destination() throws SQLException {
        return opened(destinationDatabase.connectForCopy(limits.lock(), limits.transaction()));
    }

    private synchronized Connection opened(Connection connection) {
        open.push(connection);
        if (cut) {
            abort(connection);
        }
        return connection;
    }

    /** Both transactions are over: the connections may be closed with a good-bye. */
    void finished() {
        finished = true;
    }

    private synchronized void cut() {
        cut = true;
        open.forEach(CopyConnections::abort);
    }

    private static void abort(Connection connection) {
        try {
            connection.abort(Runnable::run);
        } catch (SQLException e) {
            // It is closed already.
        }
    }

    /** Throws nothing: by now it is decided whether the chunk is copied. */
    @Override
    public synchronized void close() {
        deadline.cancel(false);
        for (Connection connection : open) {
            try {
                if (finished) {
                    connection.close();
                } else {
                    // In the middle of a COPY there is no good-bye that the server would read: cut off, it rolls back.
                    abort(connection);
                }
            } catch (SQLException e) {
                abort(connection);
            }
        }
    }
}
