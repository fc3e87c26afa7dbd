package dev.sluice.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.ChunkTask;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Key;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.PgSnapshot;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.Setting;
import dev.sluice.domain.Settings;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableState.Outcome;
import dev.sluice.postgres.ChunkCopy.Answer;
import dev.sluice.testing.PostgresServer;
import dev.sluice.testing.SharedServers;
import io.vertx.mutiny.core.Vertx;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ChunkCopyIT {

    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final long RUN = 7;
    private static final KeyRange ALL = KeyRange.ALL;

    private static final Executor WORKERS = command -> Thread.ofVirtual().start(command);

    private static Vertx vertx;
    private static String sourceName;
    private static String destinationName;
    private static Database source;
    private static Database destination;
    private static Ledger ledger;
    private static ChunkCopy chunkCopy;

    @BeforeAll
    static void open() {
        vertx = Vertx.vertx();
        sourceName = SharedServers.freshDatabase(SharedServers.source());
        destinationName = SharedServers.freshDatabase(SharedServers.destination());
        source = Database.open(vertx, SharedServers.source().url(sourceName), "source", "sluice", 2);
        destination = Database.open(vertx, SharedServers.destination().url(destinationName), "destination", "sluice", 4);
        var pipeline = new Pipeline("sluice");
        ledger = new Ledger(destination, pipeline);
        ledger.create().await().atMost(LIMIT);
        chunkCopy = copyWith(new SchemaMapping(Map.of()), Duration.ofSeconds(10));
    }

    @AfterAll
    static void close() {
        source.close();
        destination.close();
        vertx.closeAndAwait();
    }

    @Test
    void aFreshRangeArrivesWithItsRowsAndNoOthers() throws Exception {
        both("CREATE TABLE fresh (id int PRIMARY KEY, v text)");
        atSource("INSERT INTO fresh SELECT i, 'v' || i FROM generate_series(1, 100) i");
        openRun("fresh");

        Answer answer = chunkCopy.copy(task("fresh", 0, range(Key.of("10"), Key.of("30"))));

        assertThat(answer).isInstanceOfSatisfying(Answer.Copied.class, copied -> {
            assertThat(copied.rows()).isEqualTo(20);
            assertThat(copied.bytes()).isPositive();
        });
        assertThat(fromDestination("SELECT min(id) || '..' || max(id) || ' ' || count(*) FROM fresh"))
                .isEqualTo("11..30 20");
        assertThat(fromDestination("SELECT rows || ' ' || after_key::text || up_to_key::text FROM sluice_ledger.chunks "
                        + "WHERE table_name = 'public.fresh'"))
                .isEqualTo("20 {10}{30}");
        assertThat(ledger.retainedChunks(TableName.parse("fresh")).await().atMost(LIMIT))
                .as("the snapshot that decides what to skip")
                .hasSize(1);
    }

    @Test
    void aRangeWithRowsBecomesWhatTheSourceHasAndEqualRowsAreNotRewritten() throws Exception {
        both("CREATE TABLE replaced (id int PRIMARY KEY, n numeric, j json, x xml, p point)");
        String rows = "INSERT INTO replaced SELECT i, 1.0, '{\"a\": 1}', '<a/>', point(i, i) FROM generate_series(1, %d) i";
        atSource(rows.formatted(50));
        atDestination(rows.formatted(60));
        atDestination("DELETE FROM replaced WHERE id IN (5, 6)");
        atDestination("UPDATE replaced SET n = 1.00 WHERE id = 7");
        atDestination("UPDATE replaced SET j = '{\"a\":1}' WHERE id = 8");
        atDestination("UPDATE replaced SET p = NULL WHERE id = 9");
        atDestination("INSERT INTO replaced (id) VALUES (0), (-1)");
        atDestination("CREATE TABLE untouched AS SELECT id, xmin::text AS version FROM replaced "
                + "WHERE id BETWEEN 1 AND 40 AND id NOT IN (5, 6, 7, 8, 9)");
        openRun("replaced");

        Answer answer = chunkCopy.copy(task("replaced", 0, range(null, Key.of("40"))));

        assertThat(answer).isInstanceOfSatisfying(Answer.Copied.class, c -> assertThat(c.rows()).isEqualTo(40));
        String upTo40 = "SELECT string_agg(r::text, ';' ORDER BY id) FROM replaced r WHERE id <= 40";
        assertThat(fromDestination(upTo40)).isEqualTo(fromSource(upTo40));
        assertThat(fromDestination("SELECT count(*)::text FROM replaced WHERE id > 40"))
                .as("other ranges are left alone")
                .isEqualTo("20");
        assertThat(fromDestination("SELECT count(*)::text FROM untouched u JOIN replaced r USING (id) "
                        + "WHERE r.xmin::text <> u.version"))
                .as("rows rewritten although they were equal")
                .isEqualTo("0");
    }

    @Test
    void rowsThatTheSourceDoesNotHaveStayWhereTheTaskSaysSo() throws Exception {
        both("CREATE TABLE kept (id int GENERATED ALWAYS AS IDENTITY UNIQUE, k int PRIMARY KEY, v text)");
        atSource("INSERT INTO kept (k, v) VALUES (1, 'new'), (2, 'same')");
        atDestination("INSERT INTO kept (id, k, v) OVERRIDING SYSTEM VALUE "
                + "VALUES (7, 1, 'old'), (2, 2, 'same'), (30, 3, 'gone'), (110, 11, 'gone above')");
        openRun("kept");
        ChunkTask below = keeping(task("kept", 0, range(null, Key.of("10"))), Optional.empty());
        ChunkTask above = keeping(task("kept", 1, range(Key.of("10"), null)), Optional.of(PgSnapshot.parse("5:5:")));

        assertThat(chunkCopy.copy(below))
                .isInstanceOfSatisfying(Answer.Copied.class, copied -> assertThat(copied.rows()).isEqualTo(2));
        assertThat(chunkCopy.copy(above)).isEqualTo(new Answer.Copied(0, 0));

        assertThat(fromDestination("SELECT string_agg(id || ' ' || k || ' ' || v, ', ' ORDER BY k) FROM kept"))
                .isEqualTo("1 1 new, 2 2 same, 30 3 gone, 110 11 gone above");
    }

    @Test
    void rowsWithoutAKeyCannotBeKeptApart() throws Exception {
        both("CREATE TABLE kept_keyless (v int)");
        atSource("INSERT INTO kept_keyless VALUES (1)");
        openRun("kept_keyless");
        ChunkTask task = keeping(task("kept_keyless", 0, ALL), Optional.empty());
        atDestination("INSERT INTO kept_keyless VALUES (2)");

        assertThat(chunkCopy.copy(task)).isInstanceOfSatisfying(Answer.Failed.class, failed -> {
            assertThat(failed.fault().kind()).isEqualTo(Fault.Kind.REFUSED);
            assertThat(failed.fault().reason()).contains("has no key", "missingRows");
        });
        assertThat(fromDestination("SELECT string_agg(v::text, ',') FROM kept_keyless")).isEqualTo("2");

        atDestination("DELETE FROM kept_keyless");
        assertThat(chunkCopy.copy(task)).as("with nothing to tell apart").isInstanceOf(Answer.Copied.class);
    }

    private static ChunkTask keeping(ChunkTask task, Optional<PgSnapshot> emptyAsOf) {
        return new ChunkTask(
                task.table(), task.run(), task.chunk(), task.attempt(), task.range(), task.fingerprint(), task.primary(),
                emptyAsOf, Settings.NONE.with(Setting.MISSING_ROWS, "keep"));
    }

    @Test
    void everydayTypesArriveValueForValueInBothForms() throws Exception {
        String columns = "id int PRIMARY KEY, n numeric, d date, ts timestamptz, f float8, a int[], nested text[][], "
                + "j jsonb, js json, b bytea, u uuid, m money, i interval, bp char(5), big text";
        atSource("CREATE TABLE everyday (" + columns + ")");
        String values = """
                INSERT INTO everyday VALUES
                 (1, 'NaN', 'infinity', '-infinity', 'NaN', '{}', '{{a,NULL},{"b c","\\"d"}}', '{"x": [1, 1.50]}',
                  '{"b":1,  "b":2}', '\\x00ff', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 12.34, '-1 mon +2 days', 'ab', ''),
                 (2, '-Infinity', '4713-01-01 BC', '294276-12-31 23:59:59.999999+00', '-0', '[5:6]={1,NULL}', '{}',
                  'null', ' null ', '', NULL, '-0.01', '00:00:00.000001', '', E'tab\\tnew\\nline\\\\back'),
                 (3, 0.1000, '-infinity', NULL, 1e-323, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                  repeat('ä', 300000))
                """;
        atSource(values);
        String all = "SELECT string_agg(e::text, ';' ORDER BY id) FROM everyday e";
        for (String other : new String[] {columns, columns.replace("big text", "big varchar")}) {
            atDestination("CREATE TABLE everyday (" + other + ")");
            openRun("everyday");

            Answer answer = chunkCopy.copy(task("everyday", 0, ALL));

            assertThat(answer).isInstanceOf(Answer.Copied.class);
            assertThat(fromDestination(all)).as("destination with %s", other).isEqualTo(fromSource(all));
            atDestination("DROP TABLE everyday");
            atDestination("DELETE FROM sluice_ledger.tables WHERE table_name = 'public.everyday'");
        }
    }

    @Test
    void aCompositeKeyInAnotherOrderThanTheColumnsIsCutByRowComparison() throws Exception {
        both("CREATE TABLE \"Com posite\" (v int, \"B\" uuid, a text, PRIMARY KEY (a, \"B\"))");
        atSource("INSERT INTO \"Com posite\" SELECT i, md5(i::text)::uuid, 'it''s \\' || i % 3 FROM generate_series(1, 90) i");
        String table = "public.\"Com posite\"";
        openRun(table);
        String middle = fromSource("SELECT \"B\"::text FROM \"Com posite\" WHERE a = 'it''s \\1' ORDER BY \"B\" OFFSET 14 LIMIT 1");
        Key cut = Key.of("it's \\1", middle);

        assertThat(chunkCopy.copy(task(table, 0, range(null, cut))))
                .isInstanceOfSatisfying(Answer.Copied.class, c -> assertThat(c.rows()).isEqualTo(45));
        assertThat(chunkCopy.copy(task(table, 1, range(cut, null))))
                .isInstanceOfSatisfying(Answer.Copied.class, c -> assertThat(c.rows()).isEqualTo(45));

        String all = "SELECT string_agg(r::text, ';' ORDER BY a, \"B\") FROM \"Com posite\" r";
        assertThat(fromDestination(all)).isEqualTo(fromSource(all));
    }

    @Test
    void aRangeReadsTheKeysIndexAlsoWhenTheFirstColumnTellsNothing() throws Exception {
        both("CREATE TABLE tenants (tenant int, id int, PRIMARY KEY (tenant, id))");
        atSource("INSERT INTO tenants SELECT 1, i FROM generate_series(1, 20000) i");
        atSource("VACUUM ANALYZE tenants");
        openRun("tenants");
        long before = Long.parseLong(fromSource("SELECT coalesce(sum(seq_scan), 0)::text FROM pg_stat_user_tables "
                + "WHERE relname = 'tenants'"));

        chunkCopy.copy(task("tenants", 0, range(Key.of("1", "100"), Key.of("1", "200"))));

        Awaitility.await().atMost(LIMIT).until(() -> fromSource(
                        "SELECT idx_scan::text FROM pg_stat_user_tables WHERE relname = 'tenants'")
                .equals("1"));
        assertThat(fromSource("SELECT seq_scan::text FROM pg_stat_user_tables WHERE relname = 'tenants'"))
                .isEqualTo(Long.toString(before));
    }

    @Test
    void aDestinationKeyInAnotherCollationIsCutByCodePointToo() throws Exception {
        atSource("CREATE TABLE words (w text PRIMARY KEY)");
        atSource("INSERT INTO words VALUES ('a'), ('B'), ('ä'), ('Z')");
        atDestination("CREATE TABLE words (w text COLLATE \"und-x-icu\" PRIMARY KEY)");
        atDestination("INSERT INTO words VALUES ('b'), ('C')");
        openRun("words");

        chunkCopy.copy(task("words", 0, range(null, Key.of("Z"))));

        assertThat(fromDestination("SELECT string_agg(w, '' ORDER BY w COLLATE \"C\") FROM words"))
                .as("C is below Z by code point and goes, b is above and stays")
                .isEqualTo("BZb");
    }

    @Test
    void identitiesAndGeneratedColumnsArrive() throws Exception {
        both("CREATE TABLE identities (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
                + "no int GENERATED ALWAYS AS IDENTITY, v int, twice int GENERATED ALWAYS AS (v * 2) STORED NOT NULL)");
        atSource("INSERT INTO identities (v) SELECT i FROM generate_series(1, 10) i");
        atDestination("INSERT INTO identities (id, no, v) OVERRIDING SYSTEM VALUE VALUES (3, 333, 3), (4, 4, 4), (99, 1, 1)");
        openRun("identities");

        assertThat(chunkCopy.copy(task("identities", 0, ALL))).isInstanceOf(Answer.Copied.class);

        String all = "SELECT string_agg(r::text, ';' ORDER BY id) FROM identities r";
        assertThat(fromDestination(all)).isEqualTo(fromSource(all));
    }

    @Test
    void aMappedSchemaIsWrittenTo() throws Exception {
        atSource("CREATE TABLE mapped (id int PRIMARY KEY)");
        atSource("INSERT INTO mapped VALUES (1)");
        atDestination("CREATE SCHEMA copies");
        atDestination("CREATE TABLE copies.mapped (id int PRIMARY KEY)");
        openRun("mapped");

        copyWith(new SchemaMapping(Map.of("public", "copies")), LIMIT).copy(task("mapped", 0, ALL));

        assertThat(fromDestination("SELECT count(*)::text FROM copies.mapped")).isEqualTo("1");
    }

    @Test
    void theRangeAboveTheHighestKeyIsEmptiedWithoutReading() throws Exception {
        both("CREATE TABLE above (id int PRIMARY KEY)");
        atSource("INSERT INTO above VALUES (1), (20)");
        atDestination("INSERT INTO above VALUES (1), (11), (12)");
        openRun("above");
        ChunkTask read = task("above", 0, range(Key.of("10"), null));
        PgSnapshot earlier = PgSnapshot.parse("5:5:");

        Answer answer = chunkCopy.copy(new ChunkTask(
                read.table(), RUN, 0, 1, read.range(), read.fingerprint(), read.primary(), Optional.of(earlier)));

        assertThat(answer).isEqualTo(new Answer.Copied(0, 0));
        assertThat(fromDestination("SELECT string_agg(id::text, ',') FROM above"))
                .as("20 came later and comes by the queue")
                .isEqualTo("1");
        assertThat(fromDestination(
                        "SELECT source_snapshot FROM sluice_ledger.chunks WHERE table_name = 'public.above'"))
                .isEqualTo("5:5:");
    }

    @Test
    void aRunThatIsNotOpenChangesNothing() throws Exception {
        both("CREATE TABLE fenced (id int PRIMARY KEY)");
        atSource("INSERT INTO fenced VALUES (1)");
        TableName table = TableName.parse("fenced");
        assertThat(failed("fenced").reason()).startsWith("fenced: ").contains("unknown to the ledger");

        openRun("fenced");
        ledger.closeRun(table, RUN, Outcome.CUT_SHORT, 0).await().atMost(LIMIT);
        Fault closed = failed("fenced");
        ledger.openRun(table, RUN + 1).await().atMost(LIMIT);
        Fault old = failed("fenced");

        assertThat(closed.kind()).isEqualTo(Fault.Kind.REFUSED);
        assertThat(closed.reason()).startsWith("fenced: ").contains("run 7 is CANCELLED");
        assertThat(old.reason()).contains("run 7 is CANCELLED");
        assertThat(fromDestination("SELECT count(*)::text FROM fenced")).isEqualTo("0");
        assertThat(fromDestination("SELECT count(*)::text FROM sluice_ledger.chunks WHERE table_name = 'public.fenced'"))
                .isEqualTo("0");
    }

    @Test
    void closingARunWaitsForItsChunk() throws Exception {
        both("CREATE TABLE closing (id int PRIMARY KEY)");
        atSource("INSERT INTO closing VALUES (1)");
        openRun("closing");
        ChunkTask task = task("closing", 0, ALL);
        try (Connection blocker = SharedServers.source().connect(sourceName);
                var statement = blocker.createStatement()) {
            blocker.setAutoCommit(false);
            statement.execute("LOCK TABLE closing IN ACCESS EXCLUSIVE MODE");
            CompletableFuture<Answer> chunk = inBackground(task);
            awaitLockWaiters(SharedServers.source(), 1);
            CompletableFuture<Void> closed = ledger.closeRun(task.table(), RUN, Outcome.COPIED, 1)
                    .subscribeAsCompletionStage();
            awaitLockWaiters(SharedServers.destination(), 1);
            assertThat(closed).isNotDone();

            blocker.commit();

            assertThat(chunk.get(30, TimeUnit.SECONDS)).isInstanceOf(Answer.Copied.class);
            assertThat(closed).succeedsWithin(LIMIT);
        }
    }

    @Test
    void aSecondWorkerWaitsForTheFirstAndFindsTheChunkCopied() throws Exception {
        both("CREATE TABLE twice (id int PRIMARY KEY)");
        atSource("INSERT INTO twice VALUES (1), (2)");
        openRun("twice");
        ChunkTask task = task("twice", 0, ALL);
        try (Connection blocker = SharedServers.source().connect(sourceName);
                var statement = blocker.createStatement()) {
            blocker.setAutoCommit(false);
            statement.execute("LOCK TABLE twice IN ACCESS EXCLUSIVE MODE");
            CompletableFuture<Answer> first = inBackground(task);
            awaitLockWaiters(SharedServers.source(), 1);
            CompletableFuture<Answer> second = inBackground(task);
            Awaitility.await("the second waits").atMost(LIMIT).until(() -> !fromDestination(
                            "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() "
                                    + "AND query LIKE 'SELECT pg_sleep%'")
                    .equals("0"));

            blocker.commit();

            assertThat(first.get(30, TimeUnit.SECONDS)).isInstanceOf(Answer.Copied.class);
            assertThat(second.get(30, TimeUnit.SECONDS)).isEqualTo(new Answer.CopiedBefore(2));
        }
        assertThat(chunkCopy.copy(task)).as("once more").isEqualTo(new Answer.CopiedBefore(2));
        assertThat(fromDestination("SELECT count(*)::text FROM twice")).isEqualTo("2");
    }

    @Test
    void anotherRangeUnderTheSameNumberIsRefused() throws Exception {
        both("CREATE TABLE renumbered (id int PRIMARY KEY)");
        openRun("renumbered");
        chunkCopy.copy(task("renumbered", 0, range(null, Key.of("5"))));

        Answer answer = chunkCopy.copy(task("renumbered", 0, range(null, Key.of("6"))));

        assertThat(answer).isInstanceOfSatisfying(
                Answer.Failed.class, f -> assertThat(f.fault().reason()).contains("another range"));
    }

    @Test
    void aTruncateWhileTheChunkWaitsForTheTableIsInTheSnapshotToo() throws Exception {
        Altered altered = copyBehind("truncated", "TRUNCATE truncated", true);

        assertThat(altered.answer()).isInstanceOfSatisfying(Answer.Copied.class, c -> assertThat(c.rows()).isZero());
        PgSnapshot snapshot = PgSnapshot.parse(fromDestination(
                "SELECT source_snapshot FROM sluice_ledger.chunks WHERE table_name = 'public.truncated'"));
        assertThat(snapshot.sees(altered.transaction()))
                .as("the TRUNCATE in the queue is skipped for this chunk")
                .isTrue();
    }

    @Test
    void aTruncateThatIsRolledBackLosesNothing() throws Exception {
        Altered altered = copyBehind("rolledback", "TRUNCATE rolledback", false);

        assertThat(altered.answer())
                .isInstanceOfSatisfying(Answer.Copied.class, c -> assertThat(c.rows()).isEqualTo(1000));
    }

    @Test
    void aRewriteWhileTheChunkWaitsForTheTableIsFoundAndTriedAgainUnlessItIsNotFollowed() throws Exception {
        Altered altered = copyBehind("rewritten", "ALTER TABLE rewritten ALTER v TYPE text USING v || '!'", true);

        assertThat(altered.answer()).isInstanceOfSatisfying(Answer.Failed.class, failed -> {
            assertThat(failed.fault().kind()).isEqualTo(Fault.Kind.UNAVAILABLE);
            assertThat(failed.fault().reason()).contains("definition changed");
            assertThat(failed.fault().hint()).contains("or the table fails");
        });
        assertThat(fromDestination("SELECT count(*)::text FROM rewritten")).isEqualTo("0");
    }

    @Test
    void aTruncateOfAPartitionWhileTheChunkWaitsIsInTheSnapshotToo() throws Exception {
        both("CREATE TABLE parted (id int PRIMARY KEY, v text) PARTITION BY RANGE (id)");
        both("CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (501)");
        both("CREATE TABLE parted_2 PARTITION OF parted DEFAULT");

        Altered altered = copyBehind("parted", "TRUNCATE parted_1", true);

        assertThat(altered.answer())
                .isInstanceOfSatisfying(Answer.Copied.class, c -> assertThat(c.rows()).isEqualTo(500));
        PgSnapshot snapshot = PgSnapshot.parse(fromDestination(
                "SELECT source_snapshot FROM sluice_ledger.chunks WHERE table_name = 'public.parted'"));
        assertThat(snapshot.sees(altered.transaction()))
                .as("the snapshot of a chunk that found the partition empty")
                .isTrue();
    }

    @Test
    void aPartitionedTableArrivesInAPartitionedOneAndReplacesItsRows() throws Exception {
        both("CREATE TABLE spread (id int, v text, PRIMARY KEY (id)) PARTITION BY RANGE (id)");
        atSource("CREATE TABLE spread_1 PARTITION OF spread FOR VALUES FROM (0) TO (50); "
                + "CREATE TABLE spread_2 (v text, id int NOT NULL); "
                + "ALTER TABLE spread ATTACH PARTITION spread_2 FOR VALUES FROM (50) TO (200); "
                + "INSERT INTO spread SELECT i, 'v' || i FROM generate_series(1, 100) i");
        atDestination("CREATE TABLE spread_all PARTITION OF spread DEFAULT; "
                + "INSERT INTO spread SELECT i, 'stale' FROM generate_series(90, 110) i");
        openRun("spread");

        assertThat(chunkCopy.copy(task("spread", 0, range(null, Key.of("60")))))
                .isInstanceOfSatisfying(Answer.Copied.class, c -> assertThat(c.rows()).isEqualTo(60));
        assertThat(chunkCopy.copy(task("spread", 1, range(Key.of("60"), null))))
                .isInstanceOfSatisfying(Answer.Copied.class, c -> assertThat(c.rows()).isEqualTo(40));

        String all = "SELECT string_agg(s::text, ';' ORDER BY id) FROM spread s";
        assertThat(fromDestination(all)).isEqualTo(fromSource(all));
    }

    @Test
    void aTableThatOthersInheritFromIsCopiedAloneAndLeavesThemAlone() throws Exception {
        both("CREATE TABLE parent (id int PRIMARY KEY, v text); "
                + "CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent)");
        atSource("INSERT INTO parent SELECT i, 'parent' FROM generate_series(1, 10) i; "
                + "INSERT INTO child SELECT i, 'child' FROM generate_series(1, 20) i");
        atDestination("INSERT INTO parent VALUES (1, 'stale'), (30, 'stale'); "
                + "INSERT INTO child VALUES (2, 'stays'), (30, 'stays')");
        openRun("parent");

        assertThat(chunkCopy.copy(task("parent", 0, ALL)))
                .isInstanceOfSatisfying(Answer.Copied.class, c -> assertThat(c.rows()).isEqualTo(10));

        assertThat(fromDestination("SELECT count(*) || ' ' || max(id) || ' ' || max(v) FROM ONLY parent"))
                .isEqualTo("10 10 parent");
        assertThat(fromDestination("SELECT string_agg(id || v, ' ' ORDER BY id) FROM child")).isEqualTo("2stays 30stays");
    }

    private record Altered(Answer answer, long transaction) {}

    /** A transaction alters the table and commits, or not, while the chunk waits for its lock: R7. */
    private Altered copyBehind(String table, String ddl, boolean commit) throws Exception {
        both("CREATE TABLE IF NOT EXISTS " + table + " (id int PRIMARY KEY, v text)");
        atSource("INSERT INTO " + table + " SELECT i, i FROM generate_series(1, 1000) i");
        openRun(table);
        ChunkTask task = task(table, 0, ALL);
        try (Connection blocker = SharedServers.source().connect(sourceName);
                var statement = blocker.createStatement()) {
            blocker.setAutoCommit(false);
            statement.execute(ddl);
            long transaction;
            try (var rows = statement.executeQuery("SELECT pg_current_xact_id()::text")) {
                rows.next();
                transaction = Long.parseLong(rows.getString(1));
            }
            CompletableFuture<Answer> chunk = inBackground(task);
            awaitLockWaiters(SharedServers.source(), 1);
            if (commit) {
                blocker.commit();
            } else {
                blocker.rollback();
            }
            return new Altered(chunk.get(30, TimeUnit.SECONDS), transaction);
        }
    }

    @Test
    void aTableThatWasDroppedAndMadeAgainIsRefused() throws Exception {
        both("CREATE TABLE remade (id int PRIMARY KEY)");
        openRun("remade");
        ChunkTask task = task("remade", 0, ALL);
        atSource("DROP TABLE remade");
        atSource("CREATE TABLE remade (id int PRIMARY KEY)");

        assertThat(chunkCopy.copy(task)).isInstanceOfSatisfying(
                Answer.Failed.class, f -> assertThat(f.fault().reason()).contains("definition changed"));
    }

    @Test
    void aLockThatIsHeldTooLongIsTriedAgain() throws Exception {
        both("CREATE TABLE locked (id int PRIMARY KEY)");
        openRun("locked");
        ChunkTask task = task("locked", 0, ALL);
        try (Connection blocker = SharedServers.source().connect(sourceName);
                var statement = blocker.createStatement()) {
            blocker.setAutoCommit(false);
            statement.execute("LOCK TABLE locked IN ACCESS EXCLUSIVE MODE");

            Answer answer = copyWith(new SchemaMapping(Map.of()), Duration.ofMillis(200)).copy(task);

            assertThat(answer).isInstanceOfSatisfying(Answer.Failed.class, f -> {
                assertThat(f.fault().kind()).isEqualTo(Fault.Kind.FAULTY);
                assertThat(f.fault().reason()).contains("55P03");
            });
        }
        assertThat(fromDestination("SELECT count(*)::text FROM sluice_ledger.chunks WHERE table_name = 'public.locked'"))
                .as("nothing of it stays")
                .isEqualTo("0");
    }

    @Test
    void aConstraintOfTheDestinationIsNamed() throws Exception {
        atSource("CREATE TABLE mails (id int PRIMARY KEY, mail text)");
        atSource("INSERT INTO mails VALUES (1, 'secret@example.org'), (2, 'secret@example.org')");
        atDestination("CREATE TABLE mails (id int PRIMARY KEY, mail text CONSTRAINT one_mail_each UNIQUE)");
        openRun("mails");

        Fault fault = failed("mails");

        assertThat(fault.kind()).isEqualTo(Fault.Kind.REFUSED);
        assertThat(fault.reason()).contains("constraint one_mail_each").doesNotContain("secret@");
        assertThat(fault.hint()).contains("one_mail_each");
        assertThat(fromDestination("SELECT count(*)::text FROM mails")).isEqualTo("0");

        atDestination("ALTER TABLE mails DROP CONSTRAINT one_mail_each");
        assertThat(chunkCopy.copy(task("mails", 0, ALL))).as("after that").isInstanceOf(Answer.Copied.class);
    }

    @Test
    void aColumnThatTheDestinationLacksIsNamed() throws Exception {
        atSource("CREATE TABLE lacking (id int PRIMARY KEY, extra int)");
        atDestination("CREATE TABLE lacking (id int PRIMARY KEY)");
        openRun("lacking");

        assertThat(failed("lacking").reason()).contains("column extra").contains("public.lacking");
    }

    @Test
    void aTriggerThatDropsRowsIsNoticed() throws Exception {
        both("CREATE TABLE dropping (id int PRIMARY KEY)");
        atSource("INSERT INTO dropping VALUES (1), (2)");
        atDestination("CREATE FUNCTION drop_row() RETURNS trigger LANGUAGE plpgsql AS "
                + "'BEGIN IF new.id = 1 THEN RETURN NULL; END IF; RETURN new; END'");
        atDestination("CREATE TRIGGER t BEFORE INSERT ON dropping FOR EACH ROW EXECUTE FUNCTION drop_row()");
        openRun("dropping");

        assertThat(failed("dropping").reason()).contains("sent 2 rows and the destination took 1");
        assertThat(fromDestination("SELECT count(*)::text FROM dropping")).isEqualTo("0");
    }

    @Test
    void rowsThatAPolicyHidesAreNotLeftOutInSilence() throws Exception {
        both("CREATE TABLE hidden (id int PRIMARY KEY)");
        atSource("INSERT INTO hidden VALUES (1)");
        atSource("CREATE ROLE reader LOGIN");
        atSource("GRANT SELECT ON hidden TO reader");
        atSource("ALTER TABLE hidden ENABLE ROW LEVEL SECURITY");
        openRun("hidden");
        String url = SharedServers.source().url(sourceName).replace("postgres@", "reader@");
        Database asReader = Database.open(vertx, url, "source", "sluice", 1);
        try {
            Answer answer = new ChunkCopy(asReader, destination, new Pipeline("sluice"), new SchemaMapping(Map.of()),
                    new ChunkCopy.Limits(LIMIT, LIMIT)).copy(task("hidden", 0, ALL));

            assertThat(answer).isInstanceOfSatisfying(
                    Answer.Failed.class, f -> assertThat(f.fault().reason()).contains("row-level security"));
        } finally {
            asReader.close();
        }
    }

    @Test
    void aServerThatIsNotThereIsWaitedFor() throws Exception {
        both("CREATE TABLE away (id int PRIMARY KEY)");
        openRun("away");
        ChunkTask task = task("away", 0, ALL);
        Database nowhere = Database.open(vertx, "postgresql://u:hidden-password@127.0.0.1:1/x", "source", "sluice", 1);
        try {
            Answer answer = new ChunkCopy(nowhere, destination, new Pipeline("sluice"), new SchemaMapping(Map.of()),
                    new ChunkCopy.Limits(LIMIT, LIMIT)).copy(task);

            assertThat(answer).isInstanceOfSatisfying(Answer.Failed.class, f -> {
                assertThat(f.fault().kind()).isEqualTo(Fault.Kind.UNAVAILABLE);
                assertThat(f.fault().reason()).doesNotContain("hidden-password");
            });
        } finally {
            nowhere.close();
        }
    }

    @Test
    void aServerThatEndsTheSessionInTheMiddleIsUnavailable() throws Exception {
        both("CREATE TABLE cutoff (id int PRIMARY KEY)");
        atSource("INSERT INTO cutoff VALUES (1)");
        openRun("cutoff");
        ChunkTask task = task("cutoff", 0, ALL);
        try (Connection blocker = SharedServers.source().connect(sourceName);
                var statement = blocker.createStatement()) {
            blocker.setAutoCommit(false);
            statement.execute("LOCK TABLE cutoff IN ACCESS EXCLUSIVE MODE");
            CompletableFuture<Answer> chunk = inBackground(task);
            awaitLockWaiters(SharedServers.source(), 1);
            atDestination("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    + "WHERE datname = current_database() AND state = 'idle in transaction'");
            blocker.commit();

            assertThat(chunk.get(30, TimeUnit.SECONDS)).isInstanceOfSatisfying(
                    Answer.Failed.class, f -> assertThat(f.fault().kind()).isEqualTo(Fault.Kind.UNAVAILABLE));
        }
        assertThat(chunkCopy.copy(task)).as("the next try").isInstanceOf(Answer.Copied.class);
    }

    private static ChunkCopy copyWith(SchemaMapping schemas, Duration lock) {
        return new ChunkCopy(source, destination, new Pipeline("sluice"), schemas,
                new ChunkCopy.Limits(lock, Duration.ofMinutes(1)));
    }

    private static CompletableFuture<Answer> inBackground(ChunkTask task) {
        return CompletableFuture.supplyAsync(() -> chunkCopy.copy(task), WORKERS);
    }

    private static Fault failed(String table) throws SQLException {
        Answer answer = chunkCopy.copy(task(table, 0, ALL));
        assertThat(answer).isInstanceOf(Answer.Failed.class);
        return ((Answer.Failed) answer).fault();
    }

    private static void openRun(String table) {
        ledger.openRun(TableName.parse(table), RUN).await().atMost(LIMIT);
    }

    private static ChunkTask task(String table, int chunk, KeyRange range) throws SQLException {
        TableName name = TableName.parse(table);
        try (Connection connection = source.connectForCopy(LIMIT, LIMIT)) {
            String fingerprint = DefinitionQuery.read(connection, name).orElseThrow().definition().fingerprint();
            return new ChunkTask(name, RUN, chunk, 1, range, fingerprint, Lsn.ZERO, Optional.empty());
        }
    }

    private static KeyRange range(Key after, Key upTo) {
        return new KeyRange(Optional.ofNullable(after), Optional.ofNullable(upTo));
    }

    /** Until as many sessions of the test's database wait for a lock. */
    private static void awaitLockWaiters(PostgresServer server, int count) {
        String database = server == SharedServers.source() ? sourceName : destinationName;
        Awaitility.await("sessions that wait for a lock").atMost(LIMIT).until(() -> query(server, database,
                        "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() "
                                + "AND wait_event_type = 'Lock'")
                .equals(Integer.toString(count)));
    }

    private static void both(String sql) throws SQLException {
        atSource(sql);
        atDestination(sql);
    }

    private static void atSource(String sql) throws SQLException {
        execute(SharedServers.source(), sourceName, sql);
    }

    private static void atDestination(String sql) throws SQLException {
        execute(SharedServers.destination(), destinationName, sql);
    }

    private static void execute(PostgresServer server, String database, String sql) throws SQLException {
        try (Connection connection = server.connect(database);
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static String fromSource(String sql) throws SQLException {
        return query(SharedServers.source(), sourceName, sql);
    }

    private static String fromDestination(String sql) throws SQLException {
        return query(SharedServers.destination(), destinationName, sql);
    }

    private static String query(PostgresServer server, String database, String sql) throws SQLException {
        try (Connection connection = server.connect(database);
                var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            return rows.next() ? String.valueOf(rows.getString(1)) : "no row";
        }
    }
}
