package dev.sluice.postgres;

import dev.sluice.domain.ChunkTask;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.PgSnapshot;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableName;
import dev.sluice.postgres.DefinitionQuery.ColumnOrder;
import dev.sluice.postgres.DefinitionQuery.Reading;
import dev.sluice.postgres.PrimaryMoments.Moment;
import dev.sluice.postgres.PrimaryMoments.Next;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.LongStream;
import org.postgresql.util.PSQLException;

/**
 * Reads chunks from a standby, bracketed by two snapshots of the primary (R11): a standby's own snapshot does not list
 * the transactions in progress, so it cannot tell which changes a read contains.
 *
 * <ol>
 *   <li>A snapshot of the primary, and an LSN of it taken after: what the snapshot sees ended before the LSN.
 *   <li>Wait until the standby has replayed the LSN: its read contains all that the first snapshot sees.
 *   <li>The standby's lock and snapshot, then a second snapshot of the primary that sees all that the standby's may
 *       see. A standby may show a transaction earlier than the primary does, which with synchronous replication waits
 *       for others: so the standby is asked about every transaction that the second snapshot does not see.
 * </ol>
 *
 * <p>Safe for use by several threads at once; blocks.
 */
final class ReplicaReads {

    private static final Duration PAUSE_FIRST = Duration.ofMillis(5);
    private static final Duration PAUSE_MAX = Duration.ofMillis(100);
    private static final String RECOVERY_CONFLICT = "40001";

    /** The relation files of a table and of all below it, as the statement's snapshot sees them. */
    private static final String FILES = """
            (WITH RECURSIVE family (oid) AS (
               SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = ?::text::name AND c.relname = ?::text::name
               UNION
               SELECT i.inhrelid FROM pg_inherits i JOIN family f ON f.oid = i.inhparent)
             SELECT coalesce(string_agg(c.oid || ':' || c.relfilenode, ' ' ORDER BY c.oid), '')
               FROM family f JOIN pg_class c ON c.oid = f.oid)
            """;

    private static final String REPLAYED = """
            SELECT coalesce(pg_last_wal_replay_lsn(), '0/0')::text,
                   CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() END
            """;

    private final Database replica;
    private final String probePrefix;
    private final Duration waitMax;
    private final Map<String, String> settings;
    private final PrimaryMoments moments = new PrimaryMoments();

    /**
     * @param waitMax how long a chunk waits for the standby to replay what it needs
     * @param settings of the sessions there, beside those that every session has: which options a chunk needs them for
     *     is known only after the wait
     */
    ReplicaReads(Database replica, Pipeline pipeline, Duration waitMax, Map<String, String> settings) {
        this.replica = replica;
        this.probePrefix = pipeline.probePrefix();
        this.waitMax = waitMax;
        this.settings = settings;
    }

    /** A connection to each server, and where the read may begin. */
    record Ready(Connection primary, Connection standby, Moment moment) {}

    /**
     * Waits until the standby has replayed what a read of this chunk needs. Nothing is locked meanwhile.
     *
     * @throws LaterException if it has not in time
     * @throws RefusedException if it is no standby of the primary
     */
    Ready await(ChunkTask task, CopyConnections connections) throws SQLException {
        Connection primary = connections.source(Map.of());
        Connection standby = connections.replica(replica, settings);
        StandbyIdentity.require(primary, standby);
        long deadline = System.nanoTime() + waitMax.toNanos();
        Duration pause = PAUSE_FIRST;
        while (true) {
            Replayed replayed = replayed(standby);
            switch (moments.next(task.table(), System.nanoTime(), replayed.lsn(), task.primary())) {
                case Next.Begin begin -> {
                    return new Ready(primary, standby, begin.moment());
                }
                case Next.TakeOne() -> moments.add(task.table(), take(primary, task));
                case Next.Wait wait -> {
                    if (System.nanoTime() >= deadline) {
                        throw late(wait.needed(), replayed);
                    }
                    LockSupport.parkNanos(pause.toNanos());
                    pause = pause.multipliedBy(2).compareTo(PAUSE_MAX) > 0 ? PAUSE_MAX : pause.multipliedBy(2);
                }
            }
        }
    }

