package dev.sluice.postgres;

import dev.sluice.domain.CaptureIdentity;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableName;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.SqlConnection;
import io.vertx.mutiny.sqlclient.Tuple;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Compares what capture rests on with what it rested on when the tables joined (R20), and finds the tables whose
 * definition is another one.
 *
 * <p>Runs every few seconds over every table: one query for the pipeline and one for all tables. A table's whole
 * definition is read only when a row of its columns, defaults or key was written since the state that the caller knows.
 */
final class CaptureCheck {

    static final String SLOT_HINT = "changes since it was dropped are lost: start Debezium Server, which creates the "
            + "slot anew, then start a new backfill of every table";
    static final String PUBLICATION_HINT =
            "start Debezium Server, which creates it, then start a new backfill of every table";
    private static final String BACKFILL_HINT = "start a new backfill of the table";

    private final Database source;
    private final Pipeline pipeline;

    CaptureCheck(Database source, Pipeline pipeline) {
        this.source = source;
        this.pipeline = pipeline;
    }

    static String allKindsHint(String publication) {
        return "run ALTER PUBLICATION " + publication + " SET (publish = 'insert, update, delete, truncate') at the "
                + "source, then start a new backfill";
    }

    /** @param known by table, what {@link CaptureFindings#touched} said when it was last taken care of */
    Uni<CaptureFindings> look(Map<TableName, CaptureIdentity> identities, Map<TableName, String> known) {
        if (identities.isEmpty()) {
            return Uni.createFrom().item(CaptureFindings.NONE);
        }
        // One snapshot, so that a table that is just being altered is not judged by halves.
        return source.inTransaction(connection -> connection
                .query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                .execute()
                .chain(() -> ofPipeline(connection))
                .chain(state -> ofTables(connection, state, identities, known)));
    }

    /** @param fault what breaks every table */
    private record PipelineState(Optional<Fault> fault, String systemIdentifier) {}

    private Uni<PipelineState> ofPipeline(SqlConnection connection) {
        return connection
                .preparedQuery("""
                        SELECT (SELECT system_identifier::text FROM pg_control_system()),
                               p.oid IS NOT NULL, p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate,
                               s.slot_name IS NOT NULL, s.wal_status = 'lost'
                        FROM (SELECT) always
                        LEFT JOIN pg_publication p ON p.pubname = $1
                        LEFT JOIN pg_replication_slots s
                          ON s.slot_name = $2 AND s.slot_type = 'logical' AND s.database = current_database()""")
                .execute(Tuple.of(pipeline.publication(), pipeline.slot()))
                .map(rows -> {
                    Row row = rows.iterator().next();
                    Optional<Fault> fault = Optional.empty();
                    if (!row.getBoolean(1)) {
                        fault = Optional.of(Fault.refused(
                                "the source has no publication " + pipeline.publication() + " any more",
                                PUBLICATION_HINT));
                    } else if (!row.getBoolean(2)) {
                        fault = Optional.of(Fault.refused(
                                "the publication " + pipeline.publication() + " leaves out some kinds of changes",
                                allKindsHint(TableName.quote(pipeline.publication()))));
                    } else if (!row.getBoolean(3)) {
                        fault = Optional.of(Fault.refused(
                                "the source has no replication slot " + pipeline.slot() + " any more", SLOT_HINT));
                    } else if (Boolean.TRUE.equals(row.getBoolean(4))) {
                        fault = Optional.of(Fault.refused(
                                "the source threw away WAL that the replication slot " + pipeline.slot() + " needed",
                                "raise max_slot_wal_keep_size at the source and drop the slot; " + SLOT_HINT));
                    }
                    return new PipelineState(fault, row.getString(0));
                });
    }

