package dev.sluice.postgres;

import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableDefinition.Column;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.postgres.CapturedDefinitions.Known;
import dev.sluice.postgres.CapturedDefinitions.Now;
import dev.sluice.postgres.DefinitionChange.CannotFollow;
import dev.sluice.postgres.DefinitionChange.Followed;
import dev.sluice.postgres.DefinitionChange.Step;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.SqlConnection;
import io.vertx.pgclient.PgException;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.Optional;

/**
 * Gives the destination's table what the source's table was given by ALTER TABLE, while it is backfilled, drained or
 * streams (R20).
 *
 * <p>It is one short transaction at the destination, under the lock of the table's row in the ledger: no batch of
 * changes is under way meanwhile, and two who follow the same change do it once. What the table was is in that row, so
 * nothing is lost with a process, and whoever comes later finds nothing to be done.
 */
@Singleton
public class DefinitionFollow {

    /** A lock that is not to be had at once is tried for again later: those behind it must not wait long. */
    private static final String BOUNDS = "SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '45s'";
    private static final String STATEMENT_TIMED_OUT = "57014";

    private final Database destination;
    private final SourceTables tables;
    private final SchemaMapping schemas;
    private final DroppedColumns dropped;
    private final CapturedDefinitions definitions;
    private final DestinationTypes types;

    @Inject
    public DefinitionFollow(
            Databases databases, SourceTables tables, SchemaMapping schemas, Pipeline pipeline, DatabaseConfig config) {
        this(
                databases.source(),
                databases.destination(),
                tables,
                schemas,
                pipeline,
                config.destination().droppedColumns());
    }

    DefinitionFollow(
            Database source,
            Database destination,
            SourceTables tables,
            SchemaMapping schemas,
            Pipeline pipeline,
            DroppedColumns dropped) {
        this.destination = destination;
        this.tables = tables;
        this.schemas = schemas;
        this.dropped = dropped;
        this.definitions = new CapturedDefinitions(source, destination, TableName.quote(pipeline.ledgerSchema()));
        this.types = new DestinationTypes(source, destination);
    }

    /**
     * Keeps in the ledger what the table is like, before the first chunk of a run is read.
     *
     * <p>The names of the past stay as long as the definition does: the queue of the run before may still carry them.
     *
     * @return whether the table still has this definition; if not, nothing is kept
     */
    public Uni<Boolean> remember(TableDefinition definition) {
        TableName table = definition.table();
        return destination.inShortTransaction(connection -> DestinationColumns.execute(connection, BOUNDS)
                .chain(() -> definitions.lock(connection, table))
                .chain(known -> definitions.now(table, definition.keyColumns()).chain(now -> {
                    if (!now.captured().fingerprint().equals(definition.fingerprint())) {
                        return Uni.createFrom().item(false);
                    }
                    Optional<CapturedDefinition> same = known.flatMap(Known::captured)
                            .filter(before -> before.fingerprint().equals(definition.fingerprint()));
                    return definitions
                            .write(
                                    connection,
                                    table,
                                    same.map(before -> now.captured().withPast(before.past())).orElse(now.captured()))
                            .replaceWith(true);
                })));
    }

    /**
     * Compares the table with what it was, and does at the destination what follows from that.
     *
     * @param fingerprint of the definition that was last known to be followed
     * @return the fingerprint of the definition that the destination has followed now; empty if the ledger does not have
     *     the table
     * @throws RefusedException (in the Uni) if only a new backfill helps
     */
    public Uni<Optional<String>> follow(TableName table, String fingerprint) {
        return destination.inShortTransaction(connection -> DestinationColumns.execute(connection, BOUNDS)
                .chain(() -> definitions.lock(connection, table))
                .chain(known -> known.isEmpty()
                        ? Uni.createFrom().item(Optional.<String>empty())
                        // Read under the lock: what is older than what the ledger has would be followed back.
                        : tables.inspect(table, known.get().options())
                                .chain(() -> definitions.now(table, known.get().options().key()))
                                .chain(now -> follow(
                                        connection, before(known.get(), now, fingerprint), now, known.get().options()))
                                .map(Optional::of)));
    }

    /** A run that an earlier version prepared left nothing behind; while nothing has changed, it is made up for. */
    private static CapturedDefinition before(Known known, Now now, String fingerprint) {
        return known.captured()
                .or(() -> Optional.of(now.captured())
                        .filter(captured -> captured.fingerprint().equals(fingerprint)))
                .orElseThrow(() -> new RefusedException(
                        "the definition of the table was changed at the source, and the ledger does not know what it was",
                        DefinitionChange.BACKFILL_HINT));
    }

    private Uni<String> follow(
            SqlConnection connection, CapturedDefinition before, Now now, TableOptions options) {
        TableName table = now.definition().table();
        TableName target = schemas.atDestination(table);
        Uni<Void> done = switch (DefinitionChange.between(before, now.captured(), target).under(options)) {
            case CannotFollow cannot -> throw new RefusedException(cannot.reason(), cannot.hint());
            case Followed followed -> Multi.createFrom()
                    .iterable(followed.steps())
                    .onItem()
                    .transformToUniAndConcatenate(step -> step(connection, now.definition(), target, step))
                    .collect()
                    .last()
                    .replaceWithVoid();
        };
        return done.chain(() -> definitions.write(connection, table, now.captured().after(before)))
                .replaceWith(now.captured().fingerprint());
    }

