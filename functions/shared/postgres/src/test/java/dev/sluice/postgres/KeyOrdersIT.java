package dev.sluice.postgres;

import static dev.sluice.postgres.TwoDatabases.await;
import static dev.sluice.postgres.TwoDatabases.table;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.ChunkTask;
import dev.sluice.domain.Key;
import dev.sluice.domain.KeyOrder;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.KeyType;
import dev.sluice.domain.StepResult;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableDefinition.KeyColumn;
import dev.sluice.domain.TableOptions;
import dev.sluice.postgres.ChunkCopy.Answer;
import dev.sluice.postgres.Ledger.RetainedChunk;
import java.math.BigDecimal;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Keys that the database orders: both sides agree on how, or nothing is cut by them (R10). */
class KeyOrdersIT {

    private static final long RUN = 1;

    private static TwoDatabases databases;
    private static SourceTables tables;
    private static SourceKeys keys;
    private static KeyOrders orders;
    private static DestinationTables destinations;
    private static ChunkCopy chunkCopy;

    @BeforeAll
    static void open() throws SQLException {
        databases = TwoDatabases.open();
        tables = new SourceTables(databases.source, databases.pipeline);
        keys = new SourceKeys(databases.source);
        orders = new KeyOrders(databases.source, databases.destination, databases.schemas);
        destinations =
                new DestinationTables(databases.source, databases.destination, databases.schemas, databases.pipeline);
        chunkCopy = new ChunkCopy(
                databases.source,
                databases.destination,
                databases.pipeline,
                databases.schemas,
                new ChunkCopy.Limits(Duration.ofSeconds(5), Duration.ofSeconds(60)));
        atBoth("""
                CREATE EXTENSION citext;
                CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
                ALTER TYPE mood ADD VALUE 'so so' AFTER 'sad';
                CREATE DOMAIN day AS date;
                CREATE COLLATION careless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
                CREATE COLLATION swedish (provider = icu, locale = 'sv');
                CREATE TYPE named AS (name text, n int);
                """);
        databases.atSource("CREATE COLLATION same_name (provider = icu, locale = 'de')");
        databases.atDestination("CREATE COLLATION same_name (provider = icu, locale = 'sv')");
    }

    @AfterAll
    static void close() {
        databases.close();
    }

    @ParameterizedTest
    @EnumSource(KeyType.class)
    void whereJavaDecidesTheDatabaseDecidesTheSame(KeyType type) throws SQLException {
        long seed = System.nanoTime();
        String name = "javas_" + type.name().toLowerCase();
        atBoth("CREATE TABLE " + name + " (k " + sqlType(type) + " PRIMARY KEY)");
        DestinationTable target = DestinationTable.read(
                        databases.source, databases.destination, table(name), table(name), TableOptions.NONE, Optional.empty(),
                SourceNames.UNKNOWN)
                .await()
                .atMost(Duration.ofSeconds(30));
        var random = new Random(seed);
        List<Key> sample = new ArrayList<>();
        for (int i = 0; i < 150; i++) {
            sample.add(Key.of(value(type).apply(random)));
        }

        KeyOrder located = await(orders.locate(target, sample));

        KeyOrder javas = target.keyOrder().orElseThrow();
        for (Key a : sample) {
            for (Key b : sample) {
                assertThat(Integer.signum(located.compare(a, b)))
                        .as("%s and %s with the seed %s", a, b, seed)
                        .isEqualTo(Integer.signum(javas.compare(a, b)));
            }
        }
    }

    private static String sqlType(KeyType type) {
        return switch (type) {
            case INTEGER -> "bigint";
            case NUMERIC -> "numeric";
            case UUID -> "uuid";
            case TEXT -> "text";
            case BYTEA -> "bytea";
            case BOOLEAN -> "boolean";
        };
    }

