package dev.sluice.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.domain.CaptureIdentity;
import dev.sluice.domain.Event;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Key;
import dev.sluice.domain.Step;
import dev.sluice.domain.StepResult;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Effects on a real source and a real Kafka. */
class EffectsIT {

    private static final TableName TABLE = TableName.parse("public.orders");
    private static final long RUN = 5;
    private static final long WHOLE_ROWS_MAX = 10L * CapturedSource.CHUNK_ROWS;
    private static final int RECORD_BYTES_DEFAULT = 1024 * 1024;

    private CapturedSource source;
    private Effects effects;

    @BeforeEach
    void start() throws SQLException {
        source = new CapturedSource();
        effects = source.effects();
    }

    @AfterEach
    void stop() throws SQLException {
        source.close();
    }

    @Test
    void asManyTablesAsFitIntoOneEventAreMatchedAndOneMoreIsRefused() throws SQLException {
        String schema = "s".repeat(63);
        // In several transactions: one would need more locks than a server has room for.
        source.onSource("CREATE SCHEMA " + schema);
        source.onSource("DO $$ BEGIN FOR i IN 1..5001 LOOP "
                + "EXECUTE format('CREATE TABLE " + schema + ".%I ()', rpad('t' || i || '_', 63, 'x')); "
                + "IF i % 500 = 0 THEN COMMIT; END IF; END LOOP; END $$");
        var match = new Effect.MatchTables(9, 1, List.of(schema + ".*"));

        assertThat(effects.run(match, event -> {})).get().isInstanceOfSatisfying(Event.MatchingFailed.class, failed -> {
            assertThat(failed.request()).isEqualTo(9);
            assertThat(failed.fault().kind()).isEqualTo(Fault.Kind.REFUSED);
            assertThat(failed.fault().reason()).contains("5001 tables", "at most 5000");
            assertThat(failed.fault().hint()).contains("add-tables");
        });

        source.onSource("DROP TABLE " + schema + "." + "t1_" + "x".repeat(60));
        Event matched = effects.run(match, event -> {}).orElseThrow();
        assertThat(matched).isInstanceOfSatisfying(
                Event.TablesMatched.class, all -> assertThat(all.tables()).hasSize(5_000));
        assertThat(source.messages.event(matched, "test").value().length)
                .as("bytes of the event, with the longest names: a topic takes so many by default")
                .isLessThan(RECORD_BYTES_DEFAULT);
    }

    @Test
    void anotherOrderOfTheKeyEndsABackfillAndAChangedDefinitionIsWaitedFor() throws SQLException {
        source.onSource("CREATE TYPE size AS ENUM ('small'); CREATE TABLE public.orders (k size PRIMARY KEY, v int)");
        TableDefinition before = CapturedSource.await(source.compared(TABLE));

        source.onSource("ALTER TYPE size ADD VALUE 'large'");
        Fault reordered = planned(before);
        assertThat(reordered.kind()).isEqualTo(Fault.Kind.REFUSED);
        assertThat(reordered.reason()).contains("another order of the key of public.orders");
        assertThat(reordered.hint()).contains("start a new backfill");

        source.onSource("ALTER TABLE public.orders ADD w int");
        assertThat(planned(before).kind()).isEqualTo(Fault.Kind.UNAVAILABLE);
    }

    private Fault planned(TableDefinition definition) {
        Event answer = effects.run(
                        new Effect.PlanChunks(TABLE, TableOptions.NONE, RUN, 1, definition.runFingerprint(),
                                Optional.empty(), Key.of("small"), 10, CapturedSource.CHUNK_ROWS),
                        event -> {})
                .orElseThrow();
        assertThat(answer).isInstanceOf(Event.PlanningFailed.class);
        return ((Event.PlanningFailed) answer).fault();
    }

