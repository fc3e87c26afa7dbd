package dev.sluice.postgres;

import dev.sluice.domain.Fault;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.SqlConnection;
import io.vertx.mutiny.sqlclient.Tuple;
import io.vertx.pgclient.PgException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Indexes and constraints of the source that a table made by Sluice gets only when it is caught up (R14). */
final class DeferredConstraints {

    private final Database source;
    private final Database destination;
    private final SchemaMapping schemas;

    DeferredConstraints(Database source, Database destination, SchemaMapping schemas) {
        this.source = source;
        this.destination = destination;
        this.schemas = schemas;
    }

    /**
     * An index or CHECK constraint of the source.
     *
     * @param isUnique of an index
     * @param definition of an index what follows the table's name; of a constraint what follows its name
     * @param constraint what follows {@code USING INDEX …} where the index belongs to a UNIQUE constraint or is the
     *     primary key, else null
     * @param columns that it speaks of
     * @param isPartial of an index
     * @param isPrimary of an index that is the primary key, where the table is followed by another key
     */
    private record Wanted(
            boolean isCheck,
            String name,
            boolean isUnique,
            String definition,
            String constraint,
            List<String> columns,
            boolean isPartial,
            boolean isPrimary) {

        /** Rows that are marked as gone may have values that others have by now. */
        Wanted amongLive(SoftDeletion mark) {
            return isUnique
                    ? new Wanted(
                            isCheck, name, true,
                            definition + (isPartial ? " AND " : " WHERE ") + "(" + mark.isLive("") + ")", null, columns, true,
                            false)
                    : this;
        }
    }

    /** SQL: whether an index is on exactly the columns of an array, whatever their order. */
    static String isOn(String index, String columns) {
        return "coalesce((SELECT array_agg(a.attname::text ORDER BY a.attname) FROM unnest(" + index
                + ".indkey::int2[]) WITH ORDINALITY k (attnum, place) JOIN pg_attribute a ON a.attrelid = " + index
                + ".indrelid AND a.attnum = k.attnum WHERE k.place <= " + index + ".indnkeyatts) = "
                + "(SELECT array_agg(name ORDER BY name COLLATE \"C\") FROM unnest(" + columns + "::text[]) name), false)";
    }

    private static final String WANTED = """
            WITH t AS (SELECT c.oid, c.relkind, c.relname, n.nspname
                       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                       WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p'))
            SELECT false, i.relname::text, x.indisunique,
                   substr(pg_get_indexdef(i.oid), 1 + length(format('CREATE %sINDEX %I ON %s%I.%I',
                     CASE WHEN x.indisunique THEN 'UNIQUE ' END, i.relname, CASE t.relkind WHEN 'p' THEN 'ONLY ' END,
                     t.nspname, t.relname))),
                   CASE WHEN k.oid IS NOT NULL THEN concat(CASE WHEN k.condeferrable THEN ' DEFERRABLE' END,
                     CASE WHEN k.condeferred THEN ' INITIALLY DEFERRED' END) END,
                   array(SELECT DISTINCT a.attname::text FROM pg_depend d
                         JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
                         WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid AND d.refobjsubid > 0
                           AND (d.classid = 'pg_class'::regclass AND d.objid = i.oid
                             OR d.classid = 'pg_constraint'::regclass AND d.objid = k.oid)),
                   x.indpred IS NOT NULL,
                   x.indisprimary
            FROM t JOIN pg_index x ON x.indrelid = t.oid JOIN pg_class i ON i.oid = x.indexrelid
            LEFT JOIN pg_constraint k ON k.conindid = i.oid AND k.conrelid = t.oid AND k.contype IN ('u', 'x', 'p')
            WHERE NOT (x.indisprimary AND on_the_key) AND x.indisvalid AND NOT x.indisexclusion
            UNION ALL
            SELECT true, k.conname::text, false, pg_get_constraintdef(k.oid), NULL,
                   array(SELECT a.attname::text FROM pg_attribute a
                         WHERE a.attrelid = t.oid AND a.attnum = ANY (k.conkey)), false, false
            FROM t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'c'
            ORDER BY 1, 2""".replace("on_the_key", isOn("x", "$3"));

    /** @param key the columns of the key that the table is followed by, which the destination's table has at once */
    private Uni<List<Wanted>> wanted(TableName table, List<String> key) {
        return source.query(WANTED, Tuple.of(table.schema(), table.name(), key.toArray(String[]::new)))
                .map(rows -> {
                    List<Wanted> wanted = new ArrayList<>();
                    for (Row row : rows) {
                        wanted.add(new Wanted(
                                row.getBoolean(0),
                                row.getString(1),
                                row.getBoolean(2),
                                row.getString(3),
                                row.getString(4),
                                List.of(row.getArrayOfStrings(5)),
                                row.getBoolean(6),
                                row.getBoolean(7)));
                    }
                    return wanted;
                });
    }

