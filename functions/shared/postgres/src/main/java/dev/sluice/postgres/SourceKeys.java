package dev.sluice.postgres;

import dev.sluice.domain.Key;
import dev.sluice.domain.KeyBounds;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.PgSnapshot;
import dev.sluice.domain.StepResult;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableDefinition.KeyColumn;
import dev.sluice.domain.TableName;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.SqlConnection;
import io.vertx.mutiny.sqlclient.Tuple;
import io.vertx.pgclient.PgException;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The key space of the source's tables: where it ends, and where chunks begin. */
@Singleton
public class SourceKeys {

    private static final int CHUNKS_MAX = 10_000;
    private static final int CHUNK_ROWS_MAX = 100_000_000;
    private static final String NAME_KEYS = "Send backfill with keys as the table has them, lowest first; or send cancel, and "
            + "it streams on.";

    private final Database source;

    @Inject
    public SourceKeys(Databases databases) {
        this(databases.source());
    }

    SourceKeys(Database source) {
        this.source = source;
    }

    /**
     * Reads the highest key, in one transaction that first locks the table against TRUNCATE and rewrites (R7), and
     * the primary's place in the WAL after that.
     *
     * <p>Waits at most 5 s for the lock.
     *
     * @param whole whether the table is copied in one chunk: nobody needs its highest key then
     * @throws KeyOrders.AlteredException (in the Uni) if the table is not the one of the definition any more
     */
    public Uni<StepResult.Bounded> bounds(TableDefinition definition, boolean whole) {
        String highest = whole ? "SELECT NULL::text LIMIT 0" : highest(definition, "");
        return reading(connection -> execute(
                        connection, "LOCK TABLE " + RowsOf.table(definition) + " IN ACCESS SHARE MODE")
                .chain(() -> requireUnchanged(connection, definition))
                .chain(() -> findOperators(connection, definition))
                .chain(() -> connection
                        .query("SELECT now.snapshot, pg_current_wal_lsn()::text, highest.* FROM "
                                + "(SELECT pg_current_snapshot()::text AS snapshot) now LEFT JOIN LATERAL ("
                                + highest + ") highest ON true")
                        .execute())
                .map(rows -> {
                    Row row = rows.iterator().next();
                    return new StepResult.Bounded(
                            Lsn.parse(row.getString(1)),
                            row.getValue(2) == null ? Optional.empty() : Optional.of(key(definition, row, 2)),
                            PgSnapshot.parse(row.getString(0)));
                }));
    }

    /** The highest key, of those that a condition leaves. */
    private static String highest(TableDefinition definition, String where) {
        return "SELECT " + texts(definition, "t.") + " FROM " + RowsOf.table(definition) + " t " + where + " ORDER BY "
                + names(definition, "t.", " DESC") + " LIMIT 1";
    }

    /**
     * As {@link #bounds(TableDefinition, boolean)}, for a backfill of a part. The part begins behind the last row that
     * comes before it, so that its first key belongs to it, whatever the destination has there.
     *
     * @throws RefusedException (in the Uni) if the bounds are no keys of the table, or the lower one comes after the
     *     other
     */
    public Uni<StepResult.Bounded> bounds(TableDefinition definition, KeyBounds keys) {
        int columns = definition.key().size();
        for (Key key : Stream.concat(keys.lowest().stream(), keys.highest().stream()).toList()) {
            if (key.values().size() != columns) {
                return Uni.createFrom().failure(new RefusedException(
                        "the key of " + definition.table() + " has " + columns + " columns (" + String.join(
                                ", ", definition.keyColumns()) + "), and " + key + " has " + key.values().size(),
                        NAME_KEYS));
            }
        }
        return reading(connection -> execute(
                        connection, "LOCK TABLE " + RowsOf.table(definition) + " IN ACCESS SHARE MODE")
                .chain(() -> requireUnchanged(connection, definition))
                .chain(() -> findOperators(connection, definition))
                .chain(() -> part(connection, definition, keys))
                .chain(part -> connection
                        .query("SELECT now.snapshot, pg_current_wal_lsn()::text, highest.* FROM "
                                + "(SELECT pg_current_snapshot()::text AS snapshot) now LEFT JOIN LATERAL ("
                                + highest(definition, "") + ") highest ON true")
                        .execute()
                        .map(rows -> {
                            Row row = rows.iterator().next();
                            return new StepResult.Bounded(
                                    Lsn.parse(row.getString(1)),
                                    row.getValue(2) == null ? Optional.empty() : Optional.of(key(definition, row, 2)),
                                    PgSnapshot.parse(row.getString(0)),
                                    Optional.of(part));
                        })))
                .onFailure(SourceKeys::isNoKey)
                .transform(failure -> new RefusedException(
                        "the keys " + keys + " are none of " + definition.table() + ": " + failure.getMessage(), NAME_KEYS));
    }

    /** What PostgreSQL says of a text that its type cannot read. */
    private static boolean isNoKey(Throwable failure) {
        return failure instanceof PgException refused && refused.getSqlState() != null && refused.getSqlState().startsWith("22");
    }

