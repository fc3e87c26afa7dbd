package dev.sluice.postgres;

import dev.sluice.domain.TableName;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.SqlConnection;
import io.vertx.mutiny.sqlclient.Tuple;
import java.util.List;

/** Types whose values do not travel as text. */
final class UncarriedTypes {

    /**
     * Through arrays, domains, attributes, ranges and multiranges. Types of a fixed length (name, point) may name elements,
     * but have a text of their own. Runs on PostgreSQL 14 and later.
     */
    private static final String SQL = """
            WITH RECURSIVE base (name, type) AS (
              SELECT a.attname, a.atttypid FROM pg_attribute a
              JOIN pg_class c ON c.oid = a.attrelid
              JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = ANY ($3::text[])
                AND a.attnum > 0 AND NOT a.attisdropped
              UNION
              SELECT base.name, inner_type.oid FROM base
              JOIN pg_type t ON t.oid = base.type
              LEFT JOIN pg_attribute field ON field.attrelid = t.typrelid AND t.typrelid <> 0
                AND field.attnum > 0 AND NOT field.attisdropped
              LEFT JOIN pg_range r ON t.oid IN (r.rngtypid, r.rngmultitypid)
              JOIN pg_type inner_type ON inner_type.oid IN (
                t.typbasetype, CASE t.typlen WHEN -1 THEN t.typelem END, field.atttypid, r.rngsubtype)
              WHERE inner_type.oid <> 0)
            SELECT format_type(base.type, NULL), CASE
                WHEN t.typtype = 'c' THEN 'which differs from one version to the next'
                WHEN base.type = '"char"'::regtype
                  THEN 'whose upper half PostgreSQL before 16 neither writes nor reads as text'
                ELSE 'which PostgreSQL writes as text but does not read' END, base.name::text
            FROM base
            JOIN pg_type t ON t.oid = base.type
            LEFT JOIN pg_class c ON c.oid = t.typrelid
            WHERE NOT t.typisdefined
              OR t.typtype = 'c' AND t.typnamespace IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
              OR c.relkind <> 'c' AND EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                AND d.objid = c.oid AND d.deptype = 'e')
              OR base.type = '"char"'::regtype AND current_setting('server_version_num')::int < 160000
              OR t.typtype = 'b' AND t.typname IN ('pg_node_tree', 'pg_ndistinct', 'pg_dependencies',
                'pg_mcv_list', 'pg_brin_bloom_summary', 'pg_brin_minmax_multi_summary', 'gtsvector')
                AND t.typnamespace = 'pg_catalog'::regnamespace
              OR t.typtype = 'b' AND t.typname IN ('gtrgm', 'ghstore', 'ltree_gist', 'intbig_gkey', 'gbtreekey2',
                'gbtreekey4', 'gbtreekey8', 'gbtreekey16', 'gbtreekey32', 'gbtreekey_var')
                AND EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid
                  AND d.deptype = 'e')
            ORDER BY base.name, t.typtype <> 'c', 1 LIMIT 1""";

    private UncarriedTypes() {}

    /**
     * @param connection to either side
     * @param table as that side names it
     * @param columns of it
     * @throws RefusedException (in the Uni) if a column has such a type, or one that is made of such a type
     */
    static Uni<Void> refuse(SqlConnection connection, TableName table, List<String> columns) {
        return connection
                .preparedQuery(SQL)
                .execute(Tuple.of(table.schema(), table.name(), columns.toArray(String[]::new)))
                .map(rows -> {
                    Ledger.first(rows).ifPresent(row -> {
                        throw new RefusedException(
                                "the column " + TableName.quote(row.getString(2)) + " of " + table
                                        + " holds values of type " + row.getString(0) + ", " + row.getString(1),
                                "give the column another type (text, for example), or leave it out of the table");
                    });
                    return null;
                });
    }
}
