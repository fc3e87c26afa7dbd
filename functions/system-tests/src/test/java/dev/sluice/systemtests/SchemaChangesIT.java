package dev.sluice.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Command;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Step;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * ALTER TABLE in every phase, with the writer going on: what can be followed is followed in the same run, and what cannot
 * makes the table Failed with what to do, after which it is equal. Only while a table is prepared, nothing of it is copied
 * yet: there only another name fails it.
 */
class SchemaChangesIT {

    /** @param assignment what the writer sets once the change is made; null: nothing new */
    private record Change(String name, String sql, String assignment) {}

    private static final String PARTITIONED = "parts";

    private static final List<Change> FOLLOWED = List.of(
            new Change("add", "ALTER TABLE $t ADD COLUMN added int", "added = id"),
            new Change(
                    "fill",
                    "ALTER TABLE $t ADD COLUMN filled text NOT NULL DEFAULT 'it''s given'; "
                            + "ALTER TABLE $t ALTER COLUMN filled SET DEFAULT 'another'",
                    "filled = 'set'"),
            new Change("drop", "ALTER TABLE $t DROP COLUMN gone", null),
            new Change("rename", "ALTER TABLE $t RENAME COLUMN old TO renamed", "renamed = 'set'"),
            new Change(
                    "widen",
                    "ALTER TABLE $t ALTER COLUMN short TYPE varchar(30), ALTER COLUMN amount TYPE numeric(9,2)",
                    "short = 'longer than it was before', amount = 1234567.89"),
            new Change("loosen", "ALTER TABLE $t ALTER COLUMN v DROP NOT NULL", "v = NULL"),
            // A partition that came since, and one that comes after the column; then another change in a row.
            new Change(
                    PARTITIONED,
                    "CREATE TABLE $t_3 PARTITION OF $t FOR VALUES FROM (1000000) TO (2000000); "
                            + "INSERT INTO $t (id, v) VALUES (1000000, 'older than the column'); "
                            + "ALTER TABLE $t ADD COLUMN added int NOT NULL DEFAULT 5, DROP COLUMN gone, "
                            + "ALTER COLUMN short TYPE varchar(30); "
                            + "CREATE TABLE $t_4 PARTITION OF $t FOR VALUES FROM (2000000) TO (3000000); "
                            + "INSERT INTO $t (id, v, added) VALUES (2000000, 'younger', 6); "
                            + "ALTER TABLE $t ADD COLUMN more text DEFAULT 'm'",
                    "added = id, more = v, short = 'longer than it was before'"));

    private static final List<Change> HARMLESS = List.of(
            new Change("vacuum", "VACUUM FULL $t", null),
            new Change("cluster", "CLUSTER $t USING $k", null),
            new Change("comment", "COMMENT ON COLUMN $t.v IS 'nothing'; CREATE INDEX ON $t (v)", null));

    /**
     * What cannot be followed.
     *
     * @param assignment what the writer sets once the change is made; null: nothing new
     * @param reason what the table's failure says
     */
    private record Obstacle(String name, String sql, String assignment, String reason) {}

    /** What is written under the new name must not stop the capture of the others. */
    private static final Obstacle AWAY = new Obstacle(
            "away",
            "ALTER TABLE $t RENAME TO $n_away; UPDATE public.$n_away SET v = 'x' WHERE id % 7 = 0",
            null,
            "is called");

    private static final Obstacle KEY_NAME =
            new Obstacle("keyname", "ALTER TABLE $t RENAME COLUMN id TO key", null, "the key's column");

    /** Met in each phase. */
    private static final List<Obstacle> OBSTACLES = List.of(
            new Obstacle(
                    "narrow",
                    "ALTER TABLE $t ALTER COLUMN short TYPE varchar(8)",
                    "short = left('too long for it', 5 + id % 7)",
                    "\"short\" was altered"),
            new Obstacle(
                    "rekey",
                    "ALTER TABLE $t DROP CONSTRAINT $n_pkey, ADD COLUMN k int NOT NULL DEFAULT 1, ADD PRIMARY KEY (id, k)",
                    "k = id % 3",
                    "the key"),
            AWAY,
            KEY_NAME);

    private static SluiceStack stack;

    @BeforeAll
    static void start() {
        stack = SluiceStack.start(
                "alter",
                Map.of(
                        "sluice.scheduler.chunk-rows", "500",
                        "sluice.scheduler.chunks-per-table", "1",
                        // All tables of a test at once: none streams before the last has begun.
                        "sluice.scheduler.concurrency", "16",
                        "sluice.scheduler.watch-interval", "1s"));
    }

