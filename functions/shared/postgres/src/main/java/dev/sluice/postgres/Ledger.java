package dev.sluice.postgres;

import dev.sluice.domain.Key;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.Mark;
import dev.sluice.domain.PgSnapshot;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableState.Outcome;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.RowSet;
import io.vertx.mutiny.sqlclient.SqlConnection;
import io.vertx.mutiny.sqlclient.Tuple;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The ledger in the destination: which run is open for a table, which chunks it has, and up to where changes are
 * applied. It is written in the transaction of the rows it speaks of, which is what makes copying and applying
 * exactly-once and fences off a process that was thought dead (R5, R6).
 *
 * <p>Locks are always taken in the order table, run, chunk.
 */
@Singleton
public class Ledger {

    private final Database destination;
    private final String schema;
    private final Optional<HashSalt> salt;

    @Inject
    public Ledger(Databases databases, Pipeline pipeline) {
        this(databases.destination(), pipeline, databases.salt());
    }

    Ledger(Database destination, Pipeline pipeline) {
        this(destination, pipeline, Optional.empty());
    }

    Ledger(Database destination, Pipeline pipeline, Optional<HashSalt> salt) {
        this.salt = salt;
        this.destination = destination;
        this.schema = TableName.quote(pipeline.ledgerSchema());
    }

    public enum Applying {
        HELD,
        DRAINING,
        STREAMING
    }

    /**
     * What the ledger says of a table.
     *
     * @param run the newest run
     * @param topicId empty until the queue's start is known
     * @param position the offset of the next change to apply
     * @param mark the last change passed; empty until there was one
     * @param watermark of the newest run, once it is closed
     * @param options by which the table's rows are written, since a run was opened last
     */
    public record Entry(
            long run,
            Applying applying,
            Optional<String> topicId,
            Optional<Long> position,
            Optional<Mark> mark,
            Optional<Lsn> watermark,
            RunOptions options) {}

    /**
     * A chunk whose snapshot still decides which changes to skip (R9). The chunks of one run do not overlap.
     *
     * @param snapshot what it sees, the chunk contains
     * @param later what it does not see, the chunk does not contain; empty for a chunk that was read from the primary
     *     and contains exactly what {@code snapshot} sees (R11)
     * @param order what the order rested on in which its range was compared (R10); empty where that is nothing that
     *     could change
     */
    public record RetainedChunk(
            long run, KeyRange range, PgSnapshot snapshot, Optional<PgSnapshot> later, String order) {}

    /**
     * A row that was read from the source while its table drains or streams: a chunk of one key (R13).
     *
     * @param lsn of the source, taken after the snapshot: once it is passed, the snapshot decides nothing any more
     */
    public record RowRead(Key key, PgSnapshot snapshot, Lsn lsn) {}

    /**
     * How far the changes of a table are applied.
     *
     * @param position the offset of the next change
     * @param mark the last change passed; empty until there was one
     */
    public record Progress(long position, Optional<Mark> mark) {}

    /** The ledger's schema, quoted. */
    String schema() {
        return schema;
    }

