package dev.sluice.systemtests;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Writers to tables of people: rows come and go, change their key, begin and cease to be active, and keep their large
 * value mostly, which is then not captured.
 */
final class OptionWrites implements AutoCloseable {

    static final String COLUMNS = "(id bigint, email text, phone varchar(20) NOT NULL, secret text, active boolean, "
            + "n int NOT NULL, big text, twice int GENERATED ALWAYS AS (n * 2) STORED, PRIMARY KEY (id))";

    private final List<Thread> threads = new ArrayList<>();
    private final AtomicReference<SQLException> failure = new AtomicReference<>();
    private final AtomicLong transactions = new AtomicLong();
    private volatile boolean stopping;

    static OptionWrites start(SluiceStack stack, int rows, List<String> tables) {
        long seed = Long.getLong("sluice.seed", System.nanoTime());
        System.out.println("OptionWrites: -Dsluice.seed=" + seed);
        var writes = new OptionWrites();
        for (int i = 0; i < 2; i++) {
            var random = new Random(seed + i);
            writes.threads.add(Thread.ofVirtual().name("writer " + i).start(() -> writes.write(stack, random, rows, tables)));
        }
        return writes;
    }

    static String insert(String table, String ids) {
        return "INSERT INTO " + table + " (id, email, phone, secret, active, n, big) SELECT i, 'e' || i, '+49 ' || i, "
                + "'secret ' || i, CASE i % 5 WHEN 0 THEN NULL ELSE i % 2 = 0 END, i % 100, "
                + "CASE WHEN i % 3 = 0 THEN repeat(md5(i::text), 100) END FROM " + ids
                + " i ON CONFLICT (id) DO NOTHING";
    }

    long transactions() {
        return transactions.get();
    }

    private void write(SluiceStack stack, Random random, int rows, List<String> tables) {
        while (!stopping && failure.get() == null) {
            try (Connection connection = stack.source(); Statement statement = connection.createStatement()) {
                connection.setAutoCommit(false);
                while (!stopping) {
                    for (int i = 0; i < 3; i++) {
                        statement.execute(operation(random, tables.get(random.nextInt(tables.size())), rows));
                    }
                    connection.commit();
                    transactions.incrementAndGet();
                }
            } catch (SQLException e) {
                // Two writers in each other's way, or a row that another has just put into another partition.
                if (!Set.of("40P01", "23505", "40001").contains(e.getSQLState())) {
                    failure.compareAndSet(null, e);
                }
            }
        }
    }

    private static String operation(Random random, String table, int rows) {
        long id = 1 + random.nextLong(rows);
        String one = " WHERE id = " + id;
        return switch (random.nextInt(10)) {
            case 0, 1 -> insert(table, "generate_series(" + id + "::bigint, " + (id + 5) + ")");
            case 2 -> "DELETE FROM " + table + one;
            case 3 -> "UPDATE " + table + " SET id = id + " + rows + one + " AND NOT EXISTS (SELECT FROM " + table
                    + " WHERE id = " + (id + rows) + ")";
            case 4 -> "UPDATE " + table + " SET email = email || 'x', secret = NULL, phone = '0'" + one;
            case 5 -> "UPDATE " + table + " SET big = repeat(md5(random()::text), 100)" + one;
            case 6 -> "UPDATE " + table + " SET n = n + 1 WHERE id BETWEEN " + id + " AND " + (id + 5);
            default -> "UPDATE " + table + " SET active = CASE WHEN active THEN NULL ELSE active IS NULL END" + one;
        };
    }

    @Override
    public void close() throws InterruptedException {
        stopping = true;
        for (Thread thread : threads) {
            thread.join(60_000);
            if (thread.isAlive()) {
                throw new AssertionError("a writer hangs: somebody holds it up");
            }
        }
        if (failure.get() != null) {
            throw new AssertionError("a writer failed", failure.get());
        }
    }
}