    /** Names of unique indexes of the source's table; nothing is asked if they are not needed. */
    Uni<Set<String>> namesOfUnique(TableDefinition definition, boolean needed) {
        return needed
                ? wanted(definition.table(), definition.keyColumns()).map(all ->
                        all.stream().filter(Wanted::isUnique).map(Wanted::name).collect(Collectors.toSet()))
                : Uni.createFrom().item(Set.of());
    }

    /** Drops those of the unique indexes that are there, with their constraints; the one on the key stays. */
    Uni<Void> drop(SqlConnection connection, TableName target, Set<String> names, List<String> key) {
        if (names.isEmpty()) {
            return Uni.createFrom().voidItem();
        }
        return connection
                .preparedQuery("""
                        SELECT i.relname::text, EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.oid
                          AND k.conrelid = c.oid AND k.contype IN ('u', 'p'))
                        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                        JOIN pg_index x ON x.indrelid = c.oid JOIN pg_class i ON i.oid = x.indexrelid
                        WHERE n.nspname = $1 AND c.relname = $2 AND i.relname = ANY ($3::text[])
                          AND x.indisunique AND NOT """ + " (" + isOn("x", "$4") + ")")
                .execute(Tuple.of(
                        target.schema(), target.name(), names.toArray(String[]::new), key.toArray(String[]::new)))
                .chain(rows -> {
                    List<String> statements = new ArrayList<>();
                    for (Row row : rows) {
                        statements.add(row.getBoolean(1)
                                ? "ALTER TABLE " + target.sql() + " DROP CONSTRAINT " + TableName.quote(row.getString(0))
                                : "DROP INDEX " + new TableName(target.schema(), row.getString(0)).sql());
                    }
                    return statements.isEmpty()
                            ? Uni.createFrom().voidItem()
                            : connection.query(String.join("; ", statements)).execute().replaceWithVoid();
                });
    }

    /** What the destination has as the source does. */
    private static List<Wanted> carried(List<Wanted> all, TableName table, TableOptions options) {
        var carried = new CarriedTable(
                new TableDefinition(table, 0, List.of(), List.of()), options, Optional.empty());
        return all.stream()
                .filter(wanted -> wanted.columns().stream().allMatch(carried::isPlain))
                .map(wanted -> carried.softDelete().map(wanted::amongLive).orElse(wanted))
                .toList();
    }

    Uni<Integer> build(TableName table, TableOptions options) {
        TableName target = schemas.atDestination(table);
        String lock = "hashtextextended('sluice builds indexes of ' || $1::text, 0)";
        Uni<List<Wanted>> missing = source.withConnection(connection -> DefinitionQuery.read(connection, table, options.key()))
                .chain(reading -> wanted(
                        table, reading.map(found -> found.definition().keyColumns()).orElse(List.of())));
        return missing.chain(all -> destination.pool().withConnection(connection -> connection
                // Not one that waits: it would hold a snapshot, and CREATE INDEX CONCURRENTLY waits for those.
                .preparedQuery("SELECT pg_try_advisory_lock(" + lock + ")")
                .execute(Tuple.of(target.toString()))
                .chain(rows -> rows.iterator().next().getBoolean(0)
                        ? buildAll(connection, target, carried(all, table, options))
                                .eventually(() -> connection
                                        .preparedQuery("SELECT pg_advisory_unlock(" + lock + ")")
                                        .execute(Tuple.of(target.toString())))
                        : Uni.createFrom()
                                .failure(new IllegalStateException(
                                        "another process builds the indexes of " + target + " now")))));
    }

    private Uni<Integer> buildAll(SqlConnection connection, TableName target, List<Wanted> all) {
        List<Fault> refused = new ArrayList<>();
        return Multi.createFrom()
                .iterable(all)
                .onItem()
                .transformToUniAndConcatenate(wanted -> (wanted.isCheck()
                                ? buildCheck(connection, target, wanted)
                                : buildIndex(connection, target, wanted))
                        .onFailure()
                        .recoverWithUni(failure -> {
                            Fault fault = SqlFaults.fault(failure, "building " + wanted.name() + " of " + target);
                            if (fault.kind() != Fault.Kind.REFUSED) {
                                return Uni.createFrom().failure(failure);
                            }
                            refused.add(fault);
                            return Uni.createFrom().item(false);
                        }))
                .filter(built -> built)
                .collect()
                .asList()
                .call(() -> connection.query("ANALYZE " + target.sql()).execute())
                .map(built -> {
                    if (!refused.isEmpty()) {
                        throw new RefusedException(
                                refused.stream().map(Fault::reason).collect(Collectors.joining("; ")),
                                refused.get(0).hint());
                    }
                    return built.size();
                });
    }

