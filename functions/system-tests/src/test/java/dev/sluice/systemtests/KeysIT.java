package dev.sluice.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Command;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableState;
import java.io.IOException;
import java.io.StringReader;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;

/** Every kind of key, backfilled in small chunks while it is written to, twice: equal at the end. */
class KeysIT {

    private static final int ROWS = 500;

    /**
     * A table whose rows are spoken of by a number {@code n}; the key is made from it.
     *
     * @param keyNames the columns that a key change sets
     * @param key SQL of a row, in terms of {@code n}
     * @param flip SQL of a key that is equal to the one that stands there and has another text; empty: there is none
     */
    private record Keyed(String name, String columns, String keyNames, String key, String flip) {

        Keyed(String name, String columns, String keyNames, String key) {
            this(name, columns, keyNames, key, "");
        }

        String insert(String numbers) {
            return "INSERT INTO " + name + " (" + keyNames + ", n, v, big) SELECT " + key
                    + ", n, 1, repeat(md5(n::text), CASE WHEN n % 9 = 0 THEN 100 ELSE 1 END) FROM (" + numbers
                    + ") AS numbers (n) ON CONFLICT DO NOTHING";
        }

        String operation(Random random, AtomicLong next) {
            String one = " WHERE n = " + (1 + random.nextLong(next.get()));
            return switch (random.nextInt(10)) {
                case 0 -> insert("VALUES (" + next.getAndIncrement() + "::bigint)");
                case 1, 2 -> "DELETE FROM " + name + one;
                case 3, 4 -> {
                    long to = next.getAndIncrement();
                    yield "UPDATE " + name + " SET (" + keyNames + ", n, v) = (SELECT " + key + ", n, 7 FROM (VALUES ("
                            + to + "::bigint)) AS numbers (n))" + one;
                }
                case 5 -> "UPDATE " + name + " SET big = repeat(md5(random()::text), 100)" + one;
                case 6 -> flip.isEmpty() ? "SELECT" : "UPDATE " + name + " SET " + flip + one;
                default -> "UPDATE " + name + " SET v = v + 1" + one;
            };
        }
    }

    /** Its key are the columns that the user names, and not its primary key. */
    private static final String NAMED = "n_named";

