package dev.sluice.postgres;

import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableName;
import dev.sluice.testing.PostgresServer;
import dev.sluice.testing.SharedServers;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.core.Vertx;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;

/** A fresh database at each of the two servers, for one test class. */
final class TwoDatabases implements AutoCloseable {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    final Pipeline pipeline;
    final SchemaMapping schemas = new SchemaMapping(Map.of("mapped", "elsewhere"));
    final Database source;
    final Database destination;
    final Ledger ledger;

    private final Vertx vertx = Vertx.vertx();
    private final String sourceName;
    private final String destinationName;

    private TwoDatabases(PostgresServer sourceServer, PostgresServer destinationServer) {
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

    /** As {@link #source}, but as another user. */
    Database sourceAs(String user) {
        String url = SharedServers.source().url(sourceName).replace("//postgres@", "//" + user + "@");
        return Database.open(vertx, url, "test", "sluice", 2);
    }

    Connection connectToSource() throws SQLException {
        return SharedServers.source().connect(sourceName);
    }

    Connection connectToDestination() throws SQLException {
        return SharedServers.destination().connect(destinationName);
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