    /** Makes schema and tables where they are missing. */
    public Uni<Void> create() {
        String ddl = """
                CREATE SCHEMA IF NOT EXISTS %1$s;
                CREATE TABLE IF NOT EXISTS %1$s.tables (
                  table_name text PRIMARY KEY,
                  run bigint NOT NULL,
                  applying text NOT NULL CHECK (applying IN ('HELD', 'DRAINING', 'STREAMING')),
                  topic_id text,
                  position bigint,
                  queue_run bigint,
                  mark_commit_before pg_lsn,
                  mark_lsn pg_lsn,
                  mark_ordinal int NOT NULL DEFAULT 0,
                  options jsonb NOT NULL DEFAULT '{}',
                  salt_check text,
                  definition jsonb
                );
                CREATE TABLE IF NOT EXISTS %1$s.runs (
                  table_name text NOT NULL REFERENCES %1$s.tables ON DELETE CASCADE,
                  run bigint NOT NULL,
                  state text NOT NULL CHECK (state IN ('OPEN', 'CLOSED', 'CANCELLED')),
                  watermark pg_lsn,
                  retained boolean NOT NULL DEFAULT true,
                  opened_at timestamptz NOT NULL DEFAULT now(),
                  closed_at timestamptz,
                  PRIMARY KEY (table_name, run)
                );
                CREATE TABLE IF NOT EXISTS %1$s.chunks (
                  table_name text NOT NULL,
                  run bigint NOT NULL,
                  chunk int NOT NULL,
                  after_key text[],
                  up_to_key text[],
                  rows bigint,
                  source_snapshot text,
                  later_snapshot text,
                  key_order text NOT NULL DEFAULT '',
                  copied_at timestamptz NOT NULL DEFAULT now(),
                  PRIMARY KEY (table_name, run, chunk),
                  FOREIGN KEY (table_name, run) REFERENCES %1$s.runs ON DELETE CASCADE
                );
                CREATE TABLE IF NOT EXISTS %1$s.partitions (
                  table_name text NOT NULL,
                  run bigint NOT NULL,
                  known jsonb NOT NULL,
                  PRIMARY KEY (table_name, run),
                  FOREIGN KEY (table_name, run) REFERENCES %1$s.runs ON DELETE CASCADE
                );
                CREATE TABLE IF NOT EXISTS %1$s.row_reads (
                  table_name text NOT NULL REFERENCES %1$s.tables ON DELETE CASCADE,
                  key text[] NOT NULL,
                  source_snapshot text NOT NULL,
                  source_lsn pg_lsn NOT NULL,
                  PRIMARY KEY (table_name, key)
                );
                -- A ledger of an earlier version. Not ADD COLUMN IF NOT EXISTS, which waits for every chunk in flight.
                DO $$ DECLARE missing record; BEGIN
                  FOR missing IN SELECT * FROM (VALUES
                      ('tables', 'options', 'jsonb NOT NULL DEFAULT ''{}'''),
                      ('tables', 'salt_check', 'text'),
                      ('tables', 'definition', 'jsonb'),
                      ('tables', 'mark_ordinal', 'int NOT NULL DEFAULT 0'),
                      ('chunks', 'key_order', 'text NOT NULL DEFAULT '''''),
                      ('chunks', 'later_snapshot', 'text')) wanted (relation, name, type)
                    WHERE NOT EXISTS (SELECT FROM pg_attribute WHERE attname = wanted.name AND NOT attisdropped
                                      AND attrelid = ('%1$s.' || wanted.relation)::regclass)
                  LOOP
                    EXECUTE 'ALTER TABLE %1$s.' || missing.relation || ' ADD COLUMN ' || missing.name || ' ' || missing.type;
                  END LOOP;
                END $$;
                """.formatted(schema);
        // IF NOT EXISTS does not save two sessions from each other: they both see nothing, and one fails.
        return destination.inShortTransaction(connection -> connection
                .query("SELECT pg_advisory_xact_lock(hashtextextended('" + schema.replace("'", "''") + "', 0))")
                .execute()
                .chain(() -> connection.query(ddl).execute())
                .replaceWithVoid());
    }

    public Uni<Optional<Entry>> read(TableName table) {
        return destination.query(reading(""), Tuple.of(table.toString())).map(Ledger::entry);
    }

    private Uni<Optional<Entry>> readForUpdate(SqlConnection connection, TableName table) {
        return connection
                .preparedQuery(reading(" FOR UPDATE OF t"))
                .execute(Tuple.of(table.toString()))
                .map(Ledger::entry);
    }

    private String reading(String locking) {
        return "SELECT t.run, t.applying, t.topic_id, t.position, t.mark_commit_before::text, t.mark_lsn::text, "
                + "(SELECT r.watermark::text FROM " + schema
                + ".runs r WHERE r.table_name = t.table_name AND r.run = t.run), t.options::text, t.salt_check, "
                + "t.mark_ordinal FROM " + schema
                + ".tables t WHERE t.table_name = $1" + locking;
    }

