package dev.sluice.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.domain.Attempt;
import dev.sluice.domain.CaptureIdentity;
import dev.sluice.domain.Event;
import dev.sluice.domain.Fault;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.Step;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.Constraints;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Capture must not end silently: what the watch sees of Kafka (R20). Its other half is {@code CaptureCheck}'s. */
class WatchIT {

    private static final TableName TABLE = Given.TABLE;
    private static final long RUN = 5;
    private static final int RENAMES_MAX = 20;

    private CapturedSource source;
    private CaptureIdentity identity;
    private Watch watch;

    @BeforeEach
    void start() throws SQLException {
        source = new CapturedSource();
        source.onSource("CREATE TABLE public.orders (id int PRIMARY KEY)");
        identity = source.join(TABLE);
        watch = new Watch(source.capture, source.partitions(), source.follow, source.topics);
    }

    @AfterEach
    void stop() throws SQLException {
        source.close();
    }

    @Test
    void aTopicThatWasDeletedAndMadeAgainIsSeen() {
        source.topics.deleteQueue(TABLE);
        untilTrue(() -> source.topics.queue(TABLE).isEmpty());
        source.topics.ensureQueue(TABLE);
        untilTrue(() -> source.topics.queue(TABLE).isPresent());

        assertSeenAtTheSecondLook("Kafka topic");
    }

    @Test
    void aTopicThatIsGoneIsSeen() {
        source.topics.deleteQueue(TABLE);
        untilTrue(() -> source.topics.queue(TABLE).isEmpty());

        assertSeenAtTheSecondLook("Kafka topic");
    }

    @Test
    void aSecondPartitionIsSeen() {
        try (Admin admin = source.kafka.admin()) {
            admin.createPartitions(Map.of(source.pipeline.queueTopic(TABLE), NewPartitions.increaseTo(2)));
            untilTrue(() -> source.topics.queue(TABLE).filter(queue -> queue.partitions() == 2).isPresent());
        }

        assertSeenAtTheSecondLook("Kafka topic");
    }

    @Test
    void captureThatBeganAnewIsSeen() {
        try (Admin admin = source.kafka.admin()) {
            admin.deleteTopics(List.of(source.pipeline.captureOffsetsTopic()));
            untilTrue(() -> source.topics.captureId().isEmpty());
            source.makeCaptureOffsets();
            untilTrue(() -> source.topics.captureId().isPresent());
        }

        assertSeenAtTheSecondLook("capture began anew");
    }

    @Test
    void onlyTwoLooksInARowCount() {
        var other = new CaptureIdentity(
                identity.tableOid(),
                identity.fingerprint(),
                identity.publicationMember(),
                identity.systemIdentifier(),
                "another topic",
                identity.captureId());

        assertThat(watch.look(world(other))).isEmpty();
        assertThat(watch.look(world(identity))).as("all is as it was").isEmpty();
        assertThat(watch.look(world(other))).as("the first look of a new suspicion").isEmpty();
    }

    @Test
    void aTableThatLeavesIsNotWatched() {
        source.topics.deleteQueue(TABLE);
        untilTrue(() -> source.topics.queue(TABLE).isEmpty());
        World leaving = world(identity, new TableState.Leaving(RUN, true, Attempt.first()));

        assertThat(watch.look(leaving)).isEmpty();
        assertThat(watch.look(leaving)).isEmpty();
    }

    @Test
    void anAlteredTableIsFollowedUntilTheFoldKnows() throws SQLException {
        prepare();
        source.onSource("ALTER TABLE public.orders ADD COLUMN added int");

        List<Event> first = watch.look(world(identity));
        List<Event> again = watch.look(world(identity));

        String now = CapturedSource.await(source.tables.inspect(TABLE)).fingerprint();
        assertThat(first).containsExactly(new Event.DefinitionFollowed(TABLE, RUN, identity, now));
        assertThat(again).as("its answer may have been lost").isEqualTo(first);
        assertThat(watch.look(world(identity.with(now)))).isEmpty();
        try (var connection = source.destination();
                var statement = connection.createStatement();
                var columns = statement.executeQuery("SELECT * FROM " + TABLE.sql())) {
            assertThat(columns.getMetaData().getColumnCount()).isEqualTo(2);
        }
    }

    @Test
    void whatCannotBeFollowedBreaksCapture() throws SQLException {
        prepare();
        source.onSource("ALTER TABLE public.orders ALTER COLUMN id TYPE bigint");

        assertThat(watch.look(world(identity))).singleElement().isInstanceOfSatisfying(
                Event.CaptureBroken.class,
                broken -> assertThat(broken.fault().reason()).contains("\"id\" was altered"));
    }

    @Test
    void aPreparationIsLeftToItself() throws SQLException {
        prepare();
        source.onSource("ALTER TABLE public.orders ALTER COLUMN id TYPE bigint");

        assertThat(watch.look(world(identity, new TableState.Preparing(
                        RUN, Step.BARRIER, Attempt.first(), Optional.empty(), Optional.empty(), Optional.empty()))))
                .isEmpty();
    }