    /** @return whether something was missing */
    private static Uni<Boolean> buildIndex(SqlConnection connection, TableName target, Wanted wanted) {
        String index = new TableName(target.schema(), wanted.name()).sql();
        String create = "CREATE " + (wanted.isUnique() ? "UNIQUE " : "") + "INDEX CONCURRENTLY "
                + TableName.quote(wanted.name()) + " ON " + target.sql() + wanted.definition();
        String addConstraint = "ALTER TABLE " + target.sql() + " ADD CONSTRAINT " + TableName.quote(wanted.name())
                + (wanted.isPrimary() ? " PRIMARY KEY" : " UNIQUE") + " USING INDEX " + TableName.quote(wanted.name()) + wanted.constraint();
        String dropInvalid = "DROP INDEX CONCURRENTLY IF EXISTS " + index;
        return connection
                .preparedQuery("""
                        SELECT x.indisvalid, EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.oid)
                        FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
                        JOIN pg_class c ON c.oid = x.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                        WHERE n.nspname = $1 AND c.relname = $2 AND i.relname = $3""")
                .execute(Tuple.of(target.schema(), target.name(), wanted.name()))
                .chain(rows -> {
                    var found = Ledger.first(rows);
                    boolean isValid = found.map(row -> row.getBoolean(0)).orElse(false);
                    boolean hasConstraint = found.map(row -> row.getBoolean(1)).orElse(false);
                    boolean needsConstraint = wanted.constraint() != null && !hasConstraint;
                    if (isValid && !needsConstraint) {
                        return Uni.createFrom().item(false);
                    }
                    Uni<Void> built = Uni.createFrom().voidItem();
                    if (found.isPresent() && !isValid) {
                        // What is left of a build that was cut off.
                        built = execute(connection, dropInvalid);
                    }
                    if (!isValid) {
                        // An invalid unique index would go on refusing rows.
                        built = built.chain(() -> execute(connection, create)
                                .onFailure(failure -> !isNameTaken(failure))
                                .call(() -> execute(connection, dropInvalid).onFailure().recoverWithNull()));
                    }
                    if (needsConstraint) {
                        built = built.chain(() -> shortly(connection, addConstraint));
                    }
                    return built.replaceWith(true);
                });
    }

    private static boolean isNameTaken(Throwable failure) {
        return failure instanceof PgException pg && "42P07".equals(pg.getSqlState());
    }

    /** @return whether it was missing */
    private static Uni<Boolean> buildCheck(SqlConnection connection, TableName target, Wanted wanted) {
        String alter = "ALTER TABLE " + target.sql() + " ";
        String name = TableName.quote(wanted.name());
        boolean isPlain = !wanted.definition().endsWith(" NOT VALID") && !wanted.definition().endsWith(" NOT ENFORCED");
        return connection
                .preparedQuery("SELECT k.convalidated FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid "
                        + "JOIN pg_namespace n ON n.oid = c.relnamespace "
                        + "WHERE n.nspname = $1 AND c.relname = $2 AND k.conname = $3")
                .execute(Tuple.of(target.schema(), target.name(), wanted.name()))
                .chain(rows -> {
                    var found = Ledger.first(rows);
                    if (found.isPresent() && (found.get().getBoolean(0) || !isPlain)) {
                        return Uni.createFrom().item(false);
                    }
                    Uni<Void> built = found.isPresent()
                            ? Uni.createFrom().voidItem()
                            : shortly(connection, alter + "ADD CONSTRAINT " + name + " " + wanted.definition()
                                    + (isPlain ? " NOT VALID" : ""));
                    // Validating reads the whole table, under a lock that writers do not notice.
                    return (isPlain ? built.chain(() -> execute(connection, alter + "VALIDATE CONSTRAINT " + name)) : built)
                            .replaceWith(true);
                });
    }

    /** Under a lock that stops writers for a moment: those behind it must not wait long if it is not to be had. */
    private static Uni<Void> shortly(SqlConnection connection, String statement) {
        return execute(connection, "BEGIN; SET LOCAL lock_timeout = '2s'; " + statement + "; COMMIT")
                .onFailure()
                .call(() -> execute(connection, "ROLLBACK").onFailure().recoverWithNull());
    }

    private static Uni<Void> execute(SqlConnection connection, String statement) {
        return connection.query(statement).execute().replaceWithVoid();
    }
}