    @Test
    void aTableThatGoesInOneChunkIsCountedBeforeItIsCalledTooLarge() throws SQLException {
        source.onSource("CREATE EXTENSION hstore");
        source.onSource("CREATE TABLE public.orders (k hstore PRIMARY KEY, wide text) WITH (autovacuum_enabled = false)");
        source.onSource("INSERT INTO public.orders SELECT hstore('k', i::text), repeat(md5(i::text), 60) "
                + "FROM generate_series(1, 800) i");
        assertThat(CapturedSource.await(source.tables.rowsEstimated(TABLE)))
                .as("what the planner takes the few wide rows for")
                .isGreaterThan(WHOLE_ROWS_MAX);

        assertThat(inspected()).isInstanceOf(Event.StepDone.class);

        source.onSource("INSERT INTO public.orders SELECT hstore('k', i::text) FROM generate_series(801, "
                + (WHOLE_ROWS_MAX + 1) + ") i");
        assertThat(inspected()).isInstanceOfSatisfying(Event.StepFailed.class, failed -> {
            assertThat(failed.fault().kind()).isEqualTo(Fault.Kind.REFUSED);
            assertThat(failed.fault().reason()).contains("more than " + WHOLE_ROWS_MAX + " rows");
        });
    }

    private Event inspected() {
        return effects.run(
                        new Effect.Prepare(
                                TABLE, RUN, Step.INSPECT, 1, Optional.empty(), Optional.empty(), TableOptions.NONE,
                                Optional.of(CapturedSource.CHUNK_ROWS), Optional.empty(), CapturedSource.EPOCH),
                        event -> {})
                .orElseThrow();
    }

    @Test
    void aTableThatIsAlteredJustBeforeItsBoundsAreReadIsPreparedAnew() throws Exception {
        source.onSource("CREATE TABLE public.orders (id int PRIMARY KEY)");
        TableDefinition before = CapturedSource.await(source.compared(TABLE));
        var inspected = new StepResult.Inspected(
                before.runFingerprint(), before.oid(), before.key(), 0, Optional.empty());
        var bounds = new Effect.Prepare(
                TABLE, RUN, Step.BOUNDS, 1, Optional.of(inspected), Optional.empty(), TableOptions.NONE,
                Optional.empty(), Optional.empty(), CapturedSource.EPOCH);
        try (Connection altering = source.source();
                Statement statement = altering.createStatement()) {
            altering.setAutoCommit(false);
            // The definition is as before until this is committed; the bounds wait for the lock.
            statement.execute("ALTER TABLE public.orders ADD COLUMN note text");
            CompletableFuture<Optional<Event>> running =
                    CompletableFuture.supplyAsync(() -> effects.run(bounds, event -> {}));
            await().atMost(CapturedSource.LIMIT).until(() -> waitsForALock(statement) || running.isDone());

            altering.commit();

            assertThat(running.get(CapturedSource.LIMIT.toSeconds(), TimeUnit.SECONDS))
                    .contains(new Event.StepDone(
                            TABLE, RUN, Step.BOUNDS, 1, new StepResult.DefinitionChanged()));
        }
    }

    private static boolean waitsForALock(Statement statement) throws SQLException {
        try (var rows = statement.executeQuery("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted "
                + "AND relation = 'public.orders'::regclass)")) {
            rows.next();
            return rows.getBoolean(1);
        }
    }

    @Test
    void theQueueOfARemovedTableIsDeletedOnlyOnceCaptureIsPastIt() throws Exception {
        source.onSource("CREATE TABLE public.orders (id int PRIMARY KEY)");
        CaptureIdentity identity = source.join(TABLE);
        CapturedSource.await(source.ledger.openRun(TABLE, RUN));
        var remove = new Effect.Leave(
                TABLE, OptionalLong.of(identity.tableOid()), RUN, 1, true, CapturedSource.EPOCH);

        CompletableFuture<Optional<Event>> removal =
                CompletableFuture.supplyAsync(() -> effects.run(remove, event -> {}));

        await().atMost(CapturedSource.LIMIT).until(() -> !source.isPublished(TABLE));
        await("the queue stays while changes may still be sent to it")
                .during(Duration.ofSeconds(2))
                .atMost(CapturedSource.LIMIT)
                .until(() -> source.topics.queue(TABLE).isPresent() && !removal.isDone());
        assertThat(CapturedSource.await(source.ledger.read(TABLE)))
                .as("the ledger's entry, which goes first, so that nothing is applied any more")
                .isEmpty();

        source.moveSlot();

        assertThat(removal.get(CapturedSource.LIMIT.toSeconds(), TimeUnit.SECONDS))
                .contains(new Event.TableLeft(TABLE, RUN, 1));
        await().atMost(CapturedSource.LIMIT).until(() -> source.topics.queue(TABLE).isEmpty());
    }
}
