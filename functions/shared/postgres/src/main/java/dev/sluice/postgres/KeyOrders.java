package dev.sluice.postgres;

import dev.sluice.domain.Fault;
import dev.sluice.domain.Key;
import dev.sluice.domain.KeyOrder;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableDefinition.Column;
import dev.sluice.domain.TableDefinition.KeyColumn;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.postgres.DefinitionQuery.ColumnOrder;
import dev.sluice.postgres.DefinitionQuery.Reading;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.SqlConnection;
import io.vertx.mutiny.sqlclient.Tuple;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** How keys are compared: what source and destination agree on, and what only a database can answer (R10). */
@Singleton
public class KeyOrders {

    private final Database source;
    private final Database destination;
    private final SchemaMapping schemas;

    @Inject
    public KeyOrders(Databases databases, SchemaMapping schemas) {
        this(databases.source(), databases.destination(), schemas);
    }

    KeyOrders(Database source, Database destination, SchemaMapping schemas) {
        this.source = source;
        this.destination = destination;
        this.schemas = schemas;
    }

    /**
     * @param definition of the source's table, with the order that both sides have
     * @param onlyWhole why no part of the table can be copied on its own; empty if ranges of its key can. A table
     *     without a key is never copied otherwise
     */
    public record Compared(TableDefinition definition, Optional<Fault> onlyWhole) {}

    /**
     * Compares the key of a table with the destination's, or with what Sluice would make there of the columns it lacks.
     * Changes nothing.
     *
     * @throws AlteredException (in the Uni) if the source's table is not the one of the definition any more
     */
    public Uni<Compared> compare(TableDefinition definition, TableOptions options) {
        return source.withConnection(
                        connection -> DefinitionQuery.read(connection, definition.table(), options.key()))
                .map(reading -> reading.filter(now ->
                                now.definition().fingerprint().equals(definition.fingerprint()))
                        .orElseThrow(() -> new AlteredException(definition.table())))
                .chain(reading -> destinationOrders(reading).map(orders -> compared(reading, orders)));
    }

    /** The table was altered since it was inspected: it has to be inspected anew. */
    public static final class AlteredException extends RuntimeException {
        AlteredException(TableName table) {
            super("the definition of " + table + " was changed just now");
        }
    }

    private static Compared compared(Reading source, Map<String, ColumnOrder> orders) {
        return switch (KeyAgreement.of(source, orders)) {
            case KeyAgreement.Result.Undecided undecided ->
                new Compared(undecided.definition(), Optional.of(undecided.fault()));
            case KeyAgreement.Result.Agreed agreed -> {
                TableDefinition definition = agreed.definition();
                if (definition.key().isEmpty()) {
                    yield new Compared(definition, Optional.of(Fault.refused(
                            definition.table() + " has no key", "give it a primary key to have it copied in chunks")));
                }
                boolean served = KeyAgreement.isServed(source, definition.key());
                yield new Compared(definition, served ? Optional.empty() : Optional.of(notServed(source, definition)));
            }
        };
    }

    private static Fault notServed(Reading source, TableDefinition definition) {
        Optional<String> unranged = source.indexes().stream()
                .flatMap(index -> index.columns().stream())
                .filter(column -> column.isUnranged() && definition.keyColumns().contains(column.name()))
                .map(KeyChoice.IndexColumn::name)
                .findFirst();
        if (unranged.isPresent()) {
            return Fault.refused(
                    "the key column " + TableName.quote(unranged.get()) + " of " + definition.table()
                            + " is of a type whose order no range can be written with",
                    "give the table a unique index over columns of other types that are NOT NULL, and name them as its "
                            + "key in its options");
        }
        String columns = definition.key().stream()
                .map(column -> TableName.quote(column.name())
                        + column.collation().map(collation -> " COLLATE \"C\"").orElse(""))
                .collect(Collectors.joining(", "));
        boolean byCodePoint = definition.key().stream().anyMatch(column -> column.collation().isPresent());
        return Fault.refused(
                "no index of " + definition.table() + " gives its rows in the order (" + columns + ")"
                        + (byCodePoint
                                ? ", which is what source and destination agree on: their collations differ"
                                : ""),
                "run CREATE INDEX CONCURRENTLY ON " + definition.table().sql() + " (" + columns + ") at the source");
    }

