package dev.sluice.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Command;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableState;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Tables of every shape, all of them written to from before their backfill until they stream. */
class ShapesIT {

    /** In each table before it is added. With chunks of 100 rows there are several. */
    private static final int ROWS = 350;

    /** Lies above every key: what a key change moves there is copied by no chunk that began before. */
    private static final int FAR = 1_000_000;

    private static SluiceStack stack;

    @BeforeAll
    static void start() {
        stack = SluiceStack.start(
                "shapes", Map.of("sluice.scheduler.chunk-rows", "100", "sluice.scheduler.watch-interval", "1s"));
    }

    @AfterAll
    static void stop() throws Exception {
        stack.close();
    }

    /**
     * A table whose key begins with an integer.
     *
     * @param create what makes it
     * @param key its first key column, as SQL
     * @param value a column of type text, as SQL; empty for none
     * @param isFixed whether PostgreSQL itself gives the key its values
     */
    private record Shape(TableName table, String create, String key, String value, boolean isFixed) {

        static Shape made(String name, String create) {
            return new Shape(new TableName("public", name), create, "id", "value", false);
        }

        static Shape of(TableName table, String key, String value, String more) {
            String columns = key + " int" + (value.isEmpty() ? "" : ", " + value + " text") + more;
            return new Shape(
                    table, "CREATE TABLE " + table.sql() + " (" + columns + ", PRIMARY KEY (" + key + "))", key, value,
                    false);
        }

        static Shape named(String schema, String name) {
            return of(new TableName(schema, name), "id", "value", "");
        }

        String sql() {
            return table.sql();
        }

        String fill(int from, int to) {
            return "INSERT INTO " + sql() + " (" + key + (value.isEmpty() ? "" : ", " + value) + ")"
                    + (isFixed ? " OVERRIDING SYSTEM VALUE" : "") + " SELECT g"
                    + (value.isEmpty() ? "" : ", 'row ' || g") + " FROM generate_series(" + from + ", " + to + ") g";
        }

        String operation(Random random, int fresh) {
            String one = " WHERE " + key + " = " + (1 + random.nextInt(fresh));
            return switch (random.nextInt(6)) {
                case 0, 1 -> fill(fresh, fresh);
                case 2 -> "DELETE FROM " + sql() + one;
                case 3 -> "UPDATE " + sql() + " SET " + key + " = " + (isFixed ? "DEFAULT" : FAR + fresh) + one;
                default -> value.isEmpty()
                        ? fill(fresh, fresh)
                        : "UPDATE " + sql() + " SET " + value + " = " + value + " || '" + fresh + "'" + one;
            };
        }
    }

