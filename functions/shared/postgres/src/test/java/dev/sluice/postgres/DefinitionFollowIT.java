package dev.sluice.postgres;

import static dev.sluice.postgres.TwoDatabases.await;
import static dev.sluice.postgres.TwoDatabases.table;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.domain.Change;
import dev.sluice.domain.Change.Cell;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Key;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableState;
import dev.sluice.postgres.ChangeApply.Standing;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** ALTER TABLE at the source, and what the destination's table and the ledger are afterwards. */
class DefinitionFollowIT {

    private static TwoDatabases databases;
    private static SourceTables sources;
    private static DestinationTables destinations;
    private static DefinitionFollow follow;
    private static DefinitionFollow dropping;
    private static ChangeApply apply;

    @BeforeAll
    static void open() {
        databases = TwoDatabases.open();
        sources = new SourceTables(databases.source, databases.pipeline);
        destinations = new DestinationTables(
                databases.source, databases.destination, databases.schemas, databases.pipeline);
        follow = following(DroppedColumns.KEEP);
        dropping = following(DroppedColumns.DROP);
        apply = new ChangeApply(databases.source, databases.destination, databases.ledger, databases.schemas);
    }

    private static DefinitionFollow following(DroppedColumns dropped) {
        return new DefinitionFollow(
                databases.source, databases.destination, sources, databases.schemas, databases.pipeline, dropped);
    }

    @AfterAll
    static void close() {
        databases.close();
    }

    /** A table with three rows, prepared, and its rows at the destination. */
    private static TableDefinition prepared(String name) throws SQLException {
        databases.atSource("CREATE TABLE " + name + " (id int PRIMARY KEY, v varchar(5) NOT NULL, n numeric(6,2), w text);"
                + "INSERT INTO " + name + " SELECT i, 'v' || i, i, 'w' || i FROM generate_series(1, 3) i");
        TableDefinition definition = prepare(name);
        databases.atDestination("INSERT INTO " + name + " SELECT i, 'v' || i, i, 'w' || i FROM generate_series(1, 3) i");
        return definition;
    }

    private static TableDefinition prepare(String name) {
        TableDefinition definition = await(sources.inspect(table(name)));
        await(databases.ledger.openRun(definition.table(), 1));
        await(destinations.prepare(definition, TableOptions.NONE));
        assertThat(await(follow.remember(definition))).isTrue();
        return definition;
    }

    private static String rows(String name, String columns) throws SQLException {
        return databases.fromDestination(
                "SELECT string_agg(concat_ws('|', " + columns + "), ' ' ORDER BY id) FROM " + name);
    }

    private static String columns(String name) throws SQLException {
        return databases.fromDestination("SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod) "
                + "|| CASE WHEN attnotnull THEN '!' ELSE '' END, ', ' ORDER BY attnum) FROM pg_attribute "
                + "WHERE attrelid = '" + name + "'::regclass AND attnum > 0 AND NOT attisdropped");
    }

    private static void assertFollowed(DefinitionFollow by, TableDefinition before) {
        Optional<String> followed = await(by.follow(before.table(), before.fingerprint()));
        TableDefinition now = await(sources.inspect(before.table()));
        assertThat(followed).contains(now.fingerprint());
        assertThat(await(apply.standing(before.table(), Optional.empty()))).isEqualTo(Standing.SETTLED);
        // A second one, or one whose answer was lost, finds nothing to be done.
        assertThat(await(by.follow(before.table(), before.fingerprint()))).contains(now.fingerprint());
    }

    private static Fault assertNotFollowed(TableDefinition before) {
        RefusedException refused = catchThrowableOfType(
                RefusedException.class, () -> await(follow.follow(before.table(), before.fingerprint())));
        assertThat(refused).as("the refusal").isNotNull();
        return refused.fault();
    }

