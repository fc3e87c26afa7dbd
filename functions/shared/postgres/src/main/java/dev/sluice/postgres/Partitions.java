package dev.sluice.postgres;

import dev.sluice.domain.CaptureIdentity;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableName;
import dev.sluice.postgres.Partition.Trace;
import dev.sluice.postgres.PartitionQuery.Found;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.vertx.core.json.JsonObject;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.Tuple;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Keeps watch over the partitions of the tables that are carried (R21). The ledger knows those of each run from before
 * its first chunk was read; one that is made later and never held a row of another origin is added to them. Whatever
 * else happens to a partition itself is found by comparing, however late that is done.
 */
@Singleton
public class Partitions {

    private final Database source;
    private final Database destination;
    private final Pipeline pipeline;
    private final String ledger;

    @Inject
    public Partitions(Databases databases, Pipeline pipeline) {
        this(databases.source(), databases.destination(), pipeline);
    }

    Partitions(Database source, Database destination, Pipeline pipeline) {
        this.source = source;
        this.destination = destination;
        this.pipeline = pipeline;
        this.ledger = TableName.quote(pipeline.ledgerSchema());
    }

    /**
     * Notes the partitions that the run begins with, once: a second time changes nothing, for by then chunks may have
     * been read. To be called after the table joined the publication and before the first chunk is read.
     *
     * @throws Ledger.FencedException (in the Uni) if the run is not open
     */
    public Uni<Void> note(TableDefinition definition, long run) {
        if (!definition.isPartitioned()) {
            return Uni.createFrom().voidItem();
        }
        return source.withConnection(connection ->
                        PartitionQuery.read(
                                connection, Map.of(definition.oid(), List.of()), pipeline.publication()))
                .map(found -> Optional.ofNullable(found.get(definition.oid()))
                        .orElseThrow(() -> new RefusedException(
                                "the table was dropped just now", "start a new backfill of the table")))
                .chain(found -> destination.query(
                        "INSERT INTO " + ledger + ".partitions (table_name, run, known) "
                                + "SELECT table_name, run, $3::text::jsonb FROM " + ledger + ".runs "
                                + "WHERE table_name = $1 AND run = $2 AND state = 'OPEN' "
                                + "ON CONFLICT (table_name, run) DO UPDATE SET known = partitions.known",
                        Tuple.of(
                                definition.table().toString(),
                                run,
                                json(Partition.added(Map.of(), found.partitions())).encode())))
                .map(rows -> {
                    if (rows.rowCount() != 1) {
                        throw new Ledger.FencedException(
                                "the partitions of " + definition.table() + " are not noted: run " + run + " is not open");
                    }
                    return null;
                });
    }

    /**
     * Finds the partitioned tables whose rows came or went with a partition, and follows the others.
     *
     * @return only the broken ones
     */
    public Uni<Map<TableName, Fault>> broken(Map<TableName, CaptureIdentity> identities) {
        Map<Long, TableName> byOid = new LinkedHashMap<>();
        Map<Long, List<String>> named = new LinkedHashMap<>();
        identities.forEach((table, identity) -> {
            byOid.put(identity.tableOid(), table);
            named.put(identity.tableOid(), identity.named().orElse(List.of()));
        });
        if (byOid.isEmpty()) {
            return Uni.createFrom().item(Map.of());
        }
        return partitioned(byOid.keySet()).chain(oids -> {
            byOid.keySet().retainAll(oids);
            named.keySet().retainAll(oids);
            // What is known first: read after, it may be that of a run which began later.
            return byOid.isEmpty()
                    ? Uni.createFrom().item(Map.of())
                    : known(byOid.values())
                            .chain(known -> source.inTransaction(connection -> connection
                                            .query("SET LOCAL lock_timeout = '5s'")
                                            .execute()
                                            .chain(() -> PartitionQuery.read(
                                                    connection, named, pipeline.publication(), Optional.of(oidsOf(known)))))
                                    .chain(found -> compare(byOid, known, found)));
        });
    }

    private static Set<Long> oidsOf(Map<TableName, Map<Long, Trace>> known) {
        return known.values().stream().flatMap(traces -> traces.keySet().stream()).collect(Collectors.toSet());
    }

