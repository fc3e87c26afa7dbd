package dev.sluice.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.domain.Event;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.Setting;
import dev.sluice.domain.Settings;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the scheduler sees of a real source for its settings. */
class SourceWatchIT {

    private CapturedSource source;
    private SourceWatch watch;

    @BeforeEach
    void start() throws SQLException {
        source = new CapturedSource();
        watch = source.sourceWatch();
    }

    @AfterEach
    void stop() throws SQLException {
        source.close();
    }

    @Test
    void tablesThatMatchJoinAndThoseThatAreKnownOrExcludedDoNot() throws SQLException {
        source.onSource("CREATE SCHEMA sales");
        for (String table : List.of("sales.a", "sales.known", "sales.tmp_1", "sales.\"Größe\"", "public.other")) {
            source.onSource("CREATE TABLE " + table + " (id int PRIMARY KEY)");
        }
        source.onSource("CREATE TABLE sales.parted (id int PRIMARY KEY) PARTITION BY RANGE (id)");
        source.onSource("CREATE TABLE sales.part PARTITION OF sales.parted DEFAULT");
        World world = world(
                Settings.NONE.with(Setting.JOIN_PATTERNS, List.of("sales.*", "!sales.tmp_*", "*.nothing")),
                Optional.empty(),
                "sales.known");

        assertThat(watch.look(world, Given.NOW)).containsExactly(joined("sales.\"Größe\"", "sales.a", "sales.parted"));

        assertThat(watch.look(world, Given.NOW.plusSeconds(29))).as("asked again too soon").isEmpty();
        source.onSource("CREATE TABLE sales.late (id int PRIMARY KEY)");
        assertThat(watch.look(world, Given.NOW.plusSeconds(30)))
                .containsExactly(joined("sales.\"Größe\"", "sales.a", "sales.late", "sales.parted"));
        World changed = world(Settings.NONE.with(Setting.JOIN_PATTERNS, List.of("other")), Optional.empty(), "sales.a");
        assertThat(watch.look(changed, Given.NOW.plusSeconds(31))).as("other patterns").containsExactly(joined("public.other"));
    }

    @Test
    void aSourceWithManyActiveSessionsIsBusyUntilTheyEnd() throws Exception {
        Settings one = Settings.NONE.with(Setting.SOURCE_SESSIONS_MAX, 2);
        try (Connection first = source.source();
                Connection second = source.source();
                Connection third = source.source()) {
            for (Connection connection : List.of(first, second, third)) {
                Thread.ofVirtual().start(() -> sleep(connection));
            }

            Event.SourceMeasured busy = await().atMost(CapturedSource.LIMIT)
                    .until(() -> measured(one, Optional.empty()), Optional::isPresent)
                    .orElseThrow();

            assertThat(busy.sessions()).isGreaterThanOrEqualTo(3);
            assertThat(watch.look(world(Settings.NONE, Optional.empty()), Instant.now())).as("nobody asks").isEmpty();
            assertThat(Resting.after(one, Optional.empty(), busy)).isPresent();
            source.onSource("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                    + "AND query = 'SELECT pg_sleep(60)'");
        }

        Event.SourceMeasured calm = await().atMost(CapturedSource.LIMIT)
                .until(
                        () -> measured(one, Optional.of("busy")),
                        it -> it.filter(event -> Resting.after(one, Optional.of("busy"), event).isEmpty()).isPresent())
                .orElseThrow();
        assertThat(calm.sessions()).isLessThan(2);
    }

    private Optional<Event.SourceMeasured> measured(Settings settings, Optional<String> resting) {
        return watch.look(world(settings, resting), Instant.now()).stream()
                .map(Event.SourceMeasured.class::cast)
                .findFirst();
    }

    private static void sleep(Connection connection) {
        try (Statement statement = connection.createStatement()) {
            statement.execute("SELECT pg_sleep(60)");
        } catch (SQLException closed) {
            // The test is over.
        }
    }

    private static Event.TablesJoined joined(String... tables) {
        return new Event.TablesJoined(List.of(tables).stream().map(TableName::parse).toList());
    }

    private static World world(Settings settings, Optional<String> resting, String... known) {
        Map<TableName, TableRecord> tables = new HashMap<>();
        for (String name : known) {
            TableName table = TableName.parse(name);
            tables.put(table, Records.fresh(
                    table, new TableState.Cancelled(1, false), TableOptions.NONE, Given.NOW));
        }
        var pipeline = new PipelineRecord(
                1, 0, List.of(), Map.of(), List.of(), settings, Settings.NONE, resting, Optional.empty(),
                Optional.empty());
        return new World(pipeline, tables);
    }
}
