package dev.sluice.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.domain.ChunkTask;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Key;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.PgSnapshot;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.Setting;
import dev.sluice.domain.Settings;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableState.Outcome;
import dev.sluice.postgres.ChunkCopy.Answer;
import dev.sluice.postgres.ChunkCopy.Limits;
import dev.sluice.postgres.Ledger.RetainedChunk;
import dev.sluice.testing.PostgresServer;
import dev.sluice.testing.SharedServers;
import io.vertx.mutiny.core.Vertx;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Chunks read from a physical standby, R11. */
class ReplicaCopyIT {

    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final Duration SHORT = Duration.ofSeconds(1);
    private static final String DATABASE = "replicated";
    private static final Pipeline PIPELINE = new Pipeline("replicated");
    private static final KeyRange ROWS = new KeyRange(Optional.empty(), Optional.of(Key.of("1000000000")));
    private static final HashSalt SALT = new HashSalt("a salt that nobody else has");
    private static final Executor WORKERS = command -> Thread.ofVirtual().start(command);

    private static PostgresServer primary;
    private static PostgresServer standby;
    private static String destinationName;
    private static Vertx vertx;
    private static Database source;
    private static Database replica;
    private static Database destination;
    private static Ledger ledger;
    private static long run;

    @BeforeAll
    static void start() {
        primary = PostgresServer.start(SharedServers.folder("replica-primary"), 0, SharedServers.FAST_POSTGRES);
        primary.createDatabase(DATABASE);
        standby = primary.standby(SharedServers.folder("replica-standby"), SharedServers.FAST_POSTGRES);
        destinationName = SharedServers.freshDatabase(SharedServers.destination());
        vertx = Vertx.vertx();
        source = Database.open(vertx, primary.url(DATABASE), "source", "sluice", 2);
        replica = Database.open(vertx, standby.url(DATABASE), "replica", "sluice", 1);
        destination = Database.open(vertx, SharedServers.destination().url(destinationName), "destination", "sluice", 4);
        ledger = new Ledger(destination, PIPELINE, Optional.of(SALT));
        ledger.create().await().atMost(LIMIT);
    }

    @AfterAll
    static void stop() {
        source.close();
        replica.close();
        destination.close();
        vertx.closeAndAwait();
        standby.close();
        primary.close();
    }

    @Test
    void aChunkIsReadAtTheStandbyBetweenTwoSnapshotsOfThePrimary() throws Exception {
        both("CREATE TABLE read_there (id int PRIMARY KEY, v text)");
        atPrimary("INSERT INTO read_there SELECT i, 'v' || i FROM generate_series(1, 1000) i");
        ChunkTask task = task("read_there");

        assertThat(copy(LIMIT).copy(task)).isInstanceOf(Answer.Copied.class);

        assertThat(fromDestination("SELECT count(*) || ' ' || max(v) FROM read_there")).isEqualTo("1000 v999");
        RetainedChunk chunk = chunk(task);
        assertThat(chunk.later()).isPresent();
        String rowsRead = "SELECT (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::text "
                + "FROM pg_stat_user_tables WHERE relname = 'read_there'";
        Awaitility.await("rows read at the standby").atMost(LIMIT).until(() -> query(standby, rowsRead).equals("1000"));
        assertThat(fromPrimary(rowsRead)).as("rows read at the primary").isEqualTo("0");
        long writer = Long.parseLong(fromPrimary("SELECT max(xmin::text::bigint)::text FROM read_there"));
        assertThat(chunk.snapshot().sees32(writer)).as("the first snapshot was replayed before the read").isTrue();
    }

    @Test
    void aChunkIsReadAtThePrimaryWhenTheTaskSaysSo() throws Exception {
        both("CREATE TABLE read_here (id int PRIMARY KEY)");
        atPrimary("INSERT INTO read_here SELECT generate_series(1, 100)");
        ChunkTask task = task("read_here");
        query(standby, "SELECT pg_wal_replay_pause()::text");
        try {
            var here = new ChunkTask(
                    task.table(), task.run(), task.chunk(), task.attempt(), task.range(), task.fingerprint(),
                    task.primary(), Optional.empty(), Settings.NONE.with(Setting.READ_REPLICA, false));

            assertThat(copy(SHORT).copy(here)).as("without a standby").isInstanceOf(Answer.Copied.class);

            assertThat(chunk(task).later()).isEmpty();
            assertThat(fromDestination("SELECT count(*)::text FROM read_here")).isEqualTo("100");
        } finally {
            query(standby, "SELECT pg_wal_replay_resume()::text");
        }
    }

