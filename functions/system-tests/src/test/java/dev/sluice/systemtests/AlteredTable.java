package dev.sluice.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.TableName;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * A table that is altered while a writer of its own goes on: inserts, updates, deletes and key changes, and after the
 * change what only the new definition allows.
 */
final class AlteredTable implements AutoCloseable {

    /** A key that is there already, or the table or a column under another name for a moment. */
    private static final Set<String> EXPECTED = Set.of("23505", "42P01", "42703", "40P01");

    final String name;
    private final SluiceStack stack;
    private final int rows;
    private final AtomicReference<String> then = new AtomicReference<>();
    private final AtomicReference<Exception> failure = new AtomicReference<>();
    private volatile boolean stopping;
    private Thread writer;

    private AlteredTable(SluiceStack stack, String name, int rows) {
        this.stack = stack;
        this.name = name;
        this.rows = rows;
    }

    static AlteredTable create(SluiceStack stack, String name, int rows) throws SQLException {
        return create(stack, name, rows, false);
    }

    /** @param isPartitioned into two, with about as many rows and room for the writer's keys */
    static AlteredTable create(SluiceStack stack, String name, int rows, boolean isPartitioned) throws SQLException {
        stack.onSource("CREATE TABLE " + name + " (id int PRIMARY KEY, v text NOT NULL, gone text NOT NULL DEFAULT 'g', "
                + "old text, short varchar(12), amount numeric(6,2), big text)"
                + (isPartitioned
                        ? " PARTITION BY RANGE (id); CREATE TABLE " + name + "_1 PARTITION OF " + name
                                + " FOR VALUES FROM (MINVALUE) TO (" + rows / 2 + "); CREATE TABLE " + name
                                + "_2 PARTITION OF " + name + " FOR VALUES FROM (" + rows / 2 + ") TO (1000000)"
                        : ""));
        stack.onSource(
                "ALTER TABLE " + name + " ALTER COLUMN big SET STORAGE EXTERNAL",
                "INSERT INTO " + name + " SELECT g, 'v' || g, 'gone' || g, 'old' || g, 'short', g % 1000, "
                        + "CASE g % 50 WHEN 0 THEN repeat('x' || g, 1000) END FROM generate_series(1, " + rows + ") g",
                "ANALYZE " + name);
        var table = new AlteredTable(stack, name, rows);
        table.write();
        return table;
    }

    void write() {
        stopping = false;
        long seed = Long.getLong("sluice.seed", System.nanoTime());
        System.out.println("AlteredTable " + name + ": -Dsluice.seed=" + seed);
        writer = Thread.ofVirtual().name("writer of " + name).start(() -> write(new Random(seed)));
    }

    private void write(Random random) {
        try (Connection connection = stack.source(); Statement statement = connection.createStatement()) {
            while (!stopping) {
                int some = 1 + random.nextInt(rows * 2);
                String where = " WHERE id = " + some;
                String after = then.get();
                try {
                    statement.execute(switch (random.nextInt(after == null ? 6 : 8)) {
                        case 0, 1 -> "INSERT INTO " + name + " (id, v) VALUES (" + some + ", 'new')";
                        case 2 -> "DELETE FROM " + name + where;
                        case 3 -> "UPDATE " + name + " SET id = " + (1 + random.nextInt(rows * 2)) + where;
                        case 4, 5 -> "UPDATE " + name + " SET v = v || '.'" + where;
                        default -> "UPDATE " + name + " SET " + after + where;
                    });
                } catch (SQLException e) {
                    if (!EXPECTED.contains(e.getSQLState())) {
                        throw e;
                    }
                }
                // A pace, not a wait: as many writers as tables leave the machine to what is tested.
                LockSupport.parkNanos(1_000_000);
            }
        } catch (SQLException e) {
            failure.set(e);
        }
    }

    /** @param assignment what the writer sets from then on; null: nothing new */
    void alter(String change, String assignment) throws SQLException {
        stack.onSource(change.replace("$t", name));
        then.set(assignment);
    }

    /** Ends the writer, and compares all columns that the source has. */
    void assertEqual() throws SQLException {
        close();
        stack.awaitQueueApplied(name);
        // A change of the definition that no change of a row came after is followed at the next look only.
        String columns = stack.one(stack.source(), "SELECT array_agg(attname)::text" + ofColumns()).orElseThrow();
        SluiceStack.awaitTrue("the columns " + columns + " of " + name + " are there", SluiceStack.LONG, () -> {
            try {
                return stack.one(stack.destination(), "SELECT (array_agg(attname) @> '" + columns + "')::text" + ofColumns())
                        .equals(Optional.of("true"));
            } catch (SQLException e) {
                throw new AssertionError(e);
            }
        });
        TableName table = TableName.parse(name);
        String row = stack.one(
                        stack.source(),
                        "SELECT 'ROW(' || string_agg(format('t.%I', attname), ', ' ORDER BY attname) || ')'" + ofColumns())
                .orElseThrow();
        assertThat(Contents.differences(stack, table, table, row))
                .as("rows of %s that differ between source and destination", table)
                .isEmpty();
    }

    private String ofColumns() {
        return " FROM pg_attribute WHERE attrelid = '" + name + "'::regclass AND attnum > 0 AND NOT attisdropped";
    }

    @Override
    public void close() {
        stopping = true;
        try {
            writer.join(60_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        assertThat(writer.isAlive()).as("a writer hangs: somebody holds it up").isFalse();
        assertThat(failure.get()).as("the writer of %s", name).isNull();
    }
}
