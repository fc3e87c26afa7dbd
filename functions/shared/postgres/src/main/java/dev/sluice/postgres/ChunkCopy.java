package dev.sluice.postgres;

import dev.sluice.domain.ChunkTask;
import dev.sluice.domain.Fault;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.MissingRows;
import dev.sluice.domain.PgSnapshot;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.postgres.CopyPipe.Passed;
import dev.sluice.postgres.DefinitionQuery.Reading;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;

/**
 * Copies one chunk: a key range of a table, read in one transaction at the source and written in one transaction at
 * the destination, together with the ledger's row of it (R6, R7, R8). Done twice, the second finds it done.
 *
 * <p>Blocks, and holds a connection to each database meanwhile: not for the event loop. Safe for use by several
 * threads at once.
 *
 * <p>Triggers of the destination's table fire, as for any other writer.
 */
public final class ChunkCopy {

    private static final String CHANGED_HINT = "It is tried again by itself once the destination has followed the change, "
            + "or the table fails if it cannot.";

    private final Database source;
    private final Optional<ReplicaReads> replica;
    private final Database destination;
    private final SchemaMapping schemas;
    private final Ledger ledger;
    private final Limits limits;
    private final DestinationTypes types;
    private final Optional<HashSalt> salt;

    public ChunkCopy(Databases databases, Pipeline pipeline, SchemaMapping schemas, Limits limits) {
        this(
                databases.source(),
                databases.replica(),
                databases.destination(),
                pipeline,
                schemas,
                limits,
                databases.salt());
    }

    /** Without a replica and without a salt. */
    ChunkCopy(Database source, Database destination, Pipeline pipeline, SchemaMapping schemas, Limits limits) {
        this(source, destination, pipeline, schemas, limits, Optional.empty());
    }

    /** Without a replica. */
    ChunkCopy(
            Database source,
            Database destination,
            Pipeline pipeline,
            SchemaMapping schemas,
            Limits limits,
            Optional<HashSalt> salt) {
        this(source, Optional.empty(), destination, pipeline, schemas, limits, salt);
    }

    ChunkCopy(
            Database source,
            Optional<Database> replica,
            Database destination,
            Pipeline pipeline,
            SchemaMapping schemas,
            Limits limits,
            Optional<HashSalt> salt) {
        this.salt = salt;
        this.source = source;
        this.replica = replica.map(standby -> new ReplicaReads(
                standby, pipeline, limits.replica(), salt.map(HashSalt::settings).orElse(Map.of())));
        this.destination = destination;
        this.schemas = schemas;
        this.ledger = new Ledger(destination, pipeline);
        this.limits = limits;
        this.types = new DestinationTypes(source, destination);
    }

    /**
     * @param lock how long to wait for a lock on the table, or on the run
     * @param transaction how long the chunk may take at either server, and so how long a second worker may wait for a
     *     first one that works
     * @param replica how long to wait, before the chunk's transactions begin, until a replica has replayed what the
     *     chunk needs
     */
    public record Limits(Duration lock, Duration transaction, Duration replica) {

        /** Without a replica, or waiting for it no longer than for a lock. */
        public Limits(Duration lock, Duration transaction) {
            this(lock, transaction, lock);
        }

        /** Together with the wait for a replica, a chunk must end before Kafka takes its worker for dead. */
        private static final Duration TRANSACTION_MAX = Duration.ofMinutes(20);
        private static final Duration REPLICA_MAX = Duration.ofMinutes(5);

        /** @throws IllegalArgumentException if one is out of its bounds; the message names the setting */
        public Limits {
            require("lock-timeout", lock, TRANSACTION_MAX);
            require("transaction-timeout", transaction, TRANSACTION_MAX);
            require("replica-timeout", replica, REPLICA_MAX);
            if (transaction.compareTo(lock) < 0) {
                throw new IllegalArgumentException("sluice.chunk-worker.transaction-timeout is " + transaction
                        + ": it must be at least sluice.chunk-worker.lock-timeout, which is " + lock);
            }
        }

