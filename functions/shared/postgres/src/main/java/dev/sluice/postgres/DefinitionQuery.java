package dev.sluice.postgres;

import dev.sluice.domain.KeyType;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableDefinition.Column;
import dev.sluice.domain.TableDefinition.Generation;
import dev.sluice.domain.TableDefinition.KeyColumn;
import dev.sluice.domain.TableName;
import io.smallrye.mutiny.Uni;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.mutiny.sqlclient.SqlConnection;
import io.vertx.mutiny.sqlclient.Tuple;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Reads the definition of one table, over JDBC and over the reactive client alike: both must come to the same
 * fingerprint. Expects {@code search_path=pg_catalog}, as {@link Database} sets it, so that names of types and
 * defaults of other schemas are qualified. Runs on PostgreSQL 14 and later.
 */
final class DefinitionQuery {

    private DefinitionQuery() {}

    /**
     * What was read of a table.
     *
     * @param definition its key is that of the choice, in the order that Java knows or the database
     * @param choice which key the table is followed by
     * @param indexes those that are valid and have neither a predicate nor expressions
     * @param orders of every column, by name
     */
    record Reading(
            TableDefinition definition,
            KeyChoice.Result choice,
            List<KeyChoice.Index> indexes,
            Map<String, ColumnOrder> orders) {

        Reading {
            indexes = List.copyOf(indexes);
            orders = Map.copyOf(orders);
        }
    }

    /**
     * How values of a column are ordered.
     *
     * @param type empty where Java cannot decide the order, whatever the collation
     * @param typeName of the values, without modifier and domains; {@code text} for varchar too
     * @param collates whether a collation decides
     * @param byCodePoint whether that one orders by code point
     * @param isUnicode whether {@code COLLATE "C"} would: text is in UTF-8
     * @param collation what else decides about its order: provider, locale and actual version; empty where the server
     *     cannot tell
     * @param isDeterministic whether only the same text is equal under it
     * @param others what else the order rests on (an enum's labels, the database's locale); empty where the server
     *     cannot tell
     * @param collatesInside whether parts of a value have collations of their own
     */
    record ColumnOrder(
            Optional<KeyType> type,
            String typeName,
            boolean collates,
            boolean byCodePoint,
            boolean isUnicode,
            Optional<String> collation,
            boolean isDeterministic,
            Optional<String> others,
            boolean collatesInside) {

        /** Whether Java decides, under the column's own collation. */
        boolean isJavas() {
            return type.isPresent() && (type.get() != KeyType.TEXT || byCodePoint);
        }

        ColumnOrder withOthers(Optional<String> others) {
            return new ColumnOrder(
                    type, typeName, collates, byCodePoint, isUnicode, collation, isDeterministic, others, collatesInside);
        }
    }

