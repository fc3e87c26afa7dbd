package dev.sluice.postgres;

import static dev.sluice.postgres.TwoDatabases.await;
import static dev.sluice.postgres.TwoDatabases.table;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.domain.Key;
import dev.sluice.domain.KeyBounds;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.StepResult;
import dev.sluice.domain.TableDefinition;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class SourceKeysIT {

    private static TwoDatabases databases;
    private static SourceTables tables;
    private static SourceKeys keys;

    @BeforeAll
    static void open() throws SQLException {
        databases = TwoDatabases.open();
        tables = new SourceTables(databases.source, databases.pipeline);
        keys = new SourceKeys(databases.source);
        databases.atSource("""
                CREATE TABLE one (id bigint PRIMARY KEY, t text);
                INSERT INTO one SELECT i * 10, 'x' FROM generate_series(1, 1000) i;
                CREATE TABLE empty (id int PRIMARY KEY);
                CREATE TABLE several (payload text, "No" int, tenant text, sub numeric, PRIMARY KEY (tenant, "No", sub));
                INSERT INTO several SELECT repeat('x', 100), i % 100, 'tenant ' || i % 7, i
                FROM generate_series(1, 20000) i;
                CREATE TABLE numbers (n numeric PRIMARY KEY);
                INSERT INTO numbers VALUES ('-Infinity'), (-1), (1.50), ('Infinity'), ('NaN');
                CREATE TABLE flags (flag boolean, id int, PRIMARY KEY (flag, id));
                INSERT INTO flags SELECT i > 2, i FROM generate_series(1, 4) i;
                """);
        databases.atSource("VACUUM ANALYZE several");
    }

    @AfterAll
    static void close() {
        databases.close();
    }

    private static TableDefinition definition(String name) {
        return await(tables.inspect(table(name)));
    }

    @Test
    void theHighestKeyComesWithASnapshotAndAPlaceInTheWal() throws SQLException {
        Lsn before = Lsn.parse(databases.fromSource("SELECT pg_current_wal_lsn()"));
        long committed = Long.parseLong(databases.fromSource("SELECT pg_current_xact_id()"));

        StepResult.Bounded bounded = await(keys.bounds(definition("several"), false));

        assertThat(bounded.highest()).contains(Key.of("tenant 6", "99", "19599"));
        assertThat(bounded.primary().isAtLeast(before)).isTrue();
        assertThat(bounded.snapshot().sees(committed)).isTrue();
    }

    @Test
    void anEmptyTableHasNoHighestKey() {
        assertThat(await(keys.bounds(definition("empty"), false)).highest()).isEmpty();
    }

    @Test
    void aPartBeginsBehindTheRowBeforeIt() {
        assertThat(part("one", List.of("25"), List.of("0040")))
                .as("25 is no row's key, and 0040 is 40 in other words")
                .isEqualTo(new KeyRange(Optional.of(Key.of("20")), Optional.of(Key.of("40"))));
        assertThat(part("one", List.of("30"), null)).isEqualTo(new KeyRange(Optional.of(Key.of("20")), Optional.empty()));
        assertThat(part("one", List.of("-5"), List.of("7")))
                .isEqualTo(new KeyRange(Optional.empty(), Optional.of(Key.of("7"))));
        assertThat(part("one", List.of("99999"), null))
                .isEqualTo(new KeyRange(Optional.of(Key.of("10000")), Optional.empty()));
        assertThat(part("empty", List.of("3"), List.of("3")))
                .isEqualTo(new KeyRange(Optional.empty(), Optional.of(Key.of("3"))));
        assertThat(part("several", List.of("tenant 1", "0", "0"), List.of("tenant 1", "0", "1e1")))
                .isEqualTo(new KeyRange(
                        Optional.of(Key.of("tenant 0", "99", "19999")), Optional.of(Key.of("tenant 1", "0", "10"))));
        assertThat(part("numbers", List.of("-Infinity"), List.of("NaN")))
                .isEqualTo(new KeyRange(Optional.empty(), Optional.of(Key.of("NaN"))));
        assertThat(part("flags", List.of("f", "2"), List.of("t", "3")))
                .isEqualTo(new KeyRange(Optional.of(Key.of("f", "1")), Optional.of(Key.of("t", "3"))));
    }

    @Test
    void boundsThatAreNoKeysAreRefusedAndSayWhatToDo() {
        assertRefused("one", List.of("1", "2"), null, "1 columns (id)");
        assertRefused("several", null, List.of("tenant 1"), "3 columns (tenant, No, sub)");
        assertRefused("one", List.of("first"), null, "are none of");
        assertRefused("one", null, List.of("99999999999999999999"), "are none of");
        assertRefused("one", List.of("20"), List.of("10"), "comes after the last");
    }

    private static KeyRange part(String table, List<String> from, List<String> to) {
        return await(keys.bounds(definition(table), new KeyBounds(Optional.ofNullable(from), Optional.ofNullable(to))))
                .part()
                .orElseThrow();
    }

    private static void assertRefused(String table, List<String> from, List<String> to, String reason) {
        assertThatThrownBy(() -> part(table, from, to))
                .isInstanceOfSatisfying(RefusedException.class, refused -> {
                    assertThat(refused.getMessage()).contains(reason);
                    assertThat(refused.fault().hint()).contains("keys", "cancel");
                });
    }

    @Test
    void theBoundsOfATableThatChangedWaitForAnotherInspection() throws SQLException {
        databases.atSource("CREATE TABLE changed (id int PRIMARY KEY)");
        TableDefinition definition = definition("changed");
        databases.atSource("ALTER TABLE changed ADD COLUMN t text");

        assertThatThrownBy(() -> await(keys.bounds(definition, false)))
                .isInstanceOf(KeyOrders.AlteredException.class);
    }

    @Test
    void theLockIsTakenBeforeTheSnapshot() throws SQLException {
        // TRUNCATE is not MVCC-safe: a snapshot taken before it sees an empty table afterwards (R7).
        databases.atSource("CREATE TABLE emptied (id int PRIMARY KEY); INSERT INTO emptied VALUES (1)");
        TableDefinition definition = definition("emptied");
        try (var writer = databases.connectToSource(); var statement = writer.createStatement()) {
            writer.setAutoCommit(false);
            statement.execute("TRUNCATE emptied; INSERT INTO emptied VALUES (2)");
            var bounds = keys.bounds(definition, false).subscribeAsCompletionStage();
            awaitLockWaiter("emptied");
            writer.commit();

            assertThat(bounds.join().highest()).contains(Key.of("2"));
        }
    }

    private static void awaitLockWaiter(String table) throws SQLException {
        long deadline = System.nanoTime() + 10_000_000_000L;
        while (!"1".equals(databases.fromSource("SELECT count(*) FROM pg_locks WHERE NOT granted "
                + "AND relation = '" + table + "'::regclass"))) {
            assertThat(System.nanoTime()).as("somebody waits for a lock on " + table).isLessThan(deadline);
            Thread.onSpinWait();
        }
    }

    @Test
    void boundariesRiseAndTheLastIsTheHighestKey() {
        TableDefinition definition = definition("one");
        Key highest = Key.of("10000");

        Planned first = await(keys.plan(definition, Optional.empty(), highest, 3, 300));
        Planned second = await(keys.plan(definition, Optional.of(first.boundaries().get(2)), highest, 3, 300));

        assertThat(first).isEqualTo(new Planned(List.of(Key.of("3000"), Key.of("6000"), Key.of("9000")), false));
        assertThat(second).isEqualTo(new Planned(List.of(highest), true));
    }

    @Test
    void aPlanThatEndsExactlyOnTheHighestKeyIsComplete() {
        Planned planned = await(keys.plan(definition("one"), Optional.empty(), Key.of("10000"), 2, 500));

        assertThat(planned).isEqualTo(new Planned(List.of(Key.of("5000"), Key.of("10000")), true));
    }

    @Test
    void aHighestKeyThatWasDeletedStillEndsThePlan() {
        Planned planned = await(keys.plan(definition("one"), Optional.of(Key.of("9990")), Key.of("10005"), 5, 500));

        assertThat(planned).isEqualTo(new Planned(List.of(Key.of("10005")), true));
        assertThat(await(keys.plan(definition("empty"), Optional.empty(), Key.of("7"), 5, 500)))
                .isEqualTo(new Planned(List.of(Key.of("7")), true));
    }

    @Test
    void aKeyOfSeveralColumnsIsCutInTheOrderOfTheKeyWithoutGapOrOverlap() throws SQLException {
        TableDefinition definition = definition("several");
        Key highest = await(keys.bounds(definition, false)).highest().orElseThrow();
        List<Key> boundaries = new ArrayList<>();
        boolean complete = false;
        while (!complete) {
            Optional<Key> after = boundaries.isEmpty()
                    ? Optional.empty()
                    : Optional.of(boundaries.get(boundaries.size() - 1));
            Planned planned = await(keys.plan(definition, after, highest, 4, 1_500));
            boundaries.addAll(planned.boundaries());
            complete = planned.complete();
        }

        assertThat(boundaries).hasSize(14).isSortedAccordingTo(TableDefinition.order(definition.key()).orElseThrow());
        assertThat(boundaries.get(13)).isEqualTo(highest);
        assertThat(databases.fromSource("SELECT count(*) FROM several WHERE (tenant, \"No\", sub) <= ('"
                        + String.join("', '", boundaries.get(9).values()) + "')"))
                .isEqualTo("15000");
    }

    @Test
    void numbersThatAreNoneHaveTheirPlace() {
        Planned planned = await(keys.plan(
                definition("numbers"), Optional.of(Key.of("-Infinity")), Key.of("NaN"), 10, 1));

        assertThat(planned)
                .isEqualTo(new Planned(List.of(Key.of("-1"), Key.of("1.50"), Key.of("Infinity"), Key.of("NaN")), true));
    }

    @Test
    void aBooleanIsWrittenAsCaptureWritesIt() {
        TableDefinition definition = definition("flags");
        Key highest = await(keys.bounds(definition, false)).highest().orElseThrow();

        Planned planned = await(keys.plan(definition, Optional.of(Key.of("f", "1")), highest, 10, 1));

        assertThat(planned).isEqualTo(new Planned(List.of(Key.of("f", "2"), Key.of("t", "3"), Key.of("t", "4")), true));
    }

    @Test
    void planningWalksTheIndexOnlyAndNoFurtherThanItMust() {
        TableDefinition definition = definition("several");
        Key highest = Key.of("tenant 6", "99", "19599");
        Key after = Key.of("tenant 2", "5", "0");
        String plan = await(databases.source.inTransaction(connection -> connection
                .query(SourceKeys.INDEX_WALK)
                .execute()
                .chain(() -> connection
                        .preparedQuery("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, BUFFERS OFF) "
                                + SourceKeys.planQuery(definition, true))
                        .execute(SourceKeys.planArguments(Optional.of(after), highest, 2, 500)))
                .map(rows -> {
                    var lines = new StringBuilder();
                    rows.forEach(row -> lines.append(row.getString(0)).append('\n'));
                    return lines.toString();
                })));

        assertThat(plan)
                .contains("Index Only Scan using several_pkey on several (actual rows=1000")
                .containsPattern("Index Cond: \\(\\(?ROW\\(.*<= ROW\\(.* AND \\(?ROW\\(.*> ROW\\(")
                .doesNotContain("Sort");
    }
}
