package dev.sluice.postgres;

import dev.sluice.domain.Fault;
import dev.sluice.domain.TableName;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.SqlConnection;
import io.vertx.mutiny.sqlclient.Tuple;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Reads the partitions of partitioned tables, of every depth, from the source's catalogs. */
final class PartitionQuery {

    /**
     * One row a partition with rows of its own, and one without a partition for a table that has none.
     *
     * <p>A partition that ATTACH is finished with has had each of its columns rewritten. One made by CREATE TABLE …
     * PARTITION OF has its columns as they were made, in one command with those of the system: even in a transaction
     * that made, filled and attached a table, the two have different commands.
     */
    private static final String SQL = """
            WITH RECURSIVE tree (root, oid, attached, is_made) AS (
              SELECT c.oid, c.oid, '{}'::text[], true FROM pg_class c
              WHERE c.oid IN (SELECT w.oid::oid FROM unnest($1::int8[]) w (oid)) AND c.relkind = 'p'
              UNION ALL
              SELECT tree.root, i.inhrelid, tree.attached || i.xmin::text,
                     tree.is_made AND i.xmin = made.xmin AND EXISTS (
                       SELECT FROM pg_attribute a
                       WHERE a.attrelid = i.inhrelid AND a.attnum > 0 AND a.xmin = made.xmin
                         AND a.cmin = made.cmin AND a.xmax = '0' AND made.xmax = '0')
              FROM tree
              JOIN pg_inherits i ON i.inhparent = tree.oid AND NOT i.inhdetachpending
              JOIN pg_attribute made ON made.attrelid = i.inhrelid AND made.attname = 'tableoid' AND made.attnum < 0),
            -- What names a row: the index that is the replica identity, and with FULL the primary key.
            identity (oid, index, names) AS (
              SELECT c.oid, k.indexrelid, ARRAY(
                SELECT a.attname::text FROM unnest(k.indkey::int2[]) WITH ORDINALITY u (place, number)
                JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.place WHERE u.number <= k.indnkeyatts)
              FROM tree
              JOIN pg_class c ON c.oid = tree.oid
              JOIN pg_index k ON k.indrelid = c.oid AND k.indimmediate AND k.indisvalid
                AND CASE c.relreplident WHEN 'i' THEN k.indisreplident ELSE k.indisprimary END)
            SELECT root.oid::int8, c.oid::int8, n.nspname::text, c.relname::text, array_to_string(leaf.attached, '>'),
                   c.relfilenode::int8, c.relkind::text, c.relpersistence::text,
                   -- Last of all: to ask for a size waits for a lock that another may hold for long.
                   CASE WHEN $3::int8[] IS NULL OR c.oid::int8 = ANY ($3) THEN true
                     WHEN c.relfilenode <> c.oid THEN false
                     WHEN leaf.is_made THEN true
                     ELSE pg_relation_size(c.oid) = 0 END,
                   c.relreplident::text,
                   EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
                     AND a.attgenerated <> '' AND NOT a.attisdropped),
                   own.names, key.names,
                   CASE root.relreplident WHEN 'i' THEN (
                     SELECT i.relname::text FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
                     WHERE x.indrelid = c.oid AND pg_partition_root(x.indexrelid) = key.index) END,
                   EXISTS (SELECT FROM pg_publication_rel m WHERE m.prrelid = c.oid AND m.prpubid = p.oid),
                   p.pubviaroot
            FROM pg_class root
            LEFT JOIN (tree leaf JOIN pg_class c ON c.oid = leaf.oid AND c.relkind <> 'p'
                       JOIN pg_namespace n ON n.oid = c.relnamespace)
              ON leaf.root = root.oid
            LEFT JOIN identity key ON key.oid = root.oid
            LEFT JOIN identity own ON own.oid = c.oid AND c.relreplident IN ('d', 'i')
            LEFT JOIN pg_publication p ON p.pubname = $2
            WHERE root.oid IN (SELECT w.oid::oid FROM unnest($1::int8[]) w (oid)) AND root.relkind = 'p'
            ORDER BY 1, 3, 4""";

    private PartitionQuery() {}