    private static Optional<Entry> entry(RowSet<Row> rows) {
        return first(rows).map(row -> new Entry(
                row.getLong(0),
                Applying.valueOf(row.getString(1)),
                Optional.ofNullable(row.getString(2)),
                Optional.ofNullable(row.getLong(3)),
                row.getString(4) == null
                        ? Optional.empty()
                        : Optional.of(new Mark(
                                Lsn.parse(row.getString(4)), Lsn.parse(row.getString(5)), row.getInteger(9))),
                Optional.ofNullable(row.getString(6)).map(Lsn::parse),
                new RunOptions(OptionsText.read(row.getString(7)), Optional.ofNullable(row.getString(8)))));
    }

    /**
     * Opens a run and holds the table: every apply batch and every chunk of an older run is refused from here on.
     * Waits for a batch in flight. Opening a run again that is open changes nothing.
     *
     * @param options by which its chunks and every change from now on are written
     * @throws FencedException (in the Uni) if a newer run is known, or this one was closed
     * @throws RefusedException (in the Uni) if columns are to be hashed and there is no salt
     */
    public Uni<Void> openRun(TableName table, long run, TableOptions options) {
        return Uni.createFrom()
                .item(() -> HashSalt.require(salt, options, Optional.empty()).map(HashSalt::check))
                .chain(saltCheck -> openRun(table, run, new RunOptions(options, saltCheck)));
    }

    private Uni<Void> openRun(TableName table, long run, RunOptions options) {
        return destination.inTransaction(connection -> connection
                .preparedQuery("INSERT INTO " + schema + ".tables (table_name, run, applying) VALUES ($1, $2, 'HELD') "
                        + "ON CONFLICT DO NOTHING")
                .execute(Tuple.of(table.toString(), run))
                .chain(() -> readForUpdate(connection, table))
                .chain(entry -> {
                    if (entry.orElseThrow().run() > run) {
                        return Uni.createFrom()
                                .failure(new FencedException("run " + run + " of " + table
                                        + " cannot open: the ledger has run " + entry.get().run()));
                    }
                    return connection
                            .preparedQuery("INSERT INTO " + schema
                                    + ".runs (table_name, run, state) VALUES ($1, $2, 'OPEN') ON CONFLICT DO NOTHING")
                            .execute(Tuple.of(table.toString(), run));
                })
                .chain(() -> connection
                        .preparedQuery(
                                "SELECT state FROM " + schema + ".runs WHERE table_name = $1 AND run = $2 FOR UPDATE")
                        .execute(Tuple.of(table.toString(), run)))
                .chain(rows -> {
                    String state = first(rows).orElseThrow().getString(0);
                    if (!state.equals("OPEN")) {
                        return Uni.createFrom()
                                .failure(new FencedException(
                                        "run " + run + " of " + table + " cannot open: it is " + state));
                    }
                    // A chunk transaction of an older run holds its run's row for share: this waits for it.
                    return connection
                            .preparedQuery("UPDATE " + schema + ".runs SET state = 'CANCELLED', closed_at = now() "
                                    + "WHERE table_name = $1 AND run < $2 AND state = 'OPEN'")
                            .execute(Tuple.of(table.toString(), run));
                })
                .chain(() -> connection
                        .preparedQuery("UPDATE " + schema + ".tables SET run = $2, applying = 'HELD', "
                                + "options = $3::text::jsonb, salt_check = $4 WHERE table_name = $1")
                        .execute(Tuple.of(
                                table.toString(),
                                run,
                                OptionsText.write(options.options()),
                                options.saltCheck().orElse(null))))
                .replaceWithVoid());
    }