    /** One row of {@link DefinitionSql}, in its order. */
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
            String baseType,
            boolean collates,
            boolean isDeterministic,
            String collationVersion,
            String others,
            boolean collatesInside,
            boolean isUnicode) {}

    /** What the first row says of the table. */
    private record TableRow(long oid, String replicaIdentity, String indexes, boolean isPartitioned) {}

    static Uni<Optional<Reading>> read(SqlConnection connection, TableName table) {
        return read(connection, table, List.of());
    }

    /**
     * @param named the key that the user has chosen; empty: the table's own
     * @return empty if there is no such relation
     */
    static Uni<Optional<Reading>> read(SqlConnection connection, TableName table, List<String> named) {
        String sql = DefinitionSql.of(connection.databaseMetadata().majorVersion());
        return connection.preparedQuery(sql).execute(Tuple.of(table.schema(), table.name())).map(rows -> {
            List<ColumnRow> columns = new ArrayList<>();
            Optional<TableRow> first = Optional.empty();
            for (var row : rows) {
                if (first.isEmpty()) {
                    first = Optional.of(new TableRow(row.getLong(0), row.getString(17), row.getString(18), row.getBoolean(19)));
                }
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
                            row.getString(11),
                            row.getBoolean(12),
                            row.getBoolean(13),
                            row.getString(14),
                            row.getString(15),
                            row.getBoolean(16),
                            row.getBoolean(20)));
                }
            }
            return first.map(found -> reading(table, found, columns, named));
        });
    }

    static Optional<Reading> read(Connection connection, TableName table) throws SQLException {
        return read(connection, table, List.of());
    }

    /** As the other, in the connection's transaction. Blocks. */
    static Optional<Reading> read(Connection connection, TableName table, List<String> named)
            throws SQLException {
        String sql = DefinitionSql.of(connection.getMetaData().getDatabaseMajorVersion())
                .replace("$1", "?").replace("$2", "?");
        try (var statement = connection.prepareStatement(sql)) {
            statement.setString(1, table.schema());
            statement.setString(2, table.name());
            List<ColumnRow> columns = new ArrayList<>();
            Optional<TableRow> first = Optional.empty();
            try (var row = statement.executeQuery()) {
                while (row.next()) {
                    if (first.isEmpty()) {
                        first = Optional.of(new TableRow(row.getLong(1), row.getString(18), row.getString(19), row.getBoolean(20)));
                    }
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
                                row.getString(12),
                                row.getBoolean(13),
                                row.getBoolean(14),
                                row.getString(15),
                                row.getString(16),
                                row.getBoolean(17),
                                row.getBoolean(21)));
                    }
                }
            }
            return first.map(found -> reading(table, found, columns, named));
        }
    }

    private static Reading reading(
            TableName table, TableRow found, List<ColumnRow> rows, List<String> named) {
        List<Column> columns = new ArrayList<>();
        Map<String, ColumnOrder> orders = new LinkedHashMap<>();
        Set<String> notNull = new HashSet<>();
        for (ColumnRow row : rows) {
            columns.add(new Column(
                    row.name(),
                    row.type(),
                    row.notNull(),
                    generation(row),
                    Optional.ofNullable(row.defaultExpression()),
                    Optional.ofNullable(row.collation()),
                    row.version()));
            if (row.notNull()) {
                notNull.add(row.name());
            }
            orders.put(
                    row.name(),
                    new ColumnOrder(
                            keyType(row.typeOid()),
                            row.baseType(),
                            row.collates(),
                            row.byCodePoint(),
                            row.isUnicode(),
                            Optional.ofNullable(row.collationVersion()),
                            row.isDeterministic(),
                            Optional.ofNullable(row.others()),
                            row.collatesInside()));
        }
        List<KeyChoice.Index> indexes = indexes(found.indexes());
        KeyChoice.Result choice = KeyChoice.of(
                table,
                found.replicaIdentity(),
                indexes,
                notNull,
                Optional.of(named).filter(names -> !names.isEmpty()));
        List<KeyColumn> key = choice instanceof KeyChoice.Result.Keyed keyed
                ? keyed.columns().stream()
                        .map(name -> new KeyColumn(
                                name,
                                orders.get(name).isJavas() ? orders.get(name).type() : Optional.empty(),
                                Optional.empty()))
                        .toList()
                : List.of();
        return new Reading(
                new TableDefinition(table, found.oid(), columns, key, found.isPartitioned()), choice, indexes, orders);
    }

    private static List<KeyChoice.Index> indexes(String json) {
        List<KeyChoice.Index> indexes = new ArrayList<>();
        for (Object item : new JsonArray(json)) {
            JsonObject index = (JsonObject) item;
            List<KeyChoice.IndexColumn> columns = new ArrayList<>();
            for (Object each : index.getJsonArray("columns")) {
                JsonObject column = (JsonObject) each;
                columns.add(new KeyChoice.IndexColumn(
                        column.getString("name"),
                        column.getBoolean("own"),
                        column.getBoolean("code"),
                        Boolean.TRUE.equals(column.getBoolean("unranged"))));
            }
            indexes.add(new KeyChoice.Index(
                    index.getString("name"),
                    index.getBoolean("primary"),
                    index.getBoolean("identity"),
                    index.getBoolean("unique"),
                    index.getBoolean("immediate"),
                    index.getBoolean("walkable"),
                    columns));
        }
        return indexes;
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
