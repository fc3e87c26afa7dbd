package dev.sluice.postgres;

import dev.sluice.domain.Key;
import dev.sluice.domain.KeyRange;
import dev.sluice.postgres.Settling.Seen;
import dev.sluice.postgres.VerificationSql.Part;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * One of the two databases while a table is compared. Each question is a transaction of its own, of one statement that
 * reads: no snapshot is kept between them.
 */
final class VerificationSide {

    /** Rows that a policy hides make the question fail instead of being left out. One process answers, without delay. */
    private static final String ALWAYS = "SET LOCAL row_security = off; SET LOCAL jit = off; "
            + "SET LOCAL max_parallel_workers_per_gather = 0";
    /** The planner sees no range in a key of several columns, and would read the whole table for each. */
    private static final String RANGE = "; SET LOCAL enable_seqscan = off";

    private final Connection connection;
    private final VerificationSql sql;

    /** @param connection closed by whoever opened it */
    VerificationSide(Connection connection, VerificationSql sql) throws SQLException {
        this.connection = connection;
        this.sql = sql;
        connection.setAutoCommit(false);
        connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
    }

    /** @param sum of 64 bits of the hash of each row */
    record Checksum(long rows, String sum) {
        static final Checksum NONE = new Checksum(0, "0");
    }

    private interface Reading<T> {
        T read(ResultSet rows) throws SQLException;
    }

    private <T> T ask(String settings, String query, Reading<T> reading) throws SQLException {
        try (var statement = connection.createStatement()) {
            // A condition of the user's may have braces.
            statement.setEscapeProcessing(false);
            statement.execute(ALWAYS + settings);
            if (sql.operators().isPresent()) {
                statement.execute(sql.operators().get());
            }
            try (var rows = statement.executeQuery(query)) {
                return reading.read(rows);
            }
        } finally {
            connection.rollback();
        }
    }

    private static String settings(Part part) {
        return part instanceof Part.Range ? RANGE : "";
    }

    Checksum checksum(Part part) throws SQLException {
        return ask(settings(part), sql.checksum(part), rows -> {
            rows.next();
            return new Checksum(rows.getLong(1), rows.getString(2));
        });
    }

    Map<String, Checksum> buckets() throws SQLException {
        return ask("", sql.buckets(), rows -> {
            Map<String, Checksum> buckets = new HashMap<>();
            while (rows.next()) {
                buckets.put(rows.getString(1), new Checksum(rows.getLong(2), rows.getString(3)));
            }
            return buckets;
        });
    }

    Map<List<String>, Seen> rows(Part part, int rowsMax) throws SQLException {
        return ask(settings(part), sql.rows(part, rowsMax), rows -> {
            int columns = rows.getMetaData().getColumnCount();
            Map<List<String>, Seen> found = new HashMap<>();
            while (rows.next()) {
                List<String> key = new ArrayList<>();
                for (int i = 3; i <= columns; i++) {
                    key.add(rows.getString(i));
                }
                found.put(List.copyOf(key), new Seen(rows.getString(1), rows.getString(2)));
            }
            return found;
        });
    }

    /** Upper ends of parts of a range, rising. */
    List<Key> cuts(KeyRange range, int every, int keysMax) throws SQLException {
        return ask("; " + SourceKeys.INDEX_WALK, sql.cuts(range, every, keysMax), rows -> {
            int columns = rows.getMetaData().getColumnCount();
            List<Key> cuts = new ArrayList<>();
            while (rows.next()) {
                List<String> key = new ArrayList<>();
                for (int i = 1; i <= columns; i++) {
                    key.add(rows.getString(i));
                }
                cuts.add(new Key(key));
            }
            return cuts;
        });
    }
}