    /** As {@link #openRun(TableName, long, TableOptions)}, for a table that is carried as it is. */
    public Uni<Void> openRun(TableName table, long run) {
        return openRun(table, run, TableOptions.NONE);
    }

    /**
     * Sets where the queue of a table starts, for one that has none or whose queue has a hole. Only while the run is
     * held.
     *
     * <p>The mark is void then (R4): it may be of another cluster, whose WAL went further, and would pass over every
     * change. Nothing needs it: whatever the slot sends again from before this is in the chunks that are read after.
     *
     * <p>Chunks of earlier runs decide nothing about this queue, either: the table may have had another key then.
     *
     * <p>A run starts its queue once: a second time, by a retry or by a process that was thought dead, changes nothing,
     * for by then changes may stand in the queue that no chunk will have.
     *
     * @throws FencedException (in the Uni) if the ledger has another run, or the table is not held
     */
    public Uni<Void> startQueueAt(TableName table, long run, String topicId, long position) {
        return destination.inTransaction(connection -> connection
                .preparedQuery("UPDATE " + schema + ".tables SET topic_id = $3, queue_run = $2, "
                        + "position = CASE WHEN started THEN position ELSE $4 END, "
                        + "mark_commit_before = CASE WHEN started THEN mark_commit_before END, "
                        + "mark_lsn = CASE WHEN started THEN mark_lsn END, "
                        + "mark_ordinal = CASE WHEN started THEN mark_ordinal ELSE 0 END "
                        + "FROM (SELECT coalesce(queue_run = $2 AND topic_id = $3, false) AS started FROM "
                        + schema + ".tables WHERE table_name = $1 FOR UPDATE) before "
                        + "WHERE table_name = $1 AND run = $2 AND applying = 'HELD'")
                .execute(Tuple.of(table.toString(), run, topicId, position))
                .chain(rows -> require(rows, "queue start of run " + run + " of " + table))
                .chain(() -> letGoOfEarlier(connection, table, run)));
    }

    private Uni<Void> letGoOfEarlier(SqlConnection connection, TableName table, long run) {
        return connection
                .preparedQuery("UPDATE " + schema + ".runs SET retained = false "
                        + "WHERE table_name = $1 AND run < $2 AND retained")
                .execute(Tuple.of(table.toString(), run))
                .replaceWithVoid();
    }

