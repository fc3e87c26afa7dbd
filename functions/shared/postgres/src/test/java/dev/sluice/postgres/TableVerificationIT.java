package dev.sluice.postgres;

import static dev.sluice.postgres.TwoDatabases.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableOptions.SoftDelete;
import dev.sluice.domain.TableState.Outcome;
import dev.sluice.domain.Verification.Difference;
import dev.sluice.domain.Verification.Findings;
import dev.sluice.domain.Verification.Kind;
import dev.sluice.postgres.TableVerification.Limits;
import dev.sluice.postgres.TableVerification.Stream;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntPredicate;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TableVerificationIT {

    private static final long RUN = 7;
    private static final Limits LIMITS =
            new Limits(100, OptionalLong.empty(), 6, Duration.ofSeconds(5), Duration.ofMinutes(1));
    private static final Stream STILL = () -> {};

    private static TwoDatabases databases;
    private static TableVerification verification;
    private static OptionsBench bench;

    @BeforeAll
    static void open() {
        bench = new OptionsBench();
        databases = bench.databases;
        verification = new TableVerification(
                databases.source, databases.destination, databases.schemas, databases.ledger,
                new SourceCapture(databases.source, databases.pipeline),
                Optional.of(new HashSalt(OptionsBench.SALT)));
    }

    @AfterAll
    static void close() {
        bench.close();
    }

    private static void atBoth(String sql) throws SQLException {
        databases.atSource(sql);
        databases.atDestination(sql);
    }

    /** As the ledger has it once the table streams. */
    private static void streams(String table) {
        TableName name = TableName.parse(table);
        await(databases.ledger.openRun(name, RUN));
        await(databases.ledger.startQueueAt(name, RUN, "topic", 0));
        await(databases.ledger.closeRun(name, RUN, Outcome.CUT_SHORT, 0));
        await(databases.ledger.caughtUp(name, RUN, 0));
    }

    private static Findings verify(String table, Stream stream) throws Exception {
        TableName name = TableName.parse(table);
        long run = await(databases.ledger.read(name)).orElseThrow().run();
        return verification.verify(name, run, LIMITS, stream, rows -> {});
    }

    private static Findings verify(String table) throws Exception {
        return verify(table, STILL);
    }

    private static Difference difference(Kind kind, String... key) {
        return new Difference(List.of(key), kind);
    }

    @Test
    void everyRowOfEqualTablesIsCounted() throws Exception {
        databases.atSource("CREATE TABLE same (id int PRIMARY KEY, j json, x xml, f float8, n numeric, p point, t text)");
        databases.atDestination(
                "CREATE TABLE same (p point, n numeric, f float8, x xml, j json, id int PRIMARY KEY, e int, t text)");
        atBoth("INSERT INTO same (id, j, x, f, n, p) SELECT i, '{\"a\" :  1}', '<a/>', i / 3.0, 'NaN', '(1,2)' "
                + "FROM generate_series(1, 5050) i");
        streams("same");
        List<Long> progress = new ArrayList<>();

        Findings found = verification.verify(TableName.parse("same"), RUN, LIMITS, STILL, progress::add);

        assertThat(found.isEqual()).isTrue();
        assertThat(found.rows()).isEqualTo(5_050);
        assertThat(found.ranges()).isEqualTo(51);
        assertThat(progress).isNotEmpty().endsWith(5_050L).isSorted();
    }

    @Test
    void whatDiffersIsToldByKeyAndKind() throws Exception {
        atBoth("CREATE TABLE differ (a text, b int, t text, n numeric, PRIMARY KEY (a, b)); "
                + "INSERT INTO differ SELECT 'k' || i % 3 || E'\\t\\\\é''', i, '', 1 FROM generate_series(1, 1000) i");
        databases.atDestination("DELETE FROM differ WHERE b = 3; UPDATE differ SET t = NULL WHERE b = 4; "
                + "UPDATE differ SET n = 1.0 WHERE b = 8; INSERT INTO differ VALUES ('zz', 1), ('', 0)");
        streams("differ");

        Findings found = verify("differ");

        assertThat(found.unsettled()).isZero();
        assertThat(found.differing()).isEqualTo(5);
        assertThat(found.keys()).containsExactlyInAnyOrder(
                difference(Kind.MISSING_AT_DESTINATION, "k0\t\\é'", "3"),
                difference(Kind.DIFFERENT, "k1\t\\é'", "4"),
                difference(Kind.DIFFERENT, "k2\t\\é'", "8"),
                difference(Kind.MISSING_AT_SOURCE, "zz", "1"),
                difference(Kind.MISSING_AT_SOURCE, "", "0"));
    }

    @Test
    void allAreCountedAndTheFirstTold() throws Exception {
        atBoth("CREATE TABLE many (id int PRIMARY KEY); INSERT INTO many VALUES (1), (20000)");
        databases.atDestination("INSERT INTO many SELECT generate_series(2, 9000)");
        databases.atSource("INSERT INTO many SELECT generate_series(30001, 35000)");
        streams("many");

        Findings found = verify("many");

        assertThat(found.differing()).isEqualTo(8_999 + 5_000);
        assertThat(found.keys()).hasSize(Findings.KEYS_MAX);
        assertThat(found.hasMore()).isTrue();
    }

    @Test
    void aTableThatGrowsEverywhereAllTheTimeIsComparedToAnEnd() throws Exception {
        atBoth("CREATE TABLE growing (id int PRIMARY KEY); INSERT INTO growing SELECT i * 1000 FROM generate_series(1, 9000) i");
        databases.atDestination("DELETE FROM growing WHERE id = 17000");
        streams("growing");
        var passes = new AtomicInteger();
        Stream grows = () -> {
            int pass = passes.incrementAndGet();
            assertThat(pass).as("waits for the stream: it should have come to an end").isLessThan(100);
            try {
                atBoth("INSERT INTO growing SELECT i * 1000 + " + pass + " FROM generate_series(0, 9000, 100) i");
            } catch (SQLException e) {
                throw new AssertionError(e);
            }
        };
        var limits = new Limits(
                20_000, OptionalLong.empty(), 4, LIMITS.transactionsWait(), LIMITS.statementTimeout());

        Findings found = verification.verify(TableName.parse("growing"), RUN, limits, grows, rows -> {});

        assertThat(found.keys()).containsExactly(difference(Kind.MISSING_AT_DESTINATION, "17000"));
    }

    @Test
    void anEmptyTableAndOneThatOnlyTheDestinationHasRowsOf() throws Exception {
        atBoth("CREATE TABLE empty (id int PRIMARY KEY)");
        streams("empty");
        assertThat(verify("empty").isEqual()).isTrue();

        databases.atDestination("INSERT INTO empty VALUES (5)");
        assertThat(verify("empty").keys()).containsExactly(difference(Kind.MISSING_AT_SOURCE, "5"));
    }

    @Test
    void textsAreRangedInAnOrderThatBothHave() throws Exception {
        databases.atSource("CREATE TABLE texts (id text COLLATE \"und-x-icu\" PRIMARY KEY, v int)");
        databases.atDestination("CREATE TABLE texts (id text COLLATE \"C\" PRIMARY KEY, v int)");
        databases.atSource("CREATE UNIQUE INDEX ON texts (id COLLATE \"C\")");
        atBoth("INSERT INTO texts SELECT chr(65 + i % 26 + 32 * (i % 2)) || i || 'é', i FROM generate_series(1, 1500) i");
        databases.atDestination("UPDATE texts SET v = 0 WHERE v = 777; DELETE FROM texts WHERE v = 778");
        streams("texts");

        Findings found = verify("texts");

        assertThat(found.ranges()).isGreaterThan(10);
        assertThat(found.keys()).extracting(Difference::kind)
                .containsExactlyInAnyOrder(Kind.DIFFERENT, Kind.MISSING_AT_DESTINATION);
    }

    @Test
    void keysWithoutACommonOrderAreComparedAllTheSame() throws Exception {
        databases.atSource("CREATE TABLE unordered (id text COLLATE \"und-x-icu\" PRIMARY KEY, v int)");
        databases.atDestination("CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false); "
                + "CREATE TABLE unordered (id text COLLATE loose PRIMARY KEY, v int)");
        atBoth("INSERT INTO unordered SELECT 'k' || i, i FROM generate_series(1, 3000) i");
        streams("unordered");
        assertThat(verify("unordered").isEqual()).isTrue();

        databases.atDestination("UPDATE unordered SET v = 0 WHERE v = 777; DELETE FROM unordered WHERE v = 778");
        assertThat(verify("unordered").keys()).containsExactlyInAnyOrder(
                difference(Kind.DIFFERENT, "k777"), difference(Kind.MISSING_AT_DESTINATION, "k778"));
    }

    @Test
    void equalRowsWithoutAKeyAreCounted() throws Exception {
        databases.atSource("CREATE TABLE keyless (v text, n int); ALTER TABLE keyless REPLICA IDENTITY FULL");
        databases.atDestination("CREATE TABLE keyless (v text, n int)");
        atBoth("INSERT INTO keyless SELECT 'v' || i % 50, NULL FROM generate_series(1, 2000) i");
        streams("keyless");
        assertThat(verify("keyless").isEqual()).isTrue();
        assertThat(verify("keyless").rows()).isEqualTo(2_000);

        databases.atDestination("DELETE FROM keyless WHERE ctid = (SELECT min(ctid) FROM keyless WHERE v = 'v7'); "
                + "INSERT INTO keyless VALUES ('none', 1)");
        assertThat(verify("keyless").keys()).extracting(Difference::kind)
                .containsExactlyInAnyOrder(Kind.DIFFERENT, Kind.MISSING_AT_SOURCE);
    }

    @Test
    void partitionsAndAMappedSchemaAndGeneratedColumns() throws Exception {
        databases.atSource("CREATE SCHEMA mapped; CREATE TYPE mapped.mood AS ENUM ('sad', 'glad'); "
                + "CREATE TABLE mapped.parted (id int PRIMARY KEY, m mapped.mood, twice int GENERATED ALWAYS AS (id * 2) STORED) "
                + "PARTITION BY RANGE (id); "
                + "CREATE TABLE mapped.p1 PARTITION OF mapped.parted FOR VALUES FROM (0) TO (100); "
                + "CREATE TABLE mapped.p2 PARTITION OF mapped.parted DEFAULT");
        databases.atDestination("CREATE SCHEMA elsewhere; CREATE TYPE elsewhere.mood AS ENUM ('sad', 'glad'); "
                + "CREATE TABLE elsewhere.parted (id int PRIMARY KEY, m elsewhere.mood, "
                + "twice int GENERATED ALWAYS AS (id * 3) STORED)");
        databases.atSource("INSERT INTO mapped.parted SELECT i, 'glad' FROM generate_series(0, 399) i");
        databases.atDestination("INSERT INTO elsewhere.parted SELECT i, 'glad' FROM generate_series(0, 399) i");
        streams("mapped.parted");

        assertThat(verify("mapped.parted").differing()).as("id 0 has the same").isEqualTo(399);

        databases.atDestination("ALTER TABLE elsewhere.parted DROP COLUMN twice; "
                + "UPDATE elsewhere.parted SET m = 'sad' WHERE id = 150");
        assertThat(verify("mapped.parted").keys()).containsExactly(difference(Kind.DIFFERENT, "150"));
    }

    @Test
    void whatTheOptionsTransformIsComparedAsItArrives() throws Exception {
        databases.atSource("CREATE TABLE optional (id int PRIMARY KEY, keep bool, secret text, name text, at timestamptz, "
                + "long text GENERATED ALWAYS AS (name || '!') STORED)");
        databases.atSource("INSERT INTO optional SELECT i, i % 2 = 0, 's' || i, 'n' || i, '2020-01-01' FROM "
                + "generate_series(1, 300) i");
        var options = new TableOptions(
                List.of(), List.of(), List.of("at", "long"), List.of("secret"), Map.of("name", Optional.of("***")),
                Optional.of("keep AND id < 290"), Optional.empty());
        bench.backfill("optional", options);
        await(databases.ledger.caughtUp(TableName.parse("optional"), run("optional"), 0));

        Findings found = verify("optional");
        assertThat(found.isEqual()).as("%s", found).isTrue();
        assertThat(found.rows()).isEqualTo(144);

        databases.atDestination("UPDATE optional SET secret = 'other' WHERE id = 10; UPDATE optional SET name = 'n12' "
                + "WHERE id = 12; INSERT INTO optional (id, keep, secret, name) VALUES (13, false, 's', '***')");
        assertThat(verify("optional").keys()).containsExactlyInAnyOrder(
                difference(Kind.DIFFERENT, "10"), difference(Kind.DIFFERENT, "12"),
                difference(Kind.MISSING_AT_SOURCE, "13"));
    }

    @Test
    void aMaskIsComparedAsTheDestinationsTypeShowsIt() throws Exception {
        databases.atSource("CREATE TABLE masked (id int PRIMARY KEY, n numeric(10,2), b bool, d date, j jsonb, c char(5))");
        databases.atSource("INSERT INTO masked SELECT i, i, true, '2020-01-01', '{}', 'x' FROM generate_series(1, 50) i");
        Map<String, Optional<String>> masks = Map.of(
                "n", Optional.of("0"), "b", Optional.of("false"), "d", Optional.of("1970-1-1"),
                "j", Optional.of("{\"a\":1}"), "c", Optional.empty());
        bench.backfill("masked", new TableOptions(
                List.of(), List.of(), List.of(), List.of(), masks, Optional.empty(), Optional.empty()));
        await(databases.ledger.caughtUp(TableName.parse("masked"), run("masked"), 0));

        assertThat(verify("masked").isEqual()).isTrue();
        databases.atDestination("UPDATE masked SET n = 1 WHERE id = 7");
        assertThat(verify("masked").keys()).containsExactly(difference(Kind.DIFFERENT, "7"));
    }

    @Test
    void valuesInColumnsOfAnotherTypeAreComparedAsTheyArrive() throws Exception {
        databases.atSource("CREATE TABLE widened (id numeric(10,2) PRIMARY KEY, b bool, a inet, c char(5), e text); "
                + "INSERT INTO widened SELECT i, i % 2 = 0, '10.0.0.1', 'ab', NULL FROM generate_series(1, 60) i; "
                + "INSERT INTO widened VALUES (0, NULL, NULL, NULL, NULL)");
        // What arrives is the text that PostgreSQL writes, which a cast does not always give.
        databases.atDestination("CREATE TABLE widened (id numeric(12,4) PRIMARY KEY, b text, a text, c text, e varchar(9)); "
                + "INSERT INTO widened SELECT i, CASE WHEN i % 2 = 0 THEN 't' ELSE 'f' END, '10.0.0.1', 'ab   ', NULL "
                + "FROM generate_series(1, 60) i; INSERT INTO widened VALUES (0, NULL, NULL, NULL, NULL)");
        streams("widened");
        assertThat(verify("widened").isEqual()).isTrue();

        databases.atDestination("UPDATE widened SET c = 'ab' WHERE id = 9");
        assertThat(verify("widened").keys()).as("one key of its part").containsExactly(difference(Kind.DIFFERENT, "9.0000"));
    }

    @Test
    void aRangeOfAKeyOfSeveralColumnsIsReadByItsIndex() throws Exception {
        atBoth("CREATE TABLE pairs (a int, b int, t text, PRIMARY KEY (a, b)); INSERT INTO pairs "
                + "SELECT i % 3, i, 'x' FROM generate_series(1, 20000) i ORDER BY md5(i::text); ANALYZE pairs");
        streams("pairs");
        long whole = statistic("pairs", "seq_scan");
        long byIndex = statistic("pairs", "idx_scan");

        assertThat(verify("pairs").isEqual()).isTrue();

        // A session tells of both at once, some time after it has read.
        Awaitility.await().until(() -> statistic("pairs", "idx_scan") > byIndex);
        assertThat(statistic("pairs", "seq_scan")).as("scans of the whole table at the source").isEqualTo(whole);
    }

    private static long statistic(String table, String name) throws SQLException {
        return Long.parseLong(databases.fromSource(
                "SELECT " + name + " FROM pg_stat_user_tables WHERE relname = '" + table + "'"));
    }

    @ParameterizedTest
    @EnumSource(SoftDelete.Type.class)
    void aRowThatIsMarkedAsGoneIsNotThere(SoftDelete.Type type) throws Exception {
        String table = "marked_" + type.name().toLowerCase();
        databases.atSource("CREATE TABLE " + table + " (id int PRIMARY KEY, v int); INSERT INTO " + table
                + " SELECT i, i FROM generate_series(1, 300) i");
        bench.backfill(table, OptionsBench.softDelete(type));
        bench.onSource("DELETE FROM " + table + " WHERE id IN (5, 6)");
        bench.apply(table, OptionsBench.remove("5", 1_700_000_000_000L));
        await(databases.ledger.caughtUp(TableName.parse(table), run(table), 1));

        assertThat(verify(table).keys()).containsExactly(difference(Kind.MISSING_AT_SOURCE, "6"));
        assertThat(verify(table).rows()).isEqualTo(298);
    }

    private static long run(String table) {
        return await(databases.ledger.read(TableName.parse(table))).orElseThrow().run();
    }

    @Test
    void aTableThatDoesNotStreamInTheRunIsRefused() throws Exception {
        atBoth("CREATE TABLE held (id int PRIMARY KEY)");
        await(databases.ledger.openRun(TableName.parse("held"), RUN));

        assertThatThrownBy(() -> verify("held")).isInstanceOf(RefusedException.class).hasMessageContaining("stream");
    }

    @Test
    void aDefinitionThatChangesMeanwhileEndsIt() throws Exception {
        atBoth("CREATE TABLE altered (id int PRIMARY KEY, v int)");
        streams("altered");

        assertThatThrownBy(() -> verify("altered", () -> {
                    try {
                        databases.atSource("ALTER TABLE altered ADD COLUMN IF NOT EXISTS w int");
                    } catch (SQLException e) {
                        throw new IllegalStateException(e);
                    }
                }))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("definition");
    }

    @Test
    void aTableThatIsWrittenToAllTheTimeRaisesNoFalseAlarm() throws Exception {
        atBoth("CREATE TABLE busy (id int PRIMARY KEY, v int, t text); "
                + "INSERT INTO busy SELECT i, 0, 'x' FROM generate_series(1, 1000) i");
        streams("busy");
        try (var writer = new LaggingWriter("busy", id -> true)) {
            for (int i = 0; i < 3 || writer.written.get() <= 100; i++) {
                Findings found = verify("busy", writer);
                assertThat(found.keys()).as("seed %d", writer.seed).isEmpty();
                assertThat(found.differing()).isZero();
                writer.requireAlive();
                assertThat(i).as("comparisons until a hundred rows were written").isLessThan(300);
            }
        }
        assertThat(verify("busy").isEqual()).as("once it rests").isTrue();
    }

    @Test
    void aRealDifferenceIsFoundWhileTheTableIsWrittenTo() throws Exception {
        atBoth("CREATE TABLE damaged (id int PRIMARY KEY, v int, t text); "
                + "INSERT INTO damaged SELECT i, 0, 'x' FROM generate_series(1, 1000) i");
        streams("damaged");
        databases.atDestination("UPDATE damaged SET v = -1 WHERE id = 500; DELETE FROM damaged WHERE id = 501; "
                + "INSERT INTO damaged VALUES (5000, 0, 'x')");
        try (var writer = new LaggingWriter("damaged", id -> id != 500 && id != 501 && id != 5_000)) {
            Findings found = verify("damaged", writer);
            assertThat(found.keys()).as("seed %d", writer.seed).containsExactlyInAnyOrder(
                    difference(Kind.DIFFERENT, "500"),
                    difference(Kind.MISSING_AT_DESTINATION, "501"),
                    difference(Kind.MISSING_AT_SOURCE, "5000"));
            assertThat(found.differing()).isEqualTo(3);
            writer.requireAlive();
        }
    }

    @Test
    void aTransactionThatStaysOpenKeepsWhatDiffersUnsettled() throws Exception {
        atBoth("CREATE TABLE waits (id int PRIMARY KEY); CREATE TABLE other (id int)");
        databases.atSource("INSERT INTO waits VALUES (1)");
        streams("waits");
        var hasty = new Limits(100, OptionalLong.empty(), 3, Duration.ofMillis(50), Duration.ofMinutes(1));
        try (Connection open = databases.connectToSource(); var statement = open.createStatement()) {
            open.setAutoCommit(false);
            statement.execute("INSERT INTO other VALUES (1)");

            Findings found = verification.verify(TableName.parse("waits"), RUN, hasty, STILL, rows -> {});

            assertThat(found.differing()).isZero();
            assertThat(found.unsettled()).isEqualTo(1);
            assertThat(found.isEqual()).isFalse();
            open.rollback();
        }
        assertThat(verify("waits").differing()).isEqualTo(1);
    }

    /**
     * Writes to the source all the time; what it writes arrives at the destination later, in order, at times before it
     * is visible at the source.
     */
    private static final class LaggingWriter implements Stream, AutoCloseable {

        private record Sent(String sql, long dueNanos) {}

        final long seed = System.nanoTime();
        final AtomicLong written = new AtomicLong();
        private final AtomicLong applied = new AtomicLong();
        private final AtomicBoolean stopped = new AtomicBoolean();
        private final AtomicReference<Exception> failure = new AtomicReference<>();
        private final LinkedBlockingQueue<Sent> queue = new LinkedBlockingQueue<>();
        private final List<Thread> threads;

        LaggingWriter(String table, IntPredicate mayWrite) {
            threads = List.of(
                    Thread.ofPlatform().start(() -> run(() -> write(table, mayWrite))),
                    Thread.ofPlatform().start(() -> run(this::apply)));
        }

        private interface Work {
            void run() throws Exception;
        }

        private void run(Work work) {
            try {
                work.run();
            } catch (Exception e) {
                failure.set(e);
            }
        }

        void requireAlive() {
            assertThat(failure.get()).isNull();
        }

        private void write(String table, IntPredicate mayWrite) throws Exception {
            var random = new Random(seed);
            try (Connection connection = databases.connectToSource(); var statement = connection.createStatement()) {
                connection.setAutoCommit(false);
                while (!stopped.get()) {
                    int id = 1 + random.nextInt(1_100);
                    if (!mayWrite.test(id)) {
                        continue;
                    }
                    String sql = random.nextInt(4) == 0
                            ? "DELETE FROM " + table + " WHERE id = " + id
                            : "INSERT INTO " + table + " VALUES (" + id + ", " + random.nextInt(3) + ", 'y') "
                                    + "ON CONFLICT (id) DO UPDATE SET v = excluded.v, t = excluded.t";
                    statement.execute(sql);
                    written.incrementAndGet();
                    queue.add(new Sent(sql, System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(random.nextInt(60))));
                    // As long as a standby would be waited for.
                    statement.execute("SELECT pg_sleep(" + (random.nextInt(20) == 0 ? "0.1" : "0.002") + ")");
                    connection.commit();
                }
            }
        }

        private void apply() throws Exception {
            try (Connection connection = databases.connectToDestination(); var statement = connection.createStatement()) {
                while (!stopped.get() || !queue.isEmpty()) {
                    Sent sent = queue.poll(20, TimeUnit.MILLISECONDS);
                    if (sent != null) {
                        long early = sent.dueNanos() - System.nanoTime();
                        if (early > 0) {
                            TimeUnit.NANOSECONDS.sleep(early);
                        }
                        statement.execute(sent.sql());
                        applied.incrementAndGet();
                    }
                }
            }
        }

        @Override
        public void passed() throws InterruptedException {
            long wanted = written.get();
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (applied.get() < wanted) {
                if (System.nanoTime() > deadline) {
                    throw new IllegalStateException("what was written does not arrive");
                }
                TimeUnit.MILLISECONDS.sleep(2);
            }
        }

        @Override
        public void close() throws InterruptedException {
            stopped.set(true);
            for (Thread thread : threads) {
                thread.join();
            }
        }
    }
}