    private Uni<Void> step(SqlConnection connection, TableDefinition definition, TableName target, Step step) {
        return DefinitionQuery.read(connection, target)
                .map(reading -> reading.orElseThrow(() -> new RefusedException(
                        "the destination has no table " + target, DefinitionChange.BACKFILL_HINT)))
                .chain(reading -> step(connection, definition, reading.definition(), step))
                .onFailure(DefinitionFollow::isTooLong)
                .transform(failure -> new RefusedException(
                        "following the change of the table's definition at the destination takes too long: " + step,
                        "make the change at the destination's table " + target + " by hand, then send retry: the table "
                                + "is backfilled anew"));
    }

    private Uni<Void> step(
            SqlConnection connection, TableDefinition source, TableDefinition destination, Step step) {
        TableName target = destination.table();
        String alter = "ALTER TABLE " + target.sql() + " ";
        return switch (step) {
            case Step.AddColumn added -> add(connection, source, destination, added)
                    .chain(() -> UncarriedTypes.refuse(connection, target, List.of(added.name())));
            case Step.WidenType widened -> {
                Column column = require(destination, widened.name());
                if (ColumnTypes.fits(widened.type(), column.type())) {
                    yield nothing();
                }
                if (!ColumnTypes.fits(column.type(), widened.type())) {
                    throw new RefusedException(
                            "the column " + TableName.quote(column.name()) + " of " + target + " has type "
                                    + column.type() + " at the destination, which cannot become " + widened.type(),
                            DefinitionChange.BACKFILL_HINT);
                }
                yield DestinationColumns.execute(
                        connection,
                        alter + "ALTER COLUMN " + TableName.quote(widened.name()) + " TYPE " + widened.type());
            }
            case Step.AllowNull allowed -> {
                Column column = require(destination, allowed.name());
                yield column.notNull() ? allowNull(connection, alter, column) : nothing();
            }
            case Step.RenameColumn renamed -> {
                boolean hasOld = find(destination, renamed.from()).isPresent();
                boolean hasNew = find(destination, renamed.to()).isPresent();
                if (hasOld == hasNew) {
                    throw new RefusedException(
                            "the column " + TableName.quote(renamed.from()) + " was renamed to "
                                    + TableName.quote(renamed.to()) + " at the source, and the destination's table "
                                    + target + " has " + (hasOld ? "both" : "neither"),
                            DefinitionChange.BACKFILL_HINT);
                }
                yield hasNew
                        ? nothing()
                        : DestinationColumns.execute(
                                connection,
                                alter + "RENAME COLUMN " + TableName.quote(renamed.from()) + " TO "
                                        + TableName.quote(renamed.to()));
            }
            case Step.DropColumn gone -> find(destination, gone.name())
                    .map(column -> switch (dropped) {
                        case DROP -> DestinationColumns.execute(
                                connection, alter + "DROP COLUMN " + TableName.quote(gone.name()));
                        case KEEP -> DestinationColumns.needsValue(column)
                                ? allowNull(connection, alter, column)
                                : nothing();
                    })
                    .orElseGet(DefinitionFollow::nothing);
        };
    }

    private Uni<Void> add(
            SqlConnection connection, TableDefinition source, TableDefinition destination, Step.AddColumn added) {
        Column column = find(source, added.name()).orElseThrow();
        Optional<Column> found = find(destination, added.name());
        if (found.isEmpty()) {
            return types.prepare(source.table(), List.of(column))
                    .chain(() -> DestinationColumns.add(
                            connection,
                            source,
                            destination.table(),
                            List.of(new DestinationColumns.Added(column, added.missing()))));
        }
        String name = "the column " + TableName.quote(added.name()) + " was added at the source; that of "
                + destination.table() + " at the destination ";
        if (found.get().isCopied() != column.isCopied() || !ColumnTypes.fits(column.type(), found.get().type())) {
            throw new RefusedException(name + "is another one (" + found.get().type() + ")", DefinitionChange.BACKFILL_HINT);
        }
        if (!column.isCopied()) {
            return nothing();
        }
        // It was made there beforehand. What its rows have must be what those of the source have.
        return connection
                .query("SELECT EXISTS (SELECT FROM " + destination.table().sql() + " WHERE "
                        + TableName.quote(added.name()) + " IS NOT NULL)")
                .execute()
                .map(rows -> rows.iterator().next().getBoolean(0))
                .chain(hasValues -> {
                    if (hasValues || added.missing().isPresent() || found.get().defaultExpression().isPresent()) {
                        throw new RefusedException(
                                name + "has values or a default of its own", DefinitionChange.BACKFILL_HINT);
                    }
                    return found.get().notNull()
                            ? allowNull(connection, "ALTER TABLE " + destination.table().sql() + " ", found.get())
                            : nothing();
                });
    }

    private static Uni<Void> allowNull(SqlConnection connection, String alter, Column column) {
        return DestinationColumns.execute(
                connection, alter + "ALTER COLUMN " + TableName.quote(column.name()) + " DROP NOT NULL");
    }

    private static Column require(TableDefinition destination, String name) {
        return find(destination, name).orElseThrow(() -> new RefusedException(
                "the column " + TableName.quote(name) + " is not at the destination's table " + destination.table(),
                DefinitionChange.BACKFILL_HINT));
    }

    private static Optional<Column> find(TableDefinition table, String name) {
        return table.columns().stream().filter(column -> column.name().equals(name)).findFirst();
    }

    private static boolean isTooLong(Throwable failure) {
        return failure instanceof PgException pg && STATEMENT_TIMED_OUT.equals(pg.getSqlState());
    }

    private static Uni<Void> nothing() {
        return Uni.createFrom().voidItem();
    }
}
