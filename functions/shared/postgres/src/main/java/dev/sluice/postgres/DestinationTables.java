package dev.sluice.postgres;

import dev.sluice.domain.KeyType;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableDefinition.Column;
import dev.sluice.domain.TableDefinition.KeyColumn;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.SqlConnection;
import io.vertx.mutiny.sqlclient.Tuple;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The tables of the destination: made from the source's definition where they are missing, checked where they are
 * there. A table that Sluice made has nothing but its key until it is caught up (R14).
 */
@Singleton
public class DestinationTables {

    private static final String MADE_BY_SLUICE = "made by Sluice";

    private static final String LOCK_TIMEOUT = "SET LOCAL lock_timeout = '5s'";

    private final Database source;
    private final Database destination;
    private final SchemaMapping schemas;
    private final String ledgerSchema;
    private final DeferredConstraints deferred;
    private final DestinationTypes types;

    @Inject
    public DestinationTables(Databases databases, SchemaMapping schemas, Pipeline pipeline) {
        this(databases.source(), databases.destination(), schemas, pipeline);
    }

    DestinationTables(Database source, Database destination, SchemaMapping schemas, Pipeline pipeline) {
        this.source = source;
        this.destination = destination;
        this.schemas = schemas;
        this.ledgerSchema = TableName.quote(pipeline.ledgerSchema());
        this.deferred = new DeferredConstraints(source, destination, schemas);
        this.types = new DestinationTypes(source, destination);
    }

    /**
     * Makes the table with its schema and the types of its columns if it is missing, and says so in its comment;
     * otherwise checks that the source's rows fit into it.
     *
     * <p>A new table gets columns, NOT NULL, generated columns, identity and the key, as what it is at the source: its
     * primary key or a unique index. A default is left out
     * if it takes numbers from a sequence or the destination does not understand it: rows bring their values. From a
     * table that Sluice made before, the unique indexes that were built late are dropped: while chunks and queue are
     * under way, a value may stand in two rows. Such a table also gets the columns that the source has and it lacks,
     * and wider types; what the source does not have any more may be NULL there from then on.
     *
     * @param definition of the source's table
     * @param options of the run
     * @throws RefusedException (in the Uni) if rows would not fit, by column, with what to run; or if another table of
     *     the source has this one
     * @throws Ledger.FencedException (in the Uni) if the table was released meanwhile
     */
    public Uni<Void> prepare(TableDefinition definition, TableOptions options) {
        TableName target = schemas.atDestination(definition.table());
        var carried = new CarriedTable(definition, options, Optional.empty());
        return DestinationSchemas.make(destination, target.schema())
                .chain(() -> prepareTypes(carried.definition(Map.of()), target))
                .chain(() -> isMadeBySluice(definition.table()))
                .chain(made -> keyIndex(definition)
                        .chain(key -> deferred.namesOfUnique(definition, made)
                                .chain(unique -> destination.inTransaction(connection -> execute(connection, LOCK_TIMEOUT)
                                        .chain(() -> connection
                                                .preparedQuery("SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0))::text")
                                                .execute(Tuple.of("sluice makes " + target)))
                                        .chain(() -> requireOwn(connection, definition.table(), target))
                                        .chain(() -> DefinitionQuery.read(connection, target))
                                        .chain(reading -> reading.isEmpty()
                                                ? make(connection, carried, target, key)
                                                : checkFits(connection, carried, reading.get(), made)
                                                        .chain(() -> deferred.drop(
                                                                connection, target, unique, definition.keyColumns())))
                                        .chain(() -> UncarriedTypes.refuse(
                                                connection, target, names(carried.copiedColumns())))
                                        .chain(() -> DestinationOptions.addSoftDelete(connection, carried, target))
                                        .chain(() -> DestinationOptions.requireCondition(source, connection, carried))))));
    }

    private static List<String> names(List<Column> columns) {
        return columns.stream().map(Column::name).toList();
    }

    private Uni<Void> make(
            SqlConnection connection, CarriedTable carried, TableName target, Optional<KeyIndex> key) {
        Map<String, String> types = carried.maskedTypes(carried.source());
        return DestinationOptions.unreadableMasks(connection, carried, types).chain(unreadable -> {
            unreadable.forEach(column -> types.put(column, "text"));
            return make(connection, carried.definition(types), target, key);
        });
    }

