package dev.sluice.postgres;

import dev.sluice.domain.Change.Cell;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Key;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.PgSnapshot;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.SqlConnection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;

/** Single rows of the source, read while a table drains or streams. */
final class SourceRows {

    /** Below the time that the destination lets a transaction be idle, which it is meanwhile. */
    private static final String BOUNDS = "SET LOCAL lock_timeout = '10s'; SET LOCAL statement_timeout = '30s'";

    private final Database source;

    SourceRows(Database source) {
        this.source = source;
    }

    /** @param lsn taken after the snapshot */
    record Taken(PgSnapshot snapshot, Lsn lsn) {}

    /**
     * Reads in one transaction with one snapshot.
     *
     * @param transactions that the snapshot must see, 32 bits each
     * @param work on the connection of the transaction
     * @throws LaterException (in the Uni) if it does not see one: a transaction is captured when it is in the WAL, and
     *     visible only when its synchronous standbys have it
     */
    <T> Uni<T> reading(
            DestinationTable table, Set<Long> transactions, BiFunction<SqlConnection, Taken, Uni<T>> work) {
        return source.inTransaction(connection -> connection
                .query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; " + BOUNDS)
                .execute()
                // The lock before the snapshot: TRUNCATE and rewriting ALTERs are not MVCC-safe (R7).
                .chain(() -> connection
                        .query("LOCK TABLE " + table.sourceRows() + " IN ACCESS SHARE MODE")
                        .execute())
                // The insert position: what an asynchronous commit made visible may not be written yet.
                .chain(() -> connection
                        .query("SELECT pg_current_snapshot()::text, pg_current_wal_insert_lsn()::text")
                        .execute())
                .chain(rows -> {
                    Row row = rows.iterator().next();
                    var taken = new Taken(PgSnapshot.parse(row.getString(0)), Lsn.parse(row.getString(1)));
                    requireSeen(table, taken.snapshot(), transactions);
                    return work.apply(connection, taken);
                }));
    }

    private static void requireSeen(DestinationTable table, PgSnapshot snapshot, Set<Long> transactions) {
        transactions.stream().filter(transaction -> !snapshot.sees32(transaction)).findFirst().ifPresent(unseen -> {
            throw new LaterException(Fault.unavailable(
                    "transaction " + unseen + " of " + table.source() + " is captured and not yet visible at the source",
                    "It waits for synchronous standbys: look at SELECT * FROM pg_stat_activity WHERE wait_event = "
                            + "'SyncRep' at the source; this is tried again by itself."));
        });
    }

    /**
     * All that the rows have now, and not those of a change: what they have in them has no other change to come by.
     * From then on, the transaction finds the operators of the key.
     */
    static Uni<List<String>> columns(SqlConnection connection, DestinationTable table) {
        return DefinitionQuery.read(connection, table.source(), table.keyColumns())
                .map(reading -> Groups.columns(table, reading))
                // Not before: it is a query, and so would take the snapshot ahead of the lock.
                .call(() -> KeyOperators.find(connection, table.source(), table.key()));
    }

    /** The rows of these keys that are there. */
    static Uni<Map<Key, Map<String, Cell>>> rows(
            SqlConnection connection, DestinationTable table, List<String> columns, List<Key> keys) {
        ApplyStatement read = ApplyStatement.readSource(table, columns, keys);
        return connection.preparedQuery(read.sql()).execute(read.parameters()).map(found -> {
            Map<Key, Map<String, Cell>> rows = new LinkedHashMap<>();
            for (Row row : found) {
                Map<String, Cell> cells = new LinkedHashMap<>();
                for (int i = 0; i < columns.size(); i++) {
                    String text = row.getString(i + 1);
                    cells.put(columns.get(i), text == null ? Cell.NULL : new Cell.Text(text));
                }
                rows.put(keys.get(row.getLong(0).intValue() - 1), cells);
            }
            return rows;
        });
    }
}