        private static void require(String setting, Duration value, Duration max) {
            if (!value.isPositive() || value.compareTo(max) > 0) {
                throw new IllegalArgumentException("sluice.chunk-worker." + setting + " is " + value
                        + ": it must be more than nothing and at most " + max);
            }
        }
    }

    public sealed interface Answer {

        /** @param bytes as they travelled; 0 when there was nothing to read */
        record Copied(long rows, long bytes) implements Answer {}

        /** Another worker, or this one before it was cut off, has copied the chunk. */
        record CopiedBefore(long rows) implements Answer {}

        /** Nothing has changed at the destination, unless the connection broke at the very commit. */
        record Failed(Fault fault) implements Answer {}
    }

    /** Never throws for what a database or a task may bring: that is {@link Answer.Failed}. */
    public Answer copy(ChunkTask task) {
        Optional<ReplicaReads> from = replica.filter(standby -> isForReplica(task));
        String doing = "copying chunk " + task.chunk() + " of " + task.table()
                + from.map(standby -> " from " + standby).orElse("");
        try {
            return copyFollowingLabels(task, from);
        } catch (RefusedException e) {
            return failed(task, Fault.refused(doing + ": " + e.fault().reason(), e.fault().hint()));
        } catch (RedefinedException e) {
            return new Answer.Failed(redefined(doing + ": the table's definition changed at the source"));
        } catch (SQLException | RuntimeException e) {
            return failed(
                    task, from.map(standby -> standby.fault(e, doing)).orElseGet(() -> SqlFaults.fault(e, doing)));
        }
    }

    /**
     * Unless the task says otherwise. The range above the highest key is not read: there a snapshot of the primary saw that it is empty. And a table is
     * copied as a whole where it has no key, or none that means the same at both sides: a row of which nobody is sure
     * could not be read anew by that (R11).
     */
    private static boolean isForReplica(ChunkTask task) {
        return task.settings().readReplica().orElse(true)
                && task.emptyAsOf().isEmpty()
                && !task.range().equals(KeyRange.ALL);
    }

    /** What the destination refuses may be the change of a definition that it has followed while the chunk was copied. */
    private Answer.Failed failed(ChunkTask task, Fault fault) {
        if (fault.kind() != Fault.Kind.REFUSED) {
            return new Answer.Failed(fault);
        }
        try {
            boolean isRedefined = ledger.read(task.table())
                    .map(entry -> entry.map(Ledger.Entry::options).orElse(RunOptions.NONE).options().key())
                    .chain(key -> source.withConnection(
                            connection -> DefinitionQuery.read(connection, task.table(), key)))
                    .await()
                    .atMost(Database.ANSWER_LIMIT)
                    .filter(now -> !task.fingerprint().startsWith(now.definition().fingerprint()))
                    .isPresent();
            return new Answer.Failed(isRedefined ? redefined(fault.reason()) : fault);
        } catch (RuntimeException e) {
            return new Answer.Failed(SqlFaults.fault(e, "asking for the definition of " + task.table() + " after: "
                    + fault.reason()));
        }
    }

    /** The chunk was to be copied under another definition. Nobody knows yet whether that can be followed. */
    private static Fault redefined(String reason) {
        return Fault.unavailable(reason, CHANGED_HINT);
    }

    private static final class RedefinedException extends RuntimeException {}

    /** A label that an enumeration got since the table was prepared is given to the destination's, too. */
    private Answer copyFollowingLabels(ChunkTask task, Optional<ReplicaReads> from) throws SQLException {
        try {
            return copyOnce(task, from);
        } catch (SQLException e) {
            if (SqlFaults.isUnreadable(e)
                    && types.followLabels(task.table()).await().atMost(limits.transaction())) {
                return copyOnce(task, from);
            }
            throw e;
        }
    }

