package dev.sluice.postgres;

import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableDefinition.Column;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TablePattern;
import io.smallrye.mutiny.Uni;
import io.vertx.core.json.JsonArray;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.SqlConnection;
import io.vertx.mutiny.sqlclient.Tuple;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The tables of the source: which there are, and which of them can be carried. Changes nothing there. */
@Singleton
public class SourceTables {

    private final Database source;
    private final Pipeline pipeline;

    @Inject
    public SourceTables(Databases databases, Pipeline pipeline) {
        this(databases.source(), pipeline);
    }

    SourceTables(Database source, Pipeline pipeline) {
        this.source = source;
        this.pipeline = pipeline;
    }

    /**
     * Reads the table's definition, once it is known that the table can be carried by these options (R1). The definition
     * is that of the source: the options are not applied to it.
     *
     * @throws RefusedException (in the Uni) if it cannot; the fault says why, and what to run to change that
     */
    public Uni<TableDefinition> inspect(TableName table, TableOptions options) {
        return source.inTransaction(connection -> connection
                .query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                .execute()
                .chain(() -> connection
                        .preparedQuery(FACTS)
                        .execute(Tuple.of(table.schema(), table.name(), pipeline.publication())))
                .map(rows -> Ledger.first(rows)
                        .orElseThrow(() -> new RefusedException(
                                "the source has no table " + table + ", or may not look into its schema",
                                "check the name (schema.table, quoted as in SQL)")))
                .invoke(facts -> requireOrdinary(table, facts))
                .invoke(facts -> requireAccess(table, facts))
                .chain(facts -> DefinitionQuery.read(connection, table, options.key())
                        .map(reading -> reading.orElseThrow(
                                () -> new RefusedException("the table was dropped just now", "check the name")))
                        .invoke(SourceTables::requireKey)
                        .invoke(reading -> requireCarried(reading, facts))
                        .call(reading -> UncarriedTypes.refuse(
                                connection,
                                table,
                                reading.definition().columns().stream().map(Column::name).toList()))
                        .call(reading -> requirePartitions(connection, reading.definition(), options.key())))
                .call(reading -> SourceOptions.require(connection, reading.definition(), options))
                .map(DefinitionQuery.Reading::definition));
    }

    /** As {@link #inspect(TableName, TableOptions)}, for a table that is carried as it is. */
    public Uni<TableDefinition> inspect(TableName table) {
        return inspect(table, TableOptions.NONE);
    }

    private static final String FACTS = """
            SELECT c.relkind::text, c.relpersistence::text, c.relispartition,
                   (SELECT root.oid::regclass::text FROM pg_class root
                    WHERE c.relispartition AND root.oid = pg_partition_root(c.oid)),
                   c.relreplident::text,
                   CASE WHEN has_table_privilege(c.oid, 'SELECT') THEN row_security_active(c.oid) ELSE false END,
                   has_schema_privilege(n.oid, 'USAGE'), has_table_privilege(c.oid, 'SELECT'),
                   pg_has_role(c.relowner, 'USAGE'),
                   p.oid IS NULL OR pg_has_role(p.pubowner, 'USAGE'),
                   EXISTS (SELECT FROM pg_publication_rel m WHERE m.prpubid = p.oid AND m.prrelid = c.oid),
                   current_user::text, pg_get_userbyid(c.relowner)::text, pg_get_userbyid(p.pubowner)::text,
                   getdatabaseencoding()::text
            FROM pg_class c
            JOIN pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN pg_publication p ON p.pubname = $3
            WHERE n.nspname = $1 AND c.relname = $2""";

    private void requireOrdinary(TableName table, Row facts) {
        if (!table.isExactInCapture()) {
            throw new RefusedException(
                    "the name " + table + " is misread by change capture: its changes would be left out without a word",
                    "rename the schema or table: a name must not begin or end with a double quote, or have two "
                            + "apostrophes or backticks in a row");
        }
        if (isOutOfReach(table.schema())) {
            throw new RefusedException(
                    table + " belongs to PostgreSQL or to Sluice itself", "name a table of your own");
        }
        String kind = facts.getString(0);
        String what = switch (kind) {
            case "r", "p" -> "";
            case "v" -> "a view";
            case "m" -> "a materialized view";
            case "f" -> "a foreign table";
            case "S" -> "a sequence";
            case "i", "I" -> "an index";
            case "c" -> "a composite type";
            case "t" -> "a TOAST table";
            default -> "a relation of kind «" + kind + "»";
        };
        if (!what.isEmpty()) {
            throw new RefusedException(
                    table + " is " + what,
                    kind.equals("v") || kind.equals("m")
                            ? "add the tables that it reads from"
                            : "only tables that hold their rows in this database have changes that can be captured");
        }
        if (facts.getBoolean(2)) {
            throw new RefusedException(
                    table + " is a partition of " + facts.getString(3)
                            + ": its changes come under the name of that table",
                    "add " + facts.getString(3) + ", which brings every partition");
        }
        if (facts.getString(14).equals("SQL_ASCII")) {
            throw new RefusedException(
                    "the source's database has the encoding SQL_ASCII: nobody knows what its text means",
                    "move it into a database with the encoding that its text has");
        }
        switch (facts.getString(1)) {
            case "u" -> throw new RefusedException(
                    table + " is unlogged: its changes do not stand in the WAL",
                    "run ALTER TABLE " + table.sql() + " SET LOGGED at the source");
            case "t" -> throw new RefusedException(
                    table + " is a temporary table", "copy its rows into an ordinary table");
            default -> { }
        }
    }