    /**
     * Begins the read at the standby.
     *
     * @param lockWait how long the primary may need until it shows what the standby shows
     * @throws LaterException if it needs longer, or the table was truncated or rewritten meanwhile
     */
    ChunkRead begin(ChunkTask task, Ready ready, Duration lockWait) throws SQLException {
        Connection standby = ready.standby();
        ChunkRead.lock(standby, task.table());
        Seen there = seen(standby, task.table());
        if (!isInRecovery(standby)) {
            throw new LaterException(Fault.unavailable(
                    "the replica was promoted while it was read", StandbyIdentity.HINT));
        }
        Seen here = seen(ready.primary(), task.table());
        long deadline = System.nanoTime() + lockWait.toNanos();
        Optional<Long> ahead;
        while ((ahead = ahead(standby, there.snapshot(), here.snapshot())).isPresent()) {
            if (System.nanoTime() >= deadline) {
                throw new LaterException(Fault.unavailable(
                        "transaction " + ahead.get() + " is over at the replica and not yet at the primary",
                        "It waits for synchronous standbys: look at SELECT * FROM pg_stat_activity WHERE wait_event = "
                                + "'SyncRep' at the primary; this is tried again by itself."));
            }
            LockSupport.parkNanos(PAUSE_FIRST.toNanos());
            here = seen(ready.primary(), task.table());
        }
        boolean sameFiles = there.files().equals(ready.moment().files()) && here.files().equals(there.files());
        if (!sameFiles) {
            moments.forget(task.table());
            throw new LaterException(Fault.faulty(
                    "the table was truncated or rewritten while its read at the replica began",
                    "This is tried again by itself. If the table is truncated all the time, set "
                            + "sluice.source.replica.url empty, so that it is read from the primary."));
        }
        return new ChunkRead(standby, ready.moment().snapshot(), Optional.of(here.snapshot()));
    }

    /**
     * The files of a standby are the primary's, and its operating system may order and compare texts otherwise (R10).
     *
     * @param columns whose order decides about the read
     * @throws RefusedException if it is another at the standby
     */
    static void requireSameOrders(List<String> columns, Reading primary, Reading standby) {
        for (String column : columns) {
            ColumnOrder here = primary.orders().get(column);
            ColumnOrder there = standby.orders().get(column);
            boolean lacksLabelsAtMost =
                    KeyAgreement.coversOthers(here, there) && there.withOthers(here.others()).equals(here);
            if (!there.equals(here) && !lacksLabelsAtMost) {
                throw new RefusedException(
                        "the column " + TableName.quote(column) + " of " + primary.definition().table()
                                + " is ordered by " + restsOn(there) + " at the replica and by " + restsOn(here)
                                + " at the source",
                        "Give the replica the operating system and libraries of the source, or set "
                                + "sluice.source.replica.url empty; then retry.");
            }
        }
    }

    private static String restsOn(ColumnOrder order) {
        return (order.collates() ? order.collation().orElse("a collation of an unknown version") : order.typeName())
                + order.others().filter(others -> !others.isEmpty()).map(others -> " (" + others + ")").orElse("");
    }

    /** What a failure of a read means; a cancelled query means something else at a standby. */
    Fault fault(Exception failure, String doing) {
        if (failure instanceof PSQLException sql
                && sql.getServerErrorMessage() != null
                && RECOVERY_CONFLICT.equals(sql.getSQLState())) {
            return Fault.faulty(
                    doing + ": the replica cancelled the read: " + sql.getServerErrorMessage().getMessage(),
                    "What the replica replays conflicts with the read. At the replica, raise "
                            + "max_standby_streaming_delay or set hot_standby_feedback = on; or plan smaller chunks. "
                            + "This is tried again by itself.");
        }
        return SqlFaults.fault(failure, doing);
    }

