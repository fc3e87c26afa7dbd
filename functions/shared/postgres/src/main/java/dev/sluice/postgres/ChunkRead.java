package dev.sluice.postgres;

import dev.sluice.domain.PgSnapshot;
import dev.sluice.domain.TableName;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;

/**
 * A read that has begun: one transaction with one snapshot.
 *
 * @param connection whose transaction it is
 * @param contains the read contains every transaction that this sees
 * @param mayContain and none that this does not see; empty: it is exactly what {@code contains} sees
 */
record ChunkRead(Connection connection, PgSnapshot contains, Optional<PgSnapshot> mayContain) {

    /**
     * First the lock, then the snapshot, which the next statement takes: a TRUNCATE or a rewrite between the two would
     * leave a snapshot that sees an empty table (R7).
     */
    static void lock(Connection connection, TableName table) throws SQLException {
        execute(
                connection,
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                // Rows that a policy hides make the read fail instead of being left out.
                "SET LOCAL row_security = off",
                "SET LOCAL jit = off",
                "SET LOCAL max_parallel_workers_per_gather = 0",
                "SET LOCAL enable_seqscan = off",
                // Without ONLY, for the partitions: what kind of table it is cannot be asked before the snapshot.
                "LOCK TABLE " + table.sql() + " IN ACCESS SHARE MODE");
    }

    static void execute(Connection connection, String... statements) throws SQLException {
        if (statements.length == 0) {
            return;
        }
        try (var statement = connection.createStatement()) {
            // Sent at once and run one after the other: one round trip.
            statement.execute(String.join(";\n", statements));
        }
    }
}
