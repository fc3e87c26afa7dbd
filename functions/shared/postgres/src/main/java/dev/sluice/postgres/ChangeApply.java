package dev.sluice.postgres;

import dev.sluice.domain.Change.Cell;
import dev.sluice.domain.Key;
import dev.sluice.domain.KeyOrder;
import dev.sluice.domain.TableName;
import dev.sluice.postgres.ChangeBatch.Clear;
import dev.sluice.postgres.ChangeBatch.Counts;
import dev.sluice.postgres.ChangeBatch.Move;
import dev.sluice.postgres.ChangeBatch.Remove;
import dev.sluice.postgres.ChangeBatch.Reread;
import dev.sluice.postgres.ChangeBatch.Rows;
import dev.sluice.postgres.ChangeBatch.Step;
import dev.sluice.postgres.ChangeBatch.Write;
import dev.sluice.postgres.Ledger.Progress;
import dev.sluice.postgres.Ledger.RowRead;
import dev.sluice.postgres.SourceRows.Read;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.RowSet;
import io.vertx.mutiny.sqlclient.SqlConnection;
import io.vertx.pgclient.PgException;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Applies changes to the destination, a batch in one transaction together with the ledger's position.
 */
@Singleton
public class ChangeApply {

    /** A unique constraint, and a set that writes one row twice: keys of different text may be equal (1.0 and 1.00). */
    private static final Set<String> SET_VIOLATIONS = Set.of("23505", "21000");
    private static final String BOUNDS = "SET LOCAL lock_timeout = '10s'; SET LOCAL statement_timeout = '5min'";
    /** For a connection that is cut without a word. A transaction that commits later still is told by the ledger. */
    private static final Duration ANSWER_LIMIT = Duration.ofMinutes(10);

    private final Database sourceDatabase;
    private final SourceRows source;
    private final Database destination;
    private final Ledger ledger;
    private final SchemaMapping schemas;
    private final CapturedDefinitions definitions;
    private final DestinationTypes types;
    private final Optional<HashSalt> salt;
    private final KeyOrders orders;

    @Inject
    public ChangeApply(Databases databases, Ledger ledger, SchemaMapping schemas) {
        this(databases.source(), databases.destination(), ledger, schemas, databases.salt());
    }

    /** Without a salt. */
    ChangeApply(Database source, Database destination, Ledger ledger, SchemaMapping schemas) {
        this(source, destination, ledger, schemas, Optional.empty());
    }

    ChangeApply(
            Database source,
            Database destination,
            Ledger ledger,
            SchemaMapping schemas,
            Optional<HashSalt> salt) {
        this.salt = salt;
        this.sourceDatabase = source;
        this.source = new SourceRows(source);
        this.destination = destination;
        this.ledger = ledger;
        this.schemas = schemas;
        this.definitions = new CapturedDefinitions(source, destination, ledger.schema());
        this.types = new DestinationTypes(source, destination);
        this.orders = new KeyOrders(source, destination, schemas);
    }

    /**
     * @param reached how far the ledger is now: less than the batch's end if a row had to be read from the source
     * @param rowReads rows that were read from the source; what they saw must be skipped from here on
     * @param oneByOne whether the batch violated a unique constraint as a set and was applied one by one
     */
    public record Applied(Progress reached, List<RowRead> rowReads, boolean oneByOne) {}

    /**
     * Reads what has to be known of a table to apply its changes.
     *
     * @param run as the ledger has it
     * @throws RefusedException (in the Uni) if it is not there, at either side, or its rows are hashed with a salt that
     *     is not here
     */
    public Uni<DestinationTable> open(TableName table, RunOptions run) {
        // The names first: of a definition that is followed in between, the columns tell, and the table is opened anew.
        return Uni.createFrom()
                .item(() -> HashSalt.require(salt, run.options(), run.saltCheck()))
                .chain(needed -> definitions.read(table).chain(captured -> DestinationTable.read(
                        sourceDatabase,
                        destination,
                        table,
                        schemas.atDestination(table),
                        run.options(),
                        needed,
                        captured.map(CapturedDefinition::names).orElse(SourceNames.UNKNOWN))));
    }

    /** How what is known of a table's definition stands to the definition. */
    public enum Standing {
        /** The destination has followed the source's definition. */
        SETTLED,
        /** It has not yet: what does not fit now may fit then. */
        BEHIND,
        /** It has since the table was opened: open it anew. */
        FOLLOWED
    }

