package dev.sluice.postgres;

import dev.sluice.domain.KeyType;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableDefinition.Column;
import dev.sluice.domain.TableDefinition.Generation;
import dev.sluice.domain.TableDefinition.KeyColumn;
import dev.sluice.domain.TableName;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.SqlConnection;
import io.vertx.mutiny.sqlclient.Tuple;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads the definition of one table, over JDBC and over the reactive client alike: both must come to the same
 * fingerprint. Expects {@code search_path=pg_catalog}, as {@link Database} sets it, so that names of types and
 * defaults of other schemas are qualified. Runs on PostgreSQL 14 and later.
 */
final class DefinitionQuery {

    /**
     * One row a column in the order of the table; one row with a NULL name for a table without columns; none for a
     * table that is not there. Its two parameters are schema and name, each used once and in this order.
     *
     * <p>What not every supported server has as a column (providers and locales of collations) is read by way of JSON.
     */
    static final String SQL = """
            WITH t AS (
              SELECT c.oid, c.relkind = 'p' AS is_partitioned
                FROM pg_catalog.pg_class c
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = $1::text::name AND c.relname = $2::text::name
                 AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
            ), server AS (
              SELECT pg_catalog.pg_encoding_to_char(d.encoding) AS encoding,
                     coalesce(pg_catalog.to_jsonb(d) ->> 'datlocprovider', 'c') AS provider,
                     d.datcollate::text AS libc_locale,
                     coalesce(pg_catalog.to_jsonb(d) ->> 'datlocale', '') AS builtin_locale
                FROM pg_catalog.pg_database d
               WHERE d.datname = pg_catalog.current_database()
            )
            SELECT t.oid::bigint,
                   a.attname::text,
                   pg_catalog.format_type(a.atttypid, a.atttypmod),
                   a.attnotnull,
                   a.attidentity::text,
                   a.attgenerated::text,
                   pg_catalog.pg_get_expr(d.adbin, d.adrelid),
                   CASE WHEN a.attcollation <> ty.typcollation
                        THEN pg_catalog.format('%I.%I', cn.nspname, co.collname) END,
                   pg_catalog.concat_ws('/', a.xmin::text, a.atttypid::text, a.attnum::text),
                   a.atttypid::bigint,
                   server.encoding = 'UTF8' AND CASE
                     WHEN co.oid IS NULL THEN false
                     WHEN co.collprovider = 'd' AND server.provider = 'b' THEN server.builtin_locale <> ''
                     WHEN co.collprovider = 'd' AND server.provider = 'c' THEN
                       CASE WHEN server.libc_locale IN ('C', 'POSIX') THEN true
                            WHEN server.libc_locale IN ('C.UTF-8', 'C.utf8') THEN
                              -- Older C libraries have a locale of this name with another order: see for ourselves.
                              (SELECT bool_and(pg_catalog.chr(p) < pg_catalog.chr(p + 61))
                                 FROM pg_catalog.generate_series(1, 1114050, 61) p
                                WHERE p NOT BETWEEN 55000 AND 57400)
                            ELSE false END
                     WHEN co.collprovider = 'b' THEN true
                     WHEN co.collprovider = 'c' THEN co.collcollate IN ('C', 'POSIX')
                     ELSE false
                   END,
                   k.place::int,
                   t.is_partitioned
              FROM t
              CROSS JOIN server
              LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
              LEFT JOIN pg_catalog.pg_type ty ON ty.oid = a.atttypid
              LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation
              LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace
              LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
              LEFT JOIN (
                SELECT i.indrelid, u.attnum, u.place
                  FROM pg_catalog.pg_index i,
                       pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS u (attnum, place)
                 WHERE i.indisprimary AND u.place <= i.indnkeyatts
              ) k ON k.indrelid = t.oid AND k.attnum = a.attnum
             ORDER BY a.attnum
            """;

    private static final String JDBC_SQL = SQL.replace("$1", "?").replace("$2", "?");

    private DefinitionQuery() {}

    /**
     * What was read of a table.
     *
     * @param definition its key is empty when the table has none, and when a column of it is {@code unordered}
     * @param unordered columns of the key whose order Java cannot decide (R10): the table is to be refused
     * @param orders of every column, by name
     */
    record Reading(TableDefinition definition, List<UnorderedKeyColumn> unordered, Map<String, ColumnOrder> orders) {}

    /** @param why for a person, the column's type or collation in it */
    record UnorderedKeyColumn(String name, String why) {}

    /**
     * How values of a column are ordered.
     *
     * @param type empty where Java cannot decide the order, whatever the collation
     * @param byCodePoint whether text is ordered by code point without an explicit {@code COLLATE "C"}
     */
    record ColumnOrder(Optional<KeyType> type, boolean byCodePoint) {
        boolean isDecidable() {
            return type.isPresent() && (type.get() != KeyType.TEXT || byCodePoint);
        }
    }

    private record Relation(long oid, boolean isPartitioned) {}

    /** One row of {@link #SQL}, in its order. */
    private record ColumnRow(
            long tableOid,
            String name,
            String type,
            boolean notNull,
            String identity,
            String generated,
            String defaultExpression,
            String collation,
            String version,
            long typeOid,
            boolean byCodePoint,
            Integer keyPlace) {}

