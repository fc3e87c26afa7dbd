package dev.sluice.postgres;

import static dev.sluice.postgres.TwoDatabases.await;
import static dev.sluice.postgres.TwoDatabases.table;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.domain.CaptureIdentity;
import dev.sluice.domain.ChunkTask;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Key;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.StepResult;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.postgres.ChunkCopy.Answer;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * From the oldest version of PostgreSQL to the newest: what rests on the catalogs, which differ by version. The other
 * tests of this module run on the oldest with {@code -Dsluice.postgres=14}.
 */
class OldestVersionIT {

    private static final List<String> NO = List.of();
    private static final long RUN = 1;

    private static TwoDatabases databases;
    private static OptionsBench bench;
    private static SourceCapture capture;
    private static Partitions partitions;

    @BeforeAll
    static void open() throws SQLException {
        databases = TwoDatabases.openOldest();
        bench = new OptionsBench(databases);
        capture = new SourceCapture(databases.source, databases.pipeline);
        partitions = new Partitions(databases.source, databases.destination, databases.pipeline);
        String types = "CREATE TYPE mood AS ENUM ('sad', 'happy'); ALTER TYPE mood ADD VALUE 'ok' BEFORE 'happy'; "
                + "CREATE COLLATION swedish (provider = icu, locale = 'sv'); "
                + "CREATE DOMAIN letter AS \"char\"; CREATE TYPE lettered AS (n int, l letter[]); "
                + "CREATE TYPE letters AS RANGE (subtype = \"char\")";
        databases.atSource(types);
        databases.atDestination(types);
        databases.atSource("CREATE PUBLICATION " + databases.pipeline.publication());
        databases.fromSource(
                "SELECT pg_create_logical_replication_slot('" + databases.pipeline.slot() + "', 'pgoutput')");
    }