    private static void requireAccess(TableName table, Row facts) {
        String role = TableName.quote(facts.getString(11));
        if (!facts.getBoolean(6)) {
            throw new RefusedException(
                    "the role " + role + " may not use the schema " + table.schema() + " of the source",
                    "run GRANT USAGE ON SCHEMA " + TableName.quote(table.schema()) + " TO " + role);
        }
        if (!facts.getBoolean(7)) {
            throw new RefusedException(
                    "the role " + role + " may not read " + table + " at the source",
                    "run GRANT SELECT ON " + table.sql() + " TO " + role);
        }
        if (facts.getBoolean(5)) {
            throw new RefusedException(
                    "row-level security hides rows of " + table + " from the role " + role,
                    "run ALTER ROLE " + role + " BYPASSRLS as a superuser of the source");
        }
        boolean isMember = facts.getBoolean(10);
        if (!isMember && !facts.getBoolean(8)) {
            throw new RefusedException(
                    "the role " + role + " does not own " + table + ", and only an owner may add a table to a publication",
                    "run GRANT " + TableName.quote(facts.getString(12)) + " TO " + role + " at the source");
        }
        if (!isMember && !facts.getBoolean(9)) {
            throw new RefusedException(
                    "the role " + role + " does not own the publication",
                    "run GRANT " + TableName.quote(facts.getString(13)) + " TO " + role + " at the source");
        }
    }

    private static void requireKey(DefinitionQuery.Reading reading) {
        if (reading.choice() instanceof KeyChoice.Result.Refused refused) {
            throw new RefusedException(refused.fault().reason(), refused.fault().hint());
        }
    }

    private static void requireCarried(DefinitionQuery.Reading reading, Row facts) {
        TableDefinition definition = reading.definition();
        TableName table = definition.table();
        Map<String, Column> columns = new HashMap<>();
        for (Column column : definition.columns()) {
            if (isUnquotedByCapture(column.name())) {
                throw new RefusedException(
                        "the name of the column " + TableName.quote(column.name()) + " of " + table
                                + " has quotes around it, which change capture takes off",
                        "run ALTER TABLE " + table.sql() + " RENAME COLUMN " + TableName.quote(column.name()) + " TO "
                                + TableName.quote(column.name().substring(1, column.name().length() - 1))
                                + " at the source");
            }
            Column twin = columns.put(column.name().toLowerCase(Locale.ROOT), column);
            if (twin != null) {
                throw new RefusedException(
                        "the columns " + TableName.quote(twin.name()) + " and " + TableName.quote(column.name()) + " of "
                                + table + " differ only by case, which ends change capture",
                        "rename one of them at the source");
            }
        }
        boolean isFull = facts.getString(4).equals("f");
        boolean byIndex = facts.getString(4).equals("i");
        Set<String> identity = reading.indexes().stream()
                .filter(index -> byIndex ? index.isReplicaIdentity() : index.isPrimary())
                .flatMap(index -> index.names().stream())
                .collect(Collectors.toSet());
        for (Column column : definition.columns()) {
            boolean identifies = isFull || identity.contains(column.name());
            if (!column.isCopied() && identifies) {
                throw new RefusedException(
                        "the generated column " + TableName.quote(column.name()) + " of " + table
                                + " is part of its replica identity: every UPDATE and DELETE would fail once it is captured",
                        isFull
                                ? "run ALTER TABLE " + table.sql() + " REPLICA IDENTITY DEFAULT at the source"
                                : "use a primary key without generated columns");
            }
        }
        if (definition.copiedColumns().isEmpty()) {
            throw new RefusedException(table + " has no column to copy", "add a column to it");
        }
    }