    private static List<Shape> shapes() {
        List<Shape> shapes = new ArrayList<>();
        shapes.add(Shape.named("public", "plain"));
        shapes.add(Shape.named("public", "Mixed.Case \"quoted\" $1 %s ?"));
        shapes.add(Shape.named("order", "select"));
        shapes.add(Shape.named("ord\"er'", "'select'"));
        shapes.add(Shape.named("Größe ✓", "表 🐘"));
        // Kafka mixes up the two in the names of its metrics, and JDBC takes _ and % for patterns.
        shapes.add(Shape.named("a", "b_c"));
        shapes.add(Shape.named("a_b", "c"));
        shapes.add(Shape.named("a", "b%c"));
        shapes.add(Shape.named("a", "bxc"));
        shapes.add(Shape.named("a", "b\\c"));
        shapes.add(Shape.named("s".repeat(63), "t".repeat(63)));
        // 63 bytes each; their queue's name would have twice the characters that Kafka takes.
        shapes.add(Shape.named("é".repeat(31) + "s", "€".repeat(21)));
        shapes.add(Shape.named("é".repeat(31) + "s", "€".repeat(20) + "¥x"));
        // What our own statements call their parts.
        shapes.add(Shape.of(new TableName("public", "excluded"), "t", "u", ", c0 int DEFAULT 1, c int, d int, excluded int"));
        shapes.add(Shape.of(new TableName("public", "t"), "c", "d", ", t int, c0 int"));
        shapes.add(Shape.of(new TableName("public", "u"), "u", "c0", ""));
        shapes.add(Shape.of(new TableName("public", "sluice_chunk"), "place", "numbered", ", walked int"));
        shapes.add(Shape.of(new TableName("public", "odd columns"), "\"Id.1\"", "\"sel\"\"ect\"",
                IntStream.range(0, ODD.size())
                        .mapToObj(i -> ", " + TableName.quote(ODD.get(i)) + " text DEFAULT 'odd " + i + "'")
                        .collect(Collectors.joining())));
        shapes.add(Shape.of(new TableName("public", "€".repeat(21)), "\"" + "ü".repeat(31) + "k\"", "\"" + "v".repeat(63) + "\"", ""));
        shapes.add(Shape.of(new TableName("public", "one_column"), "id", "", ""));
        shapes.add(new Shape(
                new TableName("public", "identities"),
                "CREATE TABLE identities (id int GENERATED ALWAYS AS IDENTITY (START 100000000) PRIMARY KEY, value text)",
                "id", "value", true));
        shapes.add(Shape.of(new TableName("public", "columns"), "id", "value",
                ", always int GENERATED ALWAYS AS IDENTITY, by_default int GENERATED BY DEFAULT AS IDENTITY, "
                        + "stored text GENERATED ALWAYS AS (upper(value)) STORED, "
                        + "virtual text GENERATED ALWAYS AS (lower(value)) VIRTUAL, "
                        + "numbered bigint DEFAULT nextval('numbers'), at timestamptz DEFAULT clock_timestamp(), "
                        + "own text NOT NULL DEFAULT only_here()"));
        shapes.add(Shape.made("dropped",
                "CREATE TABLE dropped (gone int, id int, gone_too text, value text, PRIMARY KEY (id), last numeric DEFAULT 1.10); "
                        + "ALTER TABLE dropped DROP COLUMN gone, DROP COLUMN gone_too; ALTER TABLE dropped ADD COLUMN new text "
                        + "DEFAULT 'new'"));
        // With the key and the text 1,600; most are NULL, or no row would fit into its page.
        shapes.add(Shape.of(new TableName("public", "wide"), "id", "value",
                IntStream.range(0, 1598)
                        .mapToObj(i -> ", n" + i + " int" + (i % 3 == 0 ? " DEFAULT " + i : ""))
                        .collect(Collectors.joining())));
        shapes.add(Shape.made("measures",
                "CREATE TABLE measures (id int, value text, day int DEFAULT 3, PRIMARY KEY (id)) PARTITION BY RANGE (id); "
                        + "CREATE TABLE measures_1 PARTITION OF measures FOR VALUES FROM (0) TO (100); "
                        + "CREATE TABLE measures_2 PARTITION OF measures FOR VALUES FROM (100) TO (1000000) PARTITION BY HASH (id); "
                        + "CREATE TABLE measures_2a PARTITION OF measures_2 FOR VALUES WITH (MODULUS 2, REMAINDER 0); "
                        // Other columns in other places than in the table.
                        + "CREATE TABLE measures_2b (day int, gone int, value text, id int NOT NULL); "
                        + "ALTER TABLE measures_2b DROP COLUMN gone; "
                        + "ALTER TABLE measures_2 ATTACH PARTITION measures_2b FOR VALUES WITH (MODULUS 2, REMAINDER 1); "
                        + "CREATE TABLE measures_far PARTITION OF measures DEFAULT; "
                        + "CREATE INDEX measures_day ON measures (day); "
                        + "ALTER TABLE measures ADD CONSTRAINT day_is_small CHECK (day < 100)"));
        shapes.add(Shape.made("parts_at_both",
                "CREATE TABLE parts_at_both (id int, value text, PRIMARY KEY (id)) PARTITION BY RANGE (id); "
                        + "CREATE TABLE parts_at_both_all PARTITION OF parts_at_both DEFAULT"));
        shapes.add(Shape.of(new TableName("public", "parent"), "id", "value", ""));
        shapes.add(Shape.made("child",
                "CREATE TABLE child (more text DEFAULT 'm', PRIMARY KEY (id)) INHERITS (parent)"));
        return shapes;
    }

    private static final List<String> ODD = List.of(
            "a.b", "a\"b", "a'b", "\"q", "q'", "\"", "'", "`", "$1", "%s", "?", "a\\b", "a\nb", "a\tb", "__proto__", "constructor", "toString",
            "\u200b", "\u00a0", " ", "  ", "--", "/*", ";", "{fn x}", "$$", ":x", "é", "É2", "İ", "🐘", "before", "after",
            "source", "op", "schema", "payload", "__op", "ctid ", "null", "true", "1", "-", "[]", "{}", "\u0001", "\u007f");