    private static Function<Random, String> value(KeyType type) {
        return switch (type) {
            case INTEGER -> random -> Long.toString(random.nextLong() >> random.nextInt(64));
            case NUMERIC -> random -> switch (random.nextInt(12)) {
                case 0 -> "NaN";
                case 1 -> "Infinity";
                case 2 -> "-Infinity";
                default -> BigDecimal.valueOf(random.nextInt(2000) - 1000L, random.nextInt(4)).toPlainString();
            };
            case UUID -> random -> new UUID(random.nextLong(), random.nextLong()).toString();
            case TEXT -> random -> random.ints(random.nextInt(4), 0, 8)
                    .mapToObj(i -> new String[] {"a", "B", "ä", "\uffff", "😀", "z", " ", "e\u0301"}[i])
                    .reduce("", String::concat);
            case BYTEA -> random -> {
                byte[] bytes = new byte[random.nextInt(4)];
                random.nextBytes(bytes);
                return "\\x" + HexFormat.of().formatHex(bytes);
            };
            case BOOLEAN -> random -> random.nextBoolean() ? "t" : "f";
        };
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
            k_date      | day                      | -infinity; 4000-01-01 BC; 1999-12-31; 2000-01-01; infinity
            k_interval  | interval                 | -1 mons; -00:00:01; 1 mon=30 days; 30 days 00:00:01; 1 mon 1 day
            k_enum      | mood                     | sad; so so; ok; happy
            k_char      | char(3)                  | a; ab; b
            k_swedish   | text COLLATE swedish     | a; z; å; ä; ö
            k_careless  | text COLLATE careless    | a=A; b=B; C
            k_citext    | citext                   | a=A; B=b; c
            k_inet      | inet                     | 9.0.0.1; 10.0.0.0/8; 10.0.0.1; ::1
            k_money     | money                    | -$10.00; $2.00; $10.00
            k_float     | double precision         | -Infinity; -1e-300; -0=0; 5e-324; 1e+300; Infinity; NaN
            k_array     | text[] COLLATE swedish   | {}; {z}; {å}; {ö}
            """)
    void theDestinationTellsTheOrderInTheColumnsOwnCollation(String name, String type, String values)
            throws SQLException {
        atBoth("CREATE TABLE " + name.strip() + " (k " + type.strip() + " PRIMARY KEY)");
        DestinationTable target = await(DestinationTable.read(
                databases.source, databases.destination, table(name.strip()), table(name.strip()), TableOptions.NONE, Optional.empty(),
                SourceNames.UNKNOWN));
        List<List<Key>> expected = new ArrayList<>();
        for (String equals : values.split(";")) {
            List<Key> same = new ArrayList<>();
            for (String value : equals.strip().split("=")) {
                same.add(Key.of(value));
            }
            expected.add(same);
        }

        KeyOrder order = await(orders.locate(target, expected.stream().flatMap(List::stream).toList()));

        assertThat(target.keyOrder()).as("Java does not know it").isEmpty();
        for (int i = 0; i < expected.size(); i++) {
            for (Key same : expected.get(i)) {
                assertThat(order.compare(same, expected.get(i).get(0))).as("%s equals", same).isZero();
            }
            if (i > 0) {
                assertThat(order.compare(expected.get(i - 1).get(0), expected.get(i).get(0)))
                        .as("%s comes before %s", expected.get(i - 1), expected.get(i))
                        .isNegative();
            }
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
            c_time     | timestamptz               | '2000-01-01'::timestamptz + i * interval '7 min' | own
            c_enum     | (mood, int)               | (enum_range(NULL::mood))[1 + i % 4], i           | own
            c_char     | char(8)                   | concat('x', i)                                         | own
            c_swedish  | text COLLATE swedish      | concat(chr(65 + i % 26), 'å', i)                   | own
            c_careless | text COLLATE careless     | concat(chr(65 + i % 60), 'å', i)                   | own
            c_citext   | citext                    | concat(chr(65 + i % 60), i)                            | own
            c_other    | text COLLATE same_name    | concat(chr(65 + i % 60), i)                            | code point
            """)
    void chunksOfAKeyThatTheDatabaseOrdersCoverTheTableWithoutGapOrOverlap(
            String table, String type, String values, String order) throws Exception {
        String name = table.strip();
        String[] types = type.strip().replaceAll("[()](?!\\d)", "").replace("char8", "char(8)").split(", ");
        String columns = types.length == 1
                ? "k " + type.strip() + " PRIMARY KEY"
                : "k " + types[0] + ", n " + types[1] + ", PRIMARY KEY (n, k)";
        databases.atSource("CREATE TABLE " + name + " (" + columns + "); INSERT INTO " + name + " SELECT " + values
                + " FROM generate_series(1, 500) i; CREATE INDEX ON " + name + " (k"
                + (order.equals("code point") ? " COLLATE \"C\"" : "") + ")");
        // What only the destination has goes, wherever it is.
        KeyOrders.Compared compared = compared(name);
        assertThat(compared.onlyWhole()).isEmpty();
        TableDefinition definition = compared.definition();

        long rows = copyInChunks(definition, RUN);

        assertThat(rows).as("rows of all chunks").isEqualTo(500);
        assertThat(equal(name)).isTrue();
        assertThat(definition.key().get(0).collation().isPresent()).isEqualTo(order.equals("code point"));
        databases.atSource("DELETE FROM " + name + " WHERE ctid IN (SELECT ctid FROM " + name
                + " ORDER BY random() LIMIT 100)");

        assertThat(copyInChunks(definition, RUN + 1)).isEqualTo(400);
        assertThat(equal(name)).as("rows that only the destination has are gone").isTrue();
        List<RetainedChunk> retained = await(databases.ledger.retainedChunks(table(name)));
        DestinationTable target =
                await(DestinationTable.read(databases.source, databases.destination, table(name), table(name), TableOptions.NONE, Optional.empty(),
                SourceNames.UNKNOWN));
        retained.forEach(chunk -> target.requireOrderOf(chunk.range(), chunk.order()));
        assertThat(retained).extracting(RetainedChunk::order).containsOnly(definition.order());
    }

