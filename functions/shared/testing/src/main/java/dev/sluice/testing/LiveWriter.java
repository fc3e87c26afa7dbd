package dev.sluice.testing;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.random.RandomGenerator;

/**
 * Writes to a database over several connections, one transaction after the other on each, until it is stopped.
 *
 * <p>It goes on when the server dies and comes back, and when transactions are in each other's way. Any other error is
 * a mistake in a transaction: it ends the writer, and {@link #stop} throws it.
 */
public final class LiveWriter implements AutoCloseable {

    /** Bounds how long a transaction waits for another one, and with that how long {@link #stop} takes. */
    private static final String SESSION = "SET lock_timeout = '10s'; SET statement_timeout = '60s'; "
            + "SET idle_in_transaction_session_timeout = '60s'; SET application_name = 'live writer'";
    private static final Duration RECONNECT_PAUSE = Duration.ofMillis(500);
    private static final Duration STOP_LIMIT = Duration.ofMinutes(2);
    private static final int VALID_CHECK_SECONDS = 2;

    private final Connections connections;
    private final List<Transaction> transactions;
    private final Settings settings;
    private final List<Thread> threads = new ArrayList<>();
    private final CountDownLatch stopping = new CountDownLatch(1);
    private final AtomicLong committed = new AtomicLong();
    private final AtomicLong rolledBack = new AtomicLong();
    private final AtomicLong conflicts = new AtomicLong();
    private final AtomicLong connectionsLost = new AtomicLong();
    private volatile Optional<String> trouble = Optional.empty();
    private volatile RuntimeException failure;

    private LiveWriter(Connections connections, List<Transaction> transactions, Settings settings) {
        this.connections = connections;
        this.transactions = List.copyOf(transactions);
        this.settings = settings;
    }

    /** Where the writer's connections come from. */
    @FunctionalInterface
    public interface Connections {
        Connection open() throws SQLException;
    }

    /** The statements of one transaction; the writer begins and ends it. */
    @FunctionalInterface
    public interface Transaction {

        /** @return whether to commit; otherwise it is rolled back, on purpose */
        boolean run(Connection connection, RandomGenerator random) throws SQLException;
    }

    /**
     * How much is written.
     *
     * @param connections that write at the same time
     * @param pause of each connection between two transactions
     * @param seed of what is chosen; how the connections interleave is the machine's choice
     */
    public record Settings(int connections, Duration pause, long seed) {}

    /**
     * What has been written.
     *
     * @param rolledBack on purpose
     * @param conflicts transactions that another one was in the way of: a deadlock, a key that was there already
     */
    public record Counts(long committed, long rolledBack, long conflicts, long connectionsLost) {}

    /** @param transactions of which each connection runs one at random, again and again */
    public static LiveWriter start(Connections connections, List<Transaction> transactions, Settings settings) {
        var writer = new LiveWriter(connections, transactions, settings);
        var seeds = new SplittableRandom(settings.seed());
        for (int i = 1; i <= settings.connections(); i++) {
            RandomGenerator random = seeds.split();
            writer.threads.add(
                    Thread.ofPlatform().daemon().name("live-writer-" + i).start(() -> writer.write(random)));
        }
        return writer;
    }

    public Counts counts() {
        return new Counts(committed.get(), rolledBack.get(), conflicts.get(), connectionsLost.get());
    }

    /** Why nothing is written at present, if so. */
    public Optional<String> trouble() {
        return failure == null ? trouble : Optional.of(failure.getMessage());
    }

    /**
     * Returns when every transaction of this writer is over, committed or rolled back.
     *
     * @throws IllegalStateException if a transaction had a mistake, or does not end within two minutes
     */
    public Counts stop() {
        stopping.countDown();
        long deadline = System.nanoTime() + STOP_LIMIT.toNanos();
        try {
            for (Thread thread : threads) {
                if (!thread.join(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())))) {
                    throw new IllegalStateException(
                            thread.getName() + " did not end within " + STOP_LIMIT.toSeconds() + " s");
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the live writer ended", e);
        }
        if (failure != null) {
            throw new IllegalStateException("the live writer (seed " + settings.seed() + ") failed before: "
                    + failure.getMessage(), failure);
        }
        return counts();
    }

    @Override
    public void close() {
        stop();
    }

    private void write(RandomGenerator random) {
        while (!isStopping()) {
            try (Connection connection = connections.open()) {
                try (var statement = connection.createStatement()) {
                    statement.execute(SESSION);
                }
                connection.setAutoCommit(false);
                trouble = Optional.empty();
                while (!isStopping()) {
                    writeOnce(connection, random);
                    pause(settings.pause());
                }
            } catch (SQLException e) {
                connectionsLost.incrementAndGet();
                trouble = Optional.of("the live writer has no connection: " + e.getMessage());
                pause(RECONNECT_PAUSE);
            } catch (RuntimeException e) {
                failure = e;
                stopping.countDown();
            }
        }
    }

    /** @throws SQLException if the connection is lost */
    private void writeOnce(Connection connection, RandomGenerator random) throws SQLException {
        try {
            if (transactions.get(random.nextInt(transactions.size())).run(connection, random)) {
                connection.commit();
                committed.incrementAndGet();
            } else {
                connection.rollback();
                rolledBack.incrementAndGet();
            }
        } catch (SQLException e) {
            if (!connection.isValid(VALID_CHECK_SECONDS)) {
                throw e;
            }
            connection.rollback();
            if (!isConflict(e)) {
                throw new IllegalStateException(e.getMessage() + " (SQL state " + e.getSQLState() + ")", e);
            }
            conflicts.incrementAndGet();
        }
    }

    private static boolean isConflict(SQLException e) {
        return switch (String.valueOf(e.getSQLState())) {
            // Serialisation, deadlock, lock timeout, a key that another one took, cancelled, server in shutdown.
            case "40001", "40P01", "55P03", "23505", "57014", "57P01", "57P02", "57P03" -> true;
            default -> false;
        };
    }

    private boolean isStopping() {
        return stopping.getCount() == 0;
    }

    private void pause(Duration pause) {
        try {
            stopping.await(pause.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            stopping.countDown();
        }
    }
}
