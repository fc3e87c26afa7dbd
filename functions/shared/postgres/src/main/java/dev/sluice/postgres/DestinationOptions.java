package dev.sluice.postgres;

import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableDefinition.Column;
import dev.sluice.domain.TableName;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.SqlConnection;
import io.vertx.mutiny.sqlclient.Tuple;
import io.vertx.pgclient.PgException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What a table's options ask of the destination: room for masks, the column of soft deletes, a sound condition. */
final class DestinationOptions {

    /** Texts that PostgreSQL reads as the moment of reading. */
    private static final Pattern MOMENT = Pattern.compile("now|today|tomorrow|yesterday", Pattern.CASE_INSENSITIVE);

    private static final String PROBE = "pg_temp.sluice_condition";

    private DestinationOptions() {}

    /**
     * Masked columns whose mask a type does not read.
     *
     * @param types of the masked columns, by name
     */
    static Uni<List<String>> unreadableMasks(SqlConnection connection, CarriedTable carried, Map<String, String> types) {
        List<String> unreadable = new ArrayList<>();
        return Multi.createFrom()
                .iterable(carried.options().mask().entrySet())
                .filter(mask -> mask.getValue().isPresent() && types.containsKey(mask.getKey()))
                .onItem()
                .transformToUniAndConcatenate(mask -> reads(connection, types.get(mask.getKey()), mask.getValue().get())
                        .invoke(reads -> {
                            if (!reads) {
                                unreadable.add(mask.getKey());
                            }
                        }))
                .collect()
                .last()
                .replaceWith(unreadable);
    }

    /** As a column of that type would: a cast would cut a text that is too long. A failed statement ends a transaction. */
    private static Uni<Boolean> reads(SqlConnection connection, String type, String text) {
        // What a type says of a text that it does not read: some complain of a syntax, regclass and its kin of a name.
        String block = "BEGIN EXECUTE " + ChunkStatements.literal("CREATE TEMPORARY TABLE sluice_mask (value " + type + ")")
                + "; BEGIN EXECUTE " + ChunkStatements.literal(
                        "INSERT INTO pg_temp.sluice_mask VALUES (" + ChunkStatements.literal(text) + ")")
                + "; PERFORM set_config('sluice.mask', 'read', true); "
                + "EXCEPTION WHEN data_exception OR integrity_constraint_violation OR syntax_error_or_access_rule_violation "
                + "OR invalid_schema_name OR feature_not_supported "
                + "THEN PERFORM set_config('sluice.mask', 'not read', true); END; DROP TABLE pg_temp.sluice_mask; END";
        return execute(connection, "DO " + ChunkStatements.literal(block))
                .chain(() -> connection.query("SELECT current_setting('sluice.mask')").execute())
                .map(rows -> rows.iterator().next().getString(0).equals("read"));
    }

    /**
     * Checks a table that is there already.
     *
     * @throws RefusedException (in the Uni) if it has a column that is to be left out, or one that a mask does not fit
     */
    static Uni<Void> requireFits(SqlConnection connection, CarriedTable carried, TableDefinition target) {
        for (Column column : target.columns()) {
            boolean leftOut = !carried.isCarried(column.name())
                    && carried.source().columns().stream().anyMatch(other -> other.name().equals(column.name()));
            if (leftOut) {
                throw new RefusedException(
                        "the column " + TableName.quote(column.name()) + " of " + target.table()
                                + " is left out by the options, but the destination has it: its values would stay as they are",
                        "run ALTER TABLE " + target.table().sql() + " DROP COLUMN " + TableName.quote(column.name())
                                + " at the destination");
            }
        }
        Map<String, String> types = carried.maskedTypes(target);
        return unreadableMasks(connection, carried, types).map(unreadable -> {
            unreadable.stream().findFirst().ifPresent(name -> {
                throw new RefusedException(
                        "the column " + TableName.quote(name) + " of " + target.table() + " has type " + types.get(name)
                                + " at the destination, which does not read its mask",
                        "run ALTER TABLE " + target.table().sql() + " ALTER COLUMN " + TableName.quote(name)
                                + " TYPE text at the destination, or mask it with another text");
            });
            return null;
        });
    }