    @AfterAll
    static void stop() throws Exception {
        stack.close();
    }

    private static Map<Obstacle, AlteredTable> createInTheWay(String phase, List<Obstacle> obstacles, int rows)
            throws SQLException {
        Map<Obstacle, AlteredTable> tables = new LinkedHashMap<>();
        for (Obstacle obstacle : obstacles) {
            tables.put(obstacle, AlteredTable.create(stack, "public." + phase + "_" + obstacle.name(), rows));
        }
        stack.add(tables.values().stream().map(table -> table.name).toArray(String[]::new));
        return tables;
    }

    private static void make(Obstacle obstacle, AlteredTable table) throws SQLException {
        String sql = obstacle.sql().replace("$n", simple(table.name));
        if (obstacle == KEY_NAME) {
            table.alterKey(sql, "key");
        } else {
            table.alter(sql, obstacle.assignment());
        }
    }

    private static String simple(String name) {
        return TableName.parse(name).name();
    }

    private static Map<Change, AlteredTable> create(String phase, List<Change> changes, int rows) throws SQLException {
        Map<Change, AlteredTable> tables = new LinkedHashMap<>();
        for (Change change : changes) {
            String name = "public." + phase + "_" + change.name();
            tables.put(change, AlteredTable.create(stack, name, rows, change.name().equals(PARTITIONED)));
        }
        stack.add(tables.values().stream().map(table -> table.name).toArray(String[]::new));
        return tables;
    }

    private static void make(Change change, AlteredTable table) throws SQLException {
        String[] statements = change.sql().split("; ");
        for (int i = 0; i < statements.length; i++) {
            table.alter(
                    statements[i].replace("$k", table.name.replace("public.", "") + "_pkey"),
                    i == statements.length - 1 ? change.assignment() : null);
        }
    }

    private interface Alteration {
        void make() throws SQLException;
    }

    /** Makes each change when its table is halfway. */
    private static void makeHalfway(Map<AlteredTable, Alteration> alterations) {
        List<AlteredTable> waiting = new ArrayList<>(alterations.keySet());
        SluiceStack.awaitTrue("each table is altered halfway", SluiceStack.LONG, () -> {
            waiting.removeIf(table -> isHalfway(table) && isMade(alterations.get(table)));
            return waiting.isEmpty();
        });
    }

