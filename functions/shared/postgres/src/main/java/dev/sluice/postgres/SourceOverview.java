package dev.sluice.postgres;

import dev.sluice.domain.Pipeline;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Tuple;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.Optional;

/** What a person wants to know of the two databases at a glance. Changes nothing there. */
@Singleton
public class SourceOverview {

    private final Database source;
    private final Database destination;
    private final Pipeline pipeline;

    @Inject
    public SourceOverview(Databases databases, Pipeline pipeline) {
        this.source = databases.source();
        this.destination = databases.destination();
        this.pipeline = pipeline;
    }

    /**
     * The pipeline's slot.
     *
     * @param lagBytes of WAL that Kafka has not acknowledged
     * @param retainedBytes of WAL that the source keeps for it
     * @param safeBytes that may still be written before the source throws away what the slot needs; empty: no limit
     */
    public record Slot(
            boolean active, long lagBytes, long retainedBytes, Optional<Long> safeBytes, String walStatus) {}

    /** @return empty if there is none */
    public Uni<Optional<Slot>> slot() {
        return source.query("""
                        SELECT active, greatest(coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn), 0), 0)::int8,
                               greatest(coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0), 0)::int8,
                               safe_wal_size, coalesce(wal_status, '')
                        FROM pg_replication_slots
                        WHERE slot_name = $1 AND slot_type = 'logical' AND database = current_database()""",
                        Tuple.of(pipeline.slot()))
                .map(rows -> Ledger.first(rows).map(row -> new Slot(
                        row.getBoolean(0),
                        row.getLong(1),
                        row.getLong(2),
                        Optional.ofNullable(row.getLong(3)),
                        row.getString(4))));
    }

    /** Fails if the destination does not answer. */
    public Uni<Void> askDestination() {
        return destination.query("SELECT 1", Tuple.tuple()).replaceWithVoid();
    }
}