    /**
     * Closes a run: waits for chunk transactions in flight, and refuses later ones. A run that is closed stays as it
     * was closed.
     *
     * <p>When every chunk of it is copied, those of earlier runs decide nothing any more: every row is as this run has
     * read it, and what an earlier one had seen was read again. Unless it is a part that was copied: then they decide on.
     *
     * @param chunks how many the run has, for {@link Outcome#COPIED}
     * @param partial whether they are of a part of the key space
     * @throws IncompleteRunException (in the Uni) if the ledger's chunks have a gap between them, or do not cover the key
     *     space and are no part
     * @throws FencedException (in the Uni) if a newer run is known
     */
    public Uni<Void> closeRun(TableName table, long run, Outcome outcome, int chunks, boolean partial) {
        return destination.inTransaction(connection -> connection
                // A run that is cancelled before it was opened leaves a row, so that it cannot be opened any more.
                .preparedQuery("INSERT INTO " + schema + ".tables (table_name, run, applying) VALUES ($1, $2, 'HELD') "
                        + "ON CONFLICT (table_name) DO UPDATE SET run = greatest(tables.run, excluded.run)")
                .execute(Tuple.of(table.toString(), run))
                .chain(() -> readForUpdate(connection, table))
                .chain(entry -> entry.orElseThrow().run() == run
                        ? Uni.createFrom().voidItem()
                        : Uni.createFrom()
                                .failure(new FencedException("run " + run + " of " + table
                                        + " cannot be closed: the ledger has run " + entry.get().run())))
                .chain(() -> connection
                        .preparedQuery("INSERT INTO " + schema
                                + ".runs (table_name, run, state) VALUES ($1, $2, 'OPEN') ON CONFLICT DO NOTHING")
                        .execute(Tuple.of(table.toString(), run)))
                .chain(() -> connection
                        .preparedQuery(
                                "SELECT state FROM " + schema + ".runs WHERE table_name = $1 AND run = $2 FOR UPDATE")
                        .execute(Tuple.of(table.toString(), run)))
                .chain(rows -> {
                    boolean open = first(rows).orElseThrow().getString(0).equals("OPEN");
                    if (!open) {
                        return Uni.createFrom().voidItem();
                    }
                    Uni<Void> checked = outcome == Outcome.COPIED
                            ? checkChunks(connection, table, run, chunks, partial)
                            : Uni.createFrom().voidItem();
                    String state = outcome == Outcome.COPIED ? "CLOSED" : "CANCELLED";
                    return checked.chain(() -> connection
                                    .preparedQuery("UPDATE " + schema + ".runs SET state = $3, closed_at = now() "
                                            + "WHERE table_name = $1 AND run = $2")
                                    .execute(Tuple.of(table.toString(), run, state)))
                            // Rows outside a part are still those of earlier runs.
                            .chain(() -> outcome == Outcome.COPIED && !partial
                                    ? letGoOfEarlier(connection, table, run)
                                    : Uni.createFrom().voidItem());
                })
                .chain(() -> outcome == Outcome.ABANDONED || outcome == Outcome.DISCARDED
                        ? Uni.createFrom().voidItem()
                        : connection
                                .preparedQuery("UPDATE " + schema + ".tables SET applying = 'DRAINING' "
                                        + "WHERE table_name = $1 AND applying = 'HELD'")
                                .execute(Tuple.of(table.toString()))
                                .replaceWithVoid()));
    }

    /** As {@link #closeRun(TableName, long, Outcome, int, boolean)}, of a run over the whole key space. */
    public Uni<Void> closeRun(TableName table, long run, Outcome outcome, int chunks) {
        return closeRun(table, run, outcome, chunks, false);
    }

    private Uni<Void> checkChunks(SqlConnection connection, TableName table, long run, int chunks, boolean partial) {
        return connection
                .preparedQuery("SELECT chunk, after_key, up_to_key, rows IS NOT NULL FROM " + schema
                        + ".chunks WHERE table_name = $1 AND run = $2 ORDER BY chunk")
                .execute(Tuple.of(table.toString(), run))
                .chain(rows -> {
                    int expected = 0;
                    Optional<Key> covered = Optional.empty();
                    String gap = "";
                    for (Row row : rows) {
                        boolean begins = expected == 0;
                        boolean fits = row.getInteger(0) == expected
                                && (begins && partial || key(row, 1).equals(covered))
                                && row.getBoolean(3)
                                && (begins || covered.isPresent());
                        if (!fits) {
                            gap = "chunk " + row.getInteger(0) + " does not follow on chunk " + (expected - 1);
                            break;
                        }
                        covered = key(row, 2);
                        expected++;
                    }
                    if (gap.isEmpty() && expected != chunks) {
                        gap = "the ledger lists " + expected + " of " + chunks + " chunks";
                    }
                    if (gap.isEmpty() && covered.isPresent() && !partial) {
                        gap = "no chunk reaches the end of the key space";
                    }
                    return gap.isEmpty()
                            ? Uni.createFrom().voidItem()
                            : Uni.createFrom()
                                    .failure(new IncompleteRunException("run " + run + " of " + table + ": " + gap));
                });
    }

    /**
     * Sets the watermark of a closed run, the first one for good: a drain command may have gone out with it.
     *
     * @return the watermark that holds
     */
    public Uni<Lsn> setWatermark(TableName table, long run, Lsn watermark) {
        return destination
                .query(
                        "UPDATE " + schema + ".runs SET watermark = coalesce(watermark, $3::text::pg_lsn) "
                                + "WHERE table_name = $1 AND run = $2 AND state <> 'OPEN' RETURNING watermark::text",
                        Tuple.of(table.toString(), run, watermark.toString()))
                .chain(rows -> require(rows, "watermark of run " + run + " of " + table)
                        .replaceWith(() -> Lsn.parse(first(rows).orElseThrow().getString(0))));
    }