    private static final List<Keyed> TABLES = List.of(
            // Over the whole range of bigint, both ends included, so that most key changes go from chunk to chunk.
            new Keyed("k_bigint", "k bigint PRIMARY KEY", "k",
                    "CASE n WHEN 1 THEN '-9223372036854775808'::bigint WHEN 2 THEN 9223372036854775807 "
                            + "ELSE ('x' || substr(md5(n::text), 1, 16))::bit(64)::bigint END"),
            new Keyed("k_pair", "a text, b date, PRIMARY KEY (b, a)", "a, b",
                    "'a' || n, '2000-01-01'::date + (n % 40)::int"),
            new Keyed("k_c", "k text COLLATE \"C\" PRIMARY KEY", "k", "chr((48 + n % 70)::int) || 'é' || n"),
            new Keyed("k_default", "k text PRIMARY KEY", "k", "chr((48 + n % 70)::int) || 'é' || n"),
            new Keyed("k_icu", "k varchar(20) COLLATE \"de-x-icu\" PRIMARY KEY", "k",
                    "chr((65 + n % 60)::int) || 'ä' || n"),
            new Keyed("k_careless", "k text COLLATE careless PRIMARY KEY", "k", "chr((65 + n % 60)::int) || 'ä' || n",
                    "k = CASE WHEN k COLLATE \"C\" = upper(k) COLLATE \"C\" THEN lower(k) ELSE upper(k) END"),
            new Keyed("k_citext", "k citext PRIMARY KEY", "k", "chr((65 + n % 60)::int) || n",
                    "k = CASE WHEN k::text = upper(k::text) THEN lower(k::text) ELSE upper(k::text) END"),
            new Keyed("k_uuid", "k uuid PRIMARY KEY", "k", "md5(n::text)::uuid"),
            new Keyed("k_time", "k timestamptz PRIMARY KEY", "k",
                    "'2000-01-01'::timestamptz + (n * 7919 % 10007) * interval '1 day' + n * interval '1 microsecond'"),
            new Keyed("k_plain_time", "k timestamp PRIMARY KEY", "k",
                    "'4000-01-01 BC'::timestamp + (n * 7919 % 10007) * interval '1 year' + n * interval '1 microsecond'"),
            new Keyed("k_numeric", "k numeric PRIMARY KEY", "k", "n::numeric * 7919 % 10007 + n / 100000.0 - 5000",
                    "k = k * 1.00"),
            new Keyed("k_enum", "m mood, k int, PRIMARY KEY (m, k)", "m, k",
                    "(enum_range(NULL::mood))[1 + n % 4], n::int"),
            new Keyed("k_char", "k char(9) PRIMARY KEY", "k", "chr((65 + n % 26)::int) || n"),
            new Keyed("k_interval", "k interval PRIMARY KEY", "k", "n * interval '17 hours'",
                    "k = justify_hours(k)"),
            new Keyed("u_unique", "a text NOT NULL COLLATE \"de-x-icu\", b int NOT NULL, UNIQUE (b, a)", "a, b",
                    "'a' || n, (n % 40)::int"),
            new Keyed("u_identity", "a timestamptz NOT NULL CONSTRAINT u_identity_a UNIQUE", "a",
                    "'2000-01-01'::timestamptz + (n * 7919 % 10007) * interval '1 day' + n * interval '1 second'"),
            new Keyed("u_beside", "id bigint PRIMARY KEY, a text COLLATE \"de-x-icu\" NOT NULL CONSTRAINT u_beside_a UNIQUE",
                    "id, a", "n, chr((65 + n % 60)::int) || n"),
            new Keyed(NAMED, "id bigint PRIMARY KEY, tenant text COLLATE \"de-x-icu\" NOT NULL, line int NOT NULL, "
                    + "UNIQUE (line, tenant)", "id, tenant, line", "n, chr((65 + n % 60)::int), (n % 40 * 1000 + n)::int"),
            // Nobody can order these outside of one server: copied as a whole.
            new Keyed("w_composite", "k named PRIMARY KEY", "k", "ROW('a' || n % 13, n)::named"),
            new Keyed("w_disagree", "k text COLLATE same_name PRIMARY KEY", "k", "chr((65 + n % 60)::int) || n"),
            new Keyed("c_disagree", "k text COLLATE same_name PRIMARY KEY", "k", "chr((65 + n % 60)::int) || n"));

    private static SluiceStack stack;

    @BeforeAll
    static void start() throws Exception {
        stack = SluiceStack.start("keys", Map.of("sluice.scheduler.chunk-rows", "100"));
        String both = "CREATE EXTENSION citext; CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); "
                + "ALTER TYPE mood ADD VALUE 'so so' AFTER 'sad'; CREATE TYPE named AS (name text, n int); "
                + "CREATE COLLATION careless (provider = icu, locale = 'und-u-ks-level2', deterministic = false)";
        stack.onSource(both, "CREATE COLLATION same_name (provider = icu, locale = 'de')");
        stack.onDestination(both, "CREATE COLLATION same_name (provider = icu, locale = 'sv')");
        for (Keyed table : TABLES) {
            stack.onSource(
                    "CREATE TABLE " + table.name() + " (" + table.columns() + ", n bigint NOT NULL, v int, big text)",
                    "ALTER TABLE " + table.name() + " ALTER COLUMN big SET STORAGE EXTERNAL",
                    "CREATE INDEX ON " + table.name() + " (n)",
                    table.insert("SELECT g FROM generate_series(1, " + ROWS + ") g"));
        }
        stack.onSource(
                "ALTER TABLE u_unique REPLICA IDENTITY FULL",
                "ALTER TABLE " + NAMED + " REPLICA IDENTITY FULL",
                "ALTER TABLE u_identity REPLICA IDENTITY USING INDEX u_identity_a",
                "ALTER TABLE u_beside REPLICA IDENTITY USING INDEX u_beside_a",
                "CREATE INDEX ON c_disagree (k COLLATE \"C\")",
                "ANALYZE");
    }

