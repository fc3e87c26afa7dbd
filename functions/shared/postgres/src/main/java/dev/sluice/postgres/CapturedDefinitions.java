package dev.sluice.postgres;

import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableDefinition.Column;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.postgres.CapturedDefinition.CapturedColumn;
import io.smallrye.mutiny.Uni;
import io.vertx.core.json.JsonObject;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.SqlConnection;
import io.vertx.mutiny.sqlclient.Tuple;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads a {@link CapturedDefinition} from the source, and keeps it in the ledger: beside the position up to which
 * changes are applied, so that whoever locks the one has the other.
 */
final class CapturedDefinitions {

    private final Database source;
    private final Database destination;
    private final String tables;

    /** @param ledger the schema of the ledger, quoted */
    CapturedDefinitions(Database source, Database destination, String ledger) {
        this.source = source;
        this.destination = destination;
        this.tables = ledger + ".tables";
    }

    /** The source's definition at one moment, in both forms. */
    record Now(TableDefinition definition, CapturedDefinition captured) {}

    /**
     * What the ledger knows of a table.
     *
     * @param captured empty if no run of it got so far
     */
    record Known(Optional<CapturedDefinition> captured, TableOptions options) {}

    /**
     * @param named the columns of its key, if they are not to be chosen
     * @throws RefusedException (in the Uni) if there is no such table
     */
    Uni<Now> now(TableName table, List<String> named) {
        // One snapshot: a table that is just being altered must not be read by halves.
        return source.inShortTransaction(connection -> connection
                .query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL statement_timeout = '30s'")
                .execute()
                .chain(() -> DefinitionQuery.read(connection, table, named))
                .map(reading -> reading.orElseThrow(() -> new RefusedException(
                        "the source has no table " + table + " any more", "start a new backfill once it is there again")))
                .chain(reading -> withFacts(connection, reading.definition())));
    }

    private static Uni<Now> withFacts(SqlConnection connection, TableDefinition definition) {
        return connection
                .preparedQuery("""
                        WITH held AS (
                          SELECT $1::int8::oid AS oid
                          UNION SELECT relid FROM pg_partition_tree($1::int8::oid) WHERE isleaf)
                        SELECT (SELECT coalesce(string_agg(concat(f.oid, ':', f.relfilenode), ' ' ORDER BY f.oid), '')
                                FROM held JOIN pg_class f USING (oid) WHERE f.relkind = 'r'),
                               a.attname::text, a.attnum::int4, d.oid::int8, missing.value, missing.differ,
                               c.relnatts::int4
                        FROM pg_class c
                        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                        LEFT JOIN LATERAL (
                          -- A partition that was made after the column has no rows that are older than it.
                          SELECT min(v.value) AS value, count(DISTINCT v.value) > 1 AS differ
                          FROM (SELECT CASE WHEN h.atthasmissing THEN array_to_string(h.attmissingval, '') END
                                FROM held JOIN pg_class f USING (oid) JOIN pg_attribute h ON h.attrelid = f.oid
                                WHERE f.relkind = 'r' AND h.attname = a.attname AND NOT h.attisdropped) v (value)
                        ) missing ON true
                        WHERE c.oid = $1::int8::oid""")
                .execute(Tuple.of(definition.oid()))
                .map(rows -> {
                    String storage = "";
                    int places = 0;
                    Map<String, Row> facts = new HashMap<>();
                    for (Row row : rows) {
                        storage = row.getString(0);
                        places = row.getInteger(6);
                        if (row.getString(1) != null) {
                            facts.put(row.getString(1), row);
                        }
                    }
                    List<CapturedColumn> columns = new ArrayList<>();
                    for (Column column : definition.columns()) {
                        Row row = facts.get(column.name());
                        columns.add(new CapturedColumn(
                                row.getInteger(2),
                                column.name(),
                                column.type(),
                                column.notNull(),
                                column.generation(),
                                column.collation(),
                                column.version(),
                                Optional.ofNullable(row.getLong(3)),
                                Optional.ofNullable(row.getString(4)),
                                row.getBoolean(5)));
                    }
                    return new Now(
                            definition,
                            new CapturedDefinition(
                                    definition.fingerprint(),
                                    Storage.parse(storage),
                                    columns,
                                    places,
                                    definition.keyColumns(),
                                    Map.of()));
                });
    }

    /**
     * Keeps every batch of the table's changes out until the end of the transaction.
     *
     * @return empty if the ledger does not have the table
     */
    Uni<Optional<Known>> lock(SqlConnection connection, TableName table) {
        return connection
                .preparedQuery("SELECT definition, options::text FROM " + tables + " WHERE table_name = $1 FOR UPDATE")
                .execute(Tuple.of(table.toString()))
                .map(rows -> Ledger.first(rows)
                        .map(row -> new Known(
                                Optional.ofNullable(row.getJsonObject(0)).map(CapturedDefinition::of),
                                OptionsText.read(row.getString(1)))));
    }

    Uni<Void> write(SqlConnection connection, TableName table, CapturedDefinition captured) {
        return connection
                .preparedQuery("UPDATE " + tables + " SET definition = $2 WHERE table_name = $1")
                .execute(Tuple.of(table.toString(), captured.json()))
                .replaceWithVoid();
    }

    /** What the ledger has now, without a lock. */
    Uni<Optional<CapturedDefinition>> read(TableName table) {
        return destination
                .query("SELECT definition FROM " + tables + " WHERE table_name = $1", Tuple.of(table.toString()))
                .map(rows -> Ledger.first(rows)
                        .map(row -> (JsonObject) row.getJsonObject(0))
                        .map(CapturedDefinition::of));
    }

    /** The fingerprint of the source's definition now; empty if the table is not there. */
    Uni<Optional<String>> fingerprint(TableName table, List<String> named) {
        return source.withConnection(connection -> DefinitionQuery.read(connection, table, named))
                .map(reading -> reading.map(found -> found.definition().fingerprint()));
    }
}