    /** A row of which nobody is sure could not be read anew. */
    @Test
    void aTableThatIsCopiedAsAWholeIsReadAtThePrimary() throws Exception {
        both("CREATE TABLE keyless (v int)");
        atPrimary("INSERT INTO keyless SELECT generate_series(1, 100)");
        query(standby, "SELECT pg_wal_replay_pause()::text");
        try {
            ChunkTask task = task("keyless", TableOptions.NONE, KeyRange.ALL);

            assertThat(copy(SHORT).copy(task)).as("without a standby").isInstanceOf(Answer.Copied.class);

            assertThat(chunk(task).later()).isEmpty();
            assertThat(fromDestination("SELECT count(*)::text FROM keyless")).isEqualTo("100");
        } finally {
            query(standby, "SELECT pg_wal_replay_resume()::text");
        }
    }

    @Test
    void optionsHoldForWhatIsReadAtTheStandby() throws Exception {
        atPrimary("CREATE TABLE optional (id int PRIMARY KEY, email text, note text, phone text)");
        atPrimary("INSERT INTO optional SELECT i, 'e' || i, 'n', 'p' FROM generate_series(1, 9) i");
        execute(SharedServers.destination(), destinationName, "CREATE TABLE optional (id int PRIMARY KEY, email text, phone text)");
        ChunkTask task = task("optional", new TableOptions(
                List.of(), List.of(), List.of("note"), List.of("email"), Map.of("phone", Optional.of("-")),
                Optional.of("id > 7"), Optional.empty()), ROWS);

        assertThat(copy(LIMIT).copy(task)).isInstanceOf(Answer.Copied.class);

        assertThat(chunk(task).later()).isPresent();
        assertThat(fromDestination("SELECT string_agg(id || email || phone, ' ' ORDER BY id) FROM optional"))
                .isEqualTo("8" + SALT.hash("e8") + "- 9" + SALT.hash("e9") + "-");
    }

    /** Behind by an ALTER that the destination has followed, its columns of the same names are other ones. */
    @Test
    void aStandbyThatHasNotReplayedTheDefinitionIsNotRead() throws Exception {
        both("CREATE TABLE swapped (id int PRIMARY KEY, a text, b text)");
        atPrimary("INSERT INTO swapped VALUES (1, 'of a', 'of b')");
        ChunkTask task = task("swapped");
        ChunkCopy copy = copy(LIMIT);
        assertThat(copy.copy(task)).isInstanceOf(Answer.Copied.class);
        execute(SharedServers.destination(), destinationName, "DELETE FROM swapped");
        awaitReplayed();
        query(standby, "SELECT pg_wal_replay_pause()::text");
        try {
            both("ALTER TABLE swapped RENAME a TO c");
            both("ALTER TABLE swapped RENAME b TO a");
            both("ALTER TABLE swapped RENAME c TO b");

            assertThat(copy.copy(next(task))).isInstanceOfSatisfying(Answer.Failed.class, failed -> {
                assertThat(failed.fault().kind()).isEqualTo(Fault.Kind.UNAVAILABLE);
                assertThat(failed.fault().reason()).contains("definition changed");
            });
        } finally {
            query(standby, "SELECT pg_wal_replay_resume()::text");
        }
        assertThat(fromDestination("SELECT count(*)::text FROM swapped")).isEqualTo("0");
    }

