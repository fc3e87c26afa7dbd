package dev.sluice.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Command;
import dev.sluice.domain.Fault;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * ALTER TABLE in every phase: with the writer going on, what can be followed is followed in the same run. What cannot makes
 * the table Failed with what to do, after which it is equal; there, the writer has ended before.
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

    private static SluiceStack stack;

    @BeforeAll
    static void start() {
        stack = SluiceStack.start(
                "alter",
                Map.of(
                        "sluice.scheduler.chunk-rows", "500",
                        "sluice.scheduler.chunks-per-table", "1",
                        // All tables of a test at once: none streams before the last has begun.
                        "sluice.scheduler.concurrency", "12",
                        "sluice.scheduler.watch-interval", "1s"));
    }

    @AfterAll
    static void stop() throws Exception {
        stack.close();
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

    private static boolean isMade(Change change, AlteredTable table) {
        try {
            make(change, table);
            return true;
        } catch (SQLException e) {
            throw new AssertionError(change + " failed", e);
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
    void duringTheBackfillItGoesOnInTheSameRun() throws Exception {
        Map<Change, AlteredTable> tables = create("backfill", all(), 20_000);
        List<Change> waiting = new ArrayList<>(tables.keySet());
        SluiceStack.awaitTrue("each table is altered halfway", SluiceStack.LONG, () -> {
            waiting.removeIf(change -> isHalfway(tables.get(change)) && isMade(change, tables.get(change)));
            return waiting.isEmpty();
        });

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
        AlteredTable narrowed = AlteredTable.create(stack, "public.drain_narrow", 20_000);
        Map<Change, AlteredTable> tables = create("drain", all(), 20_000);
        stack.add(narrowed.name);
        for (AlteredTable table : tables.values()) {
            stack.await(table.name, SluiceStack.LONG, it -> it.state() instanceof TableState.Backfilling);
        }
        stack.await(narrowed.name, SluiceStack.LONG, it -> it.state() instanceof TableState.Backfilling);
        // Without capture no watermark is passed.
        stack.debezium().kill();
        try {
            alterWhileDraining(tables);
            stack.await(narrowed.name, SluiceStack.LONG, it -> it.state() instanceof TableState.Draining);
            narrowed.alter("ALTER TABLE $t ALTER COLUMN short TYPE varchar(8)", "short = 'narrow'");
            assertThat(stack.awaitFailed(narrowed.name).fault().reason()).contains("\"short\" was altered");
        } finally {
            stack.debezium().restart();
        }

        for (AlteredTable table : tables.values()) {
            stack.awaitStreaming(table.name);
            table.assertEqual();
        }
        doWhatItSaysUntilItStreams(narrowed.name);
        narrowed.assertEqual();
    }

    private static void alterWhileDraining(Map<Change, AlteredTable> tables) throws SQLException {
        for (AlteredTable table : tables.values()) {
            stack.await(table.name, SluiceStack.LONG, it -> it.state() instanceof TableState.Draining);
        }

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
            SluiceStack.awaitTrue("the new storage is noted", SluiceStack.LONG, () -> isStorageNoted());

            table.write();
            table.alter("ALTER TABLE $t RENAME COLUMN older TO oldest", "oldest = 'z'");
            table.alter("ALTER TABLE $t DROP COLUMN a", null);
            table.assertEqual();
        }
    }

    private static boolean isStorageNoted() {
        try {
            String file = stack.one(
                            stack.source(), "SELECT relfilenode::text FROM pg_class WHERE oid = 'public.several'::regclass")
                    .orElseThrow();
            return stack.one(
                            stack.destination(),
                            "SELECT definition ->> 'storage' FROM " + stack.pipeline.ledgerSchema()
                                    + ".tables WHERE table_name = 'public.several'")
                    .filter(storage -> storage.endsWith(":" + file))
                    .isPresent();
        } catch (SQLException e) {
            throw new AssertionError(e);
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

    private record Obstacle(String name, String sql, String reason) {}

    @Test
    void whatCannotBeFollowedFailsWithWhatToDoAndThenIsEqual() throws Exception {
        List<Obstacle> obstacles = List.of(
                new Obstacle("narrow", "ALTER TABLE $t ALTER COLUMN short TYPE varchar(8)", "\"short\" was altered"),
                new Obstacle("bigger", "ALTER TABLE $t ALTER COLUMN id TYPE bigint", "\"id\" was altered"),
                new Obstacle("using", "ALTER TABLE $t ALTER COLUMN v TYPE text USING upper(v)", "\"v\" was altered"),
                new Obstacle("volatile", "ALTER TABLE $t ADD COLUMN r float8 DEFAULT random()", "\"r\" was added"),
                new Obstacle("readd", "ALTER TABLE $t DROP COLUMN old, ADD COLUMN old int", "the name of another column"),
                new Obstacle(
                        "rekey",
                        "ALTER TABLE $t DROP CONSTRAINT $n_pkey, ADD COLUMN k int NOT NULL DEFAULT 1, "
                                + "ADD PRIMARY KEY (id, k)",
                        "the key"),
                // What is written under the new name must not stop the capture of the others.
                new Obstacle(
                        "away", "ALTER TABLE $t RENAME TO moved_away; UPDATE public.moved_away SET v = 'x'", "is called"),
                new Obstacle("keyname", "ALTER TABLE $t RENAME COLUMN id TO key", "the key's column"));
        List<String> names = new ArrayList<>();
        for (Obstacle obstacle : obstacles) {
            String name = "public.not_" + obstacle.name();
            names.add(name);
            try (AlteredTable table = AlteredTable.create(stack, name, 2_000)) {
                // Ended before the change: it writes by names that are no more.
                assertThat(table.name).isEqualTo(name);
            }
        }
        stack.add(names.toArray(String[]::new));
        for (int i = 0; i < names.size(); i++) {
            // Some in the middle of the backfill, some behind it.
            if (i % 2 == 0) {
                stack.awaitStreaming(names.get(i));
            } else {
                stack.await(names.get(i), SluiceStack.LONG, it ->
                        !(it.state() instanceof TableState.Queued || it.state() instanceof TableState.Preparing));
            }
            String name = names.get(i);
            stack.onSource(obstacles.get(i).sql().replace("$t", name).replace("$n", name.replace("public.", "")));
        }

        for (int i = 0; i < names.size(); i++) {
            TableState.Failed failed = stack.awaitFailed(names.get(i));
            assertThat(failed.fault().reason()).as(names.get(i)).contains(obstacles.get(i).reason());
            doWhatItSays(names.get(i), failed.fault());
        }
        for (String name : names) {
            doWhatItSaysUntilItStreams(name);
            var table = TableName.parse(name);
            stack.awaitQueueApplied(name);
            String row = stack.one(
                            stack.source(),
                            "SELECT 'ROW(' || string_agg(format('t.%I', attname), ', ' ORDER BY attname) || ')' FROM "
                                    + "pg_attribute WHERE attrelid = '" + name
                                    + "'::regclass AND attnum > 0 AND NOT attisdropped")
                    .orElseThrow();
            assertThat(Contents.differences(stack, table, table, row)).as(name).isEmpty();
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
                stack.onSource("ALTER TABLE public.moved_away RENAME TO " + name.replace("public.", ""));
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