    @Test
    void newStorageIsKnownAfterARestart() throws SQLException {
        prepare();
        source.onSource("VACUUM FULL public.orders");
        watch.look(world(identity));

        // What touches the column later is not taken for what wrote the rows anew.
        source.onSource("ALTER TABLE public.orders ALTER COLUMN id SET STATISTICS 7");

        assertThat(watch.look(world(identity))).singleElement().isInstanceOf(Event.DefinitionFollowed.class);
    }

    @Test
    void newStorageIsSeenAlsoWhenAnotherHasLookedBefore() throws SQLException {
        prepare();
        watch.look(world(identity));
        source.onSource("VACUUM FULL public.orders");

        // As the completion function does, in the same process.
        CapturedSource.await(source.capture.look(Map.of(TABLE, identity)));
        watch.look(world(identity));

        source.onSource("ALTER TABLE public.orders ALTER COLUMN id SET STATISTICS 7");
        assertThat(watch.look(world(identity)))
                .as("not taken for what wrote the rows anew")
                .singleElement()
                .isInstanceOf(Event.DefinitionFollowed.class);
    }

    @Test
    void aTableThatIsRenamedWhileItsChangeIsFollowedIsSaidToBeRenamed() throws Exception {
        prepare();
        source.onSource("ALTER TABLE public.orders ADD COLUMN note text");

        assertThat(lookWhileRenamed()).singleElement().isInstanceOfSatisfying(
                Event.CaptureBroken.class,
                broken -> assertThat(broken.fault().reason()).contains("is called public.moved_away"));
    }

    @Test
    void whatIsWrittenUnderAnotherNameHasAQueueToGoTo() throws Exception {
        prepare();
        source.onSource("ALTER TABLE public.orders RENAME TO moved_away");

        watch.look(world(identity));

        assertThat(source.topics.queue(TableName.parse("public.moved_away"))).isPresent();
    }

    /** What a look finds that began before the rename, and went on to the table itself after it. */
    private List<Event> lookWhileRenamed() throws Exception {
        try (var holding = source.destination();
                var holder = holding.createStatement();
                var asking = source.destination();
                var asks = asking.createStatement();
                var looking = Executors.newSingleThreadExecutor()) {
            holding.setAutoCommit(false);
            List<Event> events = List.of();
            for (int tries = 0; events.isEmpty() && tries < RENAMES_MAX; tries++) {
                if (tries > 0) {
                    // It did not wait for the lock until the table was renamed.
                    source.onSource("ALTER TABLE public.moved_away RENAME TO orders");
                }
                holder.execute("SELECT FROM " + source.pipeline.ledgerSchema() + ".tables FOR UPDATE");
                var look = looking.submit(() -> watch.look(world(identity)));
                untilTrue(() -> waitsForALock(asks) || look.isDone());
                source.onSource("ALTER TABLE public.orders RENAME TO moved_away");
                holding.rollback();
                events = look.get();
            }
            return events;
        }
    }

    @Test
    void aPartitionThatSomebodyLocksKeepsNoOtherTableFromBeingLookedAt() throws Exception {
        prepare();
        TableName locked = TableName.parse("public.locked");
        TableName other = TableName.parse("public.other");
        World world =
                streaming(Map.of(TABLE, identity, locked, joinPartitioned(locked), other, joinPartitioned(other)));
        assertThat(watch.look(world)).as("nothing was done yet").isEmpty();
        attachWithRows(locked);
        attachWithRows(other);
        source.onSource("ALTER TABLE public.orders ADD COLUMN note text");
        try (var locking = source.source(); var sql = locking.createStatement()) {
            locking.setAutoCommit(false);
            sql.execute("LOCK TABLE public.locked_2 IN ACCESS EXCLUSIVE MODE");

            List<Event> events = watch.look(world);
            assertThat(broken(events)).containsOnlyKeys(other);
            assertThat(events).hasSize(2).hasAtLeastOneElementOfType(Event.DefinitionFollowed.class);
        }
        assertThat(broken(watch.look(world)))
                .as("once it is free, the rows that came with it are found")
                .containsOnlyKeys(locked, other);
    }