    /** @param opened as changes were applied to it; empty if it could not be opened */
    public Uni<Standing> standing(TableName table, Optional<DestinationTable> opened) {
        return definitions.read(table).chain(captured -> {
            Optional<String> known = captured.map(CapturedDefinition::fingerprint);
            boolean followed = opened.filter(open -> !open.names().fingerprint().equals(known)).isPresent();
            if (followed || known.isEmpty()) {
                return Uni.createFrom().item(followed ? Standing.FOLLOWED : Standing.SETTLED);
            }
            return definitions.fingerprint(table, captured.orElseThrow().key())
                    .map(now -> now.equals(known) ? Standing.SETTLED : Standing.BEHIND);
        });
    }

    /**
     * Asks the destination for the order of keys that only a database knows (R10), by one sort of all of them. Where an
     * enumeration that Sluice made lacks a label by now, it gets it.
     *
     * @throws io.vertx.pgclient.PgException (in the Uni) if a key is no value of the destination's types
     * @throws RefusedException (in the Uni) if a key has a label that an enumeration of the user's lacks
     */
    public Uni<KeyOrder> locate(DestinationTable table, Collection<Key> keys) {
        return followingLabels(table.source(), () -> orders.locate(table, keys));
    }

    /**
     * Applies a batch, or nothing of it. Where an enumeration that Sluice made lacks a label by now, it gets it.
     *
     * @throws Ledger.FencedException (in the Uni) if the ledger is not at run, state and position of the batch: another
     *     owner was here, or an earlier attempt did commit
     * @throws RefusedException (in the Uni) if a change has a column that the destination lacks, or a label that an
     *     enumeration of the user's lacks
     */
    public Uni<Applied> apply(ChangeBatch batch, DestinationTable table) {
        return followingLabels(batch.table(), () -> attempt(batch, table))
                .ifNoItem()
                .after(ANSWER_LIMIT)
                .fail();
    }

    private <T> Uni<T> followingLabels(TableName table, Supplier<Uni<T>> work) {
        return work.get()
                .onFailure(SqlFaults::isUnreadable)
                .recoverWithUni(failure -> types.followLabels(table)
                        .chain(followed -> followed ? work.get() : Uni.createFrom().failure(failure)));
    }

    private Uni<Applied> attempt(ChangeBatch batch, DestinationTable table) {
        return attempt(batch, table, false)
                .onFailure(ChangeApply::violatesAsSet)
                .recoverWithUni(() -> attempt(batch, table, true));
    }

    private Uni<Applied> attempt(ChangeBatch batch, DestinationTable table, boolean oneByOne) {
        return destination.inTransaction(connection -> {
            var attempt = new Attempt(batch, table, connection, oneByOne);
            return connection
                    .query(BOUNDS)
                    .execute()
                    .chain(() -> ledger.advance(
                            connection, batch.table(), batch.run(), batch.applying(), batch.from(), batch.to()))
                    .chain(() -> KeyOperators.find(connection, table.name(), table.key()))
                    .chain(attempt::run);
        });
    }

    private static boolean violatesAsSet(Throwable failure) {
        return failure instanceof PgException pg && SET_VIOLATIONS.contains(pg.getSqlState());
    }

    /** One transaction. The steps run one after the other, so its fields need no lock. */
    private final class Attempt {

        private final ChangeBatch batch;
        private final DestinationTable table;
        private final SqlConnection connection;
        private final boolean oneByOne;
        private final List<RowRead> rowReads = new ArrayList<>();
        private Optional<Progress> endedEarly = Optional.empty();

        private Attempt(ChangeBatch batch, DestinationTable table, SqlConnection connection, boolean oneByOne) {
            this.batch = batch;
            this.table = table;
            this.connection = connection;
            this.oneByOne = oneByOne;
        }

        private Uni<Applied> run() {
            return each(batch.steps(), step -> endedEarly.isPresent() ? nothing() : step(step))
                    .chain(() -> endedEarly
                            .map(reached -> ledger.advance(
                                    connection,
                                    batch.table(),
                                    batch.run(),
                                    batch.applying(),
                                    batch.to().position(),
                                    reached))
                            .orElseGet(ChangeApply::nothing))
                    .map(ignored -> new Applied(endedEarly.orElse(batch.to()), List.copyOf(rowReads), oneByOne));
        }