    private static long copyInChunks(TableDefinition definition, long run) throws Exception {
        await(databases.ledger.openRun(definition.table(), run));
        await(destinations.prepare(definition, TableOptions.NONE));
        StepResult.Bounded bounded = await(keys.bounds(definition, false));
        Key highest = bounded.highest().orElseThrow();
        Optional<Key> after = Optional.empty();
        int chunk = 0;
        long rows = 0;
        boolean complete = false;
        while (!complete) {
            Planned planned = await(keys.plan(definition, after, highest, 3, 60));
            for (Key boundary : planned.boundaries()) {
                rows += copy(definition, run, chunk++, new KeyRange(after, Optional.of(boundary)), bounded);
                after = Optional.of(boundary);
            }
            complete = planned.complete();
        }
        assertThat(chunk).isGreaterThan(4);
        return rows + copy(definition, run, chunk, new KeyRange(after, Optional.empty()), bounded);
    }

    private static long copy(
            TableDefinition definition, long run, int chunk, KeyRange range, StepResult.Bounded bounded) {
        Answer answer = chunkCopy.copy(new ChunkTask(
                definition.table(),
                run,
                chunk,
                1,
                range,
                definition.runFingerprint(),
                bounded.primary(),
                range.upTo().isEmpty() ? Optional.of(bounded.snapshot()) : Optional.empty()));
        assertThat(answer).isInstanceOf(Answer.Copied.class);
        return ((Answer.Copied) answer).rows();
    }

    private static boolean equal(String name) {
        return await(new TableComparison(
                                databases.source, databases.destination, databases.schemas, databases.pipeline, Optional.empty())
                        .compare(table(name)))
                .isEqual();
    }

    @Test
    void collationsOfOneNameAndAnotherOrderAreFoundOut() throws SQLException {
        databases.atSource("CREATE TABLE disagree (w text COLLATE same_name PRIMARY KEY)");

        KeyOrders.Compared before = compared("disagree");

        assertThat(before.definition().key())
                .containsExactly(
                        new KeyColumn("w", Optional.of(KeyType.TEXT), Optional.of(KeyAgreement.CODE_POINT)));
        assertThat(before.onlyWhole().orElseThrow().reason()).contains("their collations differ");
        assertThat(before.onlyWhole().orElseThrow().hint())
                .isEqualTo("run CREATE INDEX CONCURRENTLY ON \"public\".\"disagree\" (\"w\" COLLATE \"C\") at the source");

        databases.atSource("CREATE INDEX CONCURRENTLY ON \"public\".\"disagree\" (\"w\" COLLATE \"C\")");
        KeyOrders.Compared after = compared("disagree");
        assertThat(after.onlyWhole()).isEmpty();
        await(databases.ledger.openRun(table("disagree"), RUN));
        await(destinations.prepare(after.definition(), TableOptions.NONE));
        assertThat(databases.fromDestination("SELECT collname FROM pg_attribute a JOIN pg_collation c "
                        + "ON c.oid = attcollation WHERE attrelid = 'disagree'::regclass AND attname = 'w'"))
                .as("so that the key's index serves the ranges")
                .isEqualTo("C");
    }

