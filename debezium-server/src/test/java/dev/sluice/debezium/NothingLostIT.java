package dev.sluice.debezium;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableName;
import dev.sluice.testing.DebeziumServer;
import dev.sluice.testing.PostgresServer;
import dev.sluice.testing.SharedServers;
import java.io.StringReader;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;

/**
 * Debezium Server is killed again and again while transactions interleave. Whoever then reads the topic, and skips
 * what lies below the last place that it passed, has the rows of the source: nothing lost, nothing extra.
 */
class NothingLostIT {

    private static final Pipeline PIPELINE = new Pipeline("nothinglost");
    private static final List<TableName> TABLES = List.of(TableName.parse("first"), TableName.parse("second"));
    private static final int KILLS = 4;
    private static final int WRITERS = 3;
    /** So many that the writers are still busy at the kill, and so few that the topic is soon read. */
    private static final int TRANSACTIONS_BETWEEN_KILLS = 400;
    private static final int CHANGES_BETWEEN_KILLS = 300;

    @Test
    void killsLoseNothingAndAddNothing() throws Exception {
        long seed = new Random().nextLong();
        PostgresServer source = SharedServers.source();
        String database = SharedServers.freshDatabase(source);
        String kafka = SharedServers.kafka().bootstrapServers();
        DebeziumServer capture = DebeziumServer.start(SharedServers.folder("nothing-lost"),
                new DebeziumServer.Settings(PIPELINE, source, database, kafka));
        try (Connection connection = source.connect(database); Statement sql = connection.createStatement()) {
            for (TableName table : TABLES) {
                Records.createTopic(kafka, PIPELINE.queueTopic(table));
                sql.execute("CREATE TABLE " + table.sql() + " (id bigint PRIMARY KEY, v text, big text)");
                sql.execute("ALTER TABLE " + table.sql() + " ALTER big SET STORAGE EXTERNAL");
                sql.execute("ALTER PUBLICATION " + PIPELINE.publication() + " ADD TABLE " + table.sql());
            }
            var stop = new AtomicBoolean();
            var transactions = new Semaphore(0);
            ExecutorService writers = Executors.newFixedThreadPool(WRITERS);
            List<Future<Void>> ends = new ArrayList<>();
            for (int writer = 0; writer < WRITERS; writer++) {
                var random = new Random(seed + writer);
                int own = writer;
                Callable<Void> task = () -> {
                    write(source.connect(database), random, own, transactions, stop);
                    return null;
                };
                ends.add(writers.submit(task));
            }
            try (var records = new Records(kafka, PIPELINE.queueTopic(TABLES.get(0)))) {
                for (int kill = 0; kill < KILLS; kill++) {
                    transactions.release(TRANSACTIONS_BETWEEN_KILLS);
                    long enough = records.end() + CHANGES_BETWEEN_KILLS;
                    records.until(change -> change.offset() >= enough);
                    capture.kill();
                    capture.restart();
                }
            }
            stop.set(true);
            transactions.release(WRITERS);
            for (Future<Void> end : ends) {
                end.get();
            }
            writers.shutdown();

            for (TableName table : TABLES) {
                sql.execute("INSERT INTO " + table.sql() + " VALUES (-1, 'the last one', NULL)");
                try (var records = new Records(kafka, PIPELINE.queueTopic(table))) {
                    List<Records.Change> changes = records.until(
                            change -> change.key() != null && change.key().path("id").asLong() == -1);
                    assertThat(replay(changes)).as("rows of " + table + " after %d changes, seed %d", changes.size(), seed)
                            .isEqualTo(rows(connection, table));
                }
            }
        } finally {
            capture.close();
        }
    }