    private static Uni<KeyRange> part(SqlConnection connection, TableDefinition definition, KeyBounds keys) {
        return ordered(connection, definition, keys)
                .chain(() -> before(connection, definition, keys.lowest()))
                .chain(after -> canonical(connection, definition, keys.highest())
                        .map(upTo -> new KeyRange(after, upTo)));
    }

    private static Uni<Void> ordered(SqlConnection connection, TableDefinition definition, KeyBounds keys) {
        if (keys.lowest().isEmpty() || keys.highest().isEmpty()) {
            return Uni.createFrom().voidItem();
        }
        List<Object> both = new ArrayList<>(keys.lowest().get().values());
        both.addAll(keys.highest().get().values());
        return connection
                .preparedQuery("SELECT " + collated(definition, 1) + " <= " + collated(definition, 1 + definition.key().size()))
                .execute(Tuple.from(both))
                .map(rows -> {
                    if (!rows.iterator().next().getBoolean(0)) {
                        throw new RefusedException(
                                "of the keys " + keys + " the first comes after the last, as " + definition.table()
                                        + " orders them",
                                NAME_KEYS);
                    }
                    return null;
                });
    }

    /** The last key of a row that comes before a key; empty if none does. */
    private static Uni<Optional<Key>> before(SqlConnection connection, TableDefinition definition, Optional<Key> key) {
        return key.map(first -> connection
                        .preparedQuery(highest(definition, "WHERE (" + names(definition, "t.", "") + ") < "
                                + values(definition, 1)))
                        .execute(Tuple.from(new ArrayList<Object>(first.values())))
                        .map(rows -> rows.size() == 0
                                ? Optional.<Key>empty()
                                : Optional.of(key(definition, rows.iterator().next(), 0))))
                .orElseGet(() -> Uni.createFrom().item(Optional.empty()));
    }

    /** A key as capture writes it, whatever way a person wrote it. */
    private static Uni<Optional<Key>> canonical(SqlConnection connection, TableDefinition definition, Optional<Key> key) {
        return key.map(written -> connection
                        .preparedQuery("SELECT " + definition.key().stream()
                                .map(column -> "format('%s', written." + TableName.quote(column.name()) + ")")
                                .collect(Collectors.joining(", ")) + " FROM (VALUES " + values(definition, 1)
                                + ") AS written (" + definition.keyColumns().stream()
                                        .map(TableName::quote)
                                        .collect(Collectors.joining(", ")) + ")")
                        .execute(Tuple.from(new ArrayList<Object>(written.values())))
                        .map(rows -> Optional.of(key(definition, rows.iterator().next(), 0))))
                .orElseGet(() -> Uni.createFrom().item(Optional.empty()));
    }

    /**
     * Cuts the next chunks from the key space, by one walk over the key's index that reads no more than
     * {@code chunks × rowsPerChunk} entries.
     *
     * @param after where planning stands; empty: at the start
     * @param highest the end of what is planned
     * @param chunks 1 to 10,000
     * @param rowsPerChunk 1 to 100,000,000
     */
    public Uni<Planned> plan(
            TableDefinition definition, Optional<Key> after, Key highest, int chunks, int rowsPerChunk) {
        if (chunks < 1 || chunks > CHUNKS_MAX || rowsPerChunk < 1 || rowsPerChunk > CHUNK_ROWS_MAX) {
            throw new IllegalArgumentException("1 to " + CHUNKS_MAX + " chunks of 1 to " + CHUNK_ROWS_MAX
                    + " rows can be planned at once; asked for " + chunks + " of " + rowsPerChunk);
        }
        return reading(connection -> findOperators(connection, definition)
                .chain(() -> connection
                        .preparedQuery(planQuery(definition, after.isPresent()))
                        .execute(planArguments(after, highest, chunks, rowsPerChunk)))
                .map(rows -> {
                    List<Key> boundaries = new ArrayList<>();
                    boolean reached = false;
                    for (Row row : rows) {
                        boundaries.add(key(definition, row, 0));
                        reached = row.getBoolean(definition.key().size());
                    }
                    return upTo(highest, boundaries, reached, chunks);
                }));
    }

    /** The end of the walk is the end of the plan: the last boundary is then the highest key itself. */
    private static Planned upTo(Key highest, List<Key> boundaries, boolean reached, int chunks) {
        if (reached) {
            // Equal to it, if not by its text.
            boundaries.set(boundaries.size() - 1, highest);
        } else if (boundaries.size() < chunks) {
            boundaries.add(highest);
        }
        return new Planned(boundaries, boundaries.getLast().equals(highest));
    }