    @Test
    void aKeyColumnThatTheDestinationLacksYetIsComparedAsItWillBe() throws SQLException {
        databases.atSource("CREATE TABLE rekeyed (id int PRIMARY KEY, v text)");
        await(databases.ledger.openRun(table("rekeyed"), RUN));
        await(destinations.prepare(compared("rekeyed").definition(), TableOptions.NONE));
        databases.atSource("ALTER TABLE rekeyed DROP CONSTRAINT rekeyed_pkey, ADD k text COLLATE \"C\" PRIMARY KEY");

        assertThat(compared("rekeyed").onlyWhole()).isEmpty();
    }

    @Test
    void theSourcesCollationIsTakenWhereTheDestinationHasIt() throws SQLException {
        databases.atSource("CREATE TABLE agree (w text COLLATE swedish PRIMARY KEY)");

        KeyOrders.Compared compared = compared("agree");

        assertThat(compared.onlyWhole()).isEmpty();
        assertThat(compared.definition().order()).startsWith("\"w\" icu sv ");
        await(databases.ledger.openRun(table("agree"), RUN));
        await(destinations.prepare(compared.definition(), TableOptions.NONE));
        assertThat(databases.fromDestination("SELECT collname FROM pg_attribute a JOIN pg_collation c "
                        + "ON c.oid = attcollation WHERE attrelid = 'agree'::regclass AND attname = 'w'"))
                .isEqualTo("swedish");
    }

    @Test
    void anOrderThatChangesUnderARunStopsItsChunks() throws Exception {
        databases.atSource("CREATE TABLE shifting (w text COLLATE swedish PRIMARY KEY); "
                + "INSERT INTO shifting VALUES ('a'), ('z'), ('å')");
        TableDefinition definition =
                compared("shifting").definition();
        await(databases.ledger.openRun(table("shifting"), RUN));
        await(destinations.prepare(definition, TableOptions.NONE));
        StepResult.Bounded bounded = await(keys.bounds(definition, false));
        assertThat(copy(definition, RUN, 0, new KeyRange(Optional.empty(), Optional.of(Key.of("z"))), bounded))
                .isEqualTo(2);

        databases.atDestination("ALTER TABLE shifting ALTER COLUMN w TYPE text COLLATE \"de-x-icu\"");

        Answer answer = chunkCopy.copy(new ChunkTask(
                table("shifting"), RUN, 1, 1, new KeyRange(Optional.of(Key.of("z")), Optional.of(Key.of("å"))),
                definition.runFingerprint(), bounded.primary(), Optional.empty()));
        assertThat(answer).isInstanceOfSatisfying(Answer.Failed.class, failed -> assertThat(failed.fault().reason())
                .contains("another order of the key"));
        DestinationTable target = await(DestinationTable.read(
                databases.source, databases.destination, table("shifting"), table("shifting"), TableOptions.NONE, Optional.empty(),
                SourceNames.UNKNOWN));
        List<RetainedChunk> retained = await(databases.ledger.retainedChunks(table("shifting")));
        org.assertj.core.api.Assertions.assertThatThrownBy(
                        () -> retained.forEach(chunk -> target.requireOrderOf(chunk.range(), chunk.order())))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("were cut in the order");
    }

