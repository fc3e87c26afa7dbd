package dev.sluice.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.domain.Change.Cell;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Key;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.Mark;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableState.Outcome;
import dev.sluice.postgres.ChangeApply.Applied;
import dev.sluice.postgres.ChangeBatch.Clear;
import dev.sluice.postgres.ChangeBatch.Counts;
import dev.sluice.postgres.ChangeBatch.Move;
import dev.sluice.postgres.ChangeBatch.Remove;
import dev.sluice.postgres.ChangeBatch.Reread;
import dev.sluice.postgres.ChangeBatch.RowChange;
import dev.sluice.postgres.ChangeBatch.Rows;
import dev.sluice.postgres.ChangeBatch.Step;
import dev.sluice.postgres.ChangeBatch.Write;
import dev.sluice.postgres.Ledger.Applying;
import dev.sluice.postgres.Ledger.FencedException;
import dev.sluice.postgres.Ledger.Progress;
import dev.sluice.testing.PostgresServer;
import dev.sluice.testing.SharedServers;
import io.vertx.mutiny.core.Vertx;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ChangeApplyIT {

    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final long RUN = 7;
    private static final Optional<Mark> MARK = Optional.of(new Mark(new Lsn(100), new Lsn(120)));

    /** A transaction that every snapshot sees. */
    private static final long SEEN = 3;

    private static Vertx vertx;
    private static String sourceName;
    private static String destinationName;
    private static Database source;
    private static Database destination;
    private static Ledger ledger;
    private static ChangeApply apply;

    @BeforeAll
    static void open() {
        vertx = Vertx.vertx();
        sourceName = SharedServers.freshDatabase(SharedServers.source());
        destinationName = SharedServers.freshDatabase(SharedServers.destination());
        source = Database.open(vertx, SharedServers.source().url(sourceName), "test", "sluice", 2);
        destination = Database.open(vertx, SharedServers.destination().url(destinationName), "test", "sluice", 4);
        ledger = new Ledger(destination, new Pipeline("sluice"));
        ledger.create().await().atMost(LIMIT);
        apply = new ChangeApply(source, destination, ledger, new SchemaMapping(Map.of()));
    }

    @AfterAll
    static void close() {
        source.close();
        destination.close();
        vertx.closeAndAwait();
    }

    @Test
    void everydayTypesArriveAsTheirText() throws SQLException {
        onSource("CREATE TYPE mood AS ENUM ('sad', 'it''s ok')");
        onDestination("CREATE TYPE mood AS ENUM ('sad', 'it''s ok')");
        TableName table = table("everyday", """
                (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n numeric, d date, ts timestamptz, f float8,
                 nested int[][], words text[], j jsonb, b bytea, u uuid, v varchar(5), c char(4), bits bit(3),
                 i interval, t time, m public.mood, flag boolean, "Odd ""Name" text, x xml, r int4range, ip inet,
                 twice bigint GENERATED ALWAYS AS (id * 2) STORED)""");
        Map<String, Cell> row = row(
                "id", "1",
                "n", "NaN",
                "d", "-infinity",
                "ts", "0044-03-15 12:00:00+00 BC",
                "f", "0.1",
                "nested", "{{1,2},{3,4}}",
                "words", "{\"a b\",NULL,\"NULL\",\"q\\\"\\\\\"}",
                "j", "{\"a\": [1, 2.50, null]}",
                "b", "\\x00ff",
                "u", "00000000-0000-0000-0000-000000000001",
                "v", "ab   ",
                "c", "x",
                "bits", "101",
                "i", "1 mon -3 days",
                "t", "24:00:00",
                "m", "it's ok",
                "flag", "t",
                "Odd \"Name", "",
                "x", "<a>b</a>",
                "r", "[1,5)",
                "ip", "10.0.0.1");
        Map<String, Cell> nulls = new LinkedHashMap<>(row);
        nulls.replaceAll((column, cell) -> column.equals("id") ? new Cell.Text("2") : Cell.NULL);

        apply(table, 0, 2, writes(new Write(Key.of("1"), row), new Write(Key.of("2"), nulls)));

        assertThat(query("SELECT * FROM everyday ORDER BY id"))
                .containsExactly(
                        "1|NaN|-infinity|0044-03-15 12:00:00+00 BC|0.1|{{1,2},{3,4}}|{\"a b\",NULL,\"NULL\",\"q\\\"\\\\\"}|"
                                + "{\"a\": [1, 2.50, null]}|\\x00ff|00000000-0000-0000-0000-000000000001|ab   |x   |101|"
                                + "1 mon -3 days|24:00:00|it's ok|t||<a>b</a>|[1,5)|10.0.0.1|2",
                        "2|∅|∅|∅|∅|∅|∅|∅|∅|∅|∅|∅|∅|∅|∅|∅|∅|∅|∅|∅|∅|4");
    }

    @Test
    void aTypeWithACastOfItsOwnIsReadAsItsInputFunctionDoes() throws SQLException {
        onSource("CREATE DOMAIN relation AS regclass");
        onDestination("CREATE DOMAIN relation AS regclass");
        TableName table = table(
                "cast_otherwise", "(id int PRIMARY KEY, r regclass, d relation, rs regclass[], c \"char\", x xml, n name)");

        apply(table, 0, 1, writes(
                write("1", "id", "1", "r", "-", "d", "4294967295", "rs", "{-,pg_class}", "c", "", "x", "<a/>", "n", "a b"),
                new Write(Key.of("2"), new LinkedHashMap<>(Map.of("id", new Cell.Text("2"), "r", Cell.NULL)))));

        assertThat(query("SELECT id, r, d, rs, c, x, n FROM cast_otherwise ORDER BY id"))
                .containsExactly("1|-|4294967295|{-,pg_class}||<a/>|a b", "2|∅|∅|∅|∅|∅|∅");
    }

    @Test
    void aTextThatIsTooLongIsRefusedAndNotCut() throws SQLException {
        TableName table = table("narrow", "(id int PRIMARY KEY, v varchar(3))");

        assertThatThrownBy(() -> apply(table, 0, 1, writes(write("1", "id", "1", "v", "abcd"))))
                .hasMessageContaining("too long");
        assertThat(query("SELECT * FROM narrow")).isEmpty();
        assertThat(position(table)).as("nothing of the batch is done").isEqualTo(0);
    }

    @Test
    void deletesGoBeforeWritesAndTheLedgerMovesWithThem() throws SQLException {
        TableName table = table("pairs", "(b text, a int, v text DEFAULT 'default', PRIMARY KEY (a, b))");
        onDestination("INSERT INTO pairs VALUES ('x', 1, 'old'), ('y', 1, 'kept'), ('z', 2, 'old')");

        apply(table, 0, 3, new Rows(
                List.of(Key.of("1", "x"), Key.of("2", "z")),
                List.of(write(Key.of("1", "x"), "b", "x", "a", "1"), write(Key.of("3", "w"), "b", "w", "a", "3", "v", "new")),
                List.of()));

        assertThat(query("SELECT * FROM pairs ORDER BY a, b"))
                .as("a row made anew has the default where the source has no such column")
                .containsExactly("x|1|default", "y|1|kept", "w|3|new");
        assertThat(ledger.read(table).await().atMost(LIMIT).orElseThrow().mark()).isEqualTo(MARK);
        assertThat(position(table)).isEqualTo(3);
    }

    @Test
    void anUnchangedValueStaysAndItsUpdateNeverInserts() throws SQLException {
        TableName table = table("toasted", "(id int PRIMARY KEY, big text, big2 text, n int)");
        onDestination("INSERT INTO toasted VALUES (1, 'large', 'second', 1), (2, 'other', 'second', 1)");

        apply(table, 0, 3, writes(
                new Write(Key.of("1"), partial(row("id", "1", "big2", "changed", "n", "2"), "big")),
                new Write(Key.of("2"), partial(row("id", "2", "n", "2"), "big", "big2")),
                new Write(Key.of("3"), partial(row("id", "3", "n", "2"), "big", "big2"))));

        assertThat(query("SELECT * FROM toasted ORDER BY id")).containsExactly("1|large|changed|2", "2|other|second|2");
    }

    @Test
    void aSecondOwnerChangesNothing() throws SQLException {
        TableName table = table("fenced", "(id int PRIMARY KEY)");
        ChangeBatch first = batch(table, 0, 5, writes(write("1", "id", "1")));
        ChangeBatch second = batch(table, 0, 6, writes(write("2", "id", "2")));
        run(first);

        assertThatThrownBy(() -> run(second)).isInstanceOf(FencedException.class);
        ledger.openRun(table, RUN + 1).await().atMost(LIMIT);
        assertThatThrownBy(() -> run(batch(table, 5, 6, writes(write("2", "id", "2")))))
                .isInstanceOf(FencedException.class);

        assertThat(query("SELECT * FROM fenced")).containsExactly("1");
        assertThat(position(table)).isEqualTo(5);
    }

    @Test
    void whatASetViolatesIsAppliedInItsOrder() throws SQLException {
        TableName table = table("swap", "(id int PRIMARY KEY, place int UNIQUE)");
        onDestination("INSERT INTO swap VALUES (1, 10), (2, 20)");
        List<RowChange> history = List.of(
                write("1", "id", "1", "place", "0"),
                write("2", "id", "2", "place", "10"),
                write("1", "id", "1", "place", "20"));

        Applied applied = apply(table, 0, 3, new Rows(
                List.of(), List.of((Write) history.get(2), (Write) history.get(1)), history));

        assertThat(applied.oneByOne()).isTrue();
        assertThat(query("SELECT * FROM swap ORDER BY id")).containsExactly("1|20", "2|10");
    }

    @Test
    void aViolationThatTheOrderDoesNotCureIsTold() throws SQLException {
        TableName table = table("own_constraint", "(id int PRIMARY KEY, place int UNIQUE)");
        onDestination("INSERT INTO own_constraint VALUES (9, 10)");
        Write write = write("1", "id", "1", "place", "10");

        assertThatThrownBy(() -> apply(table, 0, 1, new Rows(List.of(), List.of(write), List.of(write))))
                .satisfies(failure -> assertThat(SqlFaults.fault(failure, "applying").hint())
                        .contains("own_constraint_place_key"));
        assertThat(position(table)).isEqualTo(0);
    }

    @Test
    void aRowMovesInPlaceWithWhatTheChangeDoesNotCarry() throws SQLException {
        TableName table = table("moved", "(id int PRIMARY KEY, big text, n int)");
        onDestination("INSERT INTO moved VALUES (1, 'large', 1)");

        Applied applied = apply(table, 0, 2, move("1", "2", partial(row("id", "2", "n", "5"), "big"), 2));

        assertThat(applied.rowReads()).isEmpty();
        assertThat(query("SELECT * FROM moved")).containsExactly("2|large|5");
    }

    @Test
    void aRowThatIsNotThereToMoveIsReadFromTheSourceAndEndsTheBatch() throws SQLException {
        TableName table = table("reread", "(id int PRIMARY KEY, big text, n int)");
        onSource("INSERT INTO reread VALUES (2, 'large now', 6)");
        Step move = move("1", "2", partial(row("id", "2", "n", "5"), "big"), 2);
        Step later = writes(new Write(Key.of("2"), row("id", "2", "big", "older", "n", "5")));

        Applied applied = apply(table, 0, 9, move, later);

        assertThat(applied.reached().position()).as("what follows is to be decided anew").isEqualTo(2);
        assertThat(position(table)).isEqualTo(2);
        assertThat(query("SELECT * FROM reread")).containsExactly("2|large now|6");
        assertThat(ledger.rowReads(table).await().atMost(LIMIT)).isEqualTo(applied.rowReads());
        assertThat(applied.rowReads()).hasSize(1);
        assertThat(applied.rowReads().get(0).snapshot().sees(1)).isTrue();
    }

    @Test
    void aRowThatIsReadFromTheSourceBringsColumnsThatTheChangeIsTooOldFor() throws SQLException {
        TableName table = table("older", "(id int PRIMARY KEY, big text, added int)");
        onSource("INSERT INTO older VALUES (2, 'large now', 6)");

        Step move = new Move(Optional.empty(), Key.of("2"), partial(row("id", "2"), "big"), SEEN, new Progress(2, MARK));
        apply(table, 0, 2, move);

        // The update that set it is seen by the read, and so skipped when it comes.
        assertThat(query("SELECT * FROM older")).containsExactly("2|large now|6");
    }

    @Test
    void aRowThatIsReadFromTheSourceHasTheKeysTextThatItHasThere() throws SQLException {
        TableName table = table("equal_key", "(id numeric PRIMARY KEY, big text)");
        onSource("INSERT INTO equal_key VALUES (2.00, 'large now')");

        Step move = new Move(Optional.empty(), Key.of("2.0"), partial(row("id", "2.0"), "big"), SEEN, new Progress(2, MARK));
        apply(table, 0, 2, move);

        // The change from 2.0 to 2.00 is seen by the read, and so skipped when it comes.
        assertThat(query("SELECT * FROM equal_key")).containsExactly("2.00|large now");
    }

    @Test
    void aTextIsNotCutWhereOnlySpacesWouldBe() throws SQLException {
        TableName table = table("spaces", "(id int PRIMARY KEY, v varchar(3))");

        assertThatThrownBy(() -> apply(table, 0, 1, writes(write("1", "id", "1", "v", "abc  "))))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("too long");
        apply(table, 0, 1, writes(write("1", "id", "1", "v", "\uD83D\uDE00bc")));

        assertThat(query("SELECT v FROM spaces")).containsExactly("\uD83D\uDE00bc");
    }

    @Test
    void aRowThatIsGoneAtTheSourceIsSkipped() throws SQLException {
        TableName table = table("gone", "(id int PRIMARY KEY, big text, n int)");
        onDestination("INSERT INTO gone VALUES (1, 'somebody new', 1)");

        Step move = new Move(
                Optional.empty(), Key.of("2"), partial(row("id", "2", "n", "5"), "big"), SEEN, new Progress(2, MARK));
        Applied applied = apply(table, 0, 2, move);

        assertThat(applied.rowReads()).isEmpty();
        assertThat(query("SELECT * FROM gone")).containsExactly("1|somebody new|1");
    }

    @Test
    void rowsThatNobodyIsSureOfBecomeWhatTheSourceHas() throws SQLException {
        TableName table = table("unsure", "(a int, b text, big text, PRIMARY KEY (b, a))");
        onSource("INSERT INTO unsure SELECT i, 'b', repeat('new', i * 1000) FROM generate_series(1, 60) i");
        onDestination("INSERT INTO unsure SELECT i, 'b', 'old' FROM generate_series(50, 70) i");
        List<Key> keys = new ArrayList<>();
        for (int i = 70; i > 0; i--) {
            keys.add(Key.of("b", Integer.toString(i)));
        }

        Applied applied = apply(table, 0, 3, writes(write(keys.get(5), "a", "65", "b", "b", "big", "of the batch")),
                new Reread(keys.stream().map(Remove::new).toList(), Set.of(SEEN)));

        assertThat(query("SELECT count(*), min(a), max(a), sum(length(big)), count(*) FILTER (WHERE big LIKE 'new%') FROM unsure"))
                .containsExactly("60|1|60|5490000|60");
        assertThat(applied.reached().position()).isEqualTo(3);
        assertThat(applied.rowReads()).as("rows that are gone, too").hasSize(70);
        assertThat(ledger.rowReads(table).await().atMost(LIMIT)).containsExactlyInAnyOrderElementsOf(applied.rowReads());
    }

    @Test
    void rowsAreReadInPortionsOfTheirStoredSize() throws SQLException {
        TableName table = table("portions", "(id int PRIMARY KEY, big text)");
        onSource("ALTER TABLE portions ALTER COLUMN big SET STORAGE EXTERNAL; INSERT INTO portions "
                + "SELECT i, repeat('x', CASE WHEN i = 25 THEN 3000000 ELSE 100000 END) FROM generate_series(1, 40) i");
        List<Key> keys = IntStream.rangeClosed(1, 60).mapToObj(i -> Key.of(Integer.toString(i))).toList();

        List<List<Key>> portions = new SourceRows(source)
                .portions(apply.open(table, RunOptions.NONE).await().atMost(LIMIT), keys, key -> key)
                .await()
                .atMost(LIMIT);

        assertThat(portions).extracting(List::size).containsExactly(10, 10, 4, 1, 10, 25);
        assertThat(portions.stream().flatMap(List::stream)).containsExactlyElementsOf(keys);
    }

    @Test
    void nothingIsHeldAtTheSourceWhileTheDestinationIsWaitedFor() throws Exception {
        TableName table = table("held_up", "(id int PRIMARY KEY, big text)");
        onSource("INSERT INTO held_up VALUES (1, 'now'), (2, 'now')");
        var opened = apply.open(table, RunOptions.NONE).await().atMost(LIMIT);
        var reread = new Reread(List.of(new Remove(Key.of("1")), new Remove(Key.of("2"))), Set.of(SEEN));
        CompletableFuture<Applied> applying;
        try (var holder = SharedServers.destination().connect(destinationName);
                var statement = holder.createStatement();
                var observer = SharedServers.source().connect(sourceName);
                var look = observer.createStatement()) {
            holder.setAutoCommit(false);
            statement.execute("LOCK TABLE held_up IN SHARE MODE");
            applying = apply.apply(batch(table, 0, 1, reread), opened).subscribeAsCompletionStage();
            Awaitility.await("the rows are read and wait to be written").atMost(LIMIT).until(() -> {
                try (var rows = statement.executeQuery(
                        "SELECT FROM pg_locks WHERE relation = 'held_up'::regclass AND NOT granted")) {
                    return rows.next();
                }
            });
            try (var rows = look.executeQuery("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                    + "AND pid <> pg_backend_pid() AND xact_start IS NOT NULL AND backend_type = 'client backend'")) {
                rows.next();
                assertThat(rows.getInt(1)).as("transactions at the source").isZero();
            }
            holder.rollback();
        }

        assertThat(applying.get(30, TimeUnit.SECONDS).rowReads()).hasSize(2);
        assertThat(query("SELECT * FROM held_up ORDER BY id")).containsExactly("1|now", "2|now");
    }

    @Test
    void aRowThatIsReadAnewHasTheSourcesTextOfAnEqualKey() throws SQLException {
        TableName table = table("reread_scale", "(id numeric PRIMARY KEY, v text)");
        onSource("INSERT INTO reread_scale VALUES (1.00, 'new')");
        onDestination("INSERT INTO reread_scale VALUES (1.0, 'old')");

        apply(table, 0, 1, new Reread(List.of(new Remove(Key.of("1.0"))), Set.of(SEEN)));

        assertThat(query("SELECT * FROM reread_scale")).containsExactly("1.00|new");
    }

    /** With synchronous replication a change is captured before its transaction is visible. */
    @Test
    void aReadingWaitsForTheTransactionOfItsChange() throws Exception {
        TableName table = table("unseen", "(id int PRIMARY KEY, big text)");
        try (var writer = SharedServers.source().connect(sourceName); var statement = writer.createStatement()) {
            writer.setAutoCommit(false);
            statement.execute("INSERT INTO unseen VALUES (1, 'new')");
            long transaction;
            try (var rows = statement.executeQuery("SELECT pg_current_xact_id()::text::bigint & 4294967295")) {
                rows.next();
                transaction = rows.getLong(1);
            }
            var reread = new Reread(List.of(new Remove(Key.of("1"))), Set.of(transaction));
            var move = new Move(
                    Optional.empty(), Key.of("1"), partial(row("id", "1"), "big"), transaction, new Progress(1, MARK));

            for (Step step : List.of(reread, move)) {
                assertThatThrownBy(() -> apply(table, 0, 1, step))
                        .isInstanceOf(LaterException.class)
                        .satisfies(failure -> assertThat(SqlFaults.fault(failure, "applying").kind())
                                .isEqualTo(Fault.Kind.UNAVAILABLE))
                        .hasMessageContaining("not yet visible");
            }
            assertThat(position(table)).as("nothing is passed").isEqualTo(0);
            writer.commit();
            apply(table, 0, 1, reread);
        }
        assertThat(query("SELECT * FROM unseen")).containsExactly("1|new");
    }

    /** The operators of such a key are found by a query, which takes the snapshot: not before the lock (R7). */
    @Test
    void aRowWhoseKeyTheDatabaseOrdersIsReadAsItIsAfterTheLock() throws Exception {
        TableName table = table("reloaded", "(day date PRIMARY KEY, big text)");
        onSource("INSERT INTO reloaded VALUES ('2026-01-01', 'old')");
        var opened = apply.open(table, RunOptions.NONE).await().atMost(LIMIT);
        Step move = new Move(
                Optional.empty(), Key.of("2026-01-01"), partial(row("day", "2026-01-01"), "big"), SEEN,
                new Progress(1, MARK));
        CompletableFuture<Applied> reading;
        try (var loader = SharedServers.source().connect(sourceName); var statement = loader.createStatement()) {
            loader.setAutoCommit(false);
            statement.execute("TRUNCATE reloaded; INSERT INTO reloaded VALUES ('2026-01-01', 'new')");
            reading = apply.apply(batch(table, 0, 1, move), opened).subscribeAsCompletionStage();
            Awaitility.await("the reading waits for the lock").atMost(LIMIT).until(() -> {
                try (var rows = statement.executeQuery(
                        "SELECT FROM pg_locks WHERE relation = 'reloaded'::regclass AND NOT granted")) {
                    return rows.next();
                }
            });
            loader.commit();
        }

        assertThat(reading.get(30, TimeUnit.SECONDS).rowReads()).hasSize(1);
        assertThat(query("SELECT * FROM reloaded")).containsExactly("2026-01-01|new");
    }

    @Test
    void aTruncateLeavesWhatItsChunksSawAfterIt() throws SQLException {
        TableName table = table("cleared", "(a int, b text, PRIMARY KEY (a, b))");
        onDestination("INSERT INTO cleared SELECT i, chr(96 + i) FROM generate_series(1, 6) i");

        apply(table, 0, 1, new Clear(
                List.of(
                        new KeyRange(Optional.empty(), Optional.of(Key.of("2", "a"))),
                        new KeyRange(Optional.of(Key.of("4", "d")), Optional.empty())),
                List.of(Key.of("6", "f"))));

        assertThat(query("SELECT a FROM cleared ORDER BY a")).containsExactly("2", "3", "4", "6");
    }

    @Test
    void aTruncateThatNoChunkSawTakesAll() throws SQLException {
        TableName table = table("emptied", "(id int PRIMARY KEY)");
        onDestination("INSERT INTO emptied VALUES (1)");
        TableName referenced = table("referenced", "(id int PRIMARY KEY)");
        onDestination("INSERT INTO referenced VALUES (1); CREATE TABLE refers (id int REFERENCES referenced)");

        apply(table, 0, 1, new Clear(List.of(KeyRange.ALL), List.of()));
        apply(referenced, 0, 1, new Clear(List.of(KeyRange.ALL), List.of()));

        assertThat(query("SELECT * FROM emptied")).isEmpty();
        assertThat(query("SELECT * FROM referenced")).as("one that TRUNCATE is forbidden for").isEmpty();
    }

    @Test
    void aTruncateOfATableWhoseRowsAreReferredToIsRefusedAndChangesNothing() throws SQLException {
        TableName table = table("kept", "(id int PRIMARY KEY)");
        onDestination("INSERT INTO kept VALUES (1), (2); CREATE TABLE keeps (id int REFERENCES kept); "
                + "INSERT INTO keeps VALUES (2)");

        assertThatThrownBy(() -> apply(table, 0, 1, new Clear(List.of(KeyRange.ALL), List.of())))
                .satisfies(failure -> {
                    Fault fault = SqlFaults.fault(failure, "applying");
                    assertThat(fault.kind()).isEqualTo(Fault.Kind.REFUSED);
                    assertThat(fault.reason()).contains("keeps");
                    assertThat(fault.hint()).isNotBlank();
                });
        assertThat(query("SELECT count(*) FROM kept")).containsExactly("2");
        assertThat(position(table)).isZero();
    }

    @Test
    void tablesThatInheritAreLeftAlone() throws SQLException {
        TableName table = table("parent", "(id int PRIMARY KEY, v text, big text)");
        onSource("CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent); INSERT INTO child VALUES (9, 'child', 'c')");
        onDestination("CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent); "
                + "INSERT INTO child SELECT i, 'child', 'c' FROM generate_series(1, 9) i; "
                + "INSERT INTO parent SELECT i, 'parent', 'p' FROM generate_series(1, 4) i");

        apply(table, 0, 1, new Rows(
                List.of(Key.of("1")),
                List.of(new Write(Key.of("2"), partial(row("id", "2", "v", "set"), "big"))),
                List.of()));
        apply(table, 1, 2, move("3", "7", partial(row("id", "7", "v", "moved"), "big"), 2));
        assertThat(query("SELECT id, v, big FROM ONLY parent ORDER BY id"))
                .containsExactly("2|set|p", "4|parent|p", "7|moved|p");
        // The parent has no such row to move any more: that of the child is not it, at neither side.
        apply(table, 2, 3, move("8", "9", partial(row("id", "9", "v", "moved"), "big"), 3));
        apply(table, 3, 4, new Clear(List.of(new KeyRange(Optional.empty(), Optional.of(Key.of("2")))), List.of()));
        assertThat(query("SELECT id FROM ONLY parent ORDER BY id")).containsExactly("4", "7");
        apply(table, 4, 5, new Clear(List.of(KeyRange.ALL), List.of()));

        assertThat(query("SELECT id FROM ONLY parent")).isEmpty();
        assertThat(query("SELECT count(*), min(v), max(v) FROM child")).containsExactly("9|child|child");
    }

    @Test
    void aPartitionedTableOfTheDestinationTakesEveryChange() throws SQLException {
        TableName table = table("spread", "(id int PRIMARY KEY, v text, big text) PARTITION BY RANGE (id)");
        onSource("CREATE TABLE spread_all PARTITION OF spread DEFAULT; INSERT INTO spread VALUES (60, 'read', 'r')");
        onDestination("CREATE TABLE spread_1 PARTITION OF spread FOR VALUES FROM (0) TO (50); "
                + "CREATE TABLE spread_2 PARTITION OF spread DEFAULT; "
                + "INSERT INTO spread SELECT i, 'old', 'b' FROM generate_series(1, 4) i");

        apply(table, 0, 1, new Rows(
                List.of(Key.of("1")),
                List.of(
                        write("2", "id", "2", "v", "set", "big", "x"),
                        write("55", "id", "55", "v", "new", "big", "y"),
                        new Write(Key.of("3"), partial(row("id", "3", "v", "part"), "big"))),
                List.of()));
        apply(table, 1, 2, move("4", "70", partial(row("id", "70", "v", "moved"), "big"), 2));
        apply(table, 2, 3, move("5", "60", partial(row("id", "60", "v", "moved"), "big"), 3));

        assertThat(query("SELECT * FROM spread ORDER BY id"))
                .containsExactly("2|set|x", "3|part|b", "55|new|y", "60|read|r", "70|moved|b");
        apply(table, 3, 4, new Clear(List.of(KeyRange.ALL), List.of()));
        assertThat(query("SELECT * FROM spread")).isEmpty();
    }

    @Test
    void aTableMayBeCalledAsOurStatementsCallTheirParts() throws SQLException {
        TableName table = table("excluded", "(t int PRIMARY KEY, c0 int, u int, excluded int)");

        apply(table, 0, 1, writes(write("1", "t", "1", "c0", "2", "u", "3", "excluded", "4")));
        apply(table, 1, 2, writes(write("1", "t", "1", "c0", "5", "u", "6", "excluded", "7")));

        assertThat(query("SELECT * FROM excluded")).containsExactly("1|5|6|7");
    }

    @Test
    void aColumnThatTheDestinationLacksIsNamed() throws SQLException {
        TableName table = table("lacking", "(id int PRIMARY KEY)");

        assertThatThrownBy(() -> apply(table, 0, 1, writes(write("1", "id", "1", "added", "x"))))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("added");
    }

    @Test
    void aFixedIdentityThatIsNotTheKeyIsWrittenAnew() throws SQLException {
        TableName table = table("numbered", "(id text PRIMARY KEY, no bigint GENERATED ALWAYS AS IDENTITY, v int)");
        onDestination("INSERT INTO numbered OVERRIDING SYSTEM VALUE VALUES ('a', 5, 1)");

        apply(table, 0, 1, writes(write("a", "id", "a", "no", "6", "v", "2")));

        assertThat(query("SELECT * FROM numbered")).containsExactly("a|6|2");
    }

    @Test
    void aRowThatMovesToAnEqualKeyStays() throws SQLException {
        TableName table = table("rescaled", "(id numeric PRIMARY KEY, big text, n int)");
        onDestination("INSERT INTO rescaled VALUES (1.0, 'large', 1)");

        apply(table, 0, 1, move("1.0", "1.00", partial(row("id", "1.00", "n", "2"), "big"), 1));

        assertThat(query("SELECT * FROM rescaled")).containsExactly("1.00|large|2");
    }

    @Test
    void ofRowsWithoutAKeyExactlyAsManyGoAsTheSourceDeleted() throws SQLException {
        TableName table = withoutKey("countless", "(a int, j json, f float8, n numeric, c char(3), t text)");
        onDestination("INSERT INTO countless SELECT 1, '{\"a\":  1}', '-0', 1.0, 'x', NULL FROM generate_series(1, 5); "
                + "INSERT INTO countless VALUES (1, '{\"a\":1}', '-0', 1.0, 'x', NULL), (1, '{\"a\":  1}', 0, 1.0, 'x', NULL), "
                + "(1, '{\"a\":  1}', '-0', 1.00, 'x', NULL), (1, '{\"a\":  1}', '-0', 1.0, 'x', '')");
        Map<String, Cell> row = row("a", "1", "j", "{\"a\":  1}", "f", "-0", "n", "1.0", "c", "x  ");
        row.put("t", Cell.NULL);
        Map<String, Cell> other = new LinkedHashMap<>(row);
        other.put("a", new Cell.Text("2"));

        apply(table, 0, 3, new Counts(List.of(new Counts.Count(row, -3), new Counts.Count(other, 2))));

        assertThat(query("SELECT a, j, f, n, c, t, count(*) FROM (SELECT a, j::text, f::text, n::text, c, t FROM countless) "
                        + "AS r GROUP BY a, j, f, n, c, t ORDER BY 1, 2, 3, 4, 6"))
                .containsExactly(
                        "1|{\"a\":  1}|-0|1.0|x  ||1",
                        "1|{\"a\":  1}|-0|1.0|x  |∅|2",
                        "1|{\"a\":  1}|-0|1.00|x  |∅|1",
                        "1|{\"a\":  1}|0|1.0|x  |∅|1",
                        "1|{\"a\":1}|-0|1.0|x  |∅|1",
                        "2|{\"a\":  1}|-0|1.0|x  |∅|2");
    }

    @Test
    void ofRowsWithoutAKeyNoneGoesFromATableThatInherits() throws SQLException {
        TableName table = withoutKey("parent_of_rows", "(a int)");
        onDestination("CREATE TABLE child_of_rows () INHERITS (parent_of_rows); INSERT INTO child_of_rows VALUES (1)");

        assertThatThrownBy(() -> apply(table, 0, 1, new Counts(List.of(new Counts.Count(row("a", "1"), -1)))))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("has 0 of them");
        assertThat(query("SELECT * FROM child_of_rows")).containsExactly("1");
    }

    @Test
    void aRowWithoutAKeyThatIsNotThereStopsTheTable() throws SQLException {
        TableName table = withoutKey("missing", "(a int)");
        onDestination("INSERT INTO missing VALUES (1)");

        assertThatThrownBy(() -> apply(table, 0, 1, new Counts(List.of(new Counts.Count(row("a", "1"), -2)))))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("2 rows are gone")
                .hasMessageContaining("has 1 of them");
        assertThat(query("SELECT * FROM missing")).as("nothing of the batch is done").containsExactly("1");
        assertThat(position(table)).isEqualTo(0);
    }

    private static TableName withoutKey(String name, String columns) throws SQLException {
        TableName table = table(name, columns);
        onSource("ALTER TABLE " + name + " REPLICA IDENTITY FULL");
        return table;
    }

    private static TableName table(String name, String columns) throws SQLException {
        onSource("CREATE TABLE " + name + " " + columns);
        onDestination("CREATE TABLE " + name + " " + columns);
        TableName table = new TableName("public", name);
        ledger.openRun(table, RUN).await().atMost(LIMIT);
        ledger.startQueueAt(table, RUN, "topic", 0).await().atMost(LIMIT);
        ledger.closeRun(table, RUN, Outcome.CUT_SHORT, 0).await().atMost(LIMIT);
        return table;
    }

    private static ChangeBatch batch(TableName table, long from, long to, Step... steps) {
        return new ChangeBatch(table, RUN, Applying.DRAINING, from, new Progress(to, MARK), List.of(steps));
    }

    private static Applied apply(TableName table, long from, long to, Step... steps) {
        return run(batch(table, from, to, steps));
    }

    private static Applied run(ChangeBatch batch) {
        return apply.open(batch.table(), RunOptions.NONE).chain(opened -> apply.apply(batch, opened)).await().atMost(LIMIT);
    }

    private static Rows writes(Write... writes) {
        return new Rows(List.of(), List.of(writes), List.of(writes));
    }

    private static Write write(String key, String... cells) {
        return write(Key.of(key), cells);
    }

    private static Write write(Key key, String... cells) {
        return new Write(key, row(cells));
    }

    private static Move move(String from, String to, Map<String, Cell> row, long reached) {
        return new Move(Optional.of(Key.of(from)), Key.of(to), row, SEEN, new Progress(reached, MARK));
    }

    private static Map<String, Cell> row(String... cells) {
        Map<String, Cell> row = new LinkedHashMap<>();
        for (int i = 0; i < cells.length; i += 2) {
            row.put(cells[i], new Cell.Text(cells[i + 1]));
        }
        return row;
    }

    private static Map<String, Cell> partial(Map<String, Cell> row, String... unchanged) {
        for (String column : unchanged) {
            row.put(column, Cell.UNCHANGED);
        }
        return row;
    }

    private static long position(TableName table) {
        return ledger.read(table).await().atMost(LIMIT).orElseThrow().position().orElseThrow();
    }

    private static void onSource(String sql) throws SQLException {
        execute(SharedServers.source(), sourceName, sql);
    }

    private static void onDestination(String sql) throws SQLException {
        execute(SharedServers.destination(), destinationName, sql);
    }

    private static void execute(PostgresServer server, String database, String sql) throws SQLException {
        try (var connection = server.connect(database); var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** Each row as its columns' texts. */
    private static List<String> query(String sql) throws SQLException {
        try (var connection = SharedServers.destination().connect(destinationName);
                var statement = connection.createStatement()) {
            statement.execute("SET TimeZone = 'UTC'");
            List<String> rows = new ArrayList<>();
            try (var result = statement.executeQuery(sql)) {
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
}