    Duration waitMax() {
        return waitMax;
    }

    @Override
    public String toString() {
        return "the replica " + replica;
    }

    /**
     * The snapshot first. Then a message in the WAL, committed to the primary's disk, so that the place is one that the
     * standby will reach however idle the primary is; without waiting for synchronous standbys.
     */
    private Moment take(Connection primary, ChunkTask task) throws SQLException {
        Seen seen = seen(primary, task.table());
        ChunkRead.execute(primary, "BEGIN", "SET LOCAL synchronous_commit = 'local'");
        Lsn lsn;
        try (var statement = primary.prepareStatement("SELECT pg_logical_emit_message(true, ?, 'moment')::text")) {
            statement.setString(1, probePrefix);
            try (var row = statement.executeQuery()) {
                row.next();
                lsn = Lsn.parse(row.getString(1));
            }
        }
        ChunkRead.execute(primary, "COMMIT");
        ChunkCopy.requirePast(task.primary(), lsn);
        return new Moment(seen.snapshot(), lsn, seen.files(), System.nanoTime());
    }

    private record Seen(PgSnapshot snapshot, String files) {}

    private static Seen seen(Connection connection, TableName table) throws SQLException {
        try (var statement = connection.prepareStatement("SELECT pg_current_snapshot()::text, " + FILES)) {
            statement.setString(1, table.schema());
            statement.setString(2, table.name());
            try (var row = statement.executeQuery()) {
                row.next();
                return new Seen(PgSnapshot.parse(row.getString(1)), row.getString(2));
            }
        }
    }

    /**
     * A transaction that the standby's snapshot may see and the primary's does not.
     *
     * @param there the standby's: its upper end is right, it only lists nothing below
     */
    private static Optional<Long> ahead(Connection standby, PgSnapshot there, PgSnapshot here) throws SQLException {
        if (here.xmax() < there.xmax()) {
            return Optional.of(there.xmax() - 1);
        }
        long[] unseen = here.inProgress().filter(transaction -> transaction < there.xmax()).toArray();
        if (unseen.length == 0) {
            return Optional.empty();
        }
        // Asked after the standby's snapshot was taken: what is in progress now, the snapshot does not see.
        try (var statement = standby.prepareStatement("SELECT x FROM unnest(?::int8[]) x "
                + "WHERE pg_xact_status(x::text::xid8) IS DISTINCT FROM 'in progress' LIMIT 1")) {
            statement.setArray(1, standby.createArrayOf("int8", LongStream.of(unseen).boxed().toArray()));
            try (var rows = statement.executeQuery()) {
                return rows.next() ? Optional.of(rows.getLong(1)) : Optional.empty();
            }
        }
    }

    private record Replayed(Lsn lsn, boolean paused) {}

    private static Replayed replayed(Connection standby) throws SQLException {
        try (var statement = standby.createStatement(); var row = statement.executeQuery(REPLAYED)) {
            row.next();
            return new Replayed(Lsn.parse(row.getString(1)), row.getBoolean(2));
        }
    }

    private static boolean isInRecovery(Connection standby) throws SQLException {
        try (var statement = standby.createStatement();
                var row = statement.executeQuery("SELECT pg_is_in_recovery()")) {
            return row.next() && row.getBoolean(1);
        }
    }

    private static LaterException late(Lsn needed, Replayed replayed) {
        return new LaterException(Fault.unavailable(
                "the replica has replayed up to " + replayed.lsn() + ", the backfill needs " + needed
                        + (replayed.paused() ? "; its replay is paused" : ""),
                (replayed.paused()
                                ? "At the replica: SELECT pg_wal_replay_resume(). "
                                : "Look at SELECT * FROM pg_stat_wal_receiver at the replica. ")
                        + "This is tried again by itself."));
    }
}
