package dev.sluice.scheduler;

import dev.sluice.domain.CaptureIdentity;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.messaging.KafkaClients;
import dev.sluice.messaging.Messages;
import dev.sluice.messaging.Topics;
import dev.sluice.postgres.DatabaseConfig;
import dev.sluice.postgres.Databases;
import dev.sluice.postgres.DefinitionFollow;
import dev.sluice.postgres.DestinationTables;
import dev.sluice.postgres.DroppedColumns;
import dev.sluice.postgres.KeyOrders;
import dev.sluice.postgres.Ledger;
import dev.sluice.postgres.Partitions;
import dev.sluice.postgres.SourceCapture;
import dev.sluice.postgres.SourceKeys;
import dev.sluice.postgres.SourceLoad;
import dev.sluice.postgres.SourceTables;
import dev.sluice.testing.SharedServers;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.core.Vertx;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;

/**
 * A source with publication and slot, as Debezium Server leaves them, a destination with its ledger, and Kafka. Nobody
 * reads the slot: it stands until a test moves it.
 */
final class CapturedSource implements AutoCloseable {

    static final Duration LIMIT = Duration.ofSeconds(60);
    static final long EPOCH = 1;
    static final int CHUNK_ROWS = 1_000;

    private static int pipelines;

    final Pipeline pipeline = new Pipeline("captured" + ++pipelines);
    final Messages messages = new Messages(pipeline);
    final SourceTables tables;
    final SourceCapture capture;
    final DestinationTables destinations;
    final DefinitionFollow follow;
    final Ledger ledger;
    final KafkaClients kafka;
    final Topics topics;
    private final String database = SharedServers.freshDatabase(SharedServers.source());
    private final String destinationDatabase = SharedServers.freshDatabase(SharedServers.destination());
    private final Vertx vertx = Vertx.vertx();
    private final Databases databases;

    private record Config(String pipeline, Optional<String> hashSalt, Source source, Destination destination)
            implements DatabaseConfig {}

    private record AtSource(String url, int connectionsMax) implements DatabaseConfig.Source {
        @Override
        public DatabaseConfig.Replica replica() {
            return Optional::empty;
        }
    }

    private record AtDestination(
            String url, int connectionsMax, Map<String, String> schemas, DroppedColumns droppedColumns)
            implements DatabaseConfig.Destination {}

    CapturedSource() throws SQLException {
        var config = new Config(
                pipeline.name(),
                Optional.empty(),
                new AtSource(SharedServers.source().url(database), 4),
                new AtDestination(
                        SharedServers.destination().url(destinationDatabase),
                        4,
                        Map.of(),
                        DroppedColumns.KEEP));
        databases = new Databases(config, vertx);
        tables = new SourceTables(databases, pipeline);
        destinations = new DestinationTables(databases, databases.schemas(), pipeline);
        follow = new DefinitionFollow(databases, tables, databases.schemas(), pipeline, config);
        capture = new SourceCapture(databases, pipeline);
        ledger = new Ledger(databases, pipeline);
        kafka = new KafkaClients(new SmallRyeConfigBuilder()
                .withSources(new PropertiesConfigSource(
                        Map.of("kafka.bootstrap.servers", SharedServers.kafka().bootstrapServers()), "test", 100))
                .build());
        topics = new Topics(kafka, pipeline);
        await(ledger.create());
        makeCaptureOffsets();
        onSource("CREATE PUBLICATION " + pipeline.publication());
        onSource("SELECT pg_create_logical_replication_slot('" + pipeline.slot() + "', 'pgoutput')");
    }

    void makeCaptureOffsets() {
        try (Admin admin = kafka.admin()) {
            admin.createTopics(List.of(new NewTopic(pipeline.captureOffsetsTopic(), Optional.of(1), Optional.empty())))
                    .all()
                    .toCompletionStage()
                    .toCompletableFuture()
                    .join();
        }
    }

    Effects effects() {
        return new Effects(
                tables,
                new KeyOrders(databases, databases.schemas()),
                new SourceKeys(databases),
                capture,
                partitions(),
                destinations,
                follow,
                ledger,
                topics,
                messages,
                command -> {},
                LIMIT);
    }

    SourceWatch sourceWatch() {
        return new SourceWatch(new SourceLoad(databases, pipeline), tables);
    }

    /** The table's definition with the order of its key that both sides have. */
    Uni<TableDefinition> compared(TableName table) {
        return tables.inspect(table)
                .chain(definition -> new KeyOrders(databases, databases.schemas()).compare(definition, TableOptions.NONE))
                .map(KeyOrders.Compared::definition);
    }

    Partitions partitions() {
        return new Partitions(databases, pipeline);
    }

    /** The table with its queue, in the publication. */
    CaptureIdentity join(TableName table) {
        TableDefinition definition = await(tables.inspect(table));
        String topicId = topics.ensureQueue(table).topicId();
        return await(capture.join(definition, List.of(), EPOCH, topicId, topics.captureId().orElseThrow()));
    }

    /** As Debezium Server does once Kafka has everything. */
    void moveSlot() throws SQLException {
        onSource("SELECT pg_replication_slot_advance('" + pipeline.slot() + "', pg_current_wal_lsn())");
    }

    void onSource(String statement) throws SQLException {
        try (var connection = SharedServers.source().connect(database); var sql = connection.createStatement()) {
            sql.execute(statement);
        }
    }

    Connection source() throws SQLException {
        return SharedServers.source().connect(database);
    }

    Connection destination() throws SQLException {
        return SharedServers.destination().connect(destinationDatabase);
    }

    boolean isPublished(TableName table) {
        try (var connection = SharedServers.source().connect(database);
                var sql = connection.prepareStatement("SELECT FROM pg_publication_tables WHERE pubname = ? "
                        + "AND schemaname = ? AND tablename = ?")) {
            sql.setString(1, pipeline.publication());
            sql.setString(2, table.schema());
            sql.setString(3, table.name());
            return sql.executeQuery().next();
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    static <T> T await(Uni<T> uni) {
        return uni.await().atMost(LIMIT);
    }

    @Override
    public void close() throws SQLException {
        databases.source().close();
        databases.destination().close();
        vertx.closeAndAwait();
        onSource("SELECT pg_drop_replication_slot('" + pipeline.slot() + "')");
    }
}