    /**
     * The table is drained: from here on it streams, and no chunk decides about a change any more.
     *
     * @param position where the applier stands
     * @throws FencedException (in the Uni) if run, state or position are not what the applier believes
     */
    public Uni<Void> caughtUp(TableName table, long run, long position) {
        return destination.inTransaction(connection -> connection
                .preparedQuery("UPDATE " + schema + ".tables SET applying = 'STREAMING' "
                        + "WHERE table_name = $1 AND run = $2 AND applying = 'DRAINING' AND position = $3")
                .execute(Tuple.of(table.toString(), run, position))
                .chain(rows -> require(rows, "catching up of run " + run + " of " + table))
                .chain(() -> connection
                        .preparedQuery("UPDATE " + schema + ".runs SET retained = false "
                                + "WHERE table_name = $1 AND run <= $2")
                        .execute(Tuple.of(table.toString(), run)))
                .replaceWithVoid());
    }

    /**
     * Moves the position, in the transaction of the rows that it speaks of. The row stays locked until the end of the
     * transaction, so a run that opens meanwhile waits, and a second applier comes too late (R5).
     *
     * @throws FencedException (in the Uni) if run, state or position are not what the applier believes
     */
    Uni<Void> advance(
            SqlConnection connection, TableName table, long run, Applying applying, long from, Progress to) {
        return connection
                .preparedQuery("UPDATE " + schema + ".tables SET position = $5, "
                        + "mark_commit_before = coalesce($6::text::pg_lsn, mark_commit_before), "
                        + "mark_lsn = coalesce($7::text::pg_lsn, mark_lsn), "
                        + "mark_ordinal = coalesce($8::int4, mark_ordinal) "
                        + "WHERE table_name = $1 AND run = $2 AND applying = $3 AND position = $4")
                .execute(Tuple.from(Arrays.asList(
                        table.toString(),
                        run,
                        applying.name(),
                        from,
                        to.position(),
                        to.mark().map(mark -> mark.commitBefore().toString()).orElse(null),
                        to.mark().map(mark -> mark.lsn().toString()).orElse(null),
                        to.mark().map(Mark::ordinal).orElse(null))))
                .chain(rows -> require(rows, "a batch of run " + run + " of " + table + " from offset " + from));
    }

    /** Where the queues of these tables stand; a table whose queue has no start yet is left out. */
    public Uni<Map<TableName, Long>> positions(List<TableName> tables) {
        return destination
                .query(
                        "SELECT table_name, position FROM " + schema
                                + ".tables WHERE table_name = ANY ($1) AND position IS NOT NULL",
                        Tuple.tuple()
                                .addArrayOfString(tables.stream().map(TableName::toString).toArray(String[]::new)))
                .map(rows -> {
                    Map<TableName, Long> positions = new HashMap<>();
                    for (Row row : rows) {
                        positions.put(TableName.parse(row.getString(0)), row.getLong(1));
                    }
                    return positions;
                });
    }

    /** Notes rows read, in the transaction that writes the rows. A later one of the same key takes its place. */
    Uni<Void> noteRowReads(SqlConnection connection, TableName table, List<RowRead> reads) {
        return connection
                .preparedQuery("INSERT INTO " + schema + ".row_reads (table_name, key, source_snapshot, source_lsn) "
                        + "VALUES ($1, $2, $3, $4::text::pg_lsn) ON CONFLICT (table_name, key) DO UPDATE "
                        + "SET source_snapshot = excluded.source_snapshot, source_lsn = excluded.source_lsn")
                .executeBatch(reads.stream()
                        .map(read -> Tuple.of(
                                table.toString(),
                                read.key().values().toArray(String[]::new),
                                read.snapshot().toString(),
                                read.lsn().toString()))
                        .toList())
                .replaceWithVoid();
    }

