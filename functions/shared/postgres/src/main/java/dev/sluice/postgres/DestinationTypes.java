package dev.sluice.postgres;

import dev.sluice.domain.TableDefinition.Column;
import dev.sluice.domain.TableName;
import dev.sluice.postgres.UserType.Enumeration;
import dev.sluice.postgres.UserTypes.Used;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.SqlConnection;
import io.vertx.pgclient.PgException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;

/**
 * The types that columns of the source have and PostgreSQL does not bring. Enumerations, domains, composites and ranges
 * are made at the destination where they are missing, under the source's names, and compared where they are there;
 * whatever an extension brings must be there.
 *
 * <p>A schema that is mapped is mapped for its tables, not for its types: defaults, CHECK constraints and expressions
 * of indexes name types by their schema.
 */
final class DestinationTypes {

    private static final Logger LOG = Logger.getLogger(DestinationTypes.class);

    /** One at a time makes or alters types, since two tables may need the same. */
    private static final String ALONE = "SET LOCAL lock_timeout = '30s'; "
            + "SELECT pg_advisory_xact_lock(hashtextextended('sluice makes types', 0))::text";

    private final Database source;
    private final Database destination;

    DestinationTypes(Database source, Database destination) {
        this.source = source;
        this.destination = destination;
    }

    /**
     * Makes or checks the types of some columns. In a transaction of its own, so that whoever needs them next sees them:
     * types that nobody uses after all do no harm.
     *
     * @param table as the source names it
     * @throws RefusedException (in the Uni) if a type is neither there nor can be made, or is not the source's; with the
     *     column and what to run
     */
    Uni<Void> prepare(TableName table, List<Column> columns) {
        return source.withConnection(connection -> UserTypes.read(connection, names(columns))).chain(used -> {
            Map<String, Used> wanted = byName(used);
            return wanted.isEmpty()
                    ? Uni.createFrom().voidItem()
                    : makeSchemas(wanted.values()).chain(() -> destination.inShortTransaction(connection -> connection
                            .query(ALONE)
                            .execute()
                            .chain(() -> read(connection, wanted.keySet()))
                            .chain(there -> each(wanted.values(), type -> makeOrCheck(
                                    connection, type, Optional.ofNullable(there.get(type.type().name())),
                                    column(table, columns, type))))));
        });
    }

    /**
     * Gives enumerations that Sluice made the labels that the source has by now. To be called when a value did not fit.
     *
     * @param table as the source names it
     * @return whether the table has such an enumeration, so that the values may fit now
     * @throws RefusedException (in the Uni) if an enumeration that somebody else made lacks a label, or a label may have
     *     been renamed; with what to run
     */
    Uni<Boolean> followLabels(TableName table) {
        return source.withConnection(connection -> DefinitionQuery.read(connection, table)
                .chain(reading -> UserTypes.read(connection, reading.map(found -> names(found.definition().columns()))
                        .orElse(List.of())))).chain(used -> {
            Map<String, Used> wanted = byName(used);
            wanted.values().removeIf(type -> !(type.type() instanceof Enumeration));
            return wanted.isEmpty()
                    ? Uni.createFrom().item(false)
                    : destination.inShortTransaction(connection -> connection
                            .query(ALONE)
                            .execute()
                            .chain(() -> read(connection, wanted.keySet()))
                            .chain(there -> each(there.values(), type -> follow(
                                            connection, (Enumeration) wanted.get(type.type().name()).type(), type,
                                            "a column of " + table))
                                    .replaceWith(!there.isEmpty())));
        });
    }

    private static List<String> names(List<Column> columns) {
        return columns.stream().map(Column::type).toList();
    }

    /** Each type once, still after those that it is made of. */
    private static Map<String, Used> byName(List<Used> used) {
        Map<String, Used> types = new LinkedHashMap<>();
        used.forEach(type -> types.putIfAbsent(type.type().name(), type));
        return types;
    }

    private static Uni<Map<String, Used>> read(SqlConnection connection, Collection<String> names) {
        return UserTypes.read(connection, names)
                .map(used -> byName(used.stream().filter(Used::isRoot).toList()));
    }