    /** Makes the column of soft deletes where it is missing. */
    static Uni<Void> addSoftDelete(SqlConnection connection, CarriedTable carried, TableName target) {
        if (carried.softDelete().isEmpty()) {
            return Uni.createFrom().voidItem();
        }
        SoftDeletion mark = carried.softDelete().get();
        return execute(
                        connection,
                        "ALTER TABLE " + target.sql() + " ADD COLUMN IF NOT EXISTS " + mark.column() + " "
                                + mark.declaration())
                .chain(() -> DefinitionQuery.read(connection, target))
                .map(reading -> {
                    Column column = reading.orElseThrow().definition().columns().stream()
                            .filter(found -> TableName.quote(found.name()).equals(mark.column()))
                            .findFirst()
                            .orElseThrow();
                    if (!column.type().equals(mark.type()) || !column.isCopied()) {
                        throw new RefusedException(
                                "the soft-delete column " + mark.column() + " of " + target + " has type " + column.type()
                                        + ", not " + mark.type(),
                                "name another column, or change its type at the destination");
                    }
                    return null;
                });
    }

    /**
     * Checks that a condition means the same for chunks, which the source judges, and for changes, which the destination
     * judges, today and tomorrow. An index takes such conditions only: no subquery, and nothing that is not immutable.
     *
     * @throws RefusedException (in the Uni) if it does not
     */
    static Uni<Void> requireCondition(Database source, SqlConnection connection, CarriedTable carried) {
        if (!carried.hasCondition()) {
            return Uni.createFrom().voidItem();
        }
        TableName table = carried.source().table();
        String columns = carried.conditionColumns().stream()
                .map(column -> TableName.quote(column.name()) + " " + column.type()
                        + column.collation().map(name -> " COLLATE " + name).orElse(""))
                .collect(Collectors.joining(", "));
        return execute(connection, "SAVEPOINT sluice_condition")
                .chain(() -> execute(connection, "CREATE TEMPORARY TABLE sluice_condition (" + columns
                        + (columns.isEmpty() ? "" : ", ") + "\"sluice row\" int)"))
                // Prepared, so that it is one statement whatever the text.
                .chain(() -> connection
                        .preparedQuery("CREATE INDEX ON " + PROBE + " (\"sluice row\") WHERE " + carried.condition())
                        .execute())
                .chain(() -> connection
                        .query("SELECT pg_get_expr(indpred, indrelid), indpred::text, "
                                + "(SELECT min(coalesce(p.oid::regprocedure::text, o.oid::regoperator::text)) "
                                + " FROM pg_depend d "
                                + " LEFT JOIN pg_proc p ON d.refclassid = 'pg_proc'::regclass AND p.oid = d.refobjid "
                                + " LEFT JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid "
                                + " WHERE d.classid = 'pg_class'::regclass AND d.objid = indexrelid "
                                + "   AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = d.refclassid "
                                + "     AND e.objid = d.refobjid AND e.deptype = 'e')) "
                                + "FROM pg_index WHERE indrelid = '" + PROBE + "'::regclass")
                        .execute())
                .onFailure(PgException.class)
                .transform(failure -> SourceOptions.refusedCondition(table, ((PgException) failure).getErrorMessage()))
                .map(rows -> rows.iterator().next())
                .invoke(row -> requireConstant(carried, row))
                .chain(row -> requireCollations(source, connection, table, row.getString(1)))
                .call(() -> execute(
                        connection, "ROLLBACK TO SAVEPOINT sluice_condition; RELEASE SAVEPOINT sluice_condition"));
    }