    private Answer copyOnce(ChunkTask task, Optional<ReplicaReads> from) throws SQLException {
        Duration waitMax = from.map(ReplicaReads::waitMax).orElse(Duration.ZERO);
        try (var connections = new CopyConnections(source, destination, limits, waitMax)) {
            Answer answer = copy(task, from, connections);
            connections.finished();
            return answer;
        }
    }

    private Answer copy(ChunkTask task, Optional<ReplicaReads> replica, CopyConnections connections)
            throws SQLException {
        Connection to = connections.destination();
        var chunk = new ChunkLedger(to, ledger.schema(), task);
        // Waits here, before it holds anything that others wait for; and not for a chunk that will not be read.
        Optional<ReplicaReads.Ready> ready = replica.isPresent() && chunk.isDue()
                ? Optional.of(replica.get().await(task, connections))
                : Optional.empty();
        ChunkRead.execute(to, "BEGIN ISOLATION LEVEL READ COMMITTED");
        RunOptions run = chunk.requireOpen();
        if (!chunk.enter(limits.transaction())) {
            long rows = chunk.recorded();
            ChunkRead.execute(to, "COMMIT");
            return new Answer.CopiedBefore(rows);
        }
        // The run is locked before the source is read: what is read here can only be written by a run that is open.
        Optional<HashSalt> salt = HashSalt.require(this.salt, run.options(), run.saltCheck());
        ChunkRead read = ready.isPresent()
                ? replica.get().begin(task, ready.get(), limits.lock())
                : beginRead(connections.source(salt.map(HashSalt::settings).orElse(Map.of())), task);
        Connection from = read.connection();
        Reading sourceTable = definition(from, task, run.options());
        TableName target = schemas.atDestination(task.table());
        Reading destinationTable = DefinitionQuery.read(to, target)
                .orElseThrow(() -> new RefusedException(
                        "the destination has no table " + target,
                        "Backfill the table again: preparing it creates what is missing."));
        MissingRows missing = task.settings().missingRows().orElse(MissingRows.DELETE);
        ChunkStatements statements =
                switch (ChunkStatements.of(
                        task.range(),
                        sourceTable,
                        run.options(),
                        salt,
                        destinationTable,
                        missing)) {
                    case ChunkStatements.Result.Possible possible -> possible.statements();
                    case ChunkStatements.Result.Impossible impossible ->
                        throw new RefusedException(impossible.fault().reason(), impossible.fault().hint());
                };
        boolean sameOrder = statements.source().runFingerprint().equals(task.fingerprint());
        if (ready.isPresent()) {
            // From here on no definition is followed there. What was followed before, the primary has, and a standby
            // that lags may not have yet.
            ChunkRead.execute(to, "LOCK TABLE " + target.sql() + " IN ACCESS SHARE MODE");
            List<String> compared = new ArrayList<>(new CarriedTable(sourceTable.definition(), run.options(), salt)
                    .conditionColumns().stream().map(TableDefinition.Column::name).toList());
            if (!sameOrder) {
                compared.addAll(statements.source().keyColumns());
            }
            ReplicaReads.requireSameOrders(
                    compared, definition(ready.get().primary(), task, run.options()), sourceTable);
        }
        if (!sameOrder) {
            throw new RefusedException(
                    "source and destination agree on another order of the key than when the backfill started",
                    "Backfill the table again: the new run cuts its chunks anew.");
        }
        List<TableDefinition.KeyColumn> key = statements.source().key();
        ChunkRead.execute(from, KeyOperators.find(task.table(), key).stream().toArray(String[]::new));
        ChunkRead.execute(to, KeyOperators.find(target, key).stream().toArray(String[]::new));
        // A range is small beside its table, which the planner does not see in a key of several columns.
        ChunkRead.execute(to, "SET LOCAL enable_seqscan = off", "SET LOCAL jit = off");
        Answer.Copied copied;
        if (task.emptyAsOf().isPresent()) {
            ChunkRead.execute(from, "COMMIT");
            ChunkRead.execute(to, statements.deleteRange().stream().toArray(String[]::new));
            read = new ChunkRead(from, task.emptyAsOf().get(), Optional.empty());
            copied = new Answer.Copied(0, 0);
        } else {
            copied = move(from, to, statements);
        }
        chunk.leave(copied.rows(), read, statements.source().order());
        ChunkRead.execute(to, "COMMIT");
        return copied;
    }