    private Uni<Set<Long>> partitioned(Collection<Long> tables) {
        return source.query(
                        "SELECT oid::int8 FROM pg_class WHERE oid IN (SELECT w.oid::oid FROM unnest($1::int8[]) w (oid)) "
                                + "AND relkind = 'p'",
                        Tuple.tuple().addArrayOfLong(tables.toArray(Long[]::new)))
                .map(rows -> {
                    Set<Long> partitioned = new HashSet<>();
                    rows.forEach(row -> partitioned.add(row.getLong(0)));
                    return partitioned;
                });
    }

    private Uni<Map<TableName, Fault>> compare(
            Map<Long, TableName> byOid, Map<TableName, Map<Long, Trace>> known, Map<Long, Found> found) {
        Map<TableName, Fault> broken = new LinkedHashMap<>();
        Map<TableName, Map<Long, Trace>> added = new LinkedHashMap<>();
        found.forEach((oid, now) -> {
            TableName table = byOid.get(oid);
            Map<Long, Trace> before = known.get(table);
            if (before == null) {
                return;
            }
            if (now.isCaptured().filter(captured -> !captured).isPresent()) {
                broken.put(table, Fault.refused(
                        "the publication " + pipeline.publication()
                                + " sends changes of a partition under the partition's name (publish_via_partition_root "
                                + "is off)",
                        "find out who alters the publication, then start a new backfill of the table"));
                return;
            }
            Partition.difference(before, now.partitions())
                    .ifPresentOrElse(
                            fault -> broken.put(table, fault),
                            () -> added.put(table, Partition.added(before, now.partitions())));
        });
        added.values().removeIf(Map::isEmpty);
        return Multi.createFrom()
                .iterable(added.entrySet())
                .onItem()
                .transformToUniAndConcatenate(entry -> add(entry.getKey(), entry.getValue()))
                .collect()
                .last()
                .replaceWith(broken);
    }

    /** To every run that may decide once more: after a cancelled one it is the run before. What is known stays. */
    private Uni<Void> add(TableName table, Map<Long, Trace> added) {
        return destination
                .query(
                        "UPDATE " + ledger + ".partitions SET known = $2::text::jsonb || known WHERE table_name = $1",
                        Tuple.of(table.toString(), json(added).encode()))
                .replaceWithVoid();
    }

    /** Of the newest run that was not cancelled. */
    private Uni<Map<TableName, Map<Long, Trace>>> known(Collection<TableName> tables) {
        return destination
                .query(
                        "SELECT DISTINCT ON (table_name) table_name, known::text FROM " + ledger + ".partitions JOIN "
                                + ledger + ".runs USING (table_name, run) WHERE table_name = ANY ($1) "
                                + "AND state <> 'CANCELLED' ORDER BY table_name, run DESC",
                        Tuple.tuple()
                                .addArrayOfString(tables.stream().map(TableName::toString).toArray(String[]::new)))
                .map(rows -> {
                    Map<TableName, Map<Long, Trace>> known = new HashMap<>();
                    for (Row row : rows) {
                        known.put(TableName.parse(row.getString(0)), traces(new JsonObject(row.getString(1))));
                    }
                    return known;
                });
    }

    private static JsonObject json(Map<Long, Trace> traces) {
        var json = new JsonObject();
        traces.forEach((oid, trace) -> json.put(
                oid.toString(),
                new JsonObject()
                        .put("schema", trace.name().schema())
                        .put("name", trace.name().name())
                        .put("attached", trace.attached())
                        .put("file", trace.file())));
        return json;
    }

    private static Map<Long, Trace> traces(JsonObject json) {
        Map<Long, Trace> traces = new LinkedHashMap<>();
        for (String oid : json.fieldNames()) {
            JsonObject trace = json.getJsonObject(oid);
            traces.put(
                    Long.parseLong(oid),
                    new Trace(
                            new TableName(trace.getString("schema"), trace.getString("name")),
                            trace.getString("attached"),
                            trace.getLong("file")));
        }
        return traces;
    }
}