    private static String column(TableName table, List<Column> columns, Used type) {
        return columns.stream()
                .filter(column -> column.type().equals(type.root()))
                .map(column -> "the column " + TableName.quote(column.name()) + " of " + table)
                .findFirst()
                .orElse("a column of " + table);
    }

    private Uni<Void> makeSchemas(Collection<Used> types) {
        List<String> schemas = types.stream()
                .filter(type -> type.type().creation().isPresent())
                .map(Used::schema)
                .distinct()
                .toList();
        return each(schemas, schema -> DestinationSchemas.make(destination, schema));
    }

    private static Uni<Void> makeOrCheck(SqlConnection connection, Used wanted, Optional<Used> there, String column) {
        UserType type = wanted.type();
        if (there.isEmpty()) {
            return make(connection, type, column);
        }
        type.misfit(there.get().type()).ifPresent(misfit -> {
            throw new RefusedException(
                    "the type " + type.name() + " of " + column + " " + misfit.what(), misfit.hint() + ", then retry");
        });
        return type instanceof Enumeration labels
                ? follow(connection, labels, there.get(), column)
                : Uni.createFrom().voidItem();
    }

    private static Uni<Void> make(SqlConnection connection, UserType type, String column) {
        String creation = type.creation().orElseThrow(() -> new RefusedException(
                "the destination does not have the type " + type.name() + " of " + column
                        + (type instanceof UserType.Extended extended ? ", which the extension " + extended.extension()
                                + " brings" : ""),
                type.remedy()));
        LOG.infof("makes type=%s for %s", type.name(), column);
        return connection
                .query(creation + "; COMMENT ON TYPE " + type.name() + " IS '" + UserTypes.MADE_BY_SLUICE + "'")
                .execute()
                .replaceWithVoid()
                .onFailure(DestinationTypes::isRefusal)
                .transform(failure -> new RefusedException(
                        "the destination does not take the type " + type.name() + " of " + column + ": "
                                + ((PgException) failure).getErrorMessage(),
                        "run there, once it has what the type needs, " + creation + ", then retry"));
    }

    /** Not what may go better the next time: a lock, a server that ends. */
    private static boolean isRefusal(Throwable failure) {
        return failure instanceof PgException pg && (pg.getSqlState().startsWith("42") || pg.getSqlState().startsWith("0A")
                || pg.getSqlState().startsWith("22"));
    }

    private static Uni<Void> follow(SqlConnection connection, Enumeration wanted, Used there, String column) {
        Enumeration labels = (Enumeration) there.type();
        List<String> missing = wanted.missing(labels);
        if (missing.isEmpty()) {
            return Uni.createFrom().voidItem();
        }
        List<String> additions = wanted.additions(labels);
        List<String> extra = labels.missing(wanted);
        String lacks = "the type " + wanted.name() + " of " + column + " lacks "
                + missing.stream().map(UserType::literal).collect(Collectors.joining(", ")) + " at the destination";
        if (!extra.isEmpty()) {
            // A label that was renamed would be added as another one, and rows that have it would keep the old name.
            throw new RefusedException(
                    lacks + " and has " + extra.stream().map(UserType::literal).collect(Collectors.joining(", "))
                            + " that the source does not have",
                    "if a label was renamed, run ALTER TYPE " + wanted.name() + " RENAME VALUE "
                            + UserType.literal(extra.get(0)) + " TO " + UserType.literal(missing.get(0)) + " at the destination, else "
                            + String.join("; ", additions) + "; then retry");
        }
        if (!there.madeBySluice()) {
            throw new RefusedException(lacks, "run " + String.join("; ", additions) + " there, then retry");
        }
        LOG.infof("adds labels type=%s labels=%s", wanted.name(), missing);
        return each(additions, statement -> connection.query(statement).execute().replaceWithVoid());
    }

    private static <T> Uni<Void> each(Collection<T> items, Function<T, Uni<Void>> work) {
        if (items.isEmpty()) {
            return Uni.createFrom().voidItem();
        }
        return Multi.createFrom()
                .iterable(new ArrayList<>(items))
                .onItem()
                .transformToUniAndConcatenate(work::apply)
                .collect()
                .last()
                .replaceWithVoid();
    }
}