    @Test
    void addedColumnsHaveTheValueThatOlderRowsHaveAtTheSource() throws SQLException {
        // A generated column writes the table anew, so it must not come with others.
        TableDefinition together = prepared("together");
        databases.atSource("ALTER TABLE together ADD COLUMN a int, ADD COLUMN f int GENERATED ALWAYS AS (id * 2) STORED");
        assertThat(assertNotFollowed(together).reason()).contains("\"a\" was added");

        TableDefinition definition = prepared("added");
        databases.atSource("ALTER TABLE added ADD COLUMN f int GENERATED ALWAYS AS (id * 2) STORED");
        assertFollowed(follow, definition);
        databases.atSource("ALTER TABLE added ADD COLUMN a2 int, ADD COLUMN b2 text NOT NULL DEFAULT E'it''s \\\\ so', "
                + "ADD COLUMN c2 int[] DEFAULT '{1,NULL,3}', ADD COLUMN d2 timestamptz DEFAULT now(), "
                + "ADD COLUMN e2 box DEFAULT '(1,1),(0,0)'; "
                + "ALTER TABLE added ALTER COLUMN a2 SET DEFAULT 9, ALTER COLUMN b2 SET DEFAULT 'another', "
                + "ALTER COLUMN c2 DROP DEFAULT");
        assertFollowed(follow, definition);
        databases.atDestination("INSERT INTO added (id, v) VALUES (4, 'old')");

        String older = "coalesce(a2::text, '-'), b2, c2, e2, f";
        assertThat(rows("added", older)).startsWith("-|it's \\ so|{1,NULL,3}|(1,1),(0,0)|2 ").contains(
                // An older INSERT that is still in the queue does not name the columns.
                " -|it's \\ so|{1,NULL,3}|(1,1),(0,0)|8");
        assertThat(databases.fromDestination("SELECT d2 AT TIME ZONE 'UTC' FROM added WHERE id = 1"))
                .isEqualTo(databases.fromSource("SELECT d2 AT TIME ZONE 'UTC' FROM added WHERE id = 1"));
    }

    @Test
    void aVolatileDefaultAndANumberedColumnAreNotFollowed() throws SQLException {
        TableDefinition definition = prepared("volatile");
        databases.atSource("ALTER TABLE volatile ADD COLUMN r float8 DEFAULT random()");
        assertThat(assertNotFollowed(definition).reason()).contains("\"r\" was added and the table written anew");

        TableDefinition numbered = prepared("numbered");
        databases.atSource("ALTER TABLE numbered ADD COLUMN s int GENERATED ALWAYS AS IDENTITY");
        assertThat(assertNotFollowed(numbered).reason()).contains("\"s\" was added and the table written anew");
        assertThat(columns("numbered")).doesNotContain("s ");
    }

    @Test
    void aDroppedColumnStaysAndTakesNull() throws SQLException {
        TableDefinition definition = prepared("kept");
        databases.atSource("ALTER TABLE kept DROP COLUMN v");

        assertFollowed(follow, definition);

        assertThat(columns("kept")).contains("v character varying(5),");
        assertThat(rows("kept", "v")).isEqualTo("v1 v2 v3");
        assertThat(named("kept", "v", "late")).as("it takes what the queue has for it").containsKey("v");
    }

    @Test
    void aDroppedColumnGoesAndWhatTheQueueHasForItIsLeftOut() throws SQLException {
        TableDefinition definition = prepared("gone");
        databases.atSource("ALTER TABLE gone DROP COLUMN v");

        assertFollowed(dropping, definition);

        assertThat(columns("gone")).isEqualTo("id integer!, n numeric(6,2), w text");
        assertThat(named("gone", "v", "late")).containsOnlyKeys("id");
        assertThat(named("gone", "unheard_of", "late")).as("only a column that is known to be dropped").hasSize(2);
    }