    @Test
    void aTableOfEveryShapeIsCarriedWhileItIsWrittenTo() throws Exception {
        List<Shape> shapes = shapes();
        stack.onSource(
                "CREATE SEQUENCE numbers",
                "CREATE FUNCTION only_here() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT 'made here' $$");
        for (Shape shape : shapes) {
            stack.onSource("CREATE SCHEMA IF NOT EXISTS " + TableName.quote(shape.table().schema()), shape.create());
            stack.onSource(shape.fill(1, ROWS));
        }
        stack.onSource("CREATE TABLE no_rows (id int PRIMARY KEY, value text)");
        // Brought along by the destination: partitioned otherwise, and an inheritance.
        stack.onDestination(
                "CREATE TABLE parts_at_both (id int, value text, PRIMARY KEY (id)) PARTITION BY HASH (id)",
                "CREATE TABLE p0 PARTITION OF parts_at_both FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
                "CREATE TABLE p1 PARTITION OF parts_at_both FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
                "CREATE TABLE parent (id int PRIMARY KEY, value text)",
                "CREATE TABLE child (more text DEFAULT 'm', PRIMARY KEY (id)) INHERITS (parent)",
                "INSERT INTO parent VALUES (5, 'stale'), (2000000, 'stale')",
                "INSERT INTO child VALUES (6, 'stale'), (2000000, 'stale')");
        // Nobody writes to it before it streams: it has no row then, and had none.
        String[] names = Stream.concat(shapes.stream().map(shape -> shape.table().toString()), Stream.of("public.no_rows"))
                .toArray(String[]::new);

        try (var writes = new Writes(shapes)) {
            writes.awaitRounds(1);
            stack.add(names);
            for (String name : names) {
                stack.awaitStreaming(name);
            }
            assertThat(stack.one(stack.destination(), "SELECT count(*) FROM no_rows")).contains("0");
            stack.onSource("INSERT INTO no_rows SELECT g, 'row ' || g FROM generate_series(1, 10) g",
                    "UPDATE no_rows SET id = id + 100 WHERE id > 5", "DELETE FROM no_rows WHERE id < 3");
            // A partition that is made while all goes on is followed, and so is one that is attached without rows.
            stack.onSource("CREATE TABLE measures_new PARTITION OF measures FOR VALUES FROM (5000000) TO (6000000)",
                    "INSERT INTO measures VALUES (5000001, 'in a new partition')",
                    "CREATE TABLE measures_empty (LIKE measures INCLUDING ALL)",
                    "ALTER TABLE measures ATTACH PARTITION measures_empty FOR VALUES FROM (6000000) TO (7000000)");
            // With a row by then, nobody could tell whether it came along.
            SluiceStack.awaitTrue(
                    "the attached partition is seen without rows", SluiceStack.LONG, () -> isKnown("measures_empty"));
            stack.onSource(
                    "INSERT INTO measures VALUES (6000001, 'in an attached partition')",
                    "INSERT INTO measures_empty VALUES (6000002, 'by its own name')");
            writes.awaitRounds(writes.rounds() + 3);
        }

        stack.assertEqual(names);
        assertThat(stack.one(stack.destination(), "SELECT count(*) FROM no_rows")).contains("8");
        assertThat(stack.one(stack.destination(), "SELECT string_agg(value, ', ' ORDER BY id) FROM measures "
                        + "WHERE id BETWEEN 5000000 AND 7000000"))
                .contains("in a new partition, in an attached partition, by its own name");
        assertThat(stack.one(stack.destination(), "SELECT string_agg(indexname, ',' ORDER BY indexname) FROM pg_indexes "
                        + "WHERE tablename = 'measures'"))
                .contains("measures_day,measures_pkey");
        truncateOfAParentEmptiesTheChildToo();
        onlyTheParentIsEmptied();
        rowsThatChangeTheirPartitionArrive();
        whatHappensToPartitionsFailsTheTableAndRetryMakesItEqual();
    }

    private void truncateOfAParentEmptiesTheChildToo() throws SQLException {
        stack.onSource("TRUNCATE parent", "INSERT INTO parent VALUES (1, 'after')", "INSERT INTO child VALUES (1, 'after', 'x')");
        stack.assertEqual("parent", "child");
        assertThat(stack.one(stack.destination(), "SELECT count(*) FROM ONLY parent")).contains("1");
        assertThat(stack.one(stack.destination(), "SELECT count(*) FROM child")).contains("1");
    }