    private Uni<Map<String, ColumnOrder>> destinationOrders(Reading source) {
        TableName target = schemas.atDestination(source.definition().table());
        return destination.withConnection(connection -> DefinitionQuery.read(connection, target)).chain(there -> {
            Map<String, ColumnOrder> orders = new HashMap<>(there.map(Reading::orders).orElse(Map.of()));
            List<Column> missing = source.definition().columns().stream()
                    .filter(column -> source.definition().keyColumns().contains(column.name()))
                    .filter(column -> !orders.containsKey(column.name()))
                    .toList();
            return missing.isEmpty()
                    ? Uni.createFrom().item(orders)
                    : ordersOfNewColumns(source, missing).map(made -> {
                        orders.putAll(made);
                        return orders;
                    });
        });
    }

    /** What columns would be like: those of a temporary table say so. A type that is not there yet will be made alike. */
    private Uni<Map<String, ColumnOrder>> ordersOfNewColumns(Reading source, List<Column> key) {
        return destination.inShortTransaction(connection -> connection
                .preparedQuery("SELECT array(SELECT t FROM unnest($1::text[]) t WHERE to_regtype(t) IS NOT NULL), "
                        + "array(SELECT c FROM unnest($2::text[]) c WHERE to_regcollation(c) IS NOT NULL)")
                .execute(Tuple.of(
                        key.stream().map(Column::type).toArray(String[]::new),
                        key.stream().flatMap(column -> column.collation().stream()).toArray(String[]::new)))
                .chain(rows -> {
                    Set<String> types = Set.copyOf(List.of(rows.iterator().next().getArrayOfStrings(0)));
                    Set<String> collations = Set.copyOf(List.of(rows.iterator().next().getArrayOfStrings(1)));
                    Map<String, ColumnOrder> orders = new HashMap<>();
                    List<String> columns = new ArrayList<>();
                    for (Column column : key) {
                        if (types.contains(column.type())) {
                            columns.add(TableName.quote(column.name()) + " " + column.type()
                                    + column.collation().filter(collations::contains)
                                            .map(collation -> " COLLATE " + collation)
                                            .orElse(""));
                        } else {
                            orders.put(column.name(), source.orders().get(column.name()));
                        }
                    }
                    return columns.isEmpty()
                            ? Uni.createFrom().item(orders)
                            : ordersOfTemporary(connection, columns).map(found -> {
                                orders.putAll(found);
                                return orders;
                            });
                }));
    }

    private static Uni<Map<String, ColumnOrder>> ordersOfTemporary(SqlConnection connection, List<String> columns) {
        return connection
                .query("CREATE TEMPORARY TABLE sluice_key (" + String.join(", ", columns) + ") ON COMMIT DROP")
                .execute()
                .chain(() -> connection
                        .query("SELECT nspname::text FROM pg_namespace WHERE oid = pg_my_temp_schema()")
                        .execute())
                .chain(rows -> DefinitionQuery.read(
                        connection, new TableName(rows.iterator().next().getString(0), "sluice_key")))
                .map(reading -> reading.orElseThrow().orders());
    }

    /**
     * Asks the destination for the order of keys, by one sort of all of them.
     *
     * @throws io.vertx.pgclient.PgException (in the Uni) if a key is no value of the destination's types
     */
    Uni<KeyOrder> locate(DestinationTable table, Collection<Key> keys) {
        List<Key> distinct = keys.stream().distinct().toList();
        if (distinct.isEmpty()) {
            return Uni.createFrom().item(new KeyOrder.Located(Map.of()));
        }
        List<String> values = new ArrayList<>();
        List<String> names = new ArrayList<>();
        List<String> order = new ArrayList<>();
        Tuple arrays = Tuple.tuple();
        for (int i = 0; i < table.key().size(); i++) {
            KeyColumn column = table.key().get(i);
            int place = i;
            arrays.addArrayOfString(
                    distinct.stream().map(key -> key.values().get(place)).toArray(String[]::new));
            values.add("$" + (i + 1) + "::text[]");
            names.add("c" + i);
            DestinationTable.Column type = table.columns().get(column.name());
            // Under the column's own collation, which its type need not have.
            order.add(type.read("c" + i)
                    + column.collation().or(type::collation).map(name -> " COLLATE " + name).orElse(""));
        }
        return destination
                .query(
                        "SELECT dense_rank() OVER (ORDER BY " + String.join(", ", order) + ")::int4 FROM unnest("
                                + String.join(", ", values) + ") WITH ORDINALITY AS u (" + String.join(", ", names)
                                + ", place) ORDER BY place",
                        arrays)
                .map(rows -> {
                    Map<Key, Integer> places = new HashMap<>();
                    int i = 0;
                    for (var row : rows) {
                        places.put(distinct.get(i++), row.getInteger(0));
                    }
                    return new KeyOrder.Located(places);
                });
    }
}