    @Test
    void aRenamedColumnIsKnownByItsOldName() throws SQLException {
        TableDefinition definition = prepared("renamed");
        databases.atSource("ALTER TABLE renamed RENAME COLUMN v TO \"V 2\"");

        assertFollowed(follow, definition);

        assertThat(rows("renamed", "\"V 2\"")).isEqualTo("v1 v2 v3");
        assertThat(named("renamed", "v", "late")).containsEntry("V 2", new Cell.Text("late"));
        databases.atSource("ALTER TABLE renamed ADD COLUMN v int");
        assertThat(assertNotFollowed(definition).reason()).contains("\"v\" was the name of another column");
    }

    @Test
    void whatTheQueueSaysIsStillKnownAfterAnotherPreparation() throws SQLException {
        TableDefinition definition = prepared("twice");
        databases.atSource("ALTER TABLE twice RENAME COLUMN v TO u");
        assertFollowed(follow, definition);

        prepare("twice");

        assertThat(named("twice", "v", "late")).containsKey("u");
    }

    @Test
    void aRowIsReadUnderTheNamesThatTheDestinationHas() throws SQLException {
        TableDefinition definition = prepared("crosswise");
        await(databases.ledger.startQueueAt(definition.table(), 1, "topic", 0));
        await(databases.ledger.closeRun(definition.table(), 1, TableState.Outcome.CUT_SHORT, 0));
        DestinationTable opened = await(apply.open(definition.table(), RunOptions.NONE));
        databases.atDestination("DELETE FROM crosswise WHERE id = 1");
        var read = new ChangeBatch(definition.table(), 1, Ledger.Applying.DRAINING, 0,
                new Ledger.Progress(1, Optional.empty()),
                List.of(new ChangeBatch.Move(Optional.of(Key.of("1")), Key.of("9"),
                        Map.of("id", new Cell.Text("9"), "v", Cell.UNCHANGED), OptionsBench.SEEN,
                        new Ledger.Progress(1, Optional.empty()))));

        // when two names are swapped that the destination has as they were
        databases.atSource("UPDATE crosswise SET id = 9 WHERE id = 1; ALTER TABLE crosswise ALTER v DROP NOT NULL");
        assertFollowed(follow, definition);
        databases.atSource("ALTER TABLE crosswise RENAME v TO x; ALTER TABLE crosswise RENAME w TO v; "
                + "ALTER TABLE crosswise RENAME x TO w");

        // then no value gets into the wrong column, whatever was known when the table was opened
        for (DestinationTable table : List.of(opened, await(apply.open(definition.table(), RunOptions.NONE)))) {
            RefusedException refused = catchThrowableOfType(RefusedException.class, () -> await(apply.apply(read, table)));
            assertThat(refused.fault().reason()).contains("the definition of public.crosswise changed at the source");
            assertThat(rows("crosswise", "v, w")).isEqualTo("v2|w2 v3|w3");
        }
        assertThat(await(apply.standing(definition.table(), Optional.empty()))).isEqualTo(Standing.BEHIND);

        databases.atSource("ALTER TABLE crosswise RENAME v TO x; ALTER TABLE crosswise RENAME w TO v; "
                + "ALTER TABLE crosswise RENAME x TO w");
        assertFollowed(follow, definition);
        await(apply.apply(read, await(apply.open(definition.table(), RunOptions.NONE))));
        assertThat(rows("crosswise", "v, w")).isEqualTo("v2|w2 v3|w3 v1|w1");
    }

    private static Map<String, Cell> named(String name, String column, String value) {
        Map<String, Cell> row = new LinkedHashMap<>();
        row.put("id", new Cell.Text("1"));
        row.put(column, new Cell.Text(value));
        var origin = new Change.Origin(Optional.empty(), new Lsn(1), 1);
        DestinationTable opened = await(apply.open(table(name), RunOptions.NONE));
        return ((Change.Upsert) opened.named(new Change.Upsert(origin, Key.of("1"), row, Optional.empty()))).row();
    }

