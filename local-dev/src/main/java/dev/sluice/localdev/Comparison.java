package dev.sluice.localdev;

import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableName;
import dev.sluice.postgres.DatabaseConfig;
import dev.sluice.postgres.DroppedColumns;
import dev.sluice.postgres.Databases;
import dev.sluice.postgres.DroppedColumns;
import dev.sluice.postgres.TableComparison;
import io.vertx.mutiny.core.Vertx;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Compares tables of the source with the destination's, value for value, while nobody writes to either. */
final class Comparison implements AutoCloseable {

    private static final Duration LIMIT = Duration.ofHours(1);

    private final Vertx vertx = Vertx.vertx();
    private final TableComparison tables;

    Comparison(Pipeline pipeline, String sourceUrl, String destinationUrl) {
        var databases = new Databases(new Config(pipeline.name(), new At(sourceUrl), new At(destinationUrl)), vertx);
        tables = new TableComparison(databases, databases.schemas());
    }

    ComparedTable compare(TableName table) {
        long started = System.nanoTime();
        TableComparison.Result result = tables.compare(table).await().atMost(LIMIT);
        List<String> told = result.told().stream()
                .map(difference -> switch (difference.kind()) {
                    case ONLY_AT_SOURCE -> "only at the source: " + difference.key();
                    case ONLY_AT_DESTINATION -> "only at the destination: " + difference.key();
                    case DIFFERS -> "differs: " + difference.key();
                })
                .toList();
        return new ComparedTable(table, result.rowsAtSource(), result.rowsAtDestination(), result.differences(), told,
                Duration.ofNanos(System.nanoTime() - started));
    }

    @Override
    public void close() {
        vertx.closeAndAwait();
    }

    private record Config(String pipeline, At source, At destination) implements DatabaseConfig {

        /** As the functions have it: they inherit the environment. */
        @Override
        public Optional<String> hashSalt() {
            return Optional.ofNullable(System.getenv("SLUICE_HASH_SALT"));
        }
    }

    private record At(String url) implements DatabaseConfig.Source, DatabaseConfig.Destination {

        @Override
        public int connectionsMax() {
            return 2;
        }

        @Override
        public DatabaseConfig.Replica replica() {
            return Optional::empty;
        }

        @Override
        public Map<String, String> schemas() {
            return Map.of();
        }

        @Override
        public DroppedColumns droppedColumns() {
            return DroppedColumns.KEEP;
        }
    }
}