    private static boolean isMade(Alteration alteration) {
        try {
            alteration.make();
            return true;
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    private static boolean isHalfway(AlteredTable table) {
        return stack.table(table.name)
                .filter(it -> it.state() instanceof TableState.Backfilling backfilling
                        && backfilling.plan().chunksCopied() > 2)
                .isPresent();
    }

    private static String fingerprint(AlteredTable table) {
        return stack.table(table.name).orElseThrow().captured().orElseThrow().fingerprint();
    }

    private static List<Change> all() {
        List<Change> all = new ArrayList<>(FOLLOWED);
        all.addAll(HARMLESS);
        return all;
    }

    @Test
    void duringTheBackfillItGoesOnInTheSameRunOrFails() throws Exception {
        Map<Change, AlteredTable> tables = create("backfill", all(), 20_000);
        Map<Obstacle, AlteredTable> inTheWay = createInTheWay("backfill", OBSTACLES, 20_000);
        Map<AlteredTable, Alteration> alterations = new LinkedHashMap<>();
        tables.forEach((change, table) -> alterations.put(table, () -> make(change, table)));
        inTheWay.forEach((obstacle, table) -> alterations.put(table, () -> make(obstacle, table)));
        makeHalfway(alterations);

        failWithWhatToDo(inTheWay);
        for (AlteredTable table : inTheWay.values()) {
            assertThat(stack.history().stream()
                            .filter(record -> record.table().equals(TableName.parse(table.name)))
                            .map(TableRecord::state)
                            .takeWhile(state -> !(state instanceof TableState.Failed)))
                    .as("states of %s before it failed", table.name)
                    .noneMatch(state -> state instanceof TableState.Completing);
        }
        areEqualAfterIt(inTheWay);
        for (AlteredTable table : tables.values()) {
            stack.awaitStreaming(table.name);
            table.assertEqual();
            assertThat(stack.history().stream()
                            .filter(record -> record.table().equals(TableName.parse(table.name)))
                            .map(record -> record.state().run())
                            .distinct())
                    .as("runs of %s", table.name)
                    .hasSize(1);
        }
        for (Change change : FOLLOWED) {
            TableName name = TableName.parse(tables.get(change).name);
            assertThat(stack.history().stream()
                            .filter(record -> record.table().equals(name))
                            .map(TableRecord::state)
                            .filter(TableState.Backfilling.class::isInstance)
                            .map(state -> ((TableState.Backfilling) state).inspected().fingerprint())
                            .distinct())
                    .as("definitions under which chunks of %s were copied", name)
                    .hasSizeGreaterThan(1);
        }
    }

    @Test
    void whileTheQueueWaitsToBeDrained() throws Exception {
        Map<Change, AlteredTable> tables = create("drain", all(), 20_000);
        Map<Obstacle, AlteredTable> inTheWay = createInTheWay("drain", OBSTACLES, 20_000);
        for (AlteredTable table : together(tables, inTheWay)) {
            stack.await(table.name, SluiceStack.LONG, it -> it.state() instanceof TableState.Backfilling);
        }
        // Without capture no watermark is passed.
        stack.debezium().kill();
        try {
            for (AlteredTable table : together(tables, inTheWay)) {
                stack.await(table.name, SluiceStack.LONG, it -> it.state() instanceof TableState.Draining);
            }
            for (Obstacle obstacle : OBSTACLES) {
                make(obstacle, inTheWay.get(obstacle));
            }
            alterWhileDraining(tables);
            failWithWhatToDo(inTheWay);
        } finally {
            stack.debezium().restart();
        }

        for (AlteredTable table : tables.values()) {
            stack.awaitStreaming(table.name);
            table.assertEqual();
        }
        areEqualAfterIt(inTheWay);
    }

    private static List<AlteredTable> together(Map<Change, AlteredTable> some, Map<Obstacle, AlteredTable> others) {
        List<AlteredTable> all = new ArrayList<>(some.values());
        all.addAll(others.values());
        return all;
    }

    private static void alterWhileDraining(Map<Change, AlteredTable> tables) throws SQLException {
        for (Change change : tables.keySet()) {
            AlteredTable table = tables.get(change);
            String before = fingerprint(table);
            make(change, table);
            if (FOLLOWED.contains(change)) {
                stack.await(table.name, SluiceStack.LONG, it -> it.state() instanceof TableState.Draining
                        && it.captured().filter(now -> !now.fingerprint().equals(before)).isPresent());
            }
        }
    }

    @Test
    void whileTheTableStreams() throws Exception {
        Map<Change, AlteredTable> tables = create("stream", all(), 2_000);
        for (AlteredTable table : tables.values()) {
            stack.awaitStreaming(table.name);
        }
        for (Change change : tables.keySet()) {
            make(change, tables.get(change));
        }

        for (AlteredTable table : tables.values()) {
            table.assertEqual();
            assertThat(stack.table(table.name).orElseThrow().state()).isInstanceOf(TableState.Streaming.class);
        }
        assertThat(stack.one(
                        stack.destination(),
                        "SELECT count(*) > 0 FROM public.stream_drop WHERE gone LIKE 'gone%'"))
                .as("a dropped column stays at the destination")
                .contains("t");
    }

    @Test
    void severalInARowOnOneTable() throws Exception {
        try (AlteredTable table = AlteredTable.create(stack, "public.several", 2_000)) {
            stack.add(table.name);
            stack.awaitStreaming(table.name);
            table.alter("ALTER TABLE $t ADD COLUMN a int DEFAULT 1", "a = id");
            table.alter("ALTER TABLE $t RENAME COLUMN old TO older", "older = 'x'");
            // Both within one look would be like an ALTER that wrote the rows anew.
            SluiceStack.awaitTrue("both are followed", SluiceStack.LONG, () -> hasAtDestination("older"));
            table.alter("VACUUM FULL $t", "older = 'y'");
            table.assertEqual();

            table.write();
            table.alter("ALTER TABLE $t RENAME COLUMN older TO oldest", "oldest = 'z'");
            table.alter("ALTER TABLE $t DROP COLUMN a", null);
            table.assertEqual();
        }
    }

    private static boolean hasAtDestination(String column) {
        try {
            return stack.one(
                            stack.destination(),
                            "SELECT 1 FROM pg_attribute WHERE attrelid = 'public.several'::regclass AND attname = '"
                                    + column + "'")
                    .isPresent();
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void whatCannotBeFollowedWhileTheTableStreamsFailsWithWhatToDoAndThenIsEqual() throws Exception {
        List<Obstacle> obstacles = new ArrayList<>(OBSTACLES);
        obstacles.add(new Obstacle(
                "bigger", "ALTER TABLE $t ALTER COLUMN id TYPE bigint", "big = 'after'", "\"id\" was altered"));
        obstacles.add(new Obstacle(
                "using", "ALTER TABLE $t ALTER COLUMN v TYPE text USING upper(v)", null, "\"v\" was altered"));
        obstacles.add(new Obstacle(
                "volatile", "ALTER TABLE $t ADD COLUMN r float8 DEFAULT random()", "r = 0.5", "\"r\" was added"));
        obstacles.add(new Obstacle(
                "readd", "ALTER TABLE $t DROP COLUMN old, ADD COLUMN old int", "old = id", "the name of another column"));
        Map<Obstacle, AlteredTable> tables = createInTheWay("stream", obstacles, 2_000);
        for (AlteredTable table : tables.values()) {
            stack.awaitStreaming(table.name);
        }
        for (Obstacle obstacle : obstacles) {
            make(obstacle, tables.get(obstacle));
        }

        failWithWhatToDo(tables);
        areEqualAfterIt(tables);
    }

    @Test
    void whileTheTableIsPreparedOnlyAnotherNameFailsIt() throws Exception {
        Map<Obstacle, AlteredTable> tables;
        try (Connection older = stack.source(); Statement statement = older.createStatement()) {
            older.setAutoCommit(false);
            statement.execute("SELECT pg_current_xact_id()");
            tables = createInTheWay("prepare", OBSTACLES, 2_000);
            for (AlteredTable table : tables.values()) {
                stack.await(table.name, SluiceStack.LONG, it -> it.state() instanceof TableState.Preparing preparing
                        && preparing.step() == Step.BARRIER);
            }
            for (Obstacle obstacle : OBSTACLES) {
                make(obstacle, tables.get(obstacle));
            }
            older.rollback();
        }

        // Nothing of it is captured yet: it is looked for by its name, and is not there.
        String away = tables.get(AWAY).name;
        assertThat(stack.awaitFailed(away).fault().reason()).contains("the source has no table");
        stack.onSource("ALTER TABLE " + away + "_away RENAME TO " + simple(away));
        stack.send(new Command.Retry(TableName.parse(away)));
        stack.awaitTrueState(away, state -> !(state instanceof TableState.Failed));
        areEqualAfterIt(tables);
    }

    private static void failWithWhatToDo(Map<Obstacle, AlteredTable> tables) {
        tables.forEach((obstacle, table) -> {
            Fault fault = stack.awaitFailed(table.name).fault();
            assertThat(fault.reason()).as(table.name).contains(obstacle.reason());
            assertThat(fault.hint()).as("what to do about %s", table.name).isNotBlank();
        });
    }

    /** The writer goes on until the table streams again, and some more. */
    private static void areEqualAfterIt(Map<Obstacle, AlteredTable> tables) throws SQLException {
        for (AlteredTable table : tables.values()) {
            if (stack.table(table.name).orElseThrow().state() instanceof TableState.Failed failed) {
                doWhatItSays(table.name, failed.fault());
            }
        }
        for (AlteredTable table : tables.values()) {
            doWhatItSaysUntilItStreams(table.name);
            table.awaitWrites();
            table.assertEqual();
        }
    }

    /** It may say more than one thing to do, one after the other. */
    private static void doWhatItSaysUntilItStreams(String name) {
        SluiceStack.awaitTrue(name + " streams again", SluiceStack.LONG, () -> {
            TableState state = stack.table(name).orElseThrow().state();
            if (state instanceof TableState.Failed failed) {
                doWhatItSays(name, failed.fault());
            }
            return state instanceof TableState.Streaming;
        });
    }

    private static void doWhatItSays(String name, Fault fault) {
        String hint = fault.hint();
        try {
            if (hint.startsWith("run ")) {
                stack.onDestination(hint.substring("run ".length(), hint.indexOf(" at the destination")));
            }
            if (hint.startsWith("rename it back")) {
                stack.onSource("ALTER TABLE " + name + "_away RENAME TO " + simple(name));
                stack.send(new Command.Backfill(TableName.parse(name)));
            } else {
                assertThat(hint).as("what to do about %s", name).contains("send retry");
                stack.send(new Command.Retry(TableName.parse(name)));
            }
        } catch (SQLException e) {
            throw new AssertionError("what «" + hint + "» says cannot be done", e);
        }
        stack.awaitTrueState(name, state -> !(state instanceof TableState.Failed same) || !same.fault().equals(fault));
    }
}