    @Test
    void widerTypesAndNull() throws SQLException {
        TableDefinition definition = prepared("wide");
        databases.atSource("ALTER TABLE wide ALTER COLUMN v TYPE varchar(9), ALTER COLUMN v DROP NOT NULL, "
                + "ALTER COLUMN n TYPE numeric(9,2), ALTER COLUMN n SET NOT NULL, ALTER COLUMN w SET STATISTICS 5");

        assertFollowed(follow, definition);

        assertThat(columns("wide")).isEqualTo("id integer!, v character varying(9), n numeric(9,2), w text");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            bigger    | ALTER TABLE bigger ALTER COLUMN id TYPE bigint              | "id" was altered and the table written anew
            using     | ALTER TABLE "using" ALTER COLUMN w TYPE text USING upper(w) | "w" was altered and the table written anew
            narrow    | ALTER TABLE narrow ALTER COLUMN v TYPE varchar(4)           | "v" was altered and the table written anew
            rekeyed   | ALTER TABLE rekeyed DROP CONSTRAINT rekeyed_pkey, ADD PRIMARY KEY (v) | the key of the table was changed
            keynamed  | ALTER TABLE keynamed RENAME COLUMN id TO key                | the key's column "id" was renamed to "key"
            swapped   | ALTER TABLE swapped RENAME v TO x; ALTER TABLE swapped RENAME w TO v; ALTER TABLE swapped RENAME x TO w | was the name of another
            again     | ALTER TABLE again DROP COLUMN w, ADD COLUMN w text          | was the name of another
            briefly   | ALTER TABLE briefly ADD x varchar(9); ALTER TABLE briefly DROP x, ADD x int[] | may have been the name of a column that came
            """)
    void whatCannotBeFollowedChangesNothing(String name, String change, String reason) throws SQLException {
        TableDefinition definition = prepared(name.equals("using") ? "\"using\"" : name);
        String before = columns(TableName.quote(name));

        databases.atSource(change);

        Fault fault = assertNotFollowed(definition);
        assertThat(fault.reason()).contains(reason);
        assertThat(fault.hint()).contains("send retry");
        assertThat(columns(TableName.quote(name))).isEqualTo(before);
    }

    @Test
    void newStorageIsFollowedAndKnownWhenAColumnIsAlteredLater() throws SQLException {
        TableDefinition definition = prepared("vacuumed");
        databases.atSource("ALTER TABLE vacuumed ADD COLUMN a int DEFAULT 5");
        assertFollowed(follow, definition);
        for (String storage : new String[] {"VACUUM FULL vacuumed", "CLUSTER vacuumed USING vacuumed_pkey",
                "TRUNCATE vacuumed"}) {
            databases.atSource(storage);
            assertFollowed(follow, definition);
            databases.atSource("ALTER TABLE vacuumed ALTER COLUMN w SET STATISTICS "
                    + Math.floorMod(storage.hashCode(), 100));
            assertFollowed(follow, definition);
        }

        databases.atSource("ALTER TABLE vacuumed ALTER COLUMN a TYPE int USING a + 1");

        assertThat(assertNotFollowed(definition).reason()).contains("\"a\" was altered");
    }

    @Test
    void aColumnThatWasMadeBeforehandIsTakenIfItIsEmpty() throws SQLException {
        TableDefinition empty = prepared("beforehand");
        databases.atDestination("ALTER TABLE beforehand ADD COLUMN a int");
        databases.atSource("ALTER TABLE beforehand ADD COLUMN a int");
        assertFollowed(follow, empty);

        TableDefinition filled = prepared("filled");
        databases.atDestination("ALTER TABLE filled ADD COLUMN a int DEFAULT 1");
        databases.atSource("ALTER TABLE filled ADD COLUMN a int");
        assertThat(assertNotFollowed(filled).reason()).contains("values or a default of its own");
    }

    @Test
    void ofAPartitionedTableThePartitionsTell() throws SQLException {
        databases.atSource("CREATE TABLE parted (id int PRIMARY KEY, w text) PARTITION BY RANGE (id);"
                + "CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (10);"
                + "CREATE TABLE parted_high PARTITION OF parted FOR VALUES FROM (10) TO (20);"
                + "INSERT INTO parted VALUES (1, 'a'), (11, 'b')");
        TableDefinition definition = prepare("parted");
        databases.atDestination("INSERT INTO parted VALUES (1, 'a'), (11, 'b')");
        databases.atSource("ALTER TABLE parted ADD COLUMN a int DEFAULT 5; ALTER TABLE parted ALTER COLUMN a DROP DEFAULT");

        assertFollowed(follow, definition);

        assertThat(rows("parted", "id, a")).isEqualTo("1|5 11|5");
        databases.atSource("ALTER TABLE parted ALTER COLUMN w TYPE text USING upper(w)");
        assertThat(assertNotFollowed(definition).reason()).contains("\"w\" was altered");
    }

    @Test
    void partitionsThatCameInTheMeantimeAreNoRewrite() throws SQLException {
        databases.atSource("CREATE TABLE growing (id int PRIMARY KEY, w varchar(5), gone text) PARTITION BY RANGE (id)");
        TableDefinition definition = prepare("growing");
        databases.atSource("CREATE TABLE growing_1 PARTITION OF growing FOR VALUES FROM (0) TO (10);"
                + "INSERT INTO growing VALUES (1, 'a'); ALTER TABLE growing ADD COLUMN a int DEFAULT 5;"
                + "CREATE TABLE growing_2 PARTITION OF growing FOR VALUES FROM (10) TO (20);"
                + "INSERT INTO growing (id, w) VALUES (11, 'b')");
        databases.atDestination("INSERT INTO growing VALUES (1, 'a')");
        assertFollowed(follow, definition);
        assertThat(rows("growing", "id, a")).as("what is older than the column, and nothing else").isEqualTo("1|5");
        databases.atDestination("INSERT INTO growing (id, w, a) VALUES (11, 'b', 5)");

        // From here on the older rows of the partitions have different values in the first column that was added.
        databases.atSource("CREATE TABLE growing_3 (LIKE growing INCLUDING ALL); ALTER TABLE growing ATTACH PARTITION "
                + "growing_3 DEFAULT; ALTER TABLE growing ADD COLUMN b text NOT NULL DEFAULT 'x', DROP COLUMN gone, "
                + "ALTER COLUMN w TYPE varchar(9), ALTER COLUMN a DROP NOT NULL");
        assertFollowed(follow, definition);
        databases.atSource("CREATE TABLE growing_4 PARTITION OF growing FOR VALUES FROM (20) TO (30);"
                + "ALTER TABLE growing RENAME COLUMN w TO v");
        assertFollowed(follow, definition);

        assertThat(rows("growing", "id, v, a, b")).isEqualTo("1|a|5|x 11|b|5|x");
        assertThat(columns("growing")).contains("v character varying(9)");
        databases.atSource("ALTER TABLE growing ALTER COLUMN b TYPE text USING b || id");
        assertThat(assertNotFollowed(definition).reason()).contains("\"b\" was altered and the table written anew");
    }

    @Test
    void aRewriteOfPartitionsThatNobodyHadSeenIsNoticed() throws SQLException {
        databases.atSource("CREATE TABLE unseen (id int PRIMARY KEY) PARTITION BY RANGE (id)");
        TableDefinition definition = prepare("unseen");
        databases.atSource("CREATE TABLE unseen_1 PARTITION OF unseen DEFAULT; INSERT INTO unseen VALUES (1);"
                + "ALTER TABLE unseen ADD COLUMN r float8 DEFAULT random()");

        assertThat(assertNotFollowed(definition).reason()).contains("\"r\" was added and the table written anew");
    }

    @Test
    void olderRowsThatDifferByPartitionAreNotGuessed() throws SQLException {
        databases.atSource("CREATE TABLE mixed (id int PRIMARY KEY) PARTITION BY RANGE (id);"
                + "CREATE TABLE mixed_1 PARTITION OF mixed FOR VALUES FROM (0) TO (10); INSERT INTO mixed VALUES (1);"
                + "CREATE TABLE mixed_2 (id int PRIMARY KEY)");
        TableDefinition definition = prepare("mixed");
        databases.atSource("ALTER TABLE mixed_2 ADD COLUMN a int DEFAULT 7; ALTER TABLE mixed ADD COLUMN a int DEFAULT 5;"
                + "ALTER TABLE mixed ATTACH PARTITION mixed_2 FOR VALUES FROM (10) TO (20)");

        assertThat(assertNotFollowed(definition).reason()).contains("\"a\" was added, and older rows of one partition");
    }

    @Test
    void whatAnEarlierVersionKeptOfThePartitionsIsStillUnderstood() throws SQLException {
        databases.atSource("CREATE TABLE upgraded (id int PRIMARY KEY, w text) PARTITION BY RANGE (id);"
                + "CREATE TABLE upgraded_1 PARTITION OF upgraded FOR VALUES FROM (0) TO (10);"
                + "CREATE TABLE upgraded_2 PARTITION OF upgraded FOR VALUES FROM (10) TO (20); TRUNCATE upgraded_1");
        TableDefinition definition = prepare("upgraded");
        databases.atDestination("UPDATE " + TableName.quote(databases.pipeline.ledgerSchema())
                + ".tables SET definition = definition || jsonb_build_object('storage', '"
                + databases.fromSource("SELECT string_agg(relfilenode::text, ' ' ORDER BY oid) FROM pg_class "
                        + "WHERE relname IN ('upgraded_1', 'upgraded_2')")
                + "') WHERE table_name = 'public.upgraded'");
        databases.atSource("ALTER TABLE upgraded ADD COLUMN a int DEFAULT 1");

        assertFollowed(follow, definition);

        databases.atSource("ALTER TABLE upgraded ALTER COLUMN w TYPE text USING upper(w)");
        assertThat(assertNotFollowed(definition).reason()).contains("\"w\" was altered");
    }

    @Test
    void aTypeOfTheSourcesOwnIsMadeAndOneOfAnExtensionIsRefused() throws SQLException {
        TableDefinition definition = prepared("typed");
        databases.atSource("CREATE TYPE mood_of_follow AS ENUM ('good'); CREATE EXTENSION citext; "
                + "ALTER TABLE typed ADD COLUMN m mood_of_follow[]");

        assertFollowed(follow, definition);
        assertThat(columns("typed")).contains("m mood_of_follow[]");

        databases.atSource("ALTER TABLE typed ADD COLUMN c citext");
        assertThat(assertNotFollowed(definition).hint()).contains("CREATE EXTENSION IF NOT EXISTS citext");
    }

    @Test
    void aTableThatIsInUseIsFollowedLater() throws SQLException {
        TableDefinition definition = prepared("busy");
        databases.atSource("ALTER TABLE busy ADD COLUMN a int");
        try (Connection reader = databases.connectToDestination();
                var statement = reader.createStatement()) {
            reader.setAutoCommit(false);
            statement.execute("SELECT * FROM busy");

            Throwable failure = catchThrowable(
                    () -> await(follow.follow(definition.table(), definition.fingerprint())));

            assertThat(SqlFaults.fault(failure, "").kind()).isEqualTo(Fault.Kind.FAULTY);
            assertThat(await(apply.standing(definition.table(), Optional.empty()))).isEqualTo(Standing.BEHIND);
        }
        DestinationTable opened = await(apply.open(definition.table(), RunOptions.NONE));
        assertFollowed(follow, definition);
        assertThat(await(apply.standing(definition.table(), Optional.of(opened)))).isEqualTo(Standing.FOLLOWED);
    }

    @Test
    void aTableThatTheLedgerDoesNotHaveIsLeftAlone() throws SQLException {
        databases.atSource("CREATE TABLE unknown_here (id int PRIMARY KEY)");

        assertThat(await(follow.follow(table("unknown_here"), "any"))).isEmpty();
    }

    @Test
    void aRunOfAnEarlierVersionIsMadeUpForWhileNothingHasChanged() throws SQLException {
        TableDefinition definition = prepared("earlier");
        databases.atDestination("UPDATE " + TableName.quote(databases.pipeline.ledgerSchema())
                + ".tables SET definition = NULL WHERE table_name = 'public.earlier'");
        assertFollowed(follow, definition);
        databases.atSource("ALTER TABLE earlier ADD COLUMN a int");
        assertFollowed(follow, definition);

        TableDefinition altered = prepared("altered_since");
        databases.atDestination("UPDATE " + TableName.quote(databases.pipeline.ledgerSchema())
                + ".tables SET definition = NULL WHERE table_name = 'public.altered_since'");
        databases.atSource("ALTER TABLE altered_since ADD COLUMN a int");
        assertThat(assertNotFollowed(altered).reason()).contains("does not know what it was");
    }

    @Test
    void aLedgerOfAnEarlierVersionGetsTheColumn() throws SQLException {
        databases.atDestination("CREATE SCHEMA old_ledger; CREATE TABLE old_ledger.tables (table_name text PRIMARY KEY, "
                + "run bigint NOT NULL, applying text NOT NULL, topic_id text, position bigint, queue_run bigint, "
                + "mark_commit_before pg_lsn, mark_lsn pg_lsn)");

        databases.atDestination("ALTER SCHEMA old_ledger RENAME TO old_ledger2; ALTER SCHEMA old_ledger2 RENAME TO oldone_ledger");
        await(new Ledger(databases.destination, new dev.sluice.domain.Pipeline("oldone")).create());

        assertThat(columns("oldone_ledger.tables")).contains("definition jsonb");
    }

    @Test
    void aNewBackfillFitsATableThatSluiceMade() throws SQLException {
        prepared("refit");
        databases.atSource("ALTER TABLE refit DROP COLUMN v, ADD COLUMN a int DEFAULT 3 NOT NULL, "
                + "ADD COLUMN g int GENERATED ALWAYS AS (id + 1) STORED, ALTER COLUMN n TYPE numeric, "
                + "ALTER COLUMN id TYPE bigint");

        prepare("refit");

        assertThat(columns("refit")).isEqualTo(
                "id bigint!, v character varying(5), n numeric, w text, a integer, g integer");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            retype_made | ALTER TABLE retype_made ALTER COLUMN n TYPE date USING now()::date | DROP COLUMN "n"
            rekey_made  | ALTER TABLE rekey_made DROP CONSTRAINT rekey_made_pkey, ADD PRIMARY KEY (v) | DROP TABLE "public"."rekey_made"
            """)
    void whereATableThatSluiceMadeCannotBeFittedTheHintWorks(String name, String change, String statement)
            throws SQLException {
        prepared(name);
        databases.atSource(change);

        RefusedException refused = catchThrowableOfType(RefusedException.class, () -> prepare(name));

        assertThat(refused.fault().hint()).contains(statement);
        String hint = refused.fault().hint();
        databases.atDestination(hint.substring("run ".length(), hint.indexOf(" at the destination")));
        prepare(name);
    }

    @Test
    void aTableOfTheUsersIsFollowedButNotFitted() throws SQLException {
        databases.atSource("CREATE TABLE users_own (id int PRIMARY KEY)");
        databases.atDestination("CREATE TABLE users_own (id int PRIMARY KEY, own text)");
        TableDefinition definition = prepare("users_own");
        databases.atSource("ALTER TABLE users_own ADD COLUMN a int");
        assertFollowed(follow, definition);
        databases.atSource("ALTER TABLE users_own ADD COLUMN b int");

        RefusedException refused = catchThrowableOfType(RefusedException.class, () -> prepare("users_own"));

        assertThat(columns("users_own")).isEqualTo("id integer!, own text, a integer");
        assertThat(refused.fault().hint()).contains("ADD COLUMN \"b\" integer");
    }
}
