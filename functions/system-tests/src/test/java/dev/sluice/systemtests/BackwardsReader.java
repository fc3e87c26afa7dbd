package dev.sluice.systemtests;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;

/** Reads tables at the destination again and again, and notes every row whose version is lower than one it saw before. */
final class BackwardsReader implements AutoCloseable {

    private static final String UNDEFINED_TABLE = "42P01";

    private final SluiceStack stack;
    private final Thread thread;
    private final List<String> backwards = new CopyOnWriteArrayList<>();
    private final AtomicLong reads = new AtomicLong();
    private volatile boolean stopping;
    private volatile Exception failure;

    private BackwardsReader(SluiceStack stack, List<TestTable> tables) {
        this.stack = stack;
        this.thread = Thread.ofPlatform().name("reader").start(() -> read(tables));
    }

    static BackwardsReader start(SluiceStack stack, TestTable... tables) {
        return new BackwardsReader(stack, List.of(tables));
    }

    private void read(List<TestTable> tables) {
        Map<String, Long> seen = new HashMap<>();
        try (Connection connection = stack.destination()) {
            connection.setAutoCommit(false);
            while (!stopping) {
                for (TestTable table : tables) {
                    readOnce(connection, table, seen);
                }
            }
        } catch (SQLException e) {
            failure = e;
        }
    }

    private void readOnce(Connection connection, TestTable table, Map<String, Long> seen) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.setFetchSize(5_000);
            try (ResultSet rows = statement.executeQuery("SELECT n, version FROM " + table.tableName())) {
                while (rows.next()) {
                    String row = table + " " + rows.getLong(1);
                    long version = rows.getLong(2);
                    Long before = seen.put(row, version);
                    if (before != null && before > version && backwards.size() < 20) {
                        backwards.add(row + " went from version " + before + " to " + version);
                    }
                }
            }
            connection.commit();
            reads.incrementAndGet();
        } catch (SQLException e) {
            connection.rollback();
            if (!UNDEFINED_TABLE.equals(e.getSQLState())) {
                throw e;
            }
        }
    }

    List<String> backwards() {
        return backwards;
    }

    long reads() {
        return reads.get();
    }

    @Override
    public void close() throws InterruptedException {
        stopping = true;
        thread.join(30_000);
        if (failure != null) {
            throw new AssertionError("the reader failed", failure);
        }
    }
}