    @AfterAll
    static void close() throws SQLException {
        databases.atSource("SELECT pg_drop_replication_slot('" + databases.pipeline.slot() + "')");
        bench.close();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
            o_integer | k bigint PRIMARY KEY                             | i
            o_text    | k text, n int, PRIMARY KEY (n, k)                | chr(65 + i % 60), i
            o_swedish | k text COLLATE swedish PRIMARY KEY               | concat(chr(65 + i % 26), 'å', i)
            o_time    | k timestamptz PRIMARY KEY                        | '2000-01-01'::timestamptz + i * interval '7 min'
            o_enum    | k mood, n int, PRIMARY KEY (k, n)                | (enum_range(NULL::mood))[1 + i % 3], i
            o_parts   | k int, n int, PRIMARY KEY (n, k)                 | i, i % 5
            """)
    void chunksOfEveryKindOfKeyCoverTheTable(String name, String columns, String values) throws Exception {
        databases.atSource("CREATE TABLE " + name + " (" + columns + ")"
                + (name.equals("o_parts")
                        ? " PARTITION BY LIST (n); CREATE TABLE o_parts_0 PARTITION OF o_parts FOR VALUES IN (0); "
                                + "CREATE TABLE o_parts_x PARTITION OF o_parts DEFAULT"
                        : "")
                + "; INSERT INTO " + name + " SELECT " + values + " FROM generate_series(1, 500) i");
        if (name.equals("o_swedish")) {
            // Two libraries of ICU need not agree.
            databases.atSource("CREATE INDEX ON o_swedish (k COLLATE \"C\")");
        }
        var orders = new KeyOrders(databases.source, databases.destination, databases.schemas);
        KeyOrders.Compared compared = await(orders.compare(bench.inspect(name, TableOptions.NONE), TableOptions.NONE));
        assertThat(compared.onlyWhole()).isEmpty();
        TableDefinition definition = compared.definition();
        await(databases.ledger.openRun(definition.table(), RUN));
        await(bench.destinations.prepare(definition, TableOptions.NONE));
        var keys = new SourceKeys(databases.source);
        StepResult.Bounded bounded = await(keys.bounds(definition, false));

        Optional<Key> after = Optional.empty();
        int chunks = 0;
        for (boolean complete = false; !complete; ) {
            Planned planned = await(keys.plan(definition, after, bounded.highest().orElseThrow(), 3, 60));
            for (Key boundary : planned.boundaries()) {
                copy(definition, chunks++, new KeyRange(after, Optional.of(boundary)), bounded);
                after = Optional.of(boundary);
            }
            complete = planned.complete();
        }
        copy(definition, chunks++, new KeyRange(after, Optional.empty()), bounded);

        assertThat(chunks).isGreaterThan(5);
        assertThat(bench.compare(name)).satisfies(result -> {
            assertThat(result.isEqual()).isTrue();
            assertThat(result.rowsAtDestination()).isEqualTo(500);
        });
    }

    private static void copy(TableDefinition definition, int chunk, KeyRange range, StepResult.Bounded bounded) {
        assertThat(bench.copy(new ChunkTask(
                        definition.table(), RUN, chunk, 1, range, definition.runFingerprint(), bounded.primary(),
                        range.upTo().isEmpty() ? Optional.of(bounded.snapshot()) : Optional.empty())))
                .isInstanceOf(Answer.Copied.class);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            p_made     | CREATE TABLE $t_3 PARTITION OF $t FOR VALUES FROM (20) TO (30); INSERT INTO $t VALUES (21, 'c') |
            p_at_once  | BEGIN; CREATE TABLE $t_3 PARTITION OF $t DEFAULT; INSERT INTO $t_3 VALUES (21, 'c'); COMMIT |
            p_attached | CREATE TABLE $t_3 (LIKE $t INCLUDING ALL); ALTER TABLE $t ATTACH PARTITION $t_3 DEFAULT |
            p_filled   | BEGIN; CREATE TABLE $t_3 (LIKE $t INCLUDING ALL); INSERT INTO $t_3 VALUES (21, 'c'); ALTER TABLE $t ATTACH PARTITION $t_3 DEFAULT; COMMIT | $t_3 came with rows
            p_detached | ALTER TABLE $t DETACH PARTITION $t_1 | $t_1 was detached
            p_emptied  | TRUNCATE $t_1 | every partition was rewritten
            p_nameless | ALTER TABLE $t_1 REPLICA IDENTITY NOTHING | $t_1 does not name its rows
            p_indexed  | ALTER TABLE $t_1 REPLICA IDENTITY USING INDEX $t_1_pkey |
            """)
    void whatHappensToAPartitionIsFollowedOrFound(String name, String change, String reason) throws SQLException {
        databases.atSource("CREATE TABLE $t (id int PRIMARY KEY, t text) PARTITION BY RANGE (id); "
                        .replace("$t", name)
                + "CREATE TABLE $t_1 PARTITION OF $t FOR VALUES FROM (0) TO (10); INSERT INTO $t VALUES (1, 'a')"
                        .replace("$t", name));
        TableDefinition definition = bench.inspect(name, TableOptions.NONE);
        await(databases.ledger.openRun(definition.table(), RUN));
        CaptureIdentity identity = await(capture.join(definition, List.of(), 1, "topic", "capture"));
        await(partitions.note(definition, RUN));
        Map<TableName, CaptureIdentity> identities = Map.of(definition.table(), identity);
        assertThat(await(partitions.broken(identities))).isEmpty();

        databases.atSource(change.replace("$t", name));

        Optional<String> found = await(partitions.broken(identities)).values().stream()
                .map(Fault::reason)
                .findFirst();
        assertThat(found.isPresent()).as("found: %s", found).isEqualTo(reason != null);
        assertThat(found.orElse("")).contains(reason == null ? "" : reason.replace("$t", name));
    }

