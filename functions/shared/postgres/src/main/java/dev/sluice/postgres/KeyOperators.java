package dev.sluice.postgres;

import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableDefinition.KeyColumn;
import dev.sluice.domain.TableName;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.SqlConnection;
import java.util.List;
import java.util.Optional;

/**
 * Lets a transaction find the operators of a key's types. Those of an extension's type stand in its schema: without that
 * in the search path, a citext would be compared as the text that it can be cast to, and its index would order it
 * otherwise.
 */
final class KeyOperators {

    private KeyOperators() {}

    /**
     * SQL that sets the search path until the end of the transaction; empty where the key needs none. Definitions must
     * be read before: names of types are written otherwise afterwards.
     *
     * @param table at the server where this runs
     * @param key of the source
     */
    static Optional<String> find(TableName table, List<KeyColumn> key) {
        if (TableDefinition.order(key).isPresent()) {
            return Optional.empty();
        }
        List<String> columns =
                key.stream().map(column -> ChunkStatements.literal(column.name())).toList();
        return Optional.of("""
                SELECT set_config('search_path', 'pg_catalog' || coalesce((
                  WITH RECURSIVE base (type) AS (
                    SELECT a.atttypid FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                    JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE n.nspname = @schema AND c.relname = @table AND a.attname IN (@columns)
                    UNION
                    SELECT t.typbasetype FROM base JOIN pg_type t ON t.oid = base.type WHERE t.typtype = 'd')
                  SELECT string_agg(DISTINCT ', ' || quote_ident(n.nspname), '')
                  FROM base JOIN pg_type t ON t.oid = base.type JOIN pg_namespace n ON n.oid = t.typnamespace
                  WHERE t.typtype = 'b' AND n.nspname <> 'pg_catalog'), ''), true)"""
                .replace("@schema", ChunkStatements.literal(table.schema()))
                .replace("@table", ChunkStatements.literal(table.name()))
                .replace("@columns", String.join(", ", columns)));
    }

    /** Sets the search path of {@link #find(TableName, List)} on a connection. */
    static Uni<Void> find(SqlConnection connection, TableName table, List<KeyColumn> key) {
        return find(table, key)
                .map(sql -> connection.query(sql).execute().replaceWithVoid())
                .orElseGet(() -> Uni.createFrom().voidItem());
    }
}
