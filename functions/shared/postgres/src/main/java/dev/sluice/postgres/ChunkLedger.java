package dev.sluice.postgres;

import dev.sluice.domain.ChunkTask;
import dev.sluice.domain.Key;
import dev.sluice.domain.PgSnapshot;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The ledger's rows of one chunk and of its run, read and written in the chunk's transaction at the destination (R6). */
final class ChunkLedger {

    private final Connection to;
    private final String schema;
    private final ChunkTask task;

    /**
     * @param to the connection of the chunk's transaction
     * @param schema of the ledger, quoted
     */
    ChunkLedger(Connection to, String schema, ChunkTask task) {
        this.to = to;
        this.schema = schema;
        this.task = task;
    }

    /** Whether the run is open and the chunk not copied, for now: asked without a transaction, and nothing is locked. */
    boolean isDue() throws SQLException {
        try (var statement = ofRun("SELECT EXISTS (SELECT FROM " + schema + ".runs r WHERE r.table_name = ? AND r.run = ? "
                + "AND r.state = 'OPEN' AND NOT EXISTS (SELECT FROM " + schema
                + ".chunks c WHERE c.table_name = r.table_name AND c.run = r.run AND c.chunk = ?))")) {
            statement.setInt(3, task.chunk());
            try (var row = statement.executeQuery()) {
                row.next();
                return row.getBoolean(1);
            }
        }
    }

    /**
     * Locks the run's row for share, so that closing the run waits for this chunk (R6). Answers the options that the
     * run was opened with: while it is open, no other run sets them.
     *
     * @throws Ledger.FencedException if the run is not open
     */
    RunOptions requireOpen() throws SQLException {
        try (var statement = ofRun("SELECT r.state, t.options::text, t.salt_check FROM " + schema + ".runs r JOIN " + schema
                        + ".tables t USING (table_name) WHERE r.table_name = ? AND r.run = ? FOR SHARE OF r");
                var rows = statement.executeQuery()) {
            boolean known = rows.next();
            String state = known ? rows.getString(1) : "unknown to the ledger";
            if (!state.equals("OPEN")) {
                throw new Ledger.FencedException("run " + task.run() + " is " + state);
            }
            return new RunOptions(OptionsText.read(rows.getString(2)), Optional.ofNullable(rows.getString(3)));
        }
    }

    /**
     * Takes the chunk's row; waits for a worker that has it, unless that one hangs: {@link ChunkHolder}. Answers
     * whether it is ours.
     *
     * @param limit how long to wait for a worker that works
     */
    boolean enter(Duration limit) throws SQLException {
        new ChunkHolder(to, schema, task, ChunkHolder.SILENCE).takeOver(limit);
        try (var statement = ofRun("INSERT INTO " + schema + ".chunks (table_name, run, chunk, after_key, up_to_key) "
                + "VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")) {
            statement.setInt(3, task.chunk());
            statement.setArray(4, array(task.range().after()));
            statement.setArray(5, array(task.range().upTo()));
            return statement.executeUpdate() == 1;
        }
    }

    /**
     * How many rows a chunk has that was copied before.
     *
     * @throws RefusedException if that was another range
     */
    long recorded() throws SQLException {
        try (var statement = ofRun("SELECT rows, after_key, up_to_key FROM " + schema
                + ".chunks WHERE table_name = ? AND run = ? AND chunk = ?")) {
            statement.setInt(3, task.chunk());
            try (var rows = statement.executeQuery()) {
                if (!rows.next()) {
                    throw new SQLException("the ledger's row of the chunk has vanished", "40001");
                }
                boolean sameRange = key(rows.getArray(2)).equals(task.range().after())
                        && key(rows.getArray(3)).equals(task.range().upTo());
                if (!sameRange) {
                    throw new RefusedException(
                            "the ledger has a chunk of that number with another range than " + task.range(),
                            "Two schedulers planned this run. Backfill the table again.");
                }
                return rows.getLong(1);
            }
        }
    }

    /**
     * Notes what was copied.
     *
     * @param order what the order of the range rested on
     */
    void leave(long rows, ChunkRead read, String order) throws SQLException {
        try (var statement = to.prepareStatement("UPDATE " + schema
                + ".chunks SET rows = ?, source_snapshot = ?, later_snapshot = ?, key_order = ?, copied_at = now() "
                + "WHERE table_name = ? AND run = ? AND chunk = ?")) {
            statement.setLong(1, rows);
            statement.setString(2, read.contains().toString());
            statement.setString(3, read.mayContain().map(PgSnapshot::toString).orElse(null));
            statement.setString(4, order);
            statement.setString(5, task.table().toString());
            statement.setLong(6, task.run());
            statement.setInt(7, task.chunk());
            if (statement.executeUpdate() != 1) {
                throw new IllegalStateException("the ledger's row that this transaction wrote is not there");
            }
        }
    }

    private PreparedStatement ofRun(String sql) throws SQLException {
        PreparedStatement statement = to.prepareStatement(sql);
        statement.setString(1, task.table().toString());
        statement.setLong(2, task.run());
        return statement;
    }

    private Array array(Optional<Key> key) throws SQLException {
        return key.isPresent() ? to.createArrayOf("text", key.get().values().toArray()) : null;
    }

    private static Optional<Key> key(Array array) throws SQLException {
        return array == null ? Optional.empty() : Optional.of(new Key(List.of((String[]) array.getArray())));
    }
}