    /** Transactions of every kind, until told to stop. Each writer has keys of its own, so that none waits long. */
    private static void write(Connection connection, Random random, int writer, Semaphore transactions,
            AtomicBoolean stop) throws Exception {
        try (connection; Statement sql = connection.createStatement()) {
            connection.setAutoCommit(false);
            long next = writer * 1_000_000_000L;
            long first = next;
            while (true) {
                transactions.acquire();
                if (stop.get()) {
                    return;
                }
                int statements = 1 + random.nextInt(6);
                for (int i = 0; i < statements; i++) {
                    TableName table = TABLES.get(random.nextInt(TABLES.size()));
                    long some = first + random.nextLong(next - first + 1);
                    switch (random.nextInt(8)) {
                        case 0, 1 -> sql.execute("INSERT INTO " + table.sql() + " SELECT i, 'inserted ' || i, "
                                + "repeat('x', 3000) FROM generate_series(" + next + ", " + (next += 5)
                                + " - 1) AS i ON CONFLICT DO NOTHING");
                        case 2 -> {
                            var rows = new StringBuilder();
                            for (int row = 0; row < 20; row++) {
                                rows.append(next++).append("\tcopied\t\\N\n");
                            }
                            connection.unwrap(PGConnection.class).getCopyAPI().copyIn(
                                    "COPY " + table.sql() + " FROM STDIN", new StringReader(rows.toString()));
                        }
                        case 3, 4 -> sql.execute("UPDATE " + table.sql() + " SET v = v || '" + i + "' WHERE id BETWEEN "
                                + some + " AND " + (some + 10));
                        case 5 -> sql.execute("UPDATE " + table.sql() + " SET id = " + next++ + " WHERE id = " + some);
                        case 6 -> sql.execute("DELETE FROM " + table.sql() + " WHERE id = " + some);
                        default -> {
                            var savepoint = connection.setSavepoint();
                            sql.execute("INSERT INTO " + table.sql() + " VALUES (" + next++ + ", 'in a savepoint', '')");
                            if (random.nextBoolean()) {
                                connection.rollback(savepoint);
                            } else {
                                connection.releaseSavepoint(savepoint);
                            }
                        }
                    }
                }
                if (random.nextInt(10) == 0) {
                    connection.rollback();
                } else {
                    connection.commit();
                }
            }
        }
    }

    /** The rule of the mark: below it is skipped, equal to it is applied again. */
    private static Map<Long, String> replay(List<Records.Change> changes) {
        Map<Long, String[]> rows = new TreeMap<>();
        // The old row of a key change stands just before the new one, which does not carry an unchanged value.
        Map<Long, String[]> deleted = new TreeMap<>();
        long markCommit = Long.MIN_VALUE;
        long markLsn = Long.MIN_VALUE;
        for (Records.Change change : changes) {
            assertThat(change.commitBefore()).as("sequence[0] at offset " + change.offset()).isNotNull();
            long commit = change.commitBefore();
            if (commit < markCommit || commit == markCommit && change.lsn() < markLsn) {
                continue;
            }
            markCommit = commit;
            markLsn = change.lsn();
            long id = change.key().path("id").asLong();
            switch (change.op()) {
                case "c", "u" -> {
                    JsonNode after = change.value().path("after");
                    String big = after.path("big").isNull() ? null : after.path("big").asText();
                    if (TextConverter.UNCHANGED_TOAST.equals(big)) {
                        long old = change.header("__debezium.oldkey").map(NothingLostIT::id).orElse(id);
                        String[] known = rows.containsKey(old) ? rows.get(old) : deleted.get(old);
                        big = known == null ? "lost" : known[1];
                    }
                    rows.put(id, new String[] {after.path("v").asText(), big});
                }
                case "d" -> {
                    String[] old = rows.remove(id);
                    if (old != null) {
                        deleted.put(id, old);
                    }
                }
                default -> throw new AssertionError("unexpected " + change.op());
            }
        }
        Map<Long, String> texts = new TreeMap<>();
        rows.forEach((id, row) -> texts.put(id, row[0] + "|" + row[1]));
        return texts;
    }

    private static long id(String key) {
        return Long.parseLong(key.replaceAll("[^0-9-]", ""));
    }

    private static Map<Long, String> rows(Connection connection, TableName table) throws SQLException {
        Map<Long, String> rows = new TreeMap<>();
        try (Statement sql = connection.createStatement();
                var result = sql.executeQuery("SELECT id, v, big FROM " + table.sql())) {
            while (result.next()) {
                rows.put(result.getLong(1), result.getString(2) + "|" + result.getString(3));
            }
        }
        return rows;
    }
}
