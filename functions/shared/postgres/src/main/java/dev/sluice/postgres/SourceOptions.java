package dev.sluice.postgres;

import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableDefinition.Column;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
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

/** Whether a table of the source can be carried by its options. Changes nothing there. */
final class SourceOptions {

    private SourceOptions() {}

    /**
     * Refuses what does not fit the table. Within a transaction that only reads: a condition that fails ends it.
     *
     * @throws RefusedException (in the Uni) by column, with what to do
     */
    static Uni<Void> require(SqlConnection connection, TableDefinition definition, TableOptions options) {
        if (options.isNone()) {
            return Uni.createFrom().voidItem();
        }
        var carried = new CarriedTable(definition, options, Optional.empty());
        requireNames(definition, options);
        requireKey(definition, options, carried);
        return requireGenerated(connection, definition, carried)
                .chain(() -> requireCondition(connection, carried));
    }

    private static void requireNames(TableDefinition definition, TableOptions options) {
        Set<String> known = definition.columns().stream().map(Column::name).collect(Collectors.toSet());
        List<String> named = new ArrayList<>();
        List.of(options.key(), options.include(), options.exclude(), options.hash(), options.mask().keySet())
                .forEach(named::addAll);
        named.stream().filter(name -> !known.contains(name)).findFirst().ifPresent(name -> {
            throw new RefusedException(
                    "the options of " + definition.table() + " name a column " + TableName.quote(name)
                            + ", which it does not have",
                    "correct the options and send backfill with them; columns are named as PostgreSQL stores them, "
                            + "without quotes");
        });
        options.softDelete().filter(mark -> known.contains(mark.column())).ifPresent(mark -> {
            throw new RefusedException(
                    "the soft-delete column " + TableName.quote(mark.column()) + " is a column of " + definition.table()
                            + " at the source",
                    "name another one, which only the destination has");
        });
        definition.columns().stream()
                .filter(column -> !column.isCopied())
                .filter(column -> options.hash().contains(column.name()) || options.mask().containsKey(column.name()))
                .findFirst()
                .ifPresent(column -> {
                    throw new RefusedException(
                            "the column " + TableName.quote(column.name()) + " of " + definition.table()
                                    + " is generated: the destination computes it by itself, so it cannot be hashed or masked",
                            "exclude it");
                });
    }

    private static void requireKey(TableDefinition definition, TableOptions options, CarriedTable carried) {
        if (definition.key().isEmpty() && (options.where().isPresent() || options.softDelete().isPresent())) {
            throw new RefusedException(
                    definition.table() + " has no key, so its rows can only be counted, neither chosen nor marked as gone",
                    "give it a primary key, or take " + (options.where().isPresent() ? "where" : "softDelete")
                            + " out of its options");
        }
        for (String name : definition.keyColumns()) {
            String column = "the key column " + TableName.quote(name) + " of " + definition.table();
            if (!carried.isCarried(name)) {
                throw new RefusedException(
                        column + " is left out, and rows are found by it",
                        options.include().isEmpty() ? "take it out of exclude" : "add it to include");
            }
            if (!carried.isPlain(name)) {
                throw new RefusedException(
                        column + " cannot be hashed or masked: rows are found by it, and ranges need its order",
                        "take it out of hash and mask");
            }
        }
        if (definition.copiedColumns().stream().noneMatch(column -> carried.isCarried(column.name()))) {
            throw new RefusedException("the options leave no column of " + definition.table(), "carry at least one");
        }
    }

    /** The destination computes a generated column from what it has; changes do not carry its value. */
    private static Uni<Void> requireGenerated(
            SqlConnection connection, TableDefinition definition, CarriedTable carried) {
        return connection
                .preparedQuery("""
                        SELECT g.attname::text, b.attname::text
                        FROM pg_attrdef d
                        JOIN pg_attribute g ON g.attrelid = d.adrelid AND g.attnum = d.adnum AND g.attgenerated <> ''
                        -- Before 15 it is the column that depends on others, and not its expression.
                        JOIN pg_depend p ON (p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid
                            OR p.classid = 'pg_class'::regclass AND p.objid = d.adrelid AND p.objsubid = d.adnum)
                          AND p.refclassid = 'pg_class'::regclass AND p.refobjid = d.adrelid AND p.refobjsubid > 0
                          AND p.refobjsubid <> d.adnum
                        JOIN pg_attribute b ON b.attrelid = d.adrelid AND b.attnum = p.refobjsubid
                        WHERE d.adrelid = $1::int8::oid ORDER BY g.attnum, b.attnum""")
                .execute(Tuple.of(definition.oid()))
                .map(rows -> {
                    for (Row row : rows) {
                        String generated = row.getString(0);
                        String base = row.getString(1);
                        if (carried.isCarried(generated) && !carried.isPlain(base)) {
                            throw new RefusedException(
                                    "the generated column " + TableName.quote(generated) + " of " + definition.table()
                                            + " is computed from " + TableName.quote(base)
                                            + ", which the destination does not get as it is",
                                    "exclude " + TableName.quote(generated) + " too");
                        }
                    }
                    return null;
                });
    }

    private static Uni<Void> requireCondition(SqlConnection connection, CarriedTable carried) {
        if (!carried.hasCondition()) {
            return Uni.createFrom().voidItem();
        }
        TableName table = carried.source().table();
        String columns = carried.conditionable().stream()
                .map(column -> TableName.quote(column.name()))
                .collect(Collectors.joining(", "));
        // A prepared statement is one statement, and this one reads no row.
        return connection
                .preparedQuery("SELECT FROM (SELECT " + columns + " FROM " + RowsOf.table(carried.source())
                        + ") AS sluice_row WHERE false AND " + carried.condition())
                .execute()
                .replaceWithVoid()
                .onFailure(PgException.class)
                .transform(failure -> refusedCondition(table, ((PgException) failure).getErrorMessage()));
    }

    static RefusedException refusedCondition(TableName table, String why) {
        return new RefusedException(
                "the condition «where» of " + table + " cannot be followed: " + why,
                "write an immutable condition over columns that are carried as they are, without subqueries, and send "
                        + "backfill with it");
    }
}
