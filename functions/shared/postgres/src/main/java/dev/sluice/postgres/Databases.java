package dev.sluice.postgres;

import dev.sluice.domain.Pipeline;
import io.vertx.mutiny.core.Vertx;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.Optional;

/** The two databases of the pipeline. They are named by role everywhere: source and destination. */
@Singleton
public class Databases {

    private final Database source;
    private final Optional<Database> replica;
    private final Database destination;
    private final Pipeline pipeline;
    private final SchemaMapping schemas;
    private final Optional<HashSalt> salt;

    @Inject
    public Databases(DatabaseConfig config, Vertx vertx) {
        pipeline = new Pipeline(config.pipeline());
        source = Database.open(
                vertx, config.source().url(), "sluice.source.url", pipeline.name(), config.source().connectionsMax());
        // Chunks are read over connections of their own.
        replica = config.source()
                .replica()
                .url()
                .map(url -> Database.open(vertx, url, "sluice.source.replica.url", pipeline.name(), 1));
        destination = Database.open(
                vertx,
                config.destination().url(),
                "sluice.destination.url",
                pipeline.name(),
                config.destination().connectionsMax());
        schemas = new SchemaMapping(config.destination().schemas());
        salt = config.hashSalt().map(HashSalt::new);
    }

    public Database source() {
        return source;
    }

    /** A standby of the source to read chunks from; empty: they are read from the source. */
    public Optional<Database> replica() {
        return replica;
    }

    public Database destination() {
        return destination;
    }

    Optional<HashSalt> salt() {
        return salt;
    }

    @Produces
    @Singleton
    public Pipeline pipeline() {
        return pipeline;
    }

    @Produces
    @Singleton
    public SchemaMapping schemas() {
        return schemas;
    }

    @PreDestroy
    void close() {
        source.close();
        replica.ifPresent(Database::close);
        destination.close();
    }
}