    /** Parameters: {@link #planArguments}. */
    static String planQuery(TableDefinition definition, boolean hasAfter) {
        int size = definition.key().size();
        String columns = definition.keyColumns().stream().map(TableName::quote).collect(Collectors.joining(", "));
        String compared = names(definition, "", "");
        String range = "(" + compared + ") <= " + values(definition, 3);
        if (hasAfter) {
            range += " AND (" + compared + ") > " + values(definition, 3 + size);
        }
        String place = place(definition);
        // The rows are numbered above the LIMIT, so that the scan stops where the last chunk is full.
        return "SELECT " + texts(definition, "numbered.") + ", (" + names(definition, "numbered.", "") + ") >= "
                + values(definition, 3) + " FROM (SELECT " + columns
                + ", row_number() OVER (ORDER BY " + compared + ") AS " + place + " FROM (SELECT " + columns
                + " FROM " + RowsOf.table(definition) + " WHERE " + range + " ORDER BY " + compared
                + " LIMIT $1::int8) walked) numbered WHERE " + place + " % $2::int8 = 0 ORDER BY "
                + names(definition, "numbered.", "");
    }

    /** A name that no column of the key has. */
    private static String place(TableDefinition definition) {
        String name = "place";
        while (definition.keyColumns().contains(name)) {
            name += " in the walk";
        }
        return TableName.quote(name);
    }

    static Tuple planArguments(Optional<Key> after, Key highest, int chunks, int rowsPerChunk) {
        List<Object> arguments = new ArrayList<>();
        arguments.add((long) chunks * rowsPerChunk);
        arguments.add((long) rowsPerChunk);
        arguments.addAll(highest.values());
        after.ifPresent(key -> arguments.addAll(key.values()));
        return Tuple.from(arguments);
    }

    /**
     * One read-only transaction that sees one snapshot and walks indexes: a plan that reads and sorts the table
     * looks cheaper to the planner when it expects to return much of it, and costs all of it each time.
     */
    private <T> Uni<T> reading(Function<SqlConnection, Uni<T>> work) {
        return source.inTransaction(connection -> connection
                .query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; "
                        + "SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = '5min'; "
                        + INDEX_WALK)
                .execute()
                .chain(() -> work.apply(connection)));
    }

    private static Uni<Void> requireUnchanged(SqlConnection connection, TableDefinition definition) {
        return DefinitionQuery.read(connection, definition.table(), definition.keyColumns()).map(reading -> {
            boolean same = reading.filter(now ->
                            now.definition().fingerprint().equals(definition.fingerprint()))
                    .isPresent();
            if (!same) {
                throw new KeyOrders.AlteredException(definition.table());
            }
            return null;
        });
    }

    static final String INDEX_WALK = "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; "
            + "SET LOCAL enable_sort = off; SET LOCAL max_parallel_workers_per_gather = 0";

    /**
     * The key's columns as they are compared.
     *
     * @param table its alias and a dot, wherever their text is selected too: a bare {@code ORDER BY id} beside
     *     {@code id::text} orders by the text
     */
    private static String names(TableDefinition definition, String table, String suffix) {
        return definition.key().stream()
                .map(column -> table + TableName.quote(column.name())
                        + column.collation().map(collation -> " COLLATE " + collation).orElse("") + suffix)
                .collect(Collectors.joining(", "));
    }

    /** The key's columns as capture writes them: the cast of a boolean gives {@code true}, its output {@code t}. */
    private static String texts(TableDefinition definition, String table) {
        return definition.key().stream()
                .map(column -> table + TableName.quote(column.name()))
                .map(column -> "format('%s', " + column + ")")
                .collect(Collectors.joining(", "));
    }

    private static String values(TableDefinition definition, int firstParameter) {
        List<String> values = new ArrayList<>();
        for (KeyColumn column : definition.key()) {
            values.add("$" + (firstParameter + values.size()) + "::text::" + type(definition, column));
        }
        return "(" + String.join(", ", values) + ")";
    }

    /** As {@link #values}, in the order of the key. */
    private static String collated(TableDefinition definition, int firstParameter) {
        List<String> values = new ArrayList<>();
        for (KeyColumn column : definition.key()) {
            values.add("$" + (firstParameter + values.size()) + "::text::" + type(definition, column)
                    + column.collation().map(collation -> " COLLATE " + collation).orElse(""));
        }
        return "(" + String.join(", ", values) + ")";
    }

    private static String type(TableDefinition definition, KeyColumn column) {
        return definition.columns().stream()
                .filter(candidate -> candidate.name().equals(column.name()))
                .findFirst()
                .orElseThrow()
                .type();
    }

    private static Key key(TableDefinition definition, Row row, int from) {
        List<String> values = new ArrayList<>();
        for (int i = 0; i < definition.key().size(); i++) {
            values.add(row.getString(from + i));
        }
        return new Key(values);
    }

    private static Uni<Void> findOperators(SqlConnection connection, TableDefinition definition) {
        return KeyOperators.find(definition.table(), definition.key())
                .map(sql -> execute(connection, sql))
                .orElseGet(() -> Uni.createFrom().voidItem());
    }

    private static Uni<Void> execute(SqlConnection connection, String statement) {
        return connection.query(statement).execute().replaceWithVoid();
    }
}