    /** Debezium 3.6 reads names of columns as if somebody had typed them; with another one of that name it ends. */
    private static boolean isUnquotedByCapture(String name) {
        return name.length() > 1
                && name.charAt(0) == name.charAt(name.length() - 1)
                && "\"'`".indexOf(name.charAt(0)) >= 0;
    }

    /** A partition decides for itself whether an UPDATE of its rows fails, and whether the WAL has it (R1). */
    private Uni<Void> requirePartitions(
            SqlConnection connection, TableDefinition definition, List<String> named) {
        if (!definition.isPartitioned()) {
            return Uni.createFrom().voidItem();
        }
        return PartitionQuery.read(connection, Map.of(definition.oid(), named), pipeline.publication())
                .invoke(found -> found.values().stream()
                        .flatMap(table -> table.partitions().stream())
                        .flatMap(partition -> partition.unfit().stream())
                        .findFirst()
                        .ifPresent(fault -> {
                            throw new RefusedException(
                                    definition.table() + " cannot be carried: " + fault.reason(), fault.hint());
                        }))
                .replaceWithVoid();
    }

    private boolean isOutOfReach(String schema) {
        return schema.startsWith("pg_")
                || schema.equals("information_schema")
                || schema.equals(pipeline.ledgerSchema());
    }

