package dev.sluice.postgres;

import dev.sluice.domain.Change.Cell;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Key;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.PgSnapshot;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.SqlConnection;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/** Single rows of the source, read while a table drains or streams. */
final class SourceRows {

    /** Below the time that the destination lets a transaction be idle, which it is meanwhile. */
    private static final String BOUNDS = "SET LOCAL lock_timeout = '10s'; SET LOCAL statement_timeout = '30s'";

    /** As stored, and so perhaps compressed, of the rows that are in memory at once. */
    private static final long PORTION_BYTES = 1024 * 1024;

    private final Database source;

    SourceRows(Database source) {
        this.source = source;
    }

    /**
     * Rows as one snapshot has them.
     *
     * @param lsn taken after the snapshot
     * @param rows those that are there
     */
    record Read(PgSnapshot snapshot, Lsn lsn, Map<Key, Map<String, Cell>> rows) {}

    /**
     * Reads all that the rows have now, in a transaction that is over when the answer is there: no lock and no snapshot
     * of the source waits for the destination.
     *
     * @param keys whose rows are kept in memory, all at once
     * @param transactions that the snapshot must see, 32 bits each
     * @throws LaterException (in the Uni) if it does not see one: a transaction is captured when it is in the WAL, and
     *     visible only when its synchronous standbys have it
     */
    Uni<Read> read(DestinationTable table, List<Key> keys, Set<Long> transactions) {
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
                .chain(taken -> {
                    Row row = taken.iterator().next();
                    PgSnapshot snapshot = PgSnapshot.parse(row.getString(0));
                    requireSeen(table, snapshot, transactions);
                    return columns(connection, table)
                            .chain(columns -> rows(connection, table, columns, keys))
                            .map(rows -> new Read(snapshot, Lsn.parse(row.getString(1)), rows));
                }));
    }

    /**
     * Cuts rows into portions that are small enough to be read at once.
     *
     * @param key of each
     * @return in the same order, none of them empty
     */
    <T> Uni<List<List<T>>> portions(DestinationTable table, List<T> rows, Function<T, Key> key) {
        if (rows.size() <= 1) {
            return Uni.createFrom().item(rows.isEmpty() ? List.of() : List.of(rows));
        }
        return source.inTransaction(connection -> connection
                .query("SET TRANSACTION READ ONLY; " + BOUNDS)
                .execute()
                .chain(() -> columns(connection, table))
                .chain(columns -> {
                    ApplyStatement sizes =
                            ApplyStatement.sizesAtSource(table, columns, rows.stream().map(key).toList());
                    return connection.preparedQuery(sizes.sql()).execute(sizes.parameters());
                })
                .map(sizes -> {
                    long[] bytes = new long[rows.size()];
                    sizes.forEach(size -> bytes[size.getLong(0).intValue() - 1] = size.getLong(1));
                    return cut(rows, bytes, PORTION_BYTES);
                }));
    }

    /** @param bytes of each row; one that has more than the limit is a portion of its own */
    static <T> List<List<T>> cut(List<T> rows, long[] bytes, long limit) {
        List<List<T>> portions = new ArrayList<>();
        long portion = 0;
        int begin = 0;
        for (int i = 0; i < rows.size(); i++) {
            if (i > begin && portion + bytes[i] > limit) {
                portions.add(rows.subList(begin, i));
                begin = i;
                portion = 0;
            }
            portion += bytes[i];
        }
        if (begin < rows.size()) {
            portions.add(rows.subList(begin, rows.size()));
        }
        return portions;
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
    private static Uni<List<String>> columns(SqlConnection connection, DestinationTable table) {
        return DefinitionQuery.read(connection, table.source(), table.keyColumns())
                .map(reading -> Groups.columns(table, reading))
                // Not before: it is a query, and so would take the snapshot ahead of the lock.
                .call(() -> KeyOperators.find(connection, table.source(), table.key()));
    }

    /** The rows of these keys that are there. */
    private static Uni<Map<Key, Map<String, Cell>>> rows(
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