    /** No row at the standby has it; the rows are read under the labels that are there. */
    @Test
    void aStandbyThatHasNotReplayedALabelIsReadUnderACondition() throws Exception {
        both("CREATE TYPE mood AS ENUM ('sad', 'glad')");
        both("CREATE TABLE moody (id int PRIMARY KEY, mood mood)");
        atPrimary("INSERT INTO moody VALUES (1, 'sad'), (2, 'glad')");
        var options = new TableOptions(
                List.of(), List.of(), List.of(), List.of(), Map.of(), Optional.of("mood > 'sad'"), Optional.empty());
        ChunkTask task = task("moody", options, ROWS);
        ChunkCopy copy = copy(LIMIT);
        assertThat(copy.copy(task)).isInstanceOf(Answer.Copied.class);
        awaitReplayed();
        query(standby, "SELECT pg_wal_replay_pause()::text");
        try {
            atPrimary("ALTER TYPE mood ADD VALUE 'so_so' BEFORE 'glad'");

            assertThat(copy.copy(next(task))).isInstanceOfSatisfying(
                    Answer.Copied.class, copied -> assertThat(copied.rows()).isEqualTo(1));
        } finally {
            query(standby, "SELECT pg_wal_replay_resume()::text");
        }
        assertThat(fromDestination("SELECT string_agg(id || ' ' || mood, ', ') FROM moody")).isEqualTo("2 glad");
    }

    /** Found by the ledger, before the standby is waited for. */
    @Test
    void aChunkThatWillNotBeReadDoesNotWaitForTheStandby() throws Exception {
        both("CREATE TABLE settled (id int PRIMARY KEY)");
        atPrimary("INSERT INTO settled VALUES (1), (2)");
        ChunkTask task = task("settled");
        assertThat(copy(LIMIT).copy(task)).isInstanceOf(Answer.Copied.class);
        query(standby, "SELECT pg_wal_replay_pause()::text");
        try {
            assertThat(copy(SHORT).copy(task)).as("copied before").isEqualTo(new Answer.CopiedBefore(2));
            ledger.closeRun(task.table(), task.run(), Outcome.ABANDONED, 1).await().atMost(LIMIT);

            assertThat(copy(SHORT).copy(next(task))).as("of a run that is closed").isInstanceOfSatisfying(
                    Answer.Failed.class, failed -> assertThat(failed.fault().reason()).startsWith("fenced: "));
        } finally {
            query(standby, "SELECT pg_wal_replay_resume()::text");
        }
    }

    @Test
    void aRangeOfAKeyThatTheDatabaseOrdersIsReadAtTheStandby() throws Exception {
        both("CREATE TABLE worded (word text COLLATE \"en-x-icu\" PRIMARY KEY)");
        atPrimary("INSERT INTO worded VALUES ('a'), ('B'), ('c'), ('D')");
        TableName name = TableName.parse("worded");
        ledger.openRun(name, ++run).await().atMost(LIMIT);
        var orders = new KeyOrders(source, destination, new SchemaMapping(Map.of()));
        TableDefinition definition = source
                .withConnection(connection -> DefinitionQuery.read(connection, name))
                .chain(reading -> orders.compare(reading.orElseThrow().definition(), TableOptions.NONE))
                .await()
                .atMost(LIMIT)
                .definition();
        var range = new KeyRange(Optional.of(Key.of("a")), Optional.of(Key.of("c")));
        var task = new ChunkTask(
                name, run, 0, 1, range, definition.runFingerprint(),
                Lsn.parse(fromPrimary("SELECT pg_current_wal_lsn()::text")), Optional.empty());

        assertThat(copy(LIMIT).copy(task)).isInstanceOf(Answer.Copied.class);

        assertThat(fromDestination("SELECT string_agg(word, ' ' ORDER BY word) FROM worded"))
                .as("by code point it would be «c»").isEqualTo("B c");
        assertThat(chunk(task).order()).as("what the order rests on").isEqualTo(definition.order()).isNotEmpty();
    }