    private static void requireConstant(CarriedTable carried, Row row) {
        TableName table = carried.source().table();
        // Such a text is gone from the parsed condition where it became a moment, and still there where it is text.
        if (count(carried.condition()) > count(row.getString(0))) {
            throw SourceOptions.refusedCondition(
                    table, "a text such as 'now' stands for the moment at which it is read");
        }
        if (row.getString(2) != null) {
            throw SourceOptions.refusedCondition(
                    table, row.getString(2) + " is neither PostgreSQL's nor an extension's, and may differ between the servers");
        }
    }

    private static long count(String text) {
        return MOMENT.matcher(text).results().count();
    }

    private static final Pattern COLLATION = Pattern.compile(":inputcollid (\\d+)");

    /** A comparison of texts comes to the same at both servers only by the same order. */
    private static Uni<Void> requireCollations(
            Database source, SqlConnection connection, TableName table, String parsed) {
        Set<Long> used = COLLATION.matcher(parsed).results()
                .map(match -> Long.parseLong(match.group(1)))
                .filter(oid -> oid != 0)
                .collect(Collectors.toSet());
        if (used.isEmpty()) {
            return Uni.createFrom().voidItem();
        }
        return connection
                .preparedQuery("SELECT n.nspname::text, c.collname::text FROM pg_collation c "
                        + "JOIN pg_namespace n ON n.oid = c.collnamespace WHERE c.oid = ANY ($1::int8[]::oid[])")
                .execute(Tuple.tuple().addArrayOfLong(used.toArray(Long[]::new)))
                .chain(rows -> {
                    List<String> schemas = new ArrayList<>();
                    List<String> names = new ArrayList<>();
                    rows.forEach(row -> {
                        schemas.add(row.getString(0));
                        names.add(row.getString(1));
                    });
                    Tuple collations = Tuple.tuple()
                            .addArrayOfString(schemas.toArray(String[]::new))
                            .addArrayOfString(names.toArray(String[]::new));
                    return Uni.combine().all().unis(
                                    connection.preparedQuery(COLLATIONS).execute(collations).map(DestinationOptions::byName),
                                    source.query(COLLATIONS, collations).map(DestinationOptions::byName))
                            .asTuple();
                })
                .map(both -> {
                    both.getItem1().forEach((name, here) -> {
                        if (!here.equals(both.getItem2().get(name))) {
                            throw SourceOptions.refusedCondition(table, "it compares texts by the collation " + name
                                    + ", which orders otherwise at the source (" + both.getItem2().get(name)
                                    + ") than at the destination (" + here + "); write COLLATE \"C\" behind the text");
                        }
                    });
                    return null;
                });
    }

    private static final String COLLATIONS = """
            SELECT n.nspname || '.' || c.collname,
                   CASE WHEN c.collprovider = 'd' THEN concat_ws(' ', coalesce(to_jsonb(d) ->> 'datlocprovider', 'c'),
                          d.datcollate, d.datctype, to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale',
                          to_jsonb(d) ->> 'datcollversion')
                        ELSE concat_ws(' ', c.collprovider, c.collcollate, c.collctype, to_jsonb(c) ->> 'colllocale',
                          to_jsonb(c) ->> 'colliculocale', c.collversion) END
            FROM unnest($1::text[], $2::text[]) wanted (schema, name)
            JOIN pg_namespace n ON n.nspname = wanted.schema
            JOIN pg_collation c ON c.collnamespace = n.oid AND c.collname = wanted.name
              AND c.collencoding IN (-1, (SELECT encoding FROM pg_database WHERE datname = current_database()))
            CROSS JOIN (SELECT * FROM pg_database WHERE datname = current_database()) d""";

    private static Map<String, String> byName(Iterable<Row> rows) {
        Map<String, String> collations = new TreeMap<>();
        rows.forEach(row -> collations.put(row.getString(0), row.getString(1)));
        return collations;
    }

    private static Uni<Void> execute(SqlConnection connection, String statement) {
        return connection.query(statement).execute().replaceWithVoid();
    }
}