    /** Forgets the row reads below an LSN: every transaction that they saw is passed. */
    public Uni<Void> forgetRowReads(TableName table, Lsn below) {
        return destination
                .query(
                        "DELETE FROM " + schema
                                + ".row_reads WHERE table_name = $1 AND source_lsn < $2::text::pg_lsn",
                        Tuple.of(table.toString(), below.toString()))
                .replaceWithVoid();
    }

    /** The single rows whose snapshot still decides which changes to skip. */
    public Uni<List<RowRead>> rowReads(TableName table) {
        return destination
                .query(
                        "SELECT key, source_snapshot, source_lsn::text FROM " + schema
                                + ".row_reads WHERE table_name = $1",
                        Tuple.of(table.toString()))
                .map(rows -> {
                    List<RowRead> reads = new ArrayList<>();
                    // Many rows are read in one go, with one snapshot.
                    Map<String, PgSnapshot> snapshots = new HashMap<>();
                    for (Row row : rows) {
                        reads.add(new RowRead(
                                key(row, 0).orElseThrow(),
                                snapshots.computeIfAbsent(row.getString(1), PgSnapshot::parse),
                                Lsn.parse(row.getString(2))));
                    }
                    return reads;
                });
    }

    /** The chunks that still decide which changes to skip, of whatever run; by run, then in the order of the key. */
    public Uni<List<RetainedChunk>> retainedChunks(TableName table) {
        return destination
                .query(
                        "SELECT c.after_key, c.up_to_key, c.source_snapshot, c.later_snapshot, run, c.key_order FROM " + schema
                                + ".chunks c JOIN " + schema + ".runs r USING (table_name, run) "
                                + "WHERE table_name = $1 AND r.retained AND c.source_snapshot IS NOT NULL ORDER BY run, chunk",
                        Tuple.of(table.toString()))
                .map(rows -> {
                    List<RetainedChunk> chunks = new ArrayList<>();
                    for (Row row : rows) {
                        chunks.add(new RetainedChunk(
                                row.getLong(4),
                                new KeyRange(key(row, 0), key(row, 1)),
                                PgSnapshot.parse(row.getString(2)),
                                Optional.ofNullable(row.getString(3)).map(PgSnapshot::parse),
                                row.getString(5)));
                    }
                    return chunks;
                });
    }

    /**
     * Forgets the table, unless the ledger has a newer run. Waits for a batch or chunk in flight; later ones find
     * nothing and are refused.
     */
    public Uni<Void> release(TableName table, long run) {
        return destination.inTransaction(connection -> connection
                .preparedQuery("DELETE FROM " + schema + ".tables WHERE table_name = $1 AND run <= $2")
                .execute(Tuple.of(table.toString(), run))
                .replaceWithVoid());
    }

    static Optional<Row> first(RowSet<Row> rows) {
        var iterator = rows.iterator();
        return iterator.hasNext() ? Optional.of(iterator.next()) : Optional.empty();
    }

    private static Optional<Key> key(Row row, int column) {
        return Optional.ofNullable(row.getArrayOfStrings(column)).map(values -> new Key(List.of(values)));
    }

    private static Uni<Void> require(RowSet<Row> rows, String what) {
        return rows.rowCount() == 1
                ? Uni.createFrom().voidItem()
                : Uni.createFrom()
                        .failure(new FencedException(what + " refused: the ledger is not in the state it needs"));
    }

    /** Somebody newer owns the table. The caller stops and changes nothing. */
    public static final class FencedException extends RuntimeException {
        public FencedException(String message) {
            super(message);
        }
    }

    /** The ledger does not list every chunk of a run that should be complete. */
    public static final class IncompleteRunException extends RuntimeException {
        public IncompleteRunException(String message) {
            super(message);
        }
    }
}
