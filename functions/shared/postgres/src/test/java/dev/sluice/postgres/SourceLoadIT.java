package dev.sluice.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.domain.Pipeline;
import dev.sluice.testing.PostgresServer;
import dev.sluice.testing.SharedServers;
import io.vertx.mutiny.core.Vertx;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Optional;
import java.util.Properties;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;
import org.postgresql.PGProperty;

class SourceLoadIT {

    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final String DATABASE = "loaded";
    private static final Pipeline PIPELINE = new Pipeline("loaded");

    private static PostgresServer primary;
    private static PostgresServer standby;
    private static Vertx vertx;
    private static Database source;
    private static Database replica;

    @BeforeAll
    static void start() {
        primary = PostgresServer.start(SharedServers.folder("load-primary"), 0, SharedServers.FAST_POSTGRES);
        primary.createDatabase(DATABASE);
        standby = primary.standby(SharedServers.folder("load-standby"), SharedServers.FAST_POSTGRES);
        vertx = Vertx.vertx();
        source = Database.open(vertx, primary.url(DATABASE), "source", PIPELINE.name(), 2);
        replica = Database.open(vertx, standby.url(DATABASE), "replica", PIPELINE.name(), 1);
    }

    @AfterAll
    static void stop() {
        source.close();
        replica.close();
        vertx.closeAndAwait();
        standby.stop();
        primary.stop();
    }

    @Test
    void onlySessionsOfOthersThatAreAtWorkCount() throws Exception {
        try (Connection idle = primary.connect(DATABASE);
                Connection busy = primary.connect("postgres");
                Connection own = source.connectForCopy(LIMIT, LIMIT);
                Statement still = idle.createStatement()) {
            still.execute("SELECT 1");
            Thread.ofVirtual().start(() -> sleep(busy));
            Thread.ofVirtual().start(() -> sleep(own));
            await().atMost(LIMIT).until(() -> asleep() == 2);

            assertThat(load(source).sessions()).isEqualTo(1);
            assertThat(load(source).unseen()).isEmpty();
            atPrimary("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(30)'");
        }
    }

    @Test
    void aRoleThatDoesNotSeeOthersIsToldWhatItLacks() throws SQLException {
        atPrimary("CREATE ROLE \"Blind\" LOGIN");
        String url = primary.url(DATABASE).replace("postgres@", "Blind@");
        try (Database blind = Database.open(vertx, url, "source", PIPELINE.name(), 1)) {
            assertThat(load(blind).unseen()).get().asString().contains("run GRANT pg_read_all_stats TO \"Blind\"");

            atPrimary("GRANT pg_read_all_stats TO \"Blind\"");
            assertThat(load(blind).unseen()).isEmpty();
        }
    }

    @Test
    void aStandbyIsSeenAndAReaderOfASlotIsNone() throws Exception {
        atPrimary("SELECT pg_create_logical_replication_slot('reader', 'pgoutput')");
        atPrimary("CREATE PUBLICATION of_reader");
        Properties properties = new Properties();
        PGProperty.USER.set(properties, PostgresServer.USER);
        PGProperty.REPLICATION.set(properties, "database");
        PGProperty.ASSUME_MIN_SERVER_VERSION.set(properties, "14");
        PGProperty.PREFER_QUERY_MODE.set(properties, "simple");
        try (Connection reader = DriverManager.getConnection(primary.jdbcUrl(DATABASE), properties);
                var stream = reader.unwrap(PGConnection.class)
                        .getReplicationAPI()
                        .replicationStream()
                        .logical()
                        .withSlotName("reader")
                        .withSlotOption("proto_version", 1)
                        .withSlotOption("publication_names", "of_reader")
                        .start()) {
            stream.forceUpdateStatus();
            await("both senders").atMost(LIMIT).until(() -> count("SELECT count(*) FROM pg_stat_replication") == 2);

            assertThat(load(source).standbys()).hasSize(1);
        }
    }

    @Test
    void aStandbyThatReplaysNothingFallsBehind() throws Exception {
        var load = new SourceLoad(source, Optional.of(replica), PIPELINE);
        execute(standby, "SELECT pg_wal_replay_pause()");
        try {
            await("paused").atMost(LIMIT).until(() -> countAt(
                            standby, "SELECT count(*) FROM pg_get_wal_replay_pause_state() s WHERE s = 'paused'") == 1);
            atPrimary("SELECT pg_logical_emit_message(true, 'load', 'x')");

            SourceLoad.Load seen = load(source);
            assertThat(load.replica().await().atMost(LIMIT).orElseThrow().isAtLeast(seen.written())).isFalse();
            assertThat(seen.standbys().getFirst().replayed().isAtLeast(seen.written())).isFalse();
        } finally {
            execute(standby, "SELECT pg_wal_replay_resume()");
        }
        await("caught up").atMost(LIMIT).until(() -> {
            var seen = load(source);
            return load.replica().await().atMost(LIMIT).orElseThrow().isAtLeast(seen.written());
        });
    }

    @Test
    void withoutAReplicaThereIsNothingToAsk() {
        assertThat(new SourceLoad(source, Optional.empty(), PIPELINE).replica().await().atMost(LIMIT)).isEmpty();
    }

    private static SourceLoad.Load load(Database database) {
        return new SourceLoad(database, Optional.empty(), PIPELINE).look().await().atMost(LIMIT);
    }

    private static void sleep(Connection connection) {
        try (Statement statement = connection.createStatement()) {
            statement.execute("SELECT pg_sleep(30)");
        } catch (SQLException closed) {
            // The test is over.
        }
    }

    private static long asleep() throws SQLException {
        return count("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(30)'");
    }

    private static long count(String sql) throws SQLException {
        return countAt(primary, sql);
    }

    private static long countAt(PostgresServer server, String sql) throws SQLException {
        try (Connection connection = server.connect("postgres");
                Statement statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getLong(1);
        }
    }

    private static void atPrimary(String sql) throws SQLException {
        execute(primary, sql);
    }

    private static void execute(PostgresServer server, String sql) throws SQLException {
        try (Connection connection = server.connect(DATABASE);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