    @Test
    void labelsThatAreAddedLaterChangeNoRangeThatWasCutBefore() throws Exception {
        databases.atSource("CREATE TYPE size AS ENUM ('small', 'large'); CREATE TABLE labelled (k size, n int, "
                + "PRIMARY KEY (k, n)); INSERT INTO labelled SELECT 'small', i FROM generate_series(1, 300) i; "
                + "INSERT INTO labelled SELECT 'large', i FROM generate_series(1, 300) i");
        TableDefinition before = compared("labelled").definition();
        copyInChunks(before, RUN);

        // when labels are added that the destination does not have yet
        databases.atSource("ALTER TYPE size ADD VALUE 'medium' BEFORE 'large'; ALTER TYPE size ADD VALUE 'tiny' BEFORE 'small'");

        // then the chunks decide as they did, and the keys of the new labels have their place
        var apply = new ChangeApply(databases.source, databases.destination, databases.ledger, databases.schemas);
        DestinationTable target = await(apply.open(table("labelled"), new RunOptions(TableOptions.NONE, Optional.empty())));
        await(databases.ledger.retainedChunks(table("labelled")))
                .forEach(chunk -> target.requireOrderOf(chunk.range(), chunk.order()));
        List<Key> inOrder = List.of(Key.of("tiny", "9"), Key.of("small", "1"), Key.of("medium", "5"), Key.of("large", "0"));
        KeyOrder order = await(apply.locate(target, inOrder.reversed()));
        assertThat(inOrder.stream().sorted(order)).containsExactlyElementsOf(inOrder);

        // and the next run is cut by ranges again, although another label is at the source only
        databases.atSource("ALTER TYPE size ADD VALUE 'huge'");
        databases.atSource("INSERT INTO labelled SELECT unnest(enum_range(NULL::size)), 1000");
        KeyOrders.Compared again = compared("labelled");
        assertThat(again.onlyWhole()).isEmpty();
        assertThat(copyInChunks(again.definition(), RUN + 1)).isEqualTo(605);
        assertThat(equal("labelled")).isTrue();
    }

    @Test
    void aKeyThatNobodyCanOrderIsCopiedAsAWhole() throws Exception {
        atBoth("CREATE TABLE composite (k named PRIMARY KEY)");
        databases.atSource("INSERT INTO composite SELECT ROW('n' || i, i)::named FROM generate_series(1, 50) i");
        databases.atDestination("INSERT INTO composite VALUES (ROW('only here', 1))");

        assertCopiedAsAWhole("composite", "parts of its values", 50);
    }

    @Test
    void aKeyWhoseOrderHasOtherOperatorsIsCopiedAsAWhole() throws Exception {
        atBoth("CREATE EXTENSION hstore; CREATE TABLE stored (k hstore PRIMARY KEY)");
        databases.atSource("INSERT INTO stored SELECT hstore('k', i::text) FROM generate_series(1, 50) i");

        assertCopiedAsAWhole("stored", "of a type whose order", 50);
        assertThat(compared("stored").onlyWhole().orElseThrow().hint())
                .contains("name them as its key")
                .doesNotContain("CREATE INDEX");
    }

    private static void assertCopiedAsAWhole(String name, String reason, long rows) throws Exception {
        KeyOrders.Compared compared = compared(name);

        assertThat(compared.onlyWhole().orElseThrow().reason()).contains(reason);
        await(databases.ledger.openRun(table(name), RUN));
        await(destinations.prepare(compared.definition(), TableOptions.NONE));
        StepResult.Bounded bounded = await(keys.bounds(compared.definition(), true));
        Answer answer = chunkCopy.copy(new ChunkTask(
                table(name), RUN, 0, 1, KeyRange.ALL, compared.definition().runFingerprint(),
                bounded.primary(), Optional.empty()));
        assertThat(answer).isInstanceOfSatisfying(
                Answer.Copied.class, copied -> assertThat(copied.rows()).isEqualTo(rows));
        assertThat(equal(name)).isTrue();
    }

    @Test
    void aKeyThatIsEqualButNotTheSameIsWrittenAgain() throws Exception {
        databases.atSource("CREATE TABLE loosely (k citext PRIMARY KEY, v int); INSERT INTO loosely VALUES ('Ab', 1)");
        TableDefinition definition =
                compared("loosely").definition();
        await(databases.ledger.openRun(table("loosely"), RUN));
        await(destinations.prepare(definition, TableOptions.NONE));
        databases.atDestination("INSERT INTO loosely VALUES ('aB', 1)");
        StepResult.Bounded bounded = await(keys.bounds(definition, false));

        copy(definition, RUN, 0, new KeyRange(Optional.empty(), bounded.highest()), bounded);

        assertThat(databases.fromDestination("SELECT k FROM loosely")).isEqualTo("Ab");
    }

    private static KeyOrders.Compared compared(String name) {
        return await(orders.compare(await(tables.inspect(table(name))), TableOptions.NONE));
    }

    private static void atBoth(String sql) throws SQLException {
        databases.atSource(sql);
        databases.atDestination(sql);
    }
}
