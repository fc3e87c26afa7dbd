package dev.sluice.postgres;

import static dev.sluice.postgres.TwoDatabases.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Change.Cell;
import dev.sluice.domain.ChunkTask;
import dev.sluice.domain.Key;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.Mark;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableOptions.SoftDelete;
import dev.sluice.domain.TableState.Outcome;
import dev.sluice.postgres.ChangeApply.Applied;
import dev.sluice.postgres.ChangeBatch.Remove;
import dev.sluice.postgres.ChangeBatch.Rows;
import dev.sluice.postgres.ChangeBatch.Step;
import dev.sluice.postgres.ChangeBatch.Write;
import dev.sluice.postgres.ChunkCopy.Answer;
import dev.sluice.postgres.Ledger.Progress;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Both ways of a table with options, without scheduler and Kafka: prepared, copied in one chunk, and changed. */
final class OptionsBench implements AutoCloseable {

    static final String SALT = "a salt of ours, 100%";

    /** A transaction that every snapshot sees. */
    static final long SEEN = 3;

    final TwoDatabases databases;
    final SourceTables sources;
    final DestinationTables destinations;
    private final DefinitionFollow follow;
    private final Ledger ledger;
    private final ChunkCopy chunkCopy;
    private final ChangeApply apply;
    private final TableComparison comparison;
    private long run = 1;
    private long offset;

    OptionsBench() {
        this(TwoDatabases.open());
    }

    /** @param databases are closed with it */
    OptionsBench(TwoDatabases databases) {
        this.databases = databases;
        sources = new SourceTables(databases.source, databases.pipeline);
        destinations =
                new DestinationTables(databases.source, databases.destination, databases.schemas, databases.pipeline);
        Optional<HashSalt> salt = Optional.of(new HashSalt(SALT));
        ledger = new Ledger(databases.destination, databases.pipeline, salt);
        var limits = new ChunkCopy.Limits(Duration.ofSeconds(10), Duration.ofMinutes(1));
        chunkCopy = new ChunkCopy(
                databases.source, databases.destination, databases.pipeline, databases.schemas, limits, salt);
        apply = new ChangeApply(databases.source, databases.destination, ledger, databases.schemas, salt);
        follow = new DefinitionFollow(
                databases.source, databases.destination, sources, databases.schemas, databases.pipeline, DroppedColumns.KEEP);
        comparison = new TableComparison(
                databases.source, databases.destination, databases.schemas, databases.pipeline, salt);
    }

    static TableOptions options(
            List<String> include, List<String> exclude, List<String> hash, Map<String, Optional<String>> mask) {
        return new TableOptions(List.of(), include, exclude, hash, mask, Optional.empty(), Optional.empty());
    }

    static TableOptions where(String condition) {
        return new TableOptions(
                List.of(), List.of(), List.of(), List.of(), Map.of(), Optional.of(condition), Optional.empty());
    }

    static TableOptions softDelete(SoftDelete.Type type) {
        return new TableOptions(
                List.of(), List.of(), List.of(), List.of(), Map.of(), Optional.empty(),
                Optional.of(new SoftDelete("gone", type)));
    }

    TableDefinition inspect(String table, TableOptions options) {
        return await(sources.inspect(TableName.parse(table), options));
    }

    /** Opens the next run and prepares the destination's table. */
    TableDefinition prepare(String table, TableOptions options) {
        TableDefinition definition = inspect(table, options);
        await(ledger.openRun(definition.table(), ++run, options));
        await(destinations.prepare(definition, options));
        return definition;
    }

    Answer copy(ChunkTask task) {
        return chunkCopy.copy(task);
    }

    Answer tryCopy(TableDefinition definition, KeyRange range) {
        return copy(new ChunkTask(
                definition.table(), run, 0, 1, range, definition.fingerprint(), Lsn.ZERO, Optional.empty()));
    }

    /** A backfill in one chunk; from then on changes can be applied. */
    void backfill(String table, TableOptions options) {
        TableDefinition definition = prepare(table, options);
        assertThat(await(follow.remember(definition))).isTrue();
        assertThat(tryCopy(definition, KeyRange.ALL)).isInstanceOf(Answer.Copied.class);
        await(ledger.startQueueAt(definition.table(), run, "topic " + run, 0));
        offset = 0;
        await(ledger.closeRun(definition.table(), run, Outcome.CUT_SHORT, 0));
    }