    @AfterAll
    static void stop() throws Exception {
        stack.close();
    }

    @Test
    void everyKeyIsBackfilledUnderLoadAndAgainAndIsEqual() throws Exception {
        long seed = Long.getLong("sluice.seed", System.nanoTime());
        System.out.println("KeysIT: -Dsluice.seed=" + seed);
        String[] names = TABLES.stream().map(table -> "public." + table.name()).toArray(String[]::new);
        try (var writes = new Writes(seed)) {
            stack.send(new Command.AddTables(List.of("public." + NAMED), Optional.of(keyed("tenant", "line"))));
            stack.add(names);
            for (String name : names) {
                stack.awaitStreaming(name);
            }
            long[] runs = new long[names.length];
            for (int i = 0; i < names.length; i++) {
                runs[i] = ((TableState.Streaming) stack.table(names[i]).orElseThrow().state()).run();
                stack.send(new Command.Backfill(TableName.parse(names[i])));
            }
            for (int i = 0; i < names.length; i++) {
                stack.awaitStreamingAfter(names[i], runs[i]);
            }
            assertThat(writes.statements.get()).as("statements meanwhile").isGreaterThan(1_000);
        }
        stack.assertEqual(names);
        for (String name : names) {
            boolean whole = name.startsWith("public.w_");
            assertThat(chunks(name)).as("chunks of %s", name)
                    .satisfies(count -> assertThat(whole ? count == 1 : count > 3).isTrue());
        }
        assertThat(keyOfDestination("u_identity")).as("the key is what it is at the source").isEqualTo("u_identity_a");
        SluiceStack.awaitTrue(
                "the primary key that is not the table's key is built late",
                SluiceStack.LONG,
                () -> keyOfDestination("u_beside").equals("u_beside_a,u_beside_pkey"));
        SluiceStack.awaitTrue(
                "and that of the table whose key the user names",
                SluiceStack.LONG,
                () -> keyOfDestination(NAMED).equals("n_named_line_tenant_key,n_named_pkey"));
    }

    @Test
    void aLargeTableWhoseCollationsDisagreeIsRefusedUntilAnIndexServes() throws Exception {
        stack.onSource(
                "CREATE TABLE disagree_large (k text COLLATE same_name PRIMARY KEY, v int)",
                "INSERT INTO disagree_large SELECT 'k' || g, g FROM generate_series(1, 2000) g",
                "ANALYZE disagree_large");
        stack.add("public.disagree_large");

        TableState.Failed failed = stack.awaitFailed("public.disagree_large");

        assertThat(failed.fault().reason()).contains("their collations differ", "too large to be copied at once");
        assertThat(stack.one(stack.source(), "SELECT count(*) FROM pg_publication_tables WHERE tablename = 'disagree_large'"))
                .as("nothing is touched")
                .contains("0");
        String index = failed.fault().hint().replaceFirst("^run ", "").replaceFirst(" at the source$", "");
        stack.onSource(index);
        stack.send(new Command.Retry(TableName.parse("public.disagree_large")));
        stack.awaitTrueState("public.disagree_large", state -> state instanceof TableState.Streaming);
        stack.assertEqual("public.disagree_large");
    }