    /**
     * What was found of one partitioned table.
     *
     * @param isCaptured whether changes of its partitions come under its name; unknown without a publication
     */
    record Found(List<Partition> partitions, Optional<Boolean> isCaptured) {}

    /**
     * Reads without judging whether a partition is clean.
     *
     * @param tables OIDs, each with the columns that the user has named as its key, or none; one that is not a
     *     partitioned table is left out of the answer
     */
    static Uni<Map<Long, Found>> read(SqlConnection connection, Map<Long, List<String>> tables, String publication) {
        return read(connection, tables, publication, Optional.empty());
    }

    /**
     * As the other, and judges whether partitions are clean that are not known yet.
     *
     * @param known OIDs of partitions; empty: none is judged
     */
    static Uni<Map<Long, Found>> read(
            SqlConnection connection,
            Map<Long, List<String>> tables,
            String publication,
            Optional<Set<Long>> known) {
        return connection
                .preparedQuery(SQL)
                .execute(Tuple.of(
                        tables.keySet().toArray(Long[]::new),
                        publication,
                        known.map(oids -> oids.toArray(Long[]::new)).orElse(null)))
                .map(rows -> {
                    Map<Long, Found> found = new LinkedHashMap<>();
                    for (Row row : rows) {
                        Found table = found.computeIfAbsent(
                                row.getLong(0),
                                oid -> new Found(new ArrayList<>(), Optional.ofNullable(row.getBoolean(15))));
                        if (row.getLong(1) != null) {
                            table.partitions().add(partition(row, tables.get(row.getLong(0))));
                        }
                    }
                    return found;
                });
    }

    private static Partition partition(Row row, List<String> named) {
        TableName name = new TableName(row.getString(2), row.getString(3));
        return new Partition(
                row.getLong(1),
                new Partition.Trace(name, row.getString(4), row.getLong(5)),
                row.getBoolean(8),
                unfit(name, row, named));
    }

    private static Optional<Fault> unfit(TableName name, Row row, List<String> named) {
        if (!row.getString(6).equals("r")) {
            return Optional.of(Fault.refused(
                    "the partition " + name + " is a foreign table, whose changes are not captured",
                    "detach it, or make it an ordinary table"));
        }
        if (!row.getString(7).equals("p")) {
            return Optional.of(Fault.refused(
                    "the partition " + name + " is unlogged: its changes do not stand in the WAL",
                    "run ALTER TABLE " + name.sql() + " SET LOGGED at the source, then start a new backfill"));
        }
        if (!namesRows(row, named)) {
            return Optional.of(Fault.refused(
                    "the replica identity of the partition " + name + " does not name its rows by the key of the "
                            + "partitioned table, or with a generated column",
                    "run ALTER TABLE " + name.sql() + " REPLICA IDENTITY " + fitting(row, named)
                            + " at the source, then start a new backfill"));
        }
        if (row.getBoolean(14)) {
            return Optional.of(Fault.refused(
                    "the partition " + name + " is in the publication by itself too",
                    "remove it from this pipeline: its rows come with the partitioned table"));
        }
        return Optional.empty();
    }

    /**
     * Whether what the WAL has of a row before a change names it as the partitioned table does. With any other columns,
     * a change of the key would look like none, and a DELETE would not say which row.
     */
    private static boolean namesRows(Row row, List<String> named) {
        if (row.getString(9).equals("f")) {
            return !row.getBoolean(10);
        }
        Optional<Set<String>> own = names(row, 11);
        return own.isPresent() && own.equals(key(row, named));
    }

    /** The columns that name a row of the partitioned table; empty if only the whole row does. */
    private static Optional<Set<String>> key(Row row, List<String> named) {
        return named.isEmpty() ? names(row, 12) : Optional.of(Set.copyOf(named));
    }

    private static Optional<Set<String>> names(Row row, int place) {
        return Optional.ofNullable(row.getArrayOfStrings(place)).map(columns -> Set.copyOf(List.of(columns)));
    }

    private static String fitting(Row row, List<String> named) {
        Optional<String> index = Optional.ofNullable(row.getString(13));
        if (index.isPresent()) {
            return "USING INDEX " + TableName.quote(index.get());
        }
        return names(row, 12).isPresent() && key(row, named).equals(names(row, 12)) ? "DEFAULT" : "FULL";
    }
}