    private Uni<Void> checkFits(
            SqlConnection connection, CarriedTable carried, DefinitionQuery.Reading reading, boolean made) {
        TableDefinition there = reading.definition();
        TableDefinition wanted = carried.definition(carried.maskedTypes(there));
        return DestinationOptions.requireFits(connection, carried, there)
                .chain(() -> fitted(connection, wanted, carried.options(), reading, made))
                .chain(fitted -> checkFits(connection, wanted, fitted, made));
    }

    /** Two tables of the source in one would each delete the other's rows: schemas may be mapped so. */
    private Uni<Void> requireOwn(SqlConnection connection, TableName table, TableName target) {
        return connection
                .preparedQuery("SELECT table_name FROM " + ledgerSchema + ".tables WHERE table_name <> $1")
                .execute(Tuple.of(table.toString()))
                .map(rows -> {
                    for (Row row : rows) {
                        TableName other = TableName.parse(row.getString(0));
                        if (schemas.atDestination(other).equals(target)) {
                            throw new RefusedException(
                                    "the destination's table " + target + " is that of the source's " + other
                                            + ", so it cannot be that of " + table + " too",
                                    "map one of the two schemas elsewhere by sluice.destination.schemas, or remove one "
                                            + "of the two tables; then send retry");
                        }
                    }
                    return null;
                });
    }

    /** A table that Sluice made follows the source by itself: every row is about to be copied anew. */
    private static Uni<DefinitionQuery.Reading> fitted(
            SqlConnection connection,
            TableDefinition definition,
            TableOptions options,
            DefinitionQuery.Reading reading,
            boolean made) {
        return made
                ? DestinationColumns.fit(connection, definition, options, reading.definition())
                        .chain(() -> DefinitionQuery.read(connection, reading.definition().table()))
                        .map(Optional::orElseThrow)
                : Uni.createFrom().item(reading);
    }

    /** The types that the table's columns have in common, or that the destination's table still is to have. */
    private Uni<Void> prepareTypes(TableDefinition definition, TableName target) {
        return destination.withConnection(connection -> DefinitionQuery.read(connection, target)).chain(reading -> {
            Optional<Map<String, String>> there = reading.map(found -> found.definition().columns().stream()
                    .collect(Collectors.toMap(Column::name, Column::type)));
            return types.prepare(definition.table(), definition.columns().stream()
                    .filter(column -> there.map(columns -> columns.getOrDefault(column.name(), column.type())
                            .equals(column.type())).orElse(true))
                    .toList());
        });
    }

    /**
     * Builds the indexes, UNIQUE and CHECK constraints of the source that a table made by Sluice still lacks, under
     * the same names and without stopping who writes to it, and then its statistics. Those of a column that is left
     * out, hashed or masked are not built. What is there is left alone, so this can be called again. Foreign keys and exclusion constraints are not built.
     *
     * @return how many were built; 0 for a table that brought its own
     * @throws RefusedException (in the Uni) if some cannot be built; it names them, and the others are built
     */
    public Uni<Integer> buildDeferred(TableName sourceTable) {
        return isMadeBySluice(sourceTable)
                .chain(made -> made
                        ? options(sourceTable).chain(options -> deferred.build(sourceTable, options))
                        : Uni.createFrom().item(0));
    }

    private Uni<TableOptions> options(TableName sourceTable) {
        return destination
                .query(
                        "SELECT options::text FROM " + ledgerSchema + ".tables WHERE table_name = $1",
                        Tuple.of(sourceTable.toString()))
                .map(rows -> Ledger.first(rows).map(row -> OptionsText.read(row.getString(0))).orElse(TableOptions.NONE));
    }

    /**
     * Whether the destination's table was made by Sluice; what was put off is built only for such a table. The table
     * itself says so, by its comment: the ledger forgets a table that is removed, and the table stays.
     */
    Uni<Boolean> isMadeBySluice(TableName sourceTable) {
        return destination.query("SELECT coalesce(obj_description(to_regclass($1), 'pg_class') = $2, false)",
                Tuple.of(schemas.atDestination(sourceTable).sql(), MADE_BY_SLUICE))
                .map(rows -> rows.iterator().next().getBoolean(0));
    }