    /** How many rows the table has about, as the planner would guess; 0 for one that is not there. */
    public Uni<Long> rowsEstimated(TableName table) {
        return source.withConnection(connection -> connection
                .preparedQuery("SELECT CASE c.relkind WHEN 'p' THEN (SELECT coalesce(sum(pg_relation_size(relid)), 0) "
                        + "FROM pg_partition_tree(c.oid)) ELSE pg_relation_size(c.oid) END::int8, c.relkind = 'p' "
                        + "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                        + "WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')")
                .execute(Tuple.of(table.schema(), table.name()))
                .chain(rows -> {
                    long bytes = Ledger.first(rows).map(row -> row.getLong(0)).orElse(0L);
                    boolean partitioned = Ledger.first(rows).map(row -> row.getBoolean(1)).orElse(false);
                    // The planner guesses ten pages for an empty table. Otherwise it knows better than reltuples, which
                    // is as old as the last ANALYZE and -1 before the first.
                    return bytes == 0
                            ? Uni.createFrom().item(0L)
                            : planned(connection, RowsOf.table(table, partitioned));
                }));
    }

    /**
     * Whether the table has more rows than this. Unlike the estimate it is exact, and reads so many of them at most.
     *
     * @param rows at least 0
     */
    public Uni<Boolean> hasMoreRowsThan(TableDefinition definition, long rows) {
        return source.withConnection(connection -> connection
                .preparedQuery("SELECT count(*) FROM (SELECT FROM " + RowsOf.table(definition) + " LIMIT $1) counted")
                .execute(Tuple.of(rows + 1))
                .map(counted -> counted.iterator().next().getLong(0) > rows));
    }

    private static Uni<Long> planned(SqlConnection connection, String table) {
        return connection
                .query("EXPLAIN (FORMAT JSON) SELECT FROM " + table)
                .execute()
                .map(rows -> new JsonArray(rows.iterator().next().getValue(0).toString())
                        .getJsonObject(0)
                        .getJsonObject("Plan")
                        .getLong("Plan Rows"));
    }

    /**
     * Which tables a list of names and patterns stands for. A pattern has {@code *} for any characters in schema or
     * table; ordinary and partitioned tables match it, partitions do not. What belongs to PostgreSQL or to Sluice never matches.
     *
     * @param patterns each {@code schema.table}, or {@code table} for one in {@code public}
     */
    public Uni<Matched> match(List<String> patterns) {
        // By its place in the request; what stands there at last has matched nothing.
        Map<Integer, String> unmatched = new TreeMap<>();
        List<Integer> places = new ArrayList<>();
        List<TablePattern> parsed = new ArrayList<>();
        for (int i = 0; i < patterns.size(); i++) {
            unmatched.put(i, patterns.get(i));
            try {
                parsed.add(TablePattern.parse(patterns.get(i)));
                places.add(i);
            } catch (IllegalArgumentException e) {
                unmatched.put(i, Optional.ofNullable(e.getMessage()).orElse(patterns.get(i)));
            }
        }
        if (parsed.isEmpty()) {
            return Uni.createFrom().item(new Matched(List.of(), List.copyOf(unmatched.values())));
        }
        return source.query("""
                        SELECT p.place, n.nspname::text, c.relname::text
                        FROM unnest($1::int4[], $2::text[], $3::text[], $4::bool[]) p (place, schema, name, is_name)
                        JOIN pg_namespace n ON n.nspname LIKE p.schema
                        JOIN pg_class c ON c.relnamespace = n.oid AND c.relname LIKE p.name
                        WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
                           OR p.is_name AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
                        ORDER BY p.place, n.nspname, c.relname""", Tuple.of(
                        places.toArray(Integer[]::new),
                        parsed.stream().map(TablePattern::schemaLike).toArray(String[]::new),
                        parsed.stream().map(TablePattern::nameLike).toArray(String[]::new),
                        parsed.stream().map(TablePattern::isName).toArray(Boolean[]::new)))
                .map(rows -> {
                    Set<TableName> tables = new LinkedHashSet<>();
                    for (Row row : rows) {
                        if (!isOutOfReach(row.getString(1))) {
                            tables.add(new TableName(row.getString(1), row.getString(2)));
                            unmatched.remove(row.getInteger(0));
                        }
                    }
                    return new Matched(List.copyOf(tables), List.copyOf(unmatched.values()));
                });
    }

    /**
     * Tables of the source with their sizes, by name: ordinary and partitioned ones, without partitions and what belongs to
     * PostgreSQL or to Sluice.
     *
     * @param search a part of the name, or with {@code *} for any characters all of it; case does not matter; empty: all
     * @param limit how many at most
     */
    public Uni<List<SourceTable>> list(Optional<String> search, int limit) {
        String[] like = search.map(SourceTables::like).orElseGet(() -> new String[] {"%"});
        return source.inShortTransaction(connection -> connection
                .query("SET LOCAL statement_timeout = " + LIST_LIMIT.toMillis())
                .execute()
                .chain(() -> connection.query("SET TRANSACTION READ ONLY").execute())
                .chain(() -> connection
                        .preparedQuery(LIST)
                        .execute(Tuple.of(like, pipeline.ledgerSchema(), limit)))
                .map(rows -> {
                    List<SourceTable> tables = new ArrayList<>();
                    rows.forEach(row -> tables.add(listed(row)));
                    return List.copyOf(tables);
                }));
    }

    private static final Duration LIST_LIMIT = Duration.ofSeconds(10);

    /** Sizes are asked for of those only that are listed: each is a look at the files of the table. */
    private static final String LIST = """
            WITH listed AS MATERIALIZED (
              SELECT c.oid, n.oid AS schema_oid, n.nspname::text AS schema, c.relname::text AS name,
                     c.relkind = 'p' AS partitioned, c.relpersistence::text AS persistence, c.reltuples, c.relowner
              FROM pg_class c
              JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
                AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname NOT IN ('information_schema', $2)
                AND (n.nspname || '.' || c.relname ILIKE ANY ($1) OR c.relname ILIKE ANY ($1))
              ORDER BY n.nspname, c.relname
              LIMIT $3)
            SELECT l.schema, l.name, l.partitioned, l.persistence,
                   CASE WHEN l.partitioned
                     THEN (SELECT sum(p.reltuples) FILTER (WHERE p.reltuples >= 0)
                           FROM pg_partition_tree(l.oid) t JOIN pg_class p ON p.oid = t.relid WHERE t.isleaf)
                     ELSE nullif(l.reltuples, -1) END::int8,
                   CASE WHEN l.partitioned
                     THEN (SELECT coalesce(sum(pg_total_relation_size(t.relid)), 0) FROM pg_partition_tree(l.oid) t)
                     ELSE coalesce(pg_total_relation_size(l.oid), 0) END::int8,
                   has_schema_privilege(l.schema_oid, 'USAGE'), has_table_privilege(l.oid, 'SELECT'),
                   pg_has_role(l.relowner, 'USAGE'), current_user::text
            FROM listed l
            ORDER BY l.schema, l.name""";

    private static SourceTable listed(Row row) {
        var name = new TableName(row.getString(0), row.getString(1));
        String role = row.getString(9);
        Optional<String> refused = !name.isExactInCapture()
                ? Optional.of("its name is misread by change capture")
                : row.getString(3).equals("u")
                        ? Optional.of("it is unlogged: its changes do not stand in the WAL")
                        : !row.getBoolean(6)
                                ? Optional.of("the role " + role + " may not use its schema")
                                : !row.getBoolean(7)
                                        ? Optional.of("the role " + role + " may not read it")
                                        : Optional.empty();
        return new SourceTable(
                name, Optional.ofNullable(row.getLong(4)), row.getLong(5), row.getBoolean(2), refused);
    }

    /** A pattern stands for the whole name; other text may stand anywhere in it. */
    private static String[] like(String search) {
        String literal = search.replace("\"", "")
                .replace("\\", "\\\\")
                .replace("%", "\\%")
                .replace("_", "\\_");
        return new String[] {search.contains("*") ? literal.replace("*", "%") : "%" + literal + "%"};
    }
}
