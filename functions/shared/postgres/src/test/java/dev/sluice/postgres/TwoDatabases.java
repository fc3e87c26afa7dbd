package dev.sluice.postgres;

import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableName;
import dev.sluice.testing.PostgresServer;
import dev.sluice.testing.PostgresVersion;
import dev.sluice.testing.SharedServers;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.core.Vertx;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;

/** A fresh database at each of the two servers, for one test class. */
final class TwoDatabases implements AutoCloseable {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    final Pipeline pipeline;
    final SchemaMapping schemas = new SchemaMapping(Map.of("mapped", "elsewhere"));
    final Database source;
    final Database destination;
    final Ledger ledger;

    private final Vertx vertx = Vertx.vertx();
    private final PostgresServer sourceServer;
    private final PostgresServer destinationServer;
    private final String sourceName;
    private final String destinationName;

    private TwoDatabases(PostgresServer sourceServer, PostgresServer destinationServer) {
        this.sourceServer = sourceServer;
        this.destinationServer = destinationServer;
        sourceName = SharedServers.freshDatabase(sourceServer);
        destinationName = SharedServers.freshDatabase(destinationServer);
        pipeline = new Pipeline(sourceName.replace("_", ""));
        source = Database.open(vertx, sourceServer.url(sourceName), "test", "sluice", 4);
        destination = Database.open(vertx, destinationServer.url(destinationName), "test", "sluice", 4);
        ledger = new Ledger(destination, pipeline);
        await(ledger.create());
    }

    static TwoDatabases open() {
        return new TwoDatabases(SharedServers.source(), SharedServers.destination());
    }

    /** With a source of the oldest version that is supported. */
    static TwoDatabases openOldest() {
        return new TwoDatabases(SharedServers.oldest(), SharedServers.destination());
    }

    /** Leaves a test out that speaks of what older versions do not have, when they are what is tested. */
    static void assumeNewest() {
        Assumptions.assumeTrue(
                PostgresVersion.ofTests() == PostgresVersion.NEWEST, "it is of what only the newest version has");
    }

    /** As {@link #source}, but as another user. */
    Database sourceAs(String user) {
        String url = sourceServer.url(sourceName).replace("//postgres@", "//" + user + "@");
        return Database.open(vertx, url, "test", "sluice", 2);
    }

    /** Another database of the source's server. */
    Database sourceNamed(String database) {
        return Database.open(vertx, sourceServer.url(database), "test", "sluice", 2);
    }

    Connection connectToSource() throws SQLException {
        return sourceServer.connect(sourceName);
    }

    Connection connectToDestination() throws SQLException {
        return destinationServer.connect(destinationName);
    }

    void atSource(String sql) throws SQLException {
        try (Connection connection = connectToSource(); var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    void atDestination(String sql) throws SQLException {
        try (Connection connection = connectToDestination(); var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    String fromSource(String query) throws SQLException {
        try (Connection connection = connectToSource()) {
            return first(connection, query);
        }
    }

    String fromDestination(String query) throws SQLException {
        try (Connection connection = connectToDestination()) {
            return first(connection, query);
        }
    }

    static String first(Connection connection, String query) throws SQLException {
        try (var statement = connection.createStatement(); var rows = statement.executeQuery(query)) {
            return rows.next() ? rows.getString(1) : null;
        }
    }

    static <T> T await(Uni<T> uni) {
        return uni.await().atMost(LIMIT);
    }

    static TableName table(String text) {
        return TableName.parse(text);
    }

    @Override
    public void close() {
        source.close();
        destination.close();
        vertx.closeAndAwait();
    }
}