    @Test
    void theColumnsThatTheUserNamesAreTheKey() throws Exception {
        stack.onSource(
                "CREATE TABLE named_key (id bigint PRIMARY KEY, tenant text COLLATE \"de-x-icu\" NOT NULL, "
                        + "line int NOT NULL, v text)",
                "CREATE UNIQUE INDEX named_key_line ON named_key (line, tenant)",
                "ALTER TABLE named_key REPLICA IDENTITY FULL",
                "INSERT INTO named_key SELECT g, 'ä' || g % 10, g, 'v' FROM generate_series(1, 300) g");
        stack.send(new Command.AddTables(List.of("public.named_key"), Optional.of(keyed("tenant", "line"))));
        stack.awaitStreaming("public.named_key");

        stack.onSource(
                "UPDATE named_key SET id = id + 1000 WHERE id < 50",
                "UPDATE named_key SET line = line + 1000 WHERE id BETWEEN 100 AND 150",
                "UPDATE named_key SET id = -id, line = -line WHERE id > 250",
                "DELETE FROM named_key WHERE id BETWEEN 200 AND 210");

        stack.assertEqual("public.named_key");
        stack.onSource("CREATE TABLE wrongly_named (id int PRIMARY KEY, v int)");
        stack.send(new Command.AddTables(List.of("public.wrongly_named"), Optional.of(keyed("v"))));
        assertThat(stack.awaitFailed("public.wrongly_named").fault().reason()).contains("no immediate unique index");
    }

    private static TableOptions keyed(String... columns) {
        return new TableOptions(
                List.of(columns), List.of(), List.of(), List.of(), Map.of(), Optional.empty(), Optional.empty());
    }

    @Test
    void rowsWithoutAnyKeyAreCountedRightThroughKillsAndASecondBackfill() throws Exception {
        stack.onSource(
                "CREATE TABLE n_keyless (a int, j json, big text)",
                "ALTER TABLE n_keyless ALTER COLUMN big SET STORAGE EXTERNAL",
                "ALTER TABLE n_keyless REPLICA IDENTITY FULL",
                "INSERT INTO n_keyless SELECT g % 10, '{\"a\":  1}', repeat('x', CASE g % 3 WHEN 0 THEN 3000 ELSE 1 END) "
                        + "FROM generate_series(1, 2000) g");
        try (var writes = new Duplicates()) {
            stack.add("public.n_keyless");
            long run = ((TableState.Streaming) stack.awaitStreaming("public.n_keyless").state()).run();
            for (int kill = 0; kill < 2; kill++) {
                long before = writes.transactions.get();
                SluiceStack.awaitTrue(
                        "the writer goes on", SluiceStack.LONG, () -> writes.transactions.get() > before + 100);
                stack.debezium().kill();
                stack.debezium().restart();
            }
            stack.send(new Command.Backfill(TableName.parse("public.n_keyless")));
            stack.awaitStreamingAfter("public.n_keyless", run);
            stack.debezium().kill();
            stack.debezium().restart();
        }
        stack.assertEqual("public.n_keyless");
        assertThat(stack.one(stack.source(), "SELECT count(*) - count(DISTINCT t::text) FROM n_keyless t").orElseThrow())
                .as("duplicates")
                .isNotEqualTo("0");
        stack.onSource("TRUNCATE n_keyless", "INSERT INTO n_keyless VALUES (1, '{}', 'x'), (1, '{}', 'x')");
        stack.assertEqual("public.n_keyless");
    }

    /** Copies the same rows again and again, many in one WAL record, and changes or deletes one of those that are equal. */
    private static final class Duplicates implements AutoCloseable {

        private final AtomicLong transactions = new AtomicLong();
        private final AtomicReference<Exception> failure = new AtomicReference<>();
        private final Thread thread = Thread.ofVirtual().name("duplicates").start(this::write);
        private volatile boolean stopping;

        private void write() {
            try (Connection connection = stack.source(); Statement statement = connection.createStatement()) {
                connection.setAutoCommit(false);
                for (int i = 0; !stopping; i++) {
                    String one = " WHERE ctid = (SELECT min(ctid) FROM n_keyless WHERE a = " + i % 10 + ")";
                    connection.unwrap(PGConnection.class)
                            .getCopyAPI()
                            .copyIn(
                                    "COPY n_keyless (a, j, big) FROM STDIN",
                                    new StringReader((i % 10 + "\t{\"a\":  1}\tx\n").repeat(5)));
                    statement.execute("DELETE FROM n_keyless" + one);
                    statement.execute("UPDATE n_keyless SET a = " + (i + 3) % 10 + one);
                    statement.execute("DELETE FROM n_keyless" + one);
                    connection.commit();
                    transactions.incrementAndGet();
                }
            } catch (SQLException | IOException e) {
                failure.set(e);
            }
        }

