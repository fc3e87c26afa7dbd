package dev.sluice.postgres;

import dev.sluice.domain.Lsn;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableName;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.Tuple;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** How busy the source is, as its own statistics say. */
@Singleton
public class SourceLoad {

    private final Database source;
    private final Optional<Database> replica;
    private final Pipeline pipeline;

    @Inject
    public SourceLoad(Databases databases, Pipeline pipeline) {
        this(databases.source(), databases.replica(), pipeline);
    }

    SourceLoad(Database source, Optional<Database> replica, Pipeline pipeline) {
        this.source = source;
        this.replica = replica;
        this.pipeline = pipeline;
    }

    /**
     * @param sessions of clients that are at work on a statement in any database of the server, without this pipeline's
     * @param written where the WAL ends
     * @param standbys that the server streams its WAL to
     * @param unseen why these are not all, and what to do; empty: they are
     */
    public record Load(long sessions, Lsn written, List<Standby> standbys, Optional<String> unseen) {
        public Load {
            standbys = List.copyOf(standbys);
        }
    }

    /** @param lagMillis as the server measured it when the standby last told how far it is */
    public record Standby(Lsn replayed, long lagMillis) {}

    public Uni<Load> look() {
        return source.query("""
                        SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'), current_user::text,
                               pg_current_wal_lsn()::text,
                               (SELECT count(*) FROM pg_stat_activity WHERE state = 'active'
                                AND backend_type = 'client backend' AND application_name <> $1)""", Tuple.of(pipeline.name()))
                .chain(rows -> {
                    Row row = rows.iterator().next();
                    return standbys()
                            .map(standbys -> new Load(
                                    row.getLong(3),
                                    Lsn.parse(row.getString(2)),
                                    standbys,
                                    row.getBoolean(0) ? Optional.empty() : Optional.of(hidden(row.getString(1)))));
                });
    }

    /** Without the role, the sessions of others stand there without what they do: nobody would ever be at work. */
    private static String hidden(String role) {
        return "the role " + role + " may not see what others do at the source: run GRANT pg_read_all_stats TO "
                + TableName.quote(role) + " there";
    }

    private Uni<List<Standby>> standbys() {
        return source.query("""
                        SELECT r.replay_lsn::text, (extract(epoch FROM coalesce(r.replay_lag, '0')) * 1000)::int8
                        FROM pg_stat_replication r WHERE r.replay_lsn IS NOT NULL AND NOT EXISTS (
                          SELECT FROM pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical')""", Tuple.tuple())
                .map(rows -> {
                    List<Standby> standbys = new ArrayList<>();
                    rows.forEach(row -> standbys.add(new Standby(Lsn.parse(row.getString(0)), row.getLong(1))));
                    return standbys;
                });
    }

    /** How far the standby of {@code sluice.source.replica.url} has replayed the WAL; empty if none is set. */
    public Uni<Optional<Lsn>> replica() {
        return replica.map(standby -> standby.query("SELECT pg_last_wal_replay_lsn()::text", Tuple.tuple())
                        .map(rows -> Optional.ofNullable(rows.iterator().next().getString(0)).map(Lsn::parse)))
                .orElseGet(() -> Uni.createFrom().item(Optional.empty()));
    }
}