    private Uni<CaptureFindings> ofTables(
            SqlConnection connection,
            PipelineState state,
            Map<TableName, CaptureIdentity> identities,
            Map<TableName, String> known) {
        Map<TableName, Fault> broken = new LinkedHashMap<>();
        Map<Long, TableName> byOid = new LinkedHashMap<>();
        identities.forEach((table, identity) -> {
            if (state.fault().isPresent()) {
                broken.put(table, state.fault().get());
            } else if (!identity.systemIdentifier().equals(state.systemIdentifier())) {
                broken.put(table, Fault.refused(
                        "the source is another PostgreSQL cluster (" + state.systemIdentifier()
                                + ") than the one that was captured (" + identity.systemIdentifier() + ")",
                        "point sluice.source.url at the right server, or start a new backfill of every table"));
            } else {
                byOid.put(identity.tableOid(), table);
            }
        });
        if (byOid.isEmpty()) {
            return Uni.createFrom().item(new CaptureFindings(broken, Set.of(), Map.of(), Set.of()));
        }
        return connection
                .preparedQuery("""
                        SELECT w.oid, n.nspname::text, c.relname::text,
                               CASE WHEN c.relispartition THEN 'a partition' ELSE c.relkind::text END,
                               c.relpersistence::text,
                               m.oid::int8, (to_jsonb(m) ->> 'prqual') IS NOT NULL,
                               (to_jsonb(m) ->> 'prattrs') IS NOT NULL,
                               c.relreplident = 'f' OR EXISTS (SELECT FROM pg_index k
                                 WHERE k.indrelid = c.oid AND k.indimmediate AND k.indisvalid
                                   AND CASE c.relreplident WHEN 'd' THEN k.indisprimary
                                     WHEN 'i' THEN k.indisreplident ELSE false END),
                               concat(c.relfilenode, '/', c.relreplident, '/',
                                 (SELECT string_agg(concat(k.indexrelid, '-', k.indkey, '-', k.indisunique), ' '
                                                    ORDER BY k.indexrelid)
                                  FROM pg_index k WHERE k.indrelid = c.oid AND k.indisvalid), '/',
                                 (SELECT string_agg(concat(a.attnum, '-', a.xmin, '-', d.xmin, '-', a.attname), '/'
                                                    ORDER BY a.attnum)
                                  FROM pg_attribute a
                                  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                                  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))
                        FROM unnest($1::int8[]) w (oid)
                        LEFT JOIN pg_class c ON c.oid = w.oid::oid
                        LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
                        LEFT JOIN pg_publication_rel m ON m.prrelid = c.oid
                          AND m.prpubid = (SELECT oid FROM pg_publication WHERE pubname = $2)""")
                .execute(Tuple.of(byOid.keySet().toArray(Long[]::new), pipeline.publication()))
                .chain(rows -> {
                    List<Row> changed = new ArrayList<>();
                    Set<TableName> otherNames = new LinkedHashSet<>();
                    for (Row row : rows) {
                        TableName table = byOid.get(row.getLong(0));
                        otherName(table, row).ifPresent(otherNames::add);
                        Optional<Fault> fault = difference(table, identities.get(table), row);
                        if (fault.isPresent()) {
                            broken.put(table, fault.get());
                        } else if (!row.getString(9).equals(known.get(table))) {
                            changed.add(row);
                        }
                    }
                    Set<TableName> redefined = new LinkedHashSet<>();
                    Map<TableName, String> touched = new LinkedHashMap<>();
                    return Multi.createFrom()
                            .iterable(changed)
                            .onItem()
                            .transformToUniAndConcatenate(row -> {
                                TableName table = byOid.get(row.getLong(0));
                                return isSame(connection, table, identities.get(table)).invoke(same -> {
                                    if (same) {
                                        touched.put(table, row.getString(9));
                                    } else {
                                        redefined.add(table);
                                    }
                                });
                            })
                            .collect()
                            .last()
                            .replaceWith(() -> new CaptureFindings(broken, redefined, touched, otherNames));
                });
    }

    private static Optional<TableName> otherName(TableName table, Row row) {
        return row.getString(2) == null || row.getLong(5) == null
                ? Optional.empty()
                : Optional.of(new TableName(row.getString(1), row.getString(2))).filter(now -> !now.equals(table));
    }

    private Optional<Fault> difference(TableName table, CaptureIdentity identity, Row row) {
        if (row.getString(2) == null) {
            return refused("the table was dropped at the source");
        }
        TableName now = new TableName(row.getString(1), row.getString(2));
        if (!now.equals(table)) {
            return Optional.of(Fault.refused(
                    "the table is called " + now + " at the source now",
                    "rename it back and start a new backfill, or remove this table and add " + now));
        }
        if (row.getString(3).equals("a partition")) {
            return Optional.of(Fault.refused(
                    "the table is a partition of another one now, under whose name its changes may come",
                    "remove this table and add the partitioned one, or detach it and start a new backfill"));
        }
        if (!List.of("r", "p").contains(row.getString(3)) || !row.getString(4).equals("p")) {
            return Optional.of(Fault.refused(
                    "the table is not an ordinary, logged table any more, so its changes are not captured",
                    "run ALTER TABLE " + table.sql() + " SET LOGGED at the source, then start a new backfill"));
        }
        if (row.getLong(5) == null) {
            return refused("somebody took the table out of the publication " + pipeline.publication());
        }
        if (row.getBoolean(6) || row.getBoolean(7)) {
            return refused("the publication " + pipeline.publication() + " has a "
                    + (row.getBoolean(6) ? "row filter" : "column list") + " for the table, so changes are lost");
        }
        if (row.getLong(5) != identity.publicationMember()) {
            return refused("somebody took the table out of the publication " + pipeline.publication()
                    + " and added it again; changes in between are lost");
        }
        if (!row.getBoolean(8)) {
            return Optional.of(Fault.refused(
                    "the replica identity of the table does not name its rows any more",
                    "run ALTER TABLE " + table.sql() + " REPLICA IDENTITY DEFAULT at the source (it needs an immediate "
                            + "primary key) or REPLICA IDENTITY FULL, then start a new backfill"));
        }
        return Optional.empty();
    }

    private static Uni<Boolean> isSame(SqlConnection connection, TableName table, CaptureIdentity identity) {
        return DefinitionQuery.read(connection, table, identity.named().orElse(List.of()))
                .map(reading -> reading.filter(now -> now.definition().fingerprint().equals(identity.fingerprint()))
                        .isPresent());
    }

    private static Optional<Fault> refused(String reason) {
        return Optional.of(Fault.refused(reason, BACKFILL_HINT));
    }
}