    @Test
    void anAlterOfAPartitionedTableIsFollowedOrNot() throws Exception {
        databases.atSource("CREATE TABLE altered (id int PRIMARY KEY, w varchar(5)) PARTITION BY RANGE (id); "
                + "CREATE TABLE altered_1 PARTITION OF altered FOR VALUES FROM (0) TO (10); "
                + "INSERT INTO altered VALUES (1, 'a')");
        bench.backfill("altered", TableOptions.NONE);
        databases.atSource("ALTER TABLE altered ADD COLUMN a int NOT NULL DEFAULT 5, ALTER COLUMN w TYPE varchar(9); "
                + "CREATE TABLE altered_2 PARTITION OF altered DEFAULT");
        bench.follow("altered");
        databases.atSource("ALTER TABLE altered ADD COLUMN b text DEFAULT 'x'");
        bench.follow("altered");

        assertThat(bench.rows("SELECT * FROM altered")).containsExactly("1|a|5|x");
        databases.atSource("ALTER TABLE altered ADD COLUMN c float8 DEFAULT random()");
        assertThatThrownBy(() -> bench.follow("altered")).hasMessageContaining("the table written anew");
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"char\"", "\"char\"[]", "letter", "lettered", "lettered[]", "letters"})
    void bytesThatNeedNotBeTextAreRefusedByAnOldSource(String type) throws SQLException {
        databases.atSource("DROP TABLE IF EXISTS bytes; CREATE TABLE bytes (id int PRIMARY KEY, t text, l " + type + ")");

        assertThatThrownBy(() -> bench.inspect("bytes", TableOptions.NONE))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("the column \"l\" of public.bytes holds values of type \"char\"");
    }

    @Test
    void bytesThatNeedNotBeTextAreRefusedByAnOldDestination() throws SQLException {
        // The other way round: the newest is the source.
        TwoDatabases.assumeNewest();
        var sources = new SourceTables(databases.destination, databases.pipeline);
        var destinations = new DestinationTables(
                databases.destination, databases.source, databases.schemas, databases.pipeline);
        var follow = new DefinitionFollow(databases.destination, databases.source, sources, databases.schemas,
                databases.pipeline, DroppedColumns.KEEP);
        var ledger = new Ledger(databases.source, databases.pipeline);
        await(ledger.create());
        databases.atDestination("CREATE TABLE with_bytes (id int PRIMARY KEY, l letter); "
                + "CREATE TABLE gets_bytes (id int PRIMARY KEY)");
        TableDefinition withBytes = await(sources.inspect(table("with_bytes")));
        await(ledger.openRun(withBytes.table(), RUN));

        assertThatThrownBy(() -> await(destinations.prepare(withBytes, TableOptions.NONE)))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("the column \"l\" of public.with_bytes holds values of type \"char\"");
        assertThat(databases.fromSource("SELECT to_regclass('with_bytes')")).isNull();

        TableDefinition getsBytes = await(sources.inspect(table("gets_bytes")));
        await(ledger.openRun(getsBytes.table(), RUN));
        await(destinations.prepare(getsBytes, TableOptions.NONE));
        await(follow.remember(getsBytes));
        databases.atDestination("ALTER TABLE gets_bytes ADD COLUMN l \"char\"[]");
        assertThatThrownBy(() -> await(follow.follow(getsBytes.table(), getsBytes.fingerprint())))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("the column \"l\" of public.gets_bytes holds values of type \"char\"");
    }

    @Test
    void aGeneratedColumnOfWhatDoesNotArriveIsRefused() throws SQLException {
        // Which columns it is computed from stands elsewhere in the catalogs since 15.
        databases.atSource("CREATE TABLE generated (id int PRIMARY KEY, n int, twice int GENERATED ALWAYS AS (n * 2) STORED)");

        assertThatThrownBy(() -> bench.inspect("generated", OptionsBench.options(NO, List.of("n"), NO, Map.of())))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("\"twice\" of public.generated is computed from \"n\"");
        assertThat(bench.inspect("generated", OptionsBench.options(NO, List.of("n", "twice"), NO, Map.of())).table())
                .isEqualTo(table("generated"));
    }
}
