package dev.sluice.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Command;
import dev.sluice.domain.TableState;
import dev.sluice.testing.MatrixTable;
import dev.sluice.testing.PostgresServer;
import dev.sluice.testing.PostgresVersion;
import dev.sluice.testing.SharedServers;
import dev.sluice.testing.TypeMatrix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every value of every type, once by a chunk and once by each kind of change, on the newest and the oldest PostgreSQL;
 * compared as PostgreSQL's own text. Both databases have settings under which a session that does not say otherwise
 * writes and reads text in another way.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class TypeMatrixIT {

    /** Blocks of rows, by their first id. */
    private static final int COPIED = 0;
    private static final int UPDATED = 100;
    private static final int DELETED = 200;
    private static final int INSERTED = 300;
    private static final int MOVED_FROM = 400;
    private static final int MOVED = 500;
    private static final int CHANGED = 600;
    private static final int EMPTIED = 700;
    private static final int BLOCK = 100;

    private static final Map<PostgresVersion, TypeMatrixResult> RESULTS = new EnumMap<>(PostgresVersion.class);

    @Order(1)
    @ParameterizedTest
    @EnumSource(PostgresVersion.class)
    void everyValueArrivesAsItLeft(PostgresVersion version) throws Exception {
        boolean newest = version == PostgresVersion.NEWEST;
        PostgresServer source = newest ? SharedServers.source() : old("oldest-source");
        PostgresServer destination = newest ? SharedServers.destination() : old("oldest-destination");
        var result = new TypeMatrixResult();
        String name = "types" + version.major();
        try (SluiceStack stack = SluiceStack.startWithoutFunctions(name, Map.of(), source, destination)) {
            carry(stack, version, result);
        } finally {
            if (!newest) {
                source.close();
                destination.close();
            }
        }
        RESULTS.put(version, result);

        assertThat(result.wrong())
                .as("values that did not arrive as they left, on PostgreSQL %d", version.major())
                .isEmpty();
        assertThat(result.compared()).as("values that were compared").isGreaterThan(5_000);
    }

    private static PostgresServer old(String folder) {
        return PostgresServer.start(SharedServers.folder(folder), PostgresVersion.OLDEST, 0, SharedServers.FAST_POSTGRES);
    }

    private static void carry(SluiceStack stack, PostgresVersion version, TypeMatrixResult result) throws Exception {
        List<MatrixTable> tables = TypeMatrix.tables(version);
        for (String statement : MatrixTable.otherSettings(stack.sourceDatabase)) {
            stack.onSource(statement);
        }
        for (String statement : MatrixTable.otherSettings(stack.destinationDatabase)) {
            stack.onDestination(statement);
        }
        for (String statement : TypeMatrix.extensions()) {
            stack.onDestination(statement);
        }
        atSource(stack, TypeMatrix.setup().stream());
        for (MatrixTable table : tables) {
            atSource(stack, Stream.of(Stream.of(table.create()), table.insert(COPIED).stream(),
                    Stream.of(table.insertNulls(UPDATED)), table.insert(DELETED).stream(),
                    table.insertOthers(CHANGED).stream(), table.insert(EMPTIED).stream())
                    .flatMap(statements -> statements));
        }
        stack.startFunctions();
        stack.add(tables.stream().map(table -> table.name().toString()).toArray(String[]::new));
        List<MatrixTable> streaming = tables.stream().filter(table -> streams(stack, table, 0, result)).toList();

        for (MatrixTable table : streaming) {
            atSource(stack, Stream.of(table.update(UPDATED).stream(), table.update(CHANGED).stream(), Stream.of(table.delete(DELETED)),
                    table.insert(INSERTED).stream(), table.insert(MOVED_FROM).stream(),
                    Stream.of(move(table), empty(table)))
                    .flatMap(statements -> statements));
        }
        for (MatrixTable table : streaming) {
            if (streams(stack, table, 0, result)) {
                compare(stack, table, result);
            }
        }
        addLabel(stack);
        if (version == PostgresVersion.NEWEST) {
            copyOnceMore(stack, streaming, result);
        } else {
            carryFiftyMegabytes(stack);
        }
    }

    /** On the newest, {@code LargeValuesIT} does this and more. */
    private static void carryFiftyMegabytes(SluiceStack stack) throws SQLException {
        String large = "(SELECT string_agg(md5(i::text || %d), '') FROM generate_series(1, 1562500) i)";
        String text = "SELECT length(v) || ' ' || md5(v) FROM large";
        stack.onSource("CREATE TABLE large (id int PRIMARY KEY, v text)",
                "INSERT INTO large VALUES (1, " + large.formatted(1) + ")");
        stack.add("public.large");
        stack.awaitStreaming("public.large");
        assertThat(stack.one(stack.destination(), text))
                .as("by backfill")
                .hasValueSatisfying(value -> assertThat(value).startsWith("50000000 "))
                .isEqualTo(stack.one(stack.source(), text));

        stack.onSource("UPDATE large SET v = " + large.formatted(2));
        stack.awaitQueueApplied("public.large");
        assertThat(stack.one(stack.destination(), text)).as("by change").isEqualTo(stack.one(stack.source(), text));
    }

    /** A label that the source's enumeration gets while the table streams. */
    private static void addLabel(SluiceStack stack) throws SQLException {
        String table = "\"" + TypeMatrix.SCHEMA + "\".\"moody\"";
        String mood = "\"" + TypeMatrix.SCHEMA + "\".\"Mood\"";
        stack.onSource("CREATE TABLE " + table + " (id int PRIMARY KEY, m " + mood + "[])");
        stack.add(table);
        stack.awaitStreaming(table);
        stack.onSource("ALTER TYPE " + mood + " ADD VALUE 'better' BEFORE 'so so'");
        stack.onSource("INSERT INTO " + table + " VALUES (1, '{better}')");
        stack.assertEqual(table);
    }

    /** A second backfill compares row by row with what is there: of types that have no equality, too. */
    private static void copyOnceMore(SluiceStack stack, List<MatrixTable> tables, TypeMatrixResult result)
            throws Exception {
        Map<MatrixTable, Long> runs =
                tables.stream().collect(Collectors.toMap(table -> table, table -> run(stack, table)));
        for (MatrixTable table : tables) {
            stack.onDestination(
                    "DELETE FROM " + table.name().sql() + " WHERE \"Id\" % 2 = 0",
                    "UPDATE " + table.name().sql() + " t SET (" + columns(table) + ") = (SELECT " + columns(table)
                            + " FROM " + table.name().sql() + " o WHERE o.\"Id\" = t.\"Id\" + 2) WHERE \"Id\" % 3 = 0");
            stack.send(new Command.Backfill(table.name()));
        }
        for (MatrixTable table : tables) {
            if (streams(stack, table, runs.get(table), result)) {
                compare(stack, table, result);
            }
        }
    }

    private static long run(SluiceStack stack, MatrixTable table) {
        return ((TableState.Streaming) stack.table(table.name().toString()).orElseThrow().state()).run();
    }

    /** Waits until the table streams in a later run than that, and has applied its queue. */
    private static boolean streams(SluiceStack stack, MatrixTable table, long run, TypeMatrixResult result) {
        try {
            stack.awaitStreamingAfter(table.name().toString(), run);
            stack.awaitQueueApplied(table.name().toString());
            return true;
        } catch (AssertionError | SQLException e) {
            result.failed(table, String.valueOf(e.getMessage()));
            return false;
        }
    }

    private static void compare(SluiceStack stack, MatrixTable table, TypeMatrixResult result) throws SQLException {
        SortedMap<Integer, List<String>> expected;
        SortedMap<Integer, List<String>> arrived;
        try (Connection source = stack.source(); Connection destination = stack.destination()) {
            expected = table.texts(source);
            arrived = table.texts(destination);
        }
        assertThat(arrived.keySet()).as("rows of %s", table.name()).isEqualTo(expected.keySet());
        assertThat(arrived.keySet())
                .contains(COPIED, UPDATED, INSERTED, MOVED, CHANGED, EMPTIED)
                .doesNotContain(DELETED, MOVED_FROM);
        expected.forEach((id, texts) -> {
            boolean copied = id - id % BLOCK == COPIED;
            for (int place = 0; place < texts.size(); place++) {
                String left = texts.get(place);
                String came = arrived.get(id).get(place);
                boolean hasValue = id % BLOCK < table.entries().get(place).values().size() && id < EMPTIED;
                boolean exact = Objects.equals(left, came) && (left != null) == hasValue;
                result.compared(
                        table.entries().get(place), copied, exact, "«" + left + "» arrived as «" + came + "», id " + id);
            }
        });
    }

    private static String move(MatrixTable table) {
        return "UPDATE " + table.name().sql() + " SET \"Id\" = \"Id\" + " + (MOVED - MOVED_FROM) + " WHERE \"Id\" BETWEEN "
                + MOVED_FROM + " AND " + (MOVED_FROM + BLOCK - 1);
    }

    private static String empty(MatrixTable table) {
        return "UPDATE " + table.name().sql() + " SET (" + columns(table) + ") = (SELECT " + columns(table) + " FROM "
                + table.name().sql() + " WHERE false) WHERE \"Id\" >= " + EMPTIED;
    }

    private static String columns(MatrixTable table) {
        return java.util.stream.IntStream.range(0, table.entries().size())
                .mapToObj(place -> "\"" + MatrixTable.column(place) + "\"")
                .collect(Collectors.joining(", "));
    }

    private static void atSource(SluiceStack stack, Stream<String> statements) throws SQLException {
        try (Connection connection = stack.source(); Statement sql = connection.createStatement()) {
            MatrixTable.useTextSettings(connection);
            for (String statement : statements.toList()) {
                sql.execute(statement);
            }
        }
    }

    @Order(2)
    @Test
    void thePageShowsTheMatrixAsItIs() throws IOException {
        assertThat(RESULTS.keySet()).as("the matrix was run on every version").containsExactly(PostgresVersion.values());
        Path page = TypeMatrixPage.path();
        String written = TypeMatrixPage.of(RESULTS);
        if (Boolean.getBoolean(TypeMatrixPage.WRITE_PROPERTY)) {
            Files.writeString(page, written);
        }
        String onDisk = Files.exists(page) ? Files.readString(page) : "";

        assertThat(onDisk)
                .as("the page shows another matrix than the test has; write it again with\n  %s\nand look at what differs",
                        TypeMatrixPage.COMMAND)
                .isEqualTo(written);
    }
}