    /**
     * Does at the destination what ALTER TABLE did at the source.
     *
     * @throws RefusedException if only another backfill helps
     */
    void follow(String table) {
        assertThat(await(follow.follow(TableName.parse(table), "not asked for"))).isPresent();
    }

    Applied apply(String table, Step... steps) {
        TableName name = TableName.parse(table);
        var to = new Progress(offset + 1, Optional.of(new Mark(new Lsn(100 + offset), new Lsn(120 + offset))));
        Ledger.Entry entry = await(ledger.read(name)).orElseThrow();
        DestinationTable opened = await(apply.open(name, entry.options()));
        List<Step> carried = new ArrayList<>();
        for (Step step : steps) {
            carried.add(carried(opened, step));
        }
        Applied applied = await(apply.apply(
                new ChangeBatch(name, run, entry.applying(), offset, to, carried), opened));
        offset++;
        return applied;
    }

    /** As the streaming function does with what it has read. */
    private static Step carried(DestinationTable table, Step step) {
        return switch (step) {
            case Rows rows -> new Rows(
                    rows.deletes(),
                    rows.writes().stream().map(write -> carried(table, write)).toList(),
                    rows.inOrder().stream()
                            .map(change -> change instanceof Write write ? carried(table, write) : change)
                            .toList());
            case ChangeBatch.Move move -> new ChangeBatch.Move(
                    move.from(), move.to(), table.carried(move.row()), move.transaction(), move.reached(), move.millis());
            case ChangeBatch.Reread reread -> reread;
            case ChangeBatch.Clear clear -> clear;
            case ChangeBatch.Counts counts -> throw new IllegalArgumentException("of a table without a key: " + counts);
        };
    }

    private static Write carried(DestinationTable table, Write write) {
        return new Write(write.key(), table.carried(write.row()), write.millis());
    }

    static Rows write(String key, String... cells) {
        var write = new Write(Key.of(key), row(cells), 1_700_000_000_000L);
        return new Rows(List.of(), List.of(write), List.of(write));
    }

    static Rows remove(String key, long millis) {
        return new Rows(List.of(Key.of(key)), List.of(), List.of(new Remove(Key.of(key), millis)));
    }

    /** @param from may be null */
    ChangeBatch.Move move(String from, String to, String... cells) {
        return new ChangeBatch.Move(
                Optional.ofNullable(from).map(Key::of), Key.of(to), row(cells), SEEN,
                new Progress(offset + 1, Optional.of(new Mark(new Lsn(100 + offset), new Lsn(120 + offset)))),
                1_700_000_000_000L);
    }

    /** Names and texts by turns; a null text is NULL, one that is a NUL is left as it is. */
    static Map<String, Cell> row(String... cells) {
        Map<String, Cell> row = new LinkedHashMap<>();
        for (int i = 0; i < cells.length; i += 2) {
            String text = cells[i + 1];
            row.put(cells[i], text == null ? Cell.NULL : text.equals("\0") ? Cell.UNCHANGED : new Cell.Text(text));
        }
        return row;
    }

    TableComparison.Result compare(String table) {
        return await(comparison.compare(TableName.parse(table)));
    }

    void onSource(String sql) throws SQLException {
        databases.atSource(sql);
    }

    void onDestination(String sql) throws SQLException {
        databases.atDestination(sql);
    }

    /** Rows of the destination, each as its columns' texts. */
    List<String> rows(String query) throws SQLException {
        try (var connection = databases.connectToDestination(); var statement = connection.createStatement()) {
            statement.execute("SET TimeZone = 'UTC'");
            List<String> rows = new ArrayList<>();
            try (var result = statement.executeQuery(query)) {
                while (result.next()) {
                    List<String> row = new ArrayList<>();
                    for (int i = 1; i <= result.getMetaData().getColumnCount(); i++) {
                        row.add(Optional.ofNullable(result.getString(i)).orElse("∅"));
                    }
                    rows.add(String.join("|", row));
                }
            }
            return rows;
        }
    }

    String columns(String table) throws SQLException {
        return String.join(", ", rows("SELECT attname || ' ' || format_type(atttypid, atttypmod) "
                + "|| CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END FROM pg_attribute "
                + "WHERE attrelid = '" + table + "'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"));
    }

    @Override
    public void close() {
        databases.close();
    }
}