    @Test
    void nothingIsReadBeforeTheStandbyHasReplayedWhereTheBackfillStarted() throws Exception {
        both("CREATE TABLE started (id int PRIMARY KEY)");
        atPrimary("INSERT INTO started VALUES (1)");
        awaitReplayed();
        query(standby, "SELECT pg_wal_replay_pause()::text");
        try {
            atPrimary("INSERT INTO started VALUES (2)");
            ChunkTask task = task("started");

            Answer answer = copy(SHORT).copy(task);

            assertThat(answer).isInstanceOfSatisfying(Answer.Failed.class, failed -> {
                assertThat(failed.fault().kind()).isEqualTo(Fault.Kind.UNAVAILABLE);
                assertThat(failed.fault().reason())
                        .contains("has replayed up to", "the backfill needs", "its replay is paused");
                assertThat(failed.fault().hint()).contains("pg_wal_replay_resume()");
            });
            assertThat(fromDestination("SELECT count(*)::text FROM started")).isEqualTo("0");
            assertThat(ledger.retainedChunks(task.table()).await().atMost(LIMIT)).isEmpty();

            CompletableFuture<Answer> waiting = inBackground(copy(LIMIT), task);
            Awaitility.await("a chunk that waits").atMost(LIMIT).until(() -> query(standby,
                            "SELECT count(*)::text FROM pg_stat_activity WHERE application_name = 'sluice'")
                    .equals("1"));
            assertThat(fromDestination("SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() "
                            + "AND state = 'idle in transaction'"))
                    .as("transactions that it holds open at the destination while it waits")
                    .isEqualTo("0");
            query(standby, "SELECT pg_wal_replay_resume()::text");
            assertThat(waiting.get(30, TimeUnit.SECONDS)).isInstanceOf(Answer.Copied.class);
        } finally {
            query(standby, "SELECT pg_wal_replay_resume()::text");
        }
        assertThat(fromDestination("SELECT count(*)::text FROM started")).isEqualTo("2");
    }

    /**
     * Each transaction leaves its id in a row. Whatever the first snapshot sees must be in the chunk, and what the
     * second does not see must not. The standby's own snapshot breaks the first: it does not list what is in progress.
     */
    @Test
    void theChunkContainsWhatTheFirstSnapshotSeesAndNothingThatTheSecondDoesNot() throws Exception {
        both("CREATE TABLE stamped (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tx bigint)");
        var stopping = new AtomicBoolean();
        List<CompletableFuture<Void>> writers = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            int millis = i;
            writers.add(CompletableFuture.runAsync(() -> write(stopping, millis), WORKERS));
        }
        record Copied(RetainedChunk chunk, Set<Long> transactions) {}
        List<Copied> copies = new ArrayList<>();
        try {
            ChunkCopy copy = copy(LIMIT);
            for (int i = 0; i < 25; i++) {
                ChunkTask task = task("stamped");
                assertThat(copy.copy(task)).isInstanceOf(Answer.Copied.class);
                copies.add(new Copied(chunk(task), stamps(SharedServers.destination(), destinationName)));
            }
        } finally {
            stopping.set(true);
        }
        for (CompletableFuture<Void> writer : writers) {
            writer.get(30, TimeUnit.SECONDS);
        }