        @Override
        public void close() throws InterruptedException {
            stopping = true;
            thread.join(60_000);
            assertThat(failure.get()).as("what the writer did not expect").isNull();
        }
    }

    @Test
    void theIndexOfTheKeyIsPartOfWhatCaptureRestsOn() throws Exception {
        stack.onSource(
                "CREATE TABLE loses_key (a int NOT NULL, b int NOT NULL, v int)",
                "ALTER TABLE loses_key REPLICA IDENTITY FULL",
                "CREATE UNIQUE INDEX loses_key_a ON loses_key (a)",
                "CREATE UNIQUE INDEX loses_key_b ON loses_key (b)",
                "INSERT INTO loses_key SELECT g, -g, 1 FROM generate_series(1, 10) g");
        stack.add("public.loses_key");
        stack.awaitStreaming("public.loses_key");

        stack.onSource("CREATE INDEX CONCURRENTLY loses_key_v ON loses_key (v)");
        stack.onSource("UPDATE loses_key SET a = 11 WHERE a = 10");
        stack.assertEqual("public.loses_key");
        stack.onSource("DROP INDEX loses_key_a");

        assertThat(stack.awaitFailed("public.loses_key").fault().reason()).contains("the key");
    }

    private static long chunks(String name) throws SQLException {
        return Long.parseLong(stack.one(
                        stack.destination(),
                        "SELECT count(*) FROM " + stack.pipeline.ledgerSchema() + ".chunks WHERE table_name = '"
                                + TableName.parse(name) + "' AND run = (SELECT max(run) FROM "
                                + stack.pipeline.ledgerSchema() + ".chunks c WHERE c.table_name = chunks.table_name)")
                .orElseThrow());
    }

    private static String keyOfDestination(String name) {
        try {
            return stack.one(
                            stack.destination(),
                            "SELECT string_agg(c.relname, ',' ORDER BY c.relname) FROM pg_index i JOIN pg_class c "
                                    + "ON c.oid = i.indexrelid WHERE i.indrelid = '" + name
                                    + "'::regclass AND i.indisunique AND i.indisvalid")
                    .orElse("");
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    /** Two connections that write to all of the tables, in transactions of a few statements. */
    private static final class Writes implements AutoCloseable {

        private final AtomicLong statements = new AtomicLong();
        private final List<AtomicLong> next =
                TABLES.stream().map(table -> new AtomicLong(ROWS + 1)).toList();
        private final AtomicReference<Exception> failure = new AtomicReference<>();
        private final List<Thread> threads = new ArrayList<>();
        private volatile boolean stopping;

        Writes(long seed) {
            for (int i = 0; i < 2; i++) {
                var random = new Random(seed + i);
                threads.add(Thread.ofVirtual().name("writer " + i).start(() -> write(random)));
            }
        }

        private void write(Random random) {
            while (!stopping && failure.get() == null) {
                try (Connection connection = stack.source(); Statement statement = connection.createStatement()) {
                    connection.setAutoCommit(false);
                    while (!stopping) {
                        for (int i = random.nextInt(4); i >= 0; i--) {
                            int table = random.nextInt(TABLES.size());
                            statement.execute(TABLES.get(table).operation(random, next.get(table)));
                            statements.incrementAndGet();
                        }
                        if (random.nextInt(10) == 0) {
                            connection.rollback();
                        } else {
                            connection.commit();
                        }
                    }
                } catch (SQLException e) {
                    // A deadlock, or a key that stands there already.
                    if (!"40P01".equals(e.getSQLState()) && !"23505".equals(e.getSQLState())) {
                        failure.compareAndSet(null, e);
                    }
                }
            }
        }

        @Override
        public void close() throws InterruptedException {
            stopping = true;
            for (Thread thread : threads) {
                thread.join(60_000);
                assertThat(thread.isAlive()).as("a writer is held up").isFalse();
            }
            assertThat(failure.get()).as("what a writer did not expect").isNull();
        }
    }
}