    /** Brings the planner's statistics of the destination's table up to date. */
    public Uni<Void> analyze(TableName sourceTable) {
        return destination.pool()
                .query("ANALYZE " + schemas.atDestination(sourceTable).sql())
                .execute()
                .replaceWithVoid();
    }

    /** The source's index on the key. */
    private record KeyIndex(String name, boolean isPrimary) {}

    private Uni<Optional<KeyIndex>> keyIndex(TableDefinition definition) {
        if (definition.key().isEmpty()) {
            return Uni.createFrom().item(Optional.empty());
        }
        return source.query(
                "SELECT c.relname::text, i.indisprimary FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
                        + "WHERE i.indrelid = $1::int8::oid AND i.indisunique AND i.indisvalid AND "
                        + DeferredConstraints.isOn("i", "$2") + " ORDER BY i.indisprimary DESC, c.relname LIMIT 1",
                Tuple.of(definition.oid(), definition.keyColumns().toArray(String[]::new)))
                .map(rows -> Optional.of(Ledger.first(rows)
                        .map(row -> new KeyIndex(row.getString(0), row.getBoolean(1)))
                        .orElseThrow(() -> new RefusedException(
                                "the index on the key of " + definition.table() + " was dropped just now",
                                "start a new backfill of the table"))));
    }

    /** What the destination knows of the names in the source's definition. */
    record Known(Set<String> types, Set<String> collations, boolean keyName, boolean byCodePoint) {}

    static Uni<Known> known(
            SqlConnection connection, TableDefinition definition, TableName target, Optional<String> keyName) {
        return connection
                .preparedQuery("""
                        SELECT array(SELECT t FROM unnest($1::text[]) t WHERE to_regtype(t) IS NOT NULL),
                               array(SELECT c FROM unnest($2::text[]) c WHERE to_regcollation(c) IS NOT NULL),
                               EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                                       WHERE n.nspname = $3 AND c.relname = $4),
                               (SELECT coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') = 'b'
                                    OR coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') = 'c'
                                   AND datcollate IN ('C', 'POSIX')
                                FROM pg_database d WHERE datname = current_database())""")
                .execute(Tuple.of(
                        definition.columns().stream().map(Column::type).distinct().toArray(String[]::new),
                        definition.columns().stream().flatMap(c -> c.collation().stream()).distinct()
                                .toArray(String[]::new),
                        target.schema(),
                        keyName.orElse("")))
                .map(rows -> {
                    Row row = rows.iterator().next();
                    return new Known(
                            Set.of(row.getArrayOfStrings(0)),
                            Set.of(row.getArrayOfStrings(1)),
                            row.getBoolean(2),
                            row.getBoolean(3));
                });
    }

    private Uni<Void> make(
            SqlConnection connection, TableDefinition definition, TableName target, Optional<KeyIndex> key) {
        return known(connection, definition, target, key.map(KeyIndex::name))
                .chain(known -> {
                    requireTypes(definition.columns(), target, known.types());
                    return execute(connection, createTable(definition, target, key, known));
                })
                .chain(() -> {
                    String defaults = setDefaults(definition, target);
                    return defaults.isEmpty() ? Uni.createFrom().voidItem() : execute(connection, defaults);
                })
                .chain(() -> execute(connection, "COMMENT ON TABLE " + target.sql() + " IS '" + MADE_BY_SLUICE + "'"))
                .chain(() -> connection
                        .preparedQuery("SELECT FROM " + ledgerSchema + ".tables WHERE table_name = $1 FOR SHARE")
                        .execute(Tuple.of(definition.table().toString())))
                .map(rows -> {
                    if (rows.size() != 1) {
                        throw new Ledger.FencedException(
                                target + " is not made: the ledger does not know " + definition.table() + " any more");
                    }
                    return null;
                });
    }

    static void requireTypes(List<Column> columns, TableName target, Set<String> types) {
        for (Column column : columns) {
            if (!types.contains(column.type())) {
                throw new RefusedException(
                        "the destination does not have the type " + column.type() + " of column "
                                + TableName.quote(column.name()) + " of " + target,
                        "create the type (or its extension) at the destination under the same name, then retry");
            }
        }
    }