        private Uni<Void> step(Step step) {
            return switch (step) {
                case Rows rows when oneByOne -> each(rows.inOrder(), change -> switch (change) {
                    case Remove remove -> rows(List.of(remove), List.of());
                    case Write write -> rows(List.of(), List.of(write));
                });
                case Rows rows -> rows(removes(rows), rows.writes());
                case Move move -> move(move);
                case Reread reread -> reread(reread);
                case Counts counts -> each(CountedRows.of(table, counts.counts()), this::count);
                case Clear clear when clear.isEverything() && !table.referenced() && !marks() ->
                    execute(ApplyStatement.truncate(table)).replaceWithVoid();
                case Clear clear -> each(clear.ranges(), range ->
                        execute(ApplyStatement.clear(table, range, clear.except(), clear.millis())).replaceWithVoid());
            };
        }

        private boolean marks() {
            return table.carried().softDelete().isPresent();
        }

        /** With the time of each: the last one, of a row that went more than once. */
        private static List<Remove> removes(Rows rows) {
            Map<Key, Remove> last = new LinkedHashMap<>();
            rows.deletes().forEach(key -> last.put(key, new Remove(key)));
            rows.inOrder().forEach(change -> {
                if (change instanceof Remove remove) {
                    last.replace(remove.key(), remove);
                }
            });
            return List.copyOf(last.values());
        }

        private Uni<Void> rows(List<Remove> removes, List<Write> writes) {
            Groups groups = new Groups(table);
            writes.forEach(groups::add);
            List<ApplyStatement> statements = new ArrayList<>();
            if (!removes.isEmpty()) {
                statements.add(ApplyStatement.remove(table, removes));
            }
            List<Key> replaced =
                    table.hasFixedIdentity() && !table.isFiltered() ? groups.upserted().toList() : List.of();
            if (!replaced.isEmpty()) {
                statements.add(ApplyStatement.delete(table, replaced));
            }
            statements.addAll(groups.statements());
            return each(statements, statement -> execute(statement).replaceWithVoid());
        }

        private Uni<Void> count(CountedRows counted) {
            return execute(counted.statement()).map(rows -> {
                if (rows.rowCount() != counted.rows()) {
                    throw new RefusedException(
                            counted.rows() + " rows are gone from " + batch.table() + " at the source, and the "
                                    + "destination's table " + table.name() + " has " + rows.rowCount() + " of them",
                            "find out who else writes to the destination's table, then start a new backfill");
                }
                return null;
            });
        }

        private Uni<Void> move(Move move) {
            return isOutOfCondition(move).chain(out -> out
                    ? rows(gone(move), List.of())
                    : isThere(move).chain(there -> there ? moveInPlace(move) : readFromSource(move)));
        }

        private Uni<Boolean> isThere(Move move) {
            return move.from()
                    .map(from -> execute(ApplyStatement.lock(table, from)).map(rows -> rows.size() > 0))
                    .orElseGet(() -> Uni.createFrom().item(false));
        }

        private static List<Remove> gone(Move move) {
            List<Remove> gone = new ArrayList<>();
            gone.add(new Remove(move.to(), move.millis()));
            move.from().filter(from -> !move.staysInPlace()).ifPresent(from -> gone.add(new Remove(from, move.millis())));
            return gone;
        }

        /** Whether what the change carries says already that the row is not to be there. */
        private Uni<Boolean> isOutOfCondition(Move move) {
            Groups.Shape shape = Groups.shape(table, move.row());
            boolean known = table.isFiltered()
                    && table.carried().conditionColumns().stream()
                            .allMatch(column -> shape.columns().contains(column.name()));
            return known
                    ? execute(ApplyStatement.fulfils(table, shape.columns(), arrays(move, shape)))
                            .map(rows -> !rows.iterator().next().getBoolean(0))
                    : Uni.createFrom().item(false);
        }

        private List<String[]> arrays(Move move, Groups.Shape shape) {
            return Groups.arrays(table, shape.columns(), List.of(new Write(move.to(), move.row())));
        }

