package dev.sluice.systemtests;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * Several connections that write to tables at the source until they are stopped: transactions of some inserts, updates,
 * deletes and key changes over all the tables, some in savepoints, some rolled back.
 */
final class LiveWrites implements AutoCloseable {

    private static final int STATEMENTS_MAX = 6;
    /**
     * Between two transactions of one connection. Without it, a queue grows faster on a small machine than the same
     * machine applies it, and the test ends when the writers do.
     */
    private static final Duration PACE = Duration.ofMillis(2);

    private final SluiceStack stack;
    private final List<TestTable> tables;
    private final AtomicLong nextNumber;
    private final List<Thread> threads = new ArrayList<>();
    private final AtomicReference<Exception> failure = new AtomicReference<>();
    private final AtomicLong transactions = new AtomicLong();
    private final AtomicLong slowestMillis = new AtomicLong();
    private volatile boolean stopping;

    private LiveWrites(SluiceStack stack, int rows, List<TestTable> tables) {
        this.stack = stack;
        this.tables = tables;
        this.nextNumber = new AtomicLong(rows + 1L);
    }

    /** @param rows the numbers 1 to this stand in each table */
    static LiveWrites start(SluiceStack stack, int connections, int rows, TestTable... tables) {
        long seed = Long.getLong("sluice.seed", System.nanoTime());
        System.out.println("LiveWrites: -Dsluice.seed=" + seed);
        var writes = new LiveWrites(stack, rows, List.of(tables));
        for (int i = 0; i < connections; i++) {
            var random = new Random(seed + i);
            writes.threads.add(Thread.ofVirtual().name("writer " + i).start(() -> writes.write(random)));
        }
        return writes;
    }

    long transactions() {
        return transactions.get();
    }

    /** The longest that one transaction took: a writer that was held up would show. */
    long slowestMillis() {
        return slowestMillis.get();
    }

    private void write(Random random) {
        while (!stopping && failure.get() == null) {
            try (Connection connection = stack.source(); Statement statement = connection.createStatement()) {
                connection.setAutoCommit(false);
                while (!stopping) {
                    long started = System.nanoTime();
                    transact(random, connection, statement);
                    slowestMillis.accumulateAndGet((System.nanoTime() - started) / 1_000_000, Math::max);
                    transactions.incrementAndGet();
                    LockSupport.parkNanos(PACE.toNanos());
                }
            } catch (SQLException e) {
                // A deadlock or a key that two writers wanted is part of life; so is a server that was killed.
                boolean expected = e.getSQLState() != null
                        && (e.getSQLState().equals("40P01")
                                || e.getSQLState().equals("23505")
                                || e.getSQLState().startsWith("08")
                                || e.getSQLState().startsWith("57P"));
                if (!expected) {
                    failure.compareAndSet(null, e);
                }
            }
        }
    }

    private void transact(Random random, Connection connection, Statement statement) throws SQLException {
        int statements = 1 + random.nextInt(STATEMENTS_MAX);
        for (int i = 0; i < statements; i++) {
            Savepoint savepoint = random.nextInt(4) == 0 ? connection.setSavepoint() : null;
            TestTable table = tables.get(random.nextInt(tables.size()));
            statement.execute(operation(random, table));
            if (savepoint != null && random.nextBoolean()) {
                connection.rollback(savepoint);
            }
        }
        if (random.nextInt(10) == 0) {
            connection.rollback();
        } else {
            connection.commit();
        }
    }

    private String operation(Random random, TestTable table) {
        long some = 1 + random.nextLong(nextNumber.get());
        String one = "n = " + some;
        return switch (random.nextInt(12)) {
            case 0, 1 -> table.insert("SELECT " + nextNumber.getAndIncrement() + "::bigint AS n");
            case 2 -> table.insert("SELECT g AS n FROM generate_series(" + nextNumber.getAndAdd(20) + "::bigint, "
                    + (nextNumber.get() - 1) + ") g LIMIT 20");
            case 3 -> table.delete(one);
            case 4 -> table.move(one, nextNumber.getAndIncrement());
            case 5 -> table.updateLarge(one);
            case 6 -> table.update("n BETWEEN " + some + " AND " + (some + 10));
            default -> table.update(one);
        };
    }

    /** Stops when every transaction is over; throws what a writer did not expect. */
    @Override
    public void close() {
        stopping = true;
        for (Thread thread : threads) {
            try {
                thread.join(60_000);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            if (thread.isAlive()) {
                throw new AssertionError("a writer hangs: somebody holds it up");
            }
        }
        if (failure.get() != null) {
            throw new AssertionError("a writer failed", failure.get());
        }
    }
}