    private static String createTable(
            TableDefinition definition, TableName target, Optional<KeyIndex> keyIndex, Known known) {
        List<String> parts = new ArrayList<>();
        for (Column column : definition.columns()) {
            parts.add(columnSql(definition, column, known) + (column.notNull() ? " NOT NULL" : ""));
        }
        String key = definition.keyColumns().stream().map(TableName::quote).collect(Collectors.joining(", "));
        String name = keyIndex.filter(index -> !known.keyName())
                .map(index -> TableName.quote(index.name()) + " ")
                .orElse("");
        boolean isPrimary = keyIndex.filter(KeyIndex::isPrimary).isPresent();
        if (isPrimary) {
            parts.add((name.isEmpty() ? "" : "CONSTRAINT " + name) + "PRIMARY KEY (" + key + ")");
        }
        String index = isPrimary || keyIndex.isEmpty()
                ? ""
                : "; CREATE UNIQUE INDEX " + name + "ON " + target.sql() + " (" + key + ")";
        return "CREATE TABLE " + target.sql() + " (" + String.join(", ", parts) + ")" + index;
    }

    /** Name, type, collation and generation of a column, without NOT NULL and default. */
    static String columnSql(TableDefinition definition, Column column, Known known) {
        var sql = new StringBuilder(TableName.quote(column.name())).append(' ').append(column.type());
        Optional<KeyColumn> key = definition.key().stream()
                .filter(candidate -> candidate.name().equals(column.name()))
                .findFirst();
        boolean isTextKey = key.flatMap(KeyColumn::type).equals(Optional.of(KeyType.TEXT));
        if (key.flatMap(KeyColumn::collation).isPresent()) {
            // Else the key's index is of no use for ranges, which are ordered by code point.
            sql.append(" COLLATE ").append(key.flatMap(KeyColumn::collation).get());
        } else if (column.collation().filter(known.collations()::contains).isPresent()) {
            sql.append(" COLLATE ").append(column.collation().get());
        } else if (isTextKey && !known.byCodePoint()) {
            sql.append(" COLLATE ").append(KeyAgreement.CODE_POINT);
        }
        return sql.append(switch (column.generation()) {
                    case NONE -> "";
                    case IDENTITY_ALWAYS -> " GENERATED ALWAYS AS IDENTITY";
                    case IDENTITY_BY_DEFAULT -> " GENERATED BY DEFAULT AS IDENTITY";
                    case STORED -> " GENERATED ALWAYS AS (" + column.defaultExpression().orElseThrow() + ") STORED";
                    case VIRTUAL -> " GENERATED ALWAYS AS (" + column.defaultExpression().orElseThrow() + ") VIRTUAL";
                })
                .toString();
    }

    /** Each on its own: one that the destination does not understand is left out. */
    private static String setDefaults(TableDefinition definition, TableName target) {
        return definition.columns().stream()
                .filter(column -> column.isCopied() && column.defaultExpression().isPresent())
                .filter(column -> !column.defaultExpression().get().contains("nextval("))
                .map(column -> "ALTER TABLE " + target.sql() + " ALTER COLUMN " + TableName.quote(column.name())
                        + " SET DEFAULT " + column.defaultExpression().get())
                .map(statement -> "DO " + ChunkStatements.literal("BEGIN EXECUTE " + ChunkStatements.literal(statement)
                        + "; EXCEPTION WHEN syntax_error_or_access_rule_violation OR invalid_schema_name THEN NULL; END"))
                .collect(Collectors.joining("; "));
    }

    private Uni<Void> checkFits(
            SqlConnection connection, TableDefinition definition, DefinitionQuery.Reading reading, boolean made) {
        TableDefinition target = reading.definition();
        requireColumns(definition, reading);
        return connection
                .preparedQuery("""
                        SELECT c.relkind::text,
                               has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
                                 AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE')
                                 AND has_table_privilege(c.oid, 'TRUNCATE'),
                               c.relrowsecurity AND row_security_active(c.oid),
                               current_user::text,
                               EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique
                                 AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
                                 AND %s)
                        FROM pg_class c WHERE c.oid = $1::int8::oid""".formatted(DeferredConstraints.isOn("i", "$2")))
                .execute(Tuple.of(target.oid(), definition.keyColumns().toArray(String[]::new)))
                .map(rows -> {
                    Row row = rows.iterator().next();
                    String role = TableName.quote(row.getString(3));
                    if (!row.getString(0).equals("r") && !row.getString(0).equals("p")) {
                        throw new RefusedException(
                                target.table() + " at the destination is not a table that holds rows",
                                "rename it, or map the schema to another one");
                    }
                    if (!row.getBoolean(1)) {
                        throw new RefusedException(
                                "the role " + role + " may not write to " + target.table() + " at the destination",
                                "run GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON " + target.table().sql() + " TO "
                                        + role);
                    }
                    if (row.getBoolean(2)) {
                        throw new RefusedException(
                                "row-level security holds for the role " + role + " on " + target.table()
                                        + " at the destination",
                                "run ALTER ROLE " + role + " BYPASSRLS as a superuser of the destination");
                    }
                    if (!row.getBoolean(4) && !definition.key().isEmpty()) {
                        String key = definition.keyColumns().stream()
                                .map(TableName::quote)
                                .collect(Collectors.joining(", "));
                        throw new RefusedException(
                                target.table() + " at the destination has no unique key on exactly (" + key + ")",
                                made
                                        ? DestinationColumns.makeAnew(target.table())
                                        : "run ALTER TABLE " + target.table().sql() + " ADD PRIMARY KEY (" + key
                                                + ") at the destination");
                    }
                    return null;
                });
    }

