package dev.sluice.debezium;

import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableName;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Optional;
import java.util.Properties;

/** The slot and the publication of one pipeline. */
final class SourceDatabase implements AutoCloseable {

    private final Pipeline pipeline;
    private final Connection connection;

    private SourceDatabase(Pipeline pipeline, Connection connection) {
        this.pipeline = pipeline;
        this.connection = connection;
    }

    static SourceDatabase connect(Pipeline pipeline, String url, Properties properties) throws SQLException {
        return new SourceDatabase(pipeline, DriverManager.getConnection(url, properties));
    }

    Optional<Slot> slot() throws SQLException, RefusedException {
        Optional<Slot> slot = Slot.find(connection, pipeline.slot());
        if (slot.isPresent() && !slot.get().database().equals(connection.getCatalog())) {
            throw new RefusedException("slot " + pipeline.slot() + " decodes database " + slot.get().database()
                    + ", not " + connection.getCatalog() + ": give this pipeline another name, or drop that slot");
        }
        return slot;
    }

    /** Waits until every transaction that runs now is over: a slot can only begin where it sees whole ones. */
    Slot createSlot() throws SQLException {
        try (var create = connection
                .prepareStatement("SELECT pg_catalog.pg_create_logical_replication_slot(?, 'pgoutput')")) {
            create.setString(1, pipeline.slot());
            create.execute();
        }
        return Slot.find(connection, pipeline.slot()).orElseThrow();
    }

    boolean publicationHasTables() throws SQLException {
        try (var query = connection
                .prepareStatement("SELECT FROM pg_catalog.pg_publication_tables WHERE pubname = ? LIMIT 1")) {
            query.setString(1, pipeline.publication());
            try (var rows = query.executeQuery()) {
                return rows.next();
            }
        }
    }

    /** An empty one that publishes every kind of change. Tables join it one by one, and never all by themselves. */
    void createPublication() throws SQLException, RefusedException {
        try (var query = connection.prepareStatement("SELECT puballtables, pubinsert AND pubupdate AND pubdelete "
                + "AND pubtruncate FROM pg_catalog.pg_publication WHERE pubname = ?")) {
            query.setString(1, pipeline.publication());
            try (var rows = query.executeQuery()) {
                if (rows.next()) {
                    if (rows.getBoolean(1) || !rows.getBoolean(2)) {
                        throw new RefusedException("publication " + pipeline.publication() + " is not one of named "
                                + "tables that publishes insert, update, delete and truncate: alter or drop it");
                    }
                    return;
                }
            }
        }
        try (var create = connection.createStatement()) {
            // A partitioned table is one table, under its own name; for others it makes no difference.
            create.execute("CREATE PUBLICATION " + TableName.quote(pipeline.publication())
                    + " WITH (publish_via_partition_root)");
        }
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