    /** @return empty if there is no such relation */
    static Uni<Optional<Reading>> read(SqlConnection connection, TableName table) {
        return connection.preparedQuery(SQL).execute(Tuple.of(table.schema(), table.name())).map(rows -> {
            List<ColumnRow> columns = new ArrayList<>();
            Optional<Relation> found = Optional.empty();
            for (var row : rows) {
                found = Optional.of(new Relation(row.getLong(0), row.getBoolean(12)));
                if (row.getString(1) != null) {
                    columns.add(new ColumnRow(
                            row.getLong(0),
                            row.getString(1),
                            row.getString(2),
                            row.getBoolean(3),
                            row.getString(4),
                            row.getString(5),
                            row.getString(6),
                            row.getString(7),
                            row.getString(8),
                            row.getLong(9),
                            row.getBoolean(10),
                            row.getInteger(11)));
                }
            }
            return found.map(relation -> reading(table, relation, columns));
        });
    }

    /** As the other, in the connection's transaction. Blocks. */
    static Optional<Reading> read(Connection connection, TableName table) throws SQLException {
        try (var statement = connection.prepareStatement(JDBC_SQL)) {
            statement.setString(1, table.schema());
            statement.setString(2, table.name());
            List<ColumnRow> columns = new ArrayList<>();
            Optional<Relation> found = Optional.empty();
            try (var row = statement.executeQuery()) {
                while (row.next()) {
                    found = Optional.of(new Relation(row.getLong(1), row.getBoolean(13)));
                    if (row.getString(2) != null) {
                        columns.add(new ColumnRow(
                                row.getLong(1),
                                row.getString(2),
                                row.getString(3),
                                row.getBoolean(4),
                                row.getString(5),
                                row.getString(6),
                                row.getString(7),
                                row.getString(8),
                                row.getString(9),
                                row.getLong(10),
                                row.getBoolean(11),
                                row.getObject(12, Integer.class)));
                    }
                }
            }
            return found.map(relation -> reading(table, relation, columns));
        }
    }

    private static Reading reading(TableName table, Relation relation, List<ColumnRow> rows) {
        List<Column> columns = new ArrayList<>();
        List<KeyColumn> key = new ArrayList<>();
        List<UnorderedKeyColumn> unordered = new ArrayList<>();
        Map<String, ColumnOrder> orders = new LinkedHashMap<>();
        for (ColumnRow row : rows) {
            columns.add(new Column(
                    row.name(),
                    row.type(),
                    row.notNull(),
                    generation(row),
                    Optional.ofNullable(row.defaultExpression()),
                    Optional.ofNullable(row.collation()),
                    row.version()));
            orders.put(row.name(), new ColumnOrder(keyType(row.typeOid()), row.byCodePoint()));
        }
        rows.stream()
                .filter(row -> row.keyPlace() != null)
                .sorted(Comparator.comparing(ColumnRow::keyPlace))
                .forEach(row -> {
                    ColumnOrder order = orders.get(row.name());
                    if (order.isDecidable()) {
                        key.add(new KeyColumn(row.name(), order.type().orElseThrow()));
                    } else {
                        unordered.add(new UnorderedKeyColumn(row.name(), why(row, order)));
                    }
                });
        return new Reading(
                new TableDefinition(
                        table, relation.oid(), columns, unordered.isEmpty() ? key : List.of(), relation.isPartitioned()),
                List.copyOf(unordered),
                Map.copyOf(orders));
    }

    private static String why(ColumnRow row, ColumnOrder order) {
        return order.type().isPresent()
                ? "its collation" + (row.collation() == null ? " (the database's)" : " " + row.collation())
                        + " does not order text by code point"
                : "keys of type " + row.type() + " cannot be ordered outside of PostgreSQL yet";
    }

    private static Generation generation(ColumnRow row) {
        return switch (row.generated() + row.identity()) {
            case "" -> Generation.NONE;
            case "a" -> Generation.IDENTITY_ALWAYS;
            case "d" -> Generation.IDENTITY_BY_DEFAULT;
            case "s" -> Generation.STORED;
            case "v" -> Generation.VIRTUAL;
            default -> throw new IllegalStateException("column " + row.name() + " is generated as «" + row.generated()
                    + "» with identity «" + row.identity() + "», which this version does not know");
        };
    }

    /** By the OIDs of {@code pg_type.dat}, which never change. A domain is none of them: it may bring an order. */
    private static Optional<KeyType> keyType(long typeOid) {
        return switch ((int) typeOid) {
            case 20, 21, 23, 26 -> Optional.of(KeyType.INTEGER); // int8, int2, int4, oid
            case 1700 -> Optional.of(KeyType.NUMERIC);
            case 2950 -> Optional.of(KeyType.UUID);
            case 25, 1043 -> Optional.of(KeyType.TEXT); // text, varchar
            case 17 -> Optional.of(KeyType.BYTEA);
            case 16 -> Optional.of(KeyType.BOOLEAN);
            default -> Optional.empty();
        };
    }
}