    private static void requireColumns(TableDefinition definition, DefinitionQuery.Reading reading) {
        TableName target = reading.definition().table();
        Map<String, Column> there =
                reading.definition().columns().stream().collect(Collectors.toMap(Column::name, column -> column));
        Set<String> extra = new HashSet<>(there.keySet());
        for (Column column : definition.columns()) {
            extra.remove(column.name());
            Optional<Column> found = Optional.ofNullable(there.get(column.name()));
            String name = "the column " + TableName.quote(column.name()) + " of " + target;
            String alter = "ALTER TABLE " + target.sql() + " ";
            if (found.isEmpty() && column.isCopied()) {
                throw new RefusedException(
                        name + " is missing at the destination",
                        "run " + alter + "ADD COLUMN " + TableName.quote(column.name()) + " " + column.type()
                                + " at the destination");
            }
            if (found.isPresent() && found.get().isCopied() != column.isCopied()) {
                throw new RefusedException(
                        name + " is generated at " + (column.isCopied() ? "the destination" : "the source")
                                + " only, so it would not hold the source's values",
                        "make it anew at the destination like the source's");
            }
            if (found.isEmpty() || !column.isCopied()) {
                continue;
            }
            if (!ColumnTypes.fits(column.type(), found.get().type())) {
                throw new RefusedException(
                        name + " has type " + found.get().type() + " at the destination, into which values of type "
                                + column.type() + " may not fit",
                        "run " + alter + "ALTER COLUMN " + TableName.quote(column.name()) + " TYPE " + column.type()
                                + " at the destination");
            }
            if (found.get().notNull() && !column.notNull()) {
                throw new RefusedException(
                        name + " is NOT NULL at the destination only",
                        "run " + alter + "ALTER COLUMN " + TableName.quote(column.name())
                                + " DROP NOT NULL at the destination");
            }
        }
        for (var key : definition.key()) {
            Column column = there.get(key.name());
            String name = "the key column " + TableName.quote(key.name()) + " of " + target;
            // Where only the database knows the order, both sides have been compared before (R10).
            if (key.type().isPresent() && !reading.orders().get(key.name()).type().equals(key.type())) {
                throw new RefusedException(
                        name + " is ordered otherwise at the destination, as " + column.type(),
                        "give it the source's type");
            }
            if (!column.notNull()) {
                throw new RefusedException(
                        name + " may be NULL at the destination",
                        "run ALTER TABLE " + target.sql() + " ALTER COLUMN " + TableName.quote(key.name())
                                + " SET NOT NULL at the destination");
            }
        }
        for (String name : extra) {
            Column column = there.get(name);
            boolean needsValue = column.notNull() && column.defaultExpression().isEmpty()
                    && column.generation() == TableDefinition.Generation.NONE;
            if (needsValue) {
                throw new RefusedException(
                        "the column " + TableName.quote(name) + " of " + target
                                + " is NOT NULL without a default, and the source does not have it",
                        "run ALTER TABLE " + target.sql() + " ALTER COLUMN " + TableName.quote(name)
                                + " DROP NOT NULL at the destination");
            }
        }
    }

    private static Uni<Void> execute(SqlConnection connection, String statement) {
        return connection.query(statement).execute().replaceWithVoid();
    }
}