        Set<Long> committed = stamps(primary, DATABASE);
        long unsure = 0;
        for (Copied copied : copies) {
            PgSnapshot first = copied.chunk().snapshot();
            PgSnapshot second = copied.chunk().later().orElseThrow();
            assertThat(committed.stream().filter(first::sees).filter(tx -> !copied.transactions().contains(tx)))
                    .as("seen by %s, but not in the chunk", first)
                    .isEmpty();
            assertThat(copied.transactions().stream().filter(tx -> !second.sees(tx)))
                    .as("in the chunk, but not seen by %s", second)
                    .isEmpty();
            unsure += committed.stream().filter(second::sees).filter(tx -> !first.sees(tx)).count();
        }
        assertThat(unsure).as("transactions between the two snapshots").isPositive();
        assertThat(committed).as("transactions").hasSizeGreaterThan(100);
    }

    private static void write(AtomicBoolean stopping, int millis) {
        try (Connection connection = primary.connect(DATABASE);
                var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            while (!stopping.get()) {
                statement.execute("INSERT INTO stamped (tx) VALUES (pg_current_xact_id()::text::bigint); "
                        + "SELECT pg_sleep(" + millis + " / 1000.0)");
                connection.commit();
            }
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    private static Set<Long> stamps(PostgresServer server, String database) throws SQLException {
        try (Connection connection = server.connect(database);
                var statement = connection.createStatement();
                var rows = statement.executeQuery("SELECT tx FROM stamped")) {
            Set<Long> stamps = new HashSet<>();
            while (rows.next()) {
                stamps.add(rows.getLong(1));
            }
            return stamps;
        }
    }

    /** With synchronous replication a transaction is over at the standby while it waits at the primary. */
    @Test
    void whatTheStandbyShowsBeforeThePrimaryIsWaitedFor() throws Exception {
        both("CREATE TABLE ahead (id int PRIMARY KEY)");
        primary.set(
                "synchronous_standby_names",
                "FIRST 2 (" + PostgresServer.standbyName(standby.folder()) + ", missing)");
        try (Connection writer = primary.connect(DATABASE);
                var statement = writer.createStatement()) {
            statement.execute("SET synchronous_commit = remote_apply");
            CompletableFuture<Void> commit = CompletableFuture.runAsync(
                    () -> {
                        try {
                            statement.execute("INSERT INTO ahead VALUES (1)");
                        } catch (SQLException e) {
                            throw new AssertionError(e);
                        }
                    },
                    WORKERS);
            Awaitility.await("the row at the standby").atMost(LIMIT).until(
                    () -> query(standby, "SELECT count(*)::text FROM ahead").equals("1"));
            assertThat(fromPrimary("SELECT count(*)::text FROM ahead")).as("rows at the primary").isEqualTo("0");
            ChunkTask task = task("ahead");

            Answer early = copyWith(source, replica, new Limits(SHORT, LIMIT, LIMIT)).copy(task);

            assertThat(early).isInstanceOfSatisfying(Answer.Failed.class, failed -> {
                assertThat(failed.fault().kind()).isEqualTo(Fault.Kind.UNAVAILABLE);
                assertThat(failed.fault().reason()).contains("is over at the replica", "not yet at the primary");
                assertThat(failed.fault().hint()).contains("SyncRep");
            });
            primary.reset("synchronous_standby_names");
            commit.get(30, TimeUnit.SECONDS);
            assertThat(copy(LIMIT).copy(task)).isInstanceOf(Answer.Copied.class);
            long transaction = Long.parseLong(fromPrimary("SELECT xmin::text FROM ahead"));
            assertThat(chunk(task).later().orElseThrow().sees32(transaction)).isTrue();
            assertThat(fromDestination("SELECT count(*)::text FROM ahead")).isEqualTo("1");
        } finally {
            primary.reset("synchronous_standby_names");
        }
    }

    @Test
    void aTruncateBetweenTheSnapshotsEndsTheRead() throws Exception {
        for (boolean replayed : new boolean[] {true, false}) {
            String table = "emptied_" + replayed;
            both("CREATE TABLE " + table + " (id int PRIMARY KEY)");
            atPrimary("INSERT INTO " + table + " VALUES (1)");
            ChunkTask task = task(table);
            var reads = new ReplicaReads(replica, PIPELINE, LIMIT, Map.of());
            var limits = new Limits(LIMIT, LIMIT, LIMIT);
            try (var connections = new CopyConnections(source, destination, limits, LIMIT)) {
                var ready = reads.await(task, connections);
                if (!replayed) {
                    query(standby, "SELECT pg_wal_replay_pause()::text");
                }
                atPrimary("TRUNCATE " + table);
                if (replayed) {
                    awaitReplayed();
                }

                assertThatThrownBy(() -> reads.begin(task, ready, LIMIT))
                        .as("replayed before the read: %s", replayed)
                        .isInstanceOfSatisfying(LaterException.class, later -> {
                            assertThat(later.fault().kind()).isEqualTo(Fault.Kind.FAULTY);
                            assertThat(later.fault().reason()).contains("truncated");
                        });
            } finally {
                query(standby, "SELECT pg_wal_replay_resume()::text");
            }
            assertThat(copyWith(source, replica, limits).copy(task)).as("the next try").isInstanceOf(Answer.Copied.class);
        }
    }

    @Test
    void aReadThatTheStandbyCancelsIsTriedAgainAndSaysWhatHelps() throws Exception {
        both("CREATE TABLE cancelled (id int PRIMARY KEY)");
        atPrimary("INSERT INTO cancelled SELECT generate_series(1, 1000)");
        ChunkTask task = task("cancelled");
        standby.set("max_standby_streaming_delay", "50ms");
        try (Connection blocker = SharedServers.destination().connect(destinationName);
                var statement = blocker.createStatement()) {
            blocker.setAutoCommit(false);
            statement.execute("LOCK TABLE cancelled IN ACCESS EXCLUSIVE MODE");
            CompletableFuture<Answer> chunk = inBackground(copy(LIMIT), task);
            Awaitility.await("a read that has begun").atMost(LIMIT).until(() -> query(standby,
                            "SELECT count(*)::text FROM pg_stat_activity WHERE application_name = 'sluice' "
                                    + "AND state = 'idle in transaction' AND backend_xmin IS NOT NULL")
                    .equals("1"));
            atPrimary("DELETE FROM cancelled WHERE id > 1");
            atPrimary("VACUUM cancelled");
            Awaitility.await("a conflict").atMost(LIMIT).until(() -> !query(standby,
                            "SELECT (confl_snapshot + confl_lock + confl_bufferpin)::text "
                                    + "FROM pg_stat_database_conflicts WHERE datname = current_database()")
                    .equals("0"));
            blocker.commit();

            assertThat(chunk.get(30, TimeUnit.SECONDS)).isInstanceOfSatisfying(Answer.Failed.class, failed -> {
                assertThat(failed.fault().reason()).contains("conflict with recovery");
                assertThat(failed.fault().kind()).isEqualTo(Fault.Kind.FAULTY);
                assertThat(failed.fault().hint()).contains("max_standby_streaming_delay", "hot_standby_feedback");
            });
        } finally {
            standby.reset("max_standby_streaming_delay");
        }
        assertThat(copy(LIMIT).copy(task)).as("the next try").isInstanceOfSatisfying(
                Answer.Copied.class, copied -> assertThat(copied.rows()).isEqualTo(1));
    }

    @Test
    void whatIsNoStandbyOfTheSourceIsRefused() throws Exception {
        both("CREATE TABLE misplaced (id int PRIMARY KEY)");
        ChunkTask task = task("misplaced");
        Database elsewhere = Database.open(vertx, SharedServers.source().url("postgres"), "elsewhere", "sluice", 1);
        try {
            Limits limits = new Limits(LIMIT, LIMIT, LIMIT);

            assertRefused(copyWith(source, source, limits).copy(task), "is no standby");
            assertRefused(copyWith(elsewhere, replica, limits).copy(task), "another server");
        } finally {
            elsewhere.close();
        }
    }

    /** After a failover somebody may still follow the old primary, far enough by its LSN, and with other rows. */
    @Test
    void aStandbyOnAnotherTimelineIsNotRead() throws Exception {
        both("CREATE TABLE forked (id int PRIMARY KEY)");
        ChunkTask task = task("forked");
        try (PostgresServer promoted =
                primary.standby(SharedServers.folder("replica-promoted"), SharedServers.FAST_POSTGRES)) {
            assertThat(query(promoted, "SELECT pg_promote(true, 60)::text")).isEqualTo("true");
            try (PostgresServer other =
                    promoted.standby(SharedServers.folder("replica-forked"), SharedServers.FAST_POSTGRES)) {
                Database forked = Database.open(vertx, other.url(DATABASE), "replica", "sluice", 1);
                try {
                    assertThat(copyWith(source, forked, new Limits(LIMIT, LIMIT, LIMIT)).copy(task))
                            .isInstanceOfSatisfying(Answer.Failed.class, failed -> {
                                assertThat(failed.fault().kind()).isEqualTo(Fault.Kind.UNAVAILABLE);
                                assertThat(failed.fault().reason()).contains("timeline 2, the primary on 1");
                            });
                } finally {
                    forked.close();
                }
            }
        }
    }

    private static void assertRefused(Answer answer, String reason) {
        assertThat(answer).isInstanceOfSatisfying(Answer.Failed.class, failed -> {
            assertThat(failed.fault().kind()).isEqualTo(Fault.Kind.REFUSED);
            assertThat(failed.fault().reason()).contains(reason);
            assertThat(failed.fault().hint()).contains("sluice.source.replica.url");
        });
    }

    @Test
    void aReplicaThatIsGoneIsWaitedForAndNamed() throws Exception {
        both("CREATE TABLE gone (id int PRIMARY KEY)");
        Database nowhere = Database.open(vertx, "postgresql://u:hidden@127.0.0.1:1/x", "replica", "sluice", 1);
        try {
            assertThat(copyWith(source, nowhere, new Limits(LIMIT, LIMIT, LIMIT)).copy(task("gone")))
                    .isInstanceOfSatisfying(Answer.Failed.class, failed -> {
                        assertThat(failed.fault().kind()).isEqualTo(Fault.Kind.UNAVAILABLE);
                        assertThat(failed.fault().reason())
                                .contains("from the replica postgresql://u@127.0.0.1:1/x")
                                .doesNotContain("hidden");
                    });
        } finally {
            nowhere.close();
        }
    }

    private static ChunkCopy copy(Duration replicaWait) {
        return copyWith(source, replica, new Limits(LIMIT, LIMIT, replicaWait));
    }

    private static ChunkCopy copyWith(Database from, Database standby, Limits limits) {
        return new ChunkCopy(
                from,
                Optional.of(standby),
                destination,
                PIPELINE,
                new SchemaMapping(Map.of()),
                limits,
                Optional.of(SALT));
    }

    private static CompletableFuture<Answer> inBackground(ChunkCopy copy, ChunkTask task) {
        return CompletableFuture.supplyAsync(() -> copy.copy(task), WORKERS);
    }

    /** All rows of a table in one chunk of a new run that starts now. */
    private static ChunkTask task(String table) throws SQLException {
        return task(table, TableOptions.NONE, ROWS);
    }

    private static ChunkTask task(String table, TableOptions options, KeyRange range) throws SQLException {
        TableName name = TableName.parse(table);
        ledger.openRun(name, ++run, options).await().atMost(LIMIT);
        try (Connection connection = source.connectForCopy(LIMIT, LIMIT)) {
            String fingerprint = DefinitionQuery.read(connection, name).orElseThrow().definition().fingerprint();
            Lsn now = Lsn.parse(fromPrimary("SELECT pg_current_wal_lsn()::text"));
            return new ChunkTask(name, run, 0, 1, range, fingerprint, now, Optional.empty());
        }
    }

    /** The same range in another chunk. */
    private static ChunkTask next(ChunkTask task) {
        return new ChunkTask(
                task.table(), task.run(), 1, 1, task.range(), task.fingerprint(), task.primary(), Optional.empty());
    }

    private static RetainedChunk chunk(ChunkTask task) {
        return ledger.retainedChunks(task.table()).await().atMost(LIMIT).stream()
                .filter(chunk -> chunk.run() == task.run())
                .findFirst()
                .orElseThrow();
    }

    private static void awaitReplayed() throws SQLException {
        String written = fromPrimary("SELECT pg_current_wal_lsn()::text");
        Awaitility.await("the standby replays up to " + written).atMost(LIMIT).until(
                () -> query(standby, "SELECT (pg_last_wal_replay_lsn() >= '" + written + "')::text").equals("true"));
    }

    private static void both(String sql) throws SQLException {
        atPrimary(sql);
        execute(SharedServers.destination(), destinationName, sql);
    }

    private static void atPrimary(String sql) throws SQLException {
        execute(primary, DATABASE, sql);
    }

    private static void execute(PostgresServer server, String database, String sql) throws SQLException {
        try (Connection connection = server.connect(database);
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static String fromPrimary(String sql) throws SQLException {
        return query(primary, sql);
    }

    private static String fromDestination(String sql) throws SQLException {
        return query(SharedServers.destination(), destinationName, sql);
    }

    private static String query(PostgresServer server, String sql) throws SQLException {
        return query(server, DATABASE, sql);
    }

    private static String query(PostgresServer server, String database, String sql) throws SQLException {
        try (Connection connection = server.connect(database);
                var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            return rows.next() ? String.valueOf(rows.getString(1)) : "no row";
        }
    }
}