    private void onlyTheParentIsEmptied() throws SQLException {
        stack.onSource("TRUNCATE ONLY parent", "DELETE FROM ONLY parent");
        stack.assertEqual("parent", "child");
        assertThat(stack.one(stack.destination(), "SELECT count(*) FROM child")).contains("1");
    }

    private void rowsThatChangeTheirPartitionArrive() throws SQLException {
        stack.onSource(
                "INSERT INTO measures VALUES (50, 'moves'), (51, repeat('long ', 100000)) "
                        + "ON CONFLICT (id) DO UPDATE SET value = excluded.value",
                "DELETE FROM measures WHERE id IN (90050, 90051)",
                "UPDATE measures SET id = id + 90000 WHERE id IN (50, 51)");
        stack.assertEqual("measures");
        assertThat(stack.one(stack.destination(), "SELECT count(*) FROM measures WHERE id IN (90050, 90051)"))
                .contains("2");
    }

    private void whatHappensToPartitionsFailsTheTableAndRetryMakesItEqual() throws SQLException {
        assertThat(stack.table("measures").orElseThrow().state()).isInstanceOf(TableState.Streaming.class);

        stack.onSource("TRUNCATE measures_1");
        retryAfter("measures_1", "TRUNCATE");
        stack.onSource(
                "CREATE TABLE measures_full (LIKE measures INCLUDING ALL)",
                "INSERT INTO measures_full VALUES (7000001, 'came along')",
                "ALTER TABLE measures ATTACH PARTITION measures_full FOR VALUES FROM (7000000) TO (8000000)",
                "INSERT INTO measures VALUES (7000002, 'came after')");
        retryAfter("measures_full came with rows");
        assertThat(stack.one(stack.destination(), "SELECT count(*) FROM measures WHERE id > 7000000")).contains("2");
        stack.onSource("TRUNCATE measures", "INSERT INTO measures VALUES (5000002, 'after')");
        retryAfter("every partition was rewritten", "TRUNCATE");
        assertThat(stack.one(stack.destination(), "SELECT string_agg(value, ', ') FROM measures")).contains("after");
    }

    private static boolean isKnown(String partition) {
        try {
            return stack.one(
                            stack.destination(),
                            "SELECT 1 FROM " + stack.pipeline.ledgerSchema() + ".partitions WHERE known::text LIKE '%"
                                    + partition + "%'")
                    .isPresent();
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    private static void retryAfter(String... reason) throws SQLException {
        TableState.Failed failed = stack.awaitFailed("measures");
        assertThat(failed.fault().reason()).contains(reason);
        assertThat(failed.fault().hint()).contains("backfill");
        stack.send(new Command.Retry(TableName.parse("measures")));
        stack.awaitTrueState("measures", state -> !(state instanceof TableState.Failed));
        stack.awaitStreaming("measures");
        stack.assertEqual("measures");
    }

    /** Writes to every table in turn until it is closed. */
    private static final class Writes implements AutoCloseable {

        private final List<Shape> shapes;
        private final Thread thread;
        private volatile int rounds;
        private volatile boolean stopping;
        private volatile Exception failure;

        Writes(List<Shape> shapes) {
            this.shapes = List.copyOf(shapes);
            thread = Thread.ofVirtual().name("writer").start(this::write);
        }

        int rounds() {
            return rounds;
        }

        void awaitRounds(int awaited) {
            SluiceStack.awaitTrue("round " + awaited + " of writing", SluiceStack.LONG, () -> rounds >= awaited || failure != null);
            assertThat(failure).isNull();
        }

        private void write() {
            long seed = Long.getLong("sluice.seed", System.nanoTime());
            System.out.println("ShapesIT: -Dsluice.seed=" + seed);
            var random = new Random(seed);
            int fresh = ROWS + 1;
            try (Connection connection = stack.source(); Statement statement = connection.createStatement()) {
                connection.setAutoCommit(false);
                while (!stopping) {
                    for (Shape shape : shapes) {
                        for (int i = 0; i < 3; i++) {
                            statement.execute(shape.operation(random, fresh++));
                        }
                        connection.commit();
                    }
                    rounds++;
                }
            } catch (SQLException e) {
                failure = e;
            }
        }

        @Override
        public void close() throws InterruptedException {
            stopping = true;
            thread.join(60_000);
            if (failure != null) {
                throw new AssertionError("the writer failed", failure);
            }
        }
    }
}