        private Uni<Void> moveInPlace(Move move) {
            Groups.Shape shape = Groups.shape(table, move.row());
            List<String[]> values = arrays(move, shape);
            Key from = move.from().orElseThrow();
            Uni<Void> moved;
            if (move.staysInPlace()) {
                ApplyStatement update = ApplyStatement.update(table, shape.columns(), values);
                moved = update.sql().isEmpty() ? nothing() : execute(update).replaceWithVoid();
            } else if (marks()) {
                moved = moveMarking(move, from, shape, values);
            } else {
                // Before the row moves, what stands in its way goes; but never the row itself.
                moved = execute(ApplyStatement.deleteUnlessEqual(table, move.to(), from))
                        .chain(() -> execute(ApplyStatement.move(table, from, shape.columns(), values)))
                        .replaceWithVoid();
            }
            return table.isFiltered()
                    ? moved.chain(() -> execute(
                                    ApplyStatement.removeUnfulfilled(table, new Remove(move.to(), move.millis()))))
                            .replaceWithVoid()
                    : moved;
        }

        private Uni<Void> moveMarking(Move move, Key from, Groups.Shape shape, List<String[]> values) {
            return execute(ApplyStatement.moveToEqual(table, from, shape.columns(), values))
                    .chain(equal -> equal.rowCount() > 0
                            // Equal and another text (a and A under citext): it is the same row, and none goes.
                            ? nothing()
                            // In this order: what is unique among rows that are there would be there twice.
                            : each(
                                    List.of(
                                            ApplyStatement.delete(table, List.of(move.to())),
                                            ApplyStatement.remove(table, List.of(new Remove(from, move.millis()))),
                                            ApplyStatement.copy(table, from, shape.columns(), values)),
                                    statement -> execute(statement).replaceWithVoid()));
        }

        /** The row with what it has now, as a chunk of one row: later changes that the read saw are skipped. */
        private Uni<Void> readFromSource(Move move) {
            endedEarly = Optional.of(move.reached());
            Remove row = new Remove(move.to(), move.millis());
            return source.read(table, List.of(move.to()), Set.of(move.transaction()))
                    .chain(read -> read.rows().isEmpty()
                            // Gone by now; its deletion is on its way.
                            ? nothing()
                            : becomeAsRead(List.of(row), read));
        }

        private Uni<Void> reread(Reread reread) {
            return source.portions(table, reread.rows(), Remove::key)
                    .chain(portions -> each(portions, portion -> source.read(
                                    table, portion.stream().map(Remove::key).toList(), reread.transactions())
                            .chain(read -> becomeAsRead(portion, read))));
        }

        /**
         * Rows become what was read, as the options have it, or go; and from here on the read decides which of their
         * changes to skip.
         */
        private Uni<Void> becomeAsRead(List<Remove> rows, Read read) {
            List<RowRead> reads = rows.stream()
                    .map(row -> new RowRead(row.key(), read.snapshot(), read.lsn()))
                    .toList();
            rowReads.addAll(reads);
            List<Remove> gone = rows.stream().filter(row -> !read.rows().containsKey(row.key())).toList();
            List<Write> writes = rows.stream()
                    .filter(row -> read.rows().containsKey(row.key()))
                    .map(row -> asRead(row, read.rows().get(row.key())))
                    .toList();
            Uni<Void> written = oneByOne
                    ? rows(gone, List.of()).chain(() -> each(writes, write -> rows(List.of(), List.of(write))))
                    : rows(gone, writes);
            return written.chain(() -> ledger.noteRowReads(connection, batch.table(), reads));
        }

        /** Under the key that it has now, which need not have the text of an equal one that a change had. */
        private Write asRead(Remove row, Map<String, Cell> read) {
            List<String> names = table.keyColumns();
            List<String> key = new ArrayList<>(row.key().values());
            for (int i = 0; i < names.size(); i++) {
                if (read.get(names.get(i)) instanceof Cell.Text text) {
                    key.set(i, text.text());
                }
            }
            return new Write(new Key(key), table.carried(read), row.millis());
        }

        private Uni<RowSet<Row>> execute(ApplyStatement statement) {
            return connection.preparedQuery(statement.sql()).execute(statement.parameters());
        }
    }

    private static Uni<Void> nothing() {
        return Uni.createFrom().voidItem();
    }

    /** One after the other, however many there are. */
    private static <T> Uni<Void> each(List<T> items, Function<T, Uni<Void>> work) {
        if (items.isEmpty()) {
            return nothing();
        }
        return Multi.createFrom()
                .iterable(items)
                .onItem()
                .transformToUniAndConcatenate(work::apply)
                .collect()
                .last()
                .replaceWithVoid();
    }
}