    private static Answer.Copied move(Connection from, Connection to, ChunkStatements statements) throws SQLException {
        boolean fresh = !isTrue(to, statements.anyRow());
        Optional<ChunkStatements.Replace> replace = fresh ? Optional.empty() : statements.replace();
        if (replace.isPresent()) {
            ChunkRead.execute(to, replace.get().stage());
        } else if (!fresh) {
            // Nothing tells which row is which: all go, and come again in the same transaction.
            ChunkRead.execute(to, statements.deleteRange().orElseThrow(() -> new RefusedException(
                    statements.source().table() + " has no key: nothing tells which rows of the destination the source "
                            + "does not have, and the setting missingRows says to keep those",
                    "Empty the destination's table, or set missingRows to delete; then retry.")));
        }
        // A server that ended the transaction meanwhile says why here; the start of a COPY only tells that it is gone.
        ChunkRead.execute(from, "SELECT 1");
        Passed passed = CopyPipe.pass(
                copies(from),
                statements.read(),
                copies(to),
                replace.map(ChunkStatements.Replace::write).orElse(statements.writeFresh()));
        ChunkRead.execute(from, "COMMIT");
        if (passed.written() != passed.read()) {
            throw new RefusedException(
                    "the source sent " + passed.read() + " rows and the destination took " + passed.written(),
                    "A trigger or rule of the destination's table drops rows. Disable it; then retry.");
        }
        if (replace.isPresent()) {
            List<String> merge = new ArrayList<>();
            merge.add(replace.get().index());
            merge.addAll(replace.get().delete());
            merge.add(replace.get().upsert());
            ChunkRead.execute(to, merge.toArray(String[]::new));
        }
        return new Answer.Copied(passed.read(), passed.bytes());
    }

    private static ChunkRead beginRead(Connection from, ChunkTask task) throws SQLException {
        ChunkRead.lock(from, task.table());
        try (var statement = from.prepareStatement("SELECT pg_current_snapshot()::text, pg_is_in_recovery(), "
                        + "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() "
                        + "ELSE pg_current_wal_insert_lsn() END::text");
                var rows = statement.executeQuery()) {
            rows.next();
            if (rows.getBoolean(2)) {
                throw new RefusedException(
                        "the source is a standby, whose snapshots do not tell which changes a read contains",
                        "Point sluice.source.url at the primary, and sluice.source.replica.url at the standby; "
                                + "then retry.");
            }
            requirePast(task.primary(), Lsn.parse(rows.getString(3)));
            return new ChunkRead(from, PgSnapshot.parse(rows.getString(1)), Optional.empty());
        }
    }

    /** @param written where the primary's WAL ends now */
    static void requirePast(Lsn started, Lsn written) {
        if (!written.isAtLeast(started)) {
            throw new RefusedException(
                    "the source's WAL ends at " + written + ", before " + started + " where the backfill started",
                    "This is another server, or one that was restored. Backfill the table again.");
        }
    }

    private static Reading definition(Connection from, ChunkTask task, TableOptions options) throws SQLException {
        Reading reading = DefinitionQuery.read(from, task.table(), options.key())
                .orElseThrow(() -> new RefusedException(
                        "the source's table is not the one that the backfill started with",
                        "Backfill the table again once it is there."));
        if (!task.fingerprint().startsWith(reading.definition().fingerprint())) {
            throw new RedefinedException();
        }
        return reading;
    }

    private static CopyManager copies(Connection connection) throws SQLException {
        return connection.unwrap(PGConnection.class).getCopyAPI();
    }

    private static boolean isTrue(Connection connection, String query) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(query)) {
            return rows.next() && rows.getBoolean(1);
        }
    }
}