    @Test
    void whatThePartitionsOfATableAreRefusedForBreaksItAlone() throws Exception {
        TableName refused = TableName.parse("public.refused");
        TableName other = TableName.parse("public.other");
        TableName sound = TableName.parse("public.sound");
        World world = streaming(Map.of(
                refused, joinPartitioned(refused), other, joinPartitioned(other), sound, joinPartitioned(sound)));
        source.onSource("CREATE TABLE public.refused_2 PARTITION OF public.refused FOR VALUES FROM (10) TO (20)");
        attachWithRows(other);
        source.onSource("CREATE TABLE public.sound_2 PARTITION OF public.sound FOR VALUES FROM (10) TO (20)");
        try (var connection = source.destination(); var sql = connection.createStatement()) {
            sql.execute("CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                    + "RAISE EXCEPTION 'the ledger is closed'; END $$");
            sql.execute("CREATE TRIGGER refuse BEFORE UPDATE ON " + source.pipeline.ledgerSchema() + ".partitions "
                    + "FOR EACH ROW WHEN (OLD.table_name = 'public.refused') EXECUTE FUNCTION public.refuse()");
        }

        Map<TableName, Fault> broken = broken(watch.look(world));

        assertThat(broken).containsOnlyKeys(refused, other);
        assertThat(broken.get(refused).reason()).contains("the ledger is closed");
        assertThat(broken.get(other).reason()).contains("public.other_2 came with rows");
    }

    /** With one partition, {@code _1}, that a run has begun with. */
    private CaptureIdentity joinPartitioned(TableName table) throws SQLException {
        source.onSource("CREATE TABLE " + table + " (id int PRIMARY KEY) PARTITION BY RANGE (id)");
        source.onSource("CREATE TABLE " + table + "_1 PARTITION OF " + table + " FOR VALUES FROM (0) TO (10)");
        CaptureIdentity joined = source.join(table);
        CapturedSource.await(source.ledger.openRun(table, RUN));
        CapturedSource.await(source.partitions().note(CapturedSource.await(source.tables.inspect(table)), RUN));
        return joined;
    }

    /** Gives it {@code _2}, which breaks it. */
    private void attachWithRows(TableName table) throws SQLException {
        source.onSource("CREATE TABLE " + table + "_2 AS SELECT 11 AS id");
        source.onSource("ALTER TABLE " + table + "_2 ALTER id SET NOT NULL");
        source.onSource("ALTER TABLE " + table + " ATTACH PARTITION " + table + "_2 FOR VALUES FROM (10) TO (20)");
    }

    private static Map<TableName, Fault> broken(List<Event> events) {
        return events.stream()
                .filter(Event.CaptureBroken.class::isInstance)
                .map(Event.CaptureBroken.class::cast)
                .collect(Collectors.toMap(Event.CaptureBroken::table, Event.CaptureBroken::fault));
    }

    /** Asked outside of a transaction: within one, PostgreSQL answers what it answered first. */
    private static boolean waitsForALock(Statement sql) throws SQLException {
        try (var rows = sql.executeQuery("SELECT EXISTS (SELECT FROM pg_stat_activity "
                + "WHERE datname = current_database() AND wait_event_type = 'Lock')")) {
            rows.next();
            return rows.getBoolean(1);
        }
    }

    private void prepare() {
        CapturedSource.await(source.ledger.openRun(TABLE, RUN));
        TableDefinition definition = CapturedSource.await(source.tables.inspect(TABLE));
        CapturedSource.await(source.destinations.prepare(definition, TableOptions.NONE));
        assertThat(CapturedSource.await(source.follow.remember(definition))).isTrue();
    }

    private void assertSeenAtTheSecondLook(String reason) {
        assertThat(watch.look(world(identity)))
                .as("at the first look: a broker that has just started may not know the topic yet")
                .isEmpty();
        assertThat(watch.look(world(identity))).singleElement().isInstanceOfSatisfying(
                Event.CaptureBroken.class,
                broken -> {
                    assertThat(broken.table()).isEqualTo(TABLE);
                    assertThat(broken.run()).isEqualTo(RUN);
                    assertThat(broken.fault().kind()).isEqualTo(Fault.Kind.REFUSED);
                    assertThat(broken.fault().reason()).contains(reason);
                    assertThat(broken.fault().hint()).contains("retry");
                });
    }

    private static TableRecord captured(TableName table, TableState state, CaptureIdentity identity) {
        TableRecord some = Given.record(state, false, true);
        return new TableRecord(
                table, state, some.stateSince(), some.attempts(), Optional.of(identity), some.streamedRun(),
                some.progress(), some.queue(), some.options(), some.optionsAsked());
    }

    private static World streaming(Map<TableName, CaptureIdentity> identities) {
        var state = new TableState.Streaming(RUN, new Constraints.Built(0));
        Map<TableName, TableRecord> tables = new HashMap<>();
        identities.forEach((table, joined) -> tables.put(table, captured(table, state, joined)));
        return new World(PipelineRecord.empty(), tables);
    }

    private static World world(CaptureIdentity captured) {
        return world(captured, new TableState.Streaming(RUN, new Constraints.Built(0)));
    }

    private static World world(CaptureIdentity captured, TableState state) {
        TableRecord record = Records.captured(Given.record(state, false, true), Optional.of(captured));
        return new World(PipelineRecord.empty(), Map.of(TABLE, record));
    }

    private static void untilTrue(Callable<Boolean> condition) {
        await().atMost(CapturedSource.LIMIT).until(condition);
    }
}
