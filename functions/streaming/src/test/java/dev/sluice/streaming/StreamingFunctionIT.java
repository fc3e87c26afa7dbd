package dev.sluice.streaming;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.domain.Event;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.Pause;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.StreamCommand;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.Outcome;
import dev.sluice.messaging.KafkaClients;
import dev.sluice.messaging.Messages;
import dev.sluice.messaging.StateReader;
import dev.sluice.postgres.ChangeApply;
import dev.sluice.postgres.DatabaseConfig;
import dev.sluice.postgres.Databases;
import dev.sluice.postgres.DroppedColumns;
import dev.sluice.postgres.KeyOrders;
import dev.sluice.postgres.Ledger;
import dev.sluice.postgres.Ledger.Applying;
import dev.sluice.postgres.SchemaMapping;
import dev.sluice.postgres.SourceTables;
import dev.sluice.testing.PostgresServer;
import dev.sluice.testing.SharedServers;
import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.config.SmallRyeConfigBuilder;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.core.Vertx;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The whole function on real PostgreSQL and Kafka; only Debezium's records are made by hand. */
class StreamingFunctionIT {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Lsn WATERMARK = new Lsn(1_000_000_000);
    private static final long RUN = 5;
    private static int pipelines;

    private final Pipeline pipeline = new Pipeline("stream" + ++pipelines);
    private final Messages messages = new Messages(pipeline);
    private final AtomicReference<Lsn> confirmedFlush = new AtomicReference<>(Lsn.ZERO);
    private final AtomicInteger flushAsked = new AtomicInteger();
    private final AtomicBoolean sourceHangs = new AtomicBoolean();
    private final List<Event> events = new ArrayList<>();
    private PostgresServer destination = SharedServers.destination();
    private Vertx vertx;
    private String sourceName;
    private String destinationName;
    private Databases databases;
    private Ledger ledger;
    private StreamingFunction function;
    private StateReader states;
    private Admin admin;
    private KafkaProducer<byte[], byte[]> capture;
    private KafkaProducer<String, byte[]> commands;
    private KafkaConsumer<String, byte[]> eventReader;

    @BeforeEach
    void start() throws Exception {
        Map<String, Object> kafka = kafka();
        admin = Admin.create(kafka);
        admin.createTopics(List.of(
                        new NewTopic(pipeline.streamCommandsTopic(), 3, (short) 1)
                                .configs(Map.of("cleanup.policy", "compact")),
                        new NewTopic(pipeline.tableStateTopic(), 1, (short) 1).configs(Map.of("cleanup.policy", "compact")),
                        new NewTopic(pipeline.commandsAndEventsTopic(), 1, (short) 1)))
                .all()
                .get();
        capture = new KafkaProducer<>(kafka, new ByteArraySerializer(), new ByteArraySerializer());
        commands = new KafkaProducer<>(kafka, new StringSerializer(), new ByteArraySerializer());
        eventReader = new KafkaConsumer<>(kafka, new StringDeserializer(), new ByteArrayDeserializer());
        var partition = new TopicPartition(pipeline.commandsAndEventsTopic(), 0);
        eventReader.assign(List.of(partition));
        eventReader.seekToBeginning(List.of(partition));
        sourceName = SharedServers.freshDatabase(SharedServers.source());
        destinationName = SharedServers.freshDatabase(destination);
        vertx = Vertx.vertx();
        databases = new Databases(databaseConfig(), vertx);
        ledger = new Ledger(databases, pipeline);
        function = function();
        function.start();
    }

    @AfterEach
    void stop() {
        function.stop();
        states.close();
        capture.close();
        commands.close();
        eventReader.close();
        admin.close();
        databases.source().close();
        databases.destination().close();
        vertx.closeAndAwait();
    }

    @Test
    void aTableIsHeldDrainedCaughtUpAndStreamed() throws Exception {
        TableName table = table("counted");
        forbidGoingBack("counted");
        command(new StreamCommand.Hold(table, RUN, 1));
        awaitEvent(new Event.TableHeld(table, RUN, 1)::equals);
        queueFromTheEnd(table);
        Instant before = Instant.now().truncatedTo(ChronoUnit.MILLIS);
        write(table, 1, 1, "7", 1);
        capture.flush();
        Instant after = Instant.now();
        awaitEvent(event -> event instanceof Event.QueueMoved moved && moved.waiting() == 1
                && moved.oldest().filter(at -> !at.isBefore(before) && !at.isAfter(after)).isPresent());
        // Older after newer, at new offsets: as after a kill of Debezium Server.
        for (int i = 1; i <= 100; i++) {
            write(table, i * 10L, i, "7", i);
        }
        for (int i = 60; i <= 100; i++) {
            write(table, i * 10L, i, "7", i);
        }
        write(table, 1_010, 101, "8", 1);
        close(table);
        command(new StreamCommand.Drain(table, RUN, WATERMARK));
        await().atMost(LIMIT).untilAsserted(() -> assertThat(rows("counted")).containsExactly("7|100", "8|1"));
        assertThat(ledger.read(table).await().atMost(LIMIT).orElseThrow().applying())
                .as("an empty queue proves nothing before the slot has passed the watermark")
                .isEqualTo(Applying.DRAINING);

        confirmedFlush.set(WATERMARK);

        awaitEvent(new Event.TableCaughtUp(table, RUN)::equals);
        assertThat(ledger.read(table).await().atMost(LIMIT).orElseThrow().applying()).isEqualTo(Applying.STREAMING);
        write(table, 500, 50, "7", 50);
        write(table, 1_020, 102, "7", 101);
        await().atMost(LIMIT).untilAsserted(() -> assertThat(rows("counted")).containsExactly("7|101", "8|1"));
        awaitEvent(event -> event instanceof Event.QueueMoved moved && moved.waiting() == 0 && moved.applied() >= 140);

        // What is applied does not stay for ever, and what is deleted is no hole.
        long position = ledger.read(table).await().atMost(LIMIT).orElseThrow().position().orElseThrow();
        var queue = new TopicPartition(pipeline.queueTopic(table), 0);
        await().atMost(LIMIT)
                .untilAsserted(() -> assertThat(admin.listOffsets(Map.of(queue, OffsetSpec.earliest()))
                                .partitionResult(queue)
                                .get()
                                .offset())
                        .isEqualTo(position));
        function.stop();
        function = function();
        function.start();
        write(table, 1_030, 103, "7", 102);
        await().atMost(LIMIT).untilAsserted(() -> assertThat(rows("counted")).containsExactly("7|102", "8|1"));
    }

    /** Such a row is ahead of the others: what was put off until the table is drained must find rows of one time. */
    @Test
    void aTableIsNotDrainedBeforeItsQueueHasPassedWhatWasReadAnew() throws Exception {
        TableName table = table("anew");
        execute(SharedServers.source(), sourceName, "INSERT INTO anew VALUES (7, 3)");
        execute(destination, destinationName, "INSERT INTO anew VALUES (7, 2)");
        forbidGoingBack("anew");
        var watermark = new Lsn(1);
        command(new StreamCommand.Hold(table, RUN, 1));
        awaitEvent(new Event.TableHeld(table, RUN, 1)::equals);
        queueFromTheEnd(table);
        // The standby's read of the row may have transaction 5 or not; it has more, as it happens.
        execute(destination, destinationName, "INSERT INTO \"" + pipeline.ledgerSchema()
                + "\".chunks (table_name, run, chunk, up_to_key, rows, source_snapshot, later_snapshot) "
                + "VALUES ('public.anew', " + RUN + ", 0, '{1000}', 1, '5:5:', '6:6:')");
        capture.send(new ProducerRecord<>(
                pipeline.queueTopic(table),
                bytes("{\"id\":\"7\"}"),
                bytes("{\"op\":\"u\",\"after\":{\"id\":\"7\",\"counter\":\"1\"},"
                        + source(10, 1, 5) + "}")));
        ledger.closeRun(table, RUN, Outcome.CUT_SHORT, 0).await().atMost(LIMIT);
        ledger.setWatermark(table, RUN, watermark).await().atMost(LIMIT);
        confirmedFlush.set(watermark);

        command(new StreamCommand.Drain(table, RUN, watermark));

        await().atMost(LIMIT).untilAsserted(() -> assertThat(rows("anew")).containsExactly("7|3"));
        int asked = flushAsked.get();
        await("the slot is asked for, though it has passed the watermark")
                .atMost(LIMIT)
                .until(() -> flushAsked.get() > asked + 3);
        assertThat(events).doesNotContain(new Event.TableCaughtUp(table, RUN));
        Lsn reading = ledger.rowReads(table).await().atMost(LIMIT).getFirst().lsn();
        // A row that moves is read for another reason, and for that no drain waits.
        execute(SharedServers.source(), sourceName, "INSERT INTO anew VALUES (2002, 1)");
        writeMovedAway(table, source(20, 2, 5), "2001", "2002");
        writeMovedHere(table, source(20, 2, 5), "2001", "2002");
        await().atMost(LIMIT).untilAsserted(() -> assertThat(rows("anew")).containsExactly("7|3", "2002|1"));
        confirmedFlush.set(reading);
        awaitEvent(new Event.TableCaughtUp(table, RUN)::equals);
    }

    /** By the bytes of their text, each of the keys would be in the other chunk. */
    @ParameterizedTest
    @CsvSource({"text COLLATE \"de-x-icu\", ä, b, z", "citext, a, B, C"})
    void whatAChunkContainsIsSkippedWhereOnlyTheDatabaseKnowsTheOrder(
            String type, String inTheFirst, String bound, String inTheSecond) throws Exception {
        String[] create = {"CREATE EXTENSION citext", "CREATE TABLE worded (id " + type + " PRIMARY KEY, counter int)"};
        for (String sql : create) {
            execute(SharedServers.source(), sourceName, sql);
            execute(destination, destinationName, sql);
        }
        TableName table = withQueue("worded");
        forbidGoingBack("worded");
        execute(
                destination,
                destinationName,
                "INSERT INTO worded VALUES ('" + inTheFirst + "', 3), ('" + inTheSecond + "', 3)");
        command(new StreamCommand.Hold(table, RUN, 1));
        awaitEvent(new Event.TableHeld(table, RUN, 1)::equals);
        queueFromTheEnd(table);
        String order = new SourceTables(databases, pipeline)
                .inspect(table)
                .chain(definition -> new KeyOrders(databases, new SchemaMapping(Map.of()))
                        .compare(definition, TableOptions.NONE))
                .await()
                .atMost(LIMIT)
                .definition()
                .order();
        // The first has seen transaction 5, the second has not.
        execute(destination, destinationName, "INSERT INTO \"" + pipeline.ledgerSchema()
                + "\".chunks (table_name, run, chunk, after_key, up_to_key, rows, source_snapshot, key_order) VALUES "
                + "('public.worded', " + RUN + ", 0, NULL, '{" + bound + "}', 1, '6:6:', '" + order + "'), "
                + "('public.worded', " + RUN + ", 1, '{" + bound + "}', NULL, 1, '5:5:', '" + order + "')");
        write(table, source(10, 1, 5), inTheFirst, 1);
        write(table, source(10, 2, 5), inTheSecond, 4);
        write(table, source(20, 3, 6), "b", 6);
        close(table);
        confirmedFlush.set(WATERMARK);

        command(new StreamCommand.Drain(table, RUN, WATERMARK));

        Event ended = awaitEvent(event -> event.equals(new Event.TableCaughtUp(table, RUN))
                || event instanceof Event.QueueMoved moved && moved.trouble().isPresent());
        assertThat(rows("worded"))
                .as("the older change is skipped, the newer ones are not; then %s", ended)
                .containsExactlyInAnyOrder(inTheFirst + "|3", inTheSecond + "|4", "b|6");
    }

    @Test
    void aPausedTableAppliesNothingUntilItGoesOnAlsoAfterAStart() throws Exception {
        TableName table = streaming("pausable");
        TableName other = streaming("unpaused");
        write(table, 10, 1, "1", 1);
        await().atMost(LIMIT).untilAsserted(() -> assertThat(rows("pausable")).containsExactly("1|1"));
        pause(table, true);
        await().atMost(LIMIT).until(() -> states.rests(table));
        write(table, 20, 2, "1", 2);
        awaitEvent(event -> event instanceof Event.QueueMoved moved && moved.table().equals(table)
                && moved.waiting() == 1 && moved.trouble().isEmpty());

        // It is known before anything is applied: the next process finds the change in the queue.
        function.stop();
        states.close();
        function = function();
        function.start();
        write(other, 30, 3, "9", 1);
        await().atMost(LIMIT).untilAsserted(() -> assertThat(rows("unpaused")).containsExactly("9|1"));
        events.clear();
        write(table, 40, 4, "1", 3);
        awaitEvent(event -> event instanceof Event.QueueMoved moved && moved.table().equals(table) && moved.waiting() == 2);
        assertThat(rows("pausable")).containsExactly("1|1");

        pause(table, false);
        await().atMost(LIMIT).untilAsserted(() -> assertThat(rows("pausable")).containsExactly("1|3"));
        pausePipeline(true);
        await().atMost(LIMIT).until(() -> states.rests(other));
        events.clear();
        write(other, 50, 5, "9", 2);
        awaitEvent(event -> event instanceof Event.QueueMoved moved && moved.table().equals(other) && moved.waiting() == 1);
        // A hold writes no row, so it needs nobody to resume first.
        command(new StreamCommand.Hold(table, RUN + 1, 1));
        awaitEvent(new Event.TableHeld(table, RUN + 1, 1)::equals);
        assertThat(rows("unpaused")).containsExactly("9|1");

        // What an instance that starts meanwhile has read before it listens is no news any more.
        function.stop();
        states.close();
        function = function();
        await().atMost(LIMIT).until(states::isComplete);
        events.clear();
        function.start();
        awaitEvent(event -> event instanceof Event.QueueMoved moved && moved.table().equals(other) && moved.waiting() == 1);
        assertThat(rows("unpaused")).containsExactly("9|1");
        pausePipeline(false);
        await().atMost(LIMIT).untilAsserted(() -> assertThat(rows("unpaused")).containsExactly("9|2"));
    }

    @Test
    void anInstanceThatStartsAgainGoesOnWhereTheLedgerIs() throws Exception {
        TableName table = streaming("restarted");
        write(table, 10, 1, "1", 1);
        await().atMost(LIMIT).untilAsserted(() -> assertThat(rows("restarted")).containsExactly("1|1"));
        function.stop();
        write(table, 20, 2, "1", 2);
        events.clear();

        function = function();
        function.start();

        await().atMost(LIMIT).untilAsserted(() -> assertThat(rows("restarted")).containsExactly("1|2"));
        awaitEvent(new Event.TableCaughtUp(table, RUN)::equals);
    }

    @Test
    void anOwnerThatIsFencedOffChangesNothingUntilItIsDrainedAgain() throws Exception {
        TableName table = streaming("fenced");
        ledger.openRun(table, RUN + 1).await().atMost(LIMIT);

        write(table, 10, 1, "1", 1);
        write(table, 20, 2, "1", 2);
        command(new StreamCommand.Hold(table, RUN, 9));
        Event answer = awaitEvent(event -> event instanceof Event.HoldFailed);
        assertThat(((Event.HoldFailed) answer).fault().kind()).isEqualTo(dev.sluice.domain.Fault.Kind.REFUSED);
        assertThat(rows("fenced")).isEmpty();
        command(new StreamCommand.Hold(table, RUN + 1, 1));
        awaitEvent(new Event.TableHeld(table, RUN + 1, 1)::equals);
        assertThat(rows("fenced")).isEmpty();

        ledger.closeRun(table, RUN + 1, Outcome.CUT_SHORT, 0).await().atMost(LIMIT);
        ledger.setWatermark(table, RUN + 1, WATERMARK).await().atMost(LIMIT);
        command(new StreamCommand.Drain(table, RUN + 1, WATERMARK));
        awaitEvent(new Event.TableCaughtUp(table, RUN + 1)::equals);
        assertThat(rows("fenced")).containsExactly("1|2");
    }

    @Test
    void aHoldThatComesLateDoesNotStopATableThatStreams() throws Exception {
        TableName table = streaming("late");

        command(new StreamCommand.Hold(table, RUN, 1));
        awaitHoldFailed(RUN);
        write(table, 10, 1, "1", 1);
        await().atMost(LIMIT).untilAsserted(() -> assertThat(rows("late")).containsExactly("1|1"));
        command(new StreamCommand.Hold(table, RUN - 2, 1));
        awaitHoldFailed(RUN - 2);
        write(table, 20, 2, "1", 2);
        await().atMost(LIMIT).untilAsserted(() -> assertThat(rows("late")).containsExactly("1|2"));

        // The late command is the last one that the compacted topic has.
        function.stop();
        function = function();
        function.start();
        write(table, 30, 3, "1", 3);
        await().atMost(LIMIT).untilAsserted(() -> assertThat(rows("late")).containsExactly("1|3"));
    }

    @Test
    void aQueueWithAHoleFailsTheTableAndIsNeverReadOn() throws Exception {
        TableName table = table("holed");
        command(new StreamCommand.Hold(table, RUN, 1));
        awaitEvent(new Event.TableHeld(table, RUN, 1)::equals);
        queueFromTheEnd(table);
        for (int i = 1; i <= 10; i++) {
            write(table, i * 10L, i, Integer.toString(i), i);
        }
        capture.flush();
        var partition = new TopicPartition(pipeline.queueTopic(table), 0);
        admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(5))).all().get();
        close(table);

        command(new StreamCommand.Drain(table, RUN, WATERMARK));

        Event failed = awaitEvent(event -> event instanceof Event.StreamFailed);
        assertThat(((Event.StreamFailed) failed).queueLost()).isTrue();
        assertThat(((Event.StreamFailed) failed).fault().reason()).contains("starts at offset 5");
        assertThat(rows("holed")).isEmpty();
    }

    @Test
    void oneTableThatCannotGoOnStopsAloneAndGoesOnAfterARetry() throws Exception {
        TableName bad = streaming("bad");
        TableName good = streaming("good");
        execute(destination, destinationName, "ALTER TABLE bad ADD CONSTRAINT small CHECK (counter < 5)");

        for (int i = 1; i <= 9; i++) {
            write(bad, i * 10L, i, "1", i);
            write(good, i * 10L, i, "1", i);
        }

        Event failed = awaitEvent(event -> event instanceof Event.StreamFailed);
        assertThat(((Event.StreamFailed) failed).table()).isEqualTo(bad);
        assertThat(((Event.StreamFailed) failed).fault().reason()).contains("small");
        assertThat(((Event.StreamFailed) failed).queueLost()).isFalse();
        await().atMost(LIMIT).untilAsserted(() -> assertThat(rows("good")).containsExactly("1|9"));
        execute(destination, destinationName, "ALTER TABLE bad DROP CONSTRAINT small");
        command(new StreamCommand.Drain(bad, RUN, WATERMARK));
        await().atMost(LIMIT).untilAsserted(() -> assertThat(rows("bad")).containsExactly("1|9"));
    }

    @Test
    void whatNobodyExpectsOfOneTableStopsNoOther() throws Exception {
        function.stop();
        ledger.create().await().atMost(LIMIT);
        confirmedFlush.set(WATERMARK);
        List<TableName> tables = List.of(table("breaking"), table("beside"));
        for (TableName table : tables) {
            ledger.openRun(table, RUN).await().atMost(LIMIT);
            queueFromTheEnd(table);
            close(table);
        }
        TableName breaking = tables.getFirst();
        TableName beside = tables.getLast();
        var told = new CopyOnWriteArrayList<Event>();
        var breaks = new AtomicBoolean(true);
        Consumer<Event> events = event -> {
            if (breaks.get() && event.equals(new Event.TableCaughtUp(breaking, RUN))) {
                throw new IllegalStateException("nobody expects this");
            }
            told.add(event);
        };
        try (var planner = Executors.newSingleThreadExecutor();
                var topics = new QueueTopics(kafka());
                var loop = new QueueLoop(services(topics, events, planner), kafka())) {
            loop.start();
            tables.forEach(table -> loop.command(new StreamCommand.Drain(table, RUN, WATERMARK)));

            // It is told, and the table starts anew from the ledger, where it streams by now.
            await().atMost(LIMIT).until(() -> told.stream().anyMatch(event -> event instanceof Event.QueueMoved moved
                    && moved.table().equals(breaking)
                    && moved.trouble().filter(trouble -> trouble.contains("nobody expects this")).isPresent()));
            write(beside, 10, 1, "1", 1);
            await().atMost(LIMIT).untilAsserted(() -> assertThat(rows("beside")).containsExactly("1|1"));
            assertThat(told).contains(new Event.TableCaughtUp(beside, RUN));

            breaks.set(false);
            await().atMost(LIMIT).until(() -> told.contains(new Event.TableCaughtUp(breaking, RUN)));
            write(breaking, 10, 1, "1", 1);
            await().atMost(LIMIT).untilAsserted(() -> assertThat(rows("breaking")).containsExactly("1|1"));
        }
    }

    private StreamServices services(QueueTopics topics, Consumer<Event> events, Executor planner) {
        return new StreamServices(
                pipeline,
                streamingConfig(),
                ledger,
                () -> Uni.createFrom().voidItem(),
                new ChangeApply(databases, ledger, new SchemaMapping(Map.of())),
                () -> Uni.createFrom().item(confirmedFlush::get),
                topics,
                events,
                planner,
                Duration.ofSeconds(1),
                states);
    }

    @Test
    void halfAKeyChangeWaitsForItsOtherHalf() throws Exception {
        TableName table = streaming("halved");
        write(table, 10, 1, "1", 1);
        writeMovedAway(table, source(20, 2), "1", "2");
        awaitEvent(event -> event instanceof Event.QueueMoved moved && moved.applied() == 1 && moved.waiting() == 1);
        assertThat(rows("halved")).containsExactly("1|1");

        writeMovedHere(table, source(20, 2), "1", "2");

        await().atMost(LIMIT).untilAsserted(() -> assertThat(rows("halved")).containsExactly("2|1"));
    }

    @Test
    void halfAKeyChangeBeforeAChangeThatCannotBeReadFailsTheTable() throws Exception {
        TableName table = streaming("cut");
        write(table, 10, 1, "1", 1);
        writeMovedAway(table, source(20, 2), "1", "2");
        writeUncarried(table, 20, 2, "2");

        Event failed = awaitEvent(event -> event instanceof Event.StreamFailed);

        assertThat(((Event.StreamFailed) failed).fault().reason()).contains("offset 2", "column counter");
        assertThat(rows("cut")).as("what comes before it is applied").containsExactly("1|1");
    }

    @Test
    void aChangeThatCanNeverBeAppliedWantsANewQueue() throws Exception {
        TableName unreadable = streaming("unreadable");
        TableName unplaceable = streaming("unplaceable");
        write(unplaceable, 10, 1, "1", 1);

        writeUncarried(unreadable, 10, 1, "1");
        capture.send(new ProducerRecord<>(
                pipeline.queueTopic(unplaceable),
                bytes("{\"id\":\"1\"}"),
                bytes("{\"op\":\"u\",\"after\":{\"id\":\"1\",\"counter\":\"2\"},"
                        + source(20, 2).replace("\\\"20\\\"", "null") + "}")));

        assertThat(awaitStreamFailed(unreadable).queueLost()).isTrue();
        Event.StreamFailed unplaced = awaitStreamFailed(unplaceable);
        assertThat(unplaced.fault().reason()).contains("which commit came before");
        assertThat(unplaced.queueLost()).isTrue();
        assertThat(rows("unplaceable")).containsExactly("1|1");
    }

    @Test
    void aSourceThatHangsIsAskedAgain() throws Exception {
        TableName table = table("asked");
        command(new StreamCommand.Hold(table, RUN, 1));
        awaitEvent(new Event.TableHeld(table, RUN, 1)::equals);
        queueFromTheEnd(table);
        close(table);
        confirmedFlush.set(WATERMARK);
        sourceHangs.set(true);
        command(new StreamCommand.Drain(table, RUN, WATERMARK));
        awaitEvent(event -> event instanceof Event.QueueMoved moved && moved.trouble().isPresent());

        sourceHangs.set(false);

        awaitEvent(new Event.TableCaughtUp(table, RUN)::equals);
    }

    @Test
    void aDestinationThatIsAwayIsWaitedForAndNothingIsLost() throws Exception {
        function.stop();
        databases.source().close();
        databases.destination().close();
        try (PostgresServer own =
                PostgresServer.start(SharedServers.folder("away"), 0, SharedServers.FAST_POSTGRES)) {
            destination = own;
            destinationName = SharedServers.freshDatabase(own);
            databases = new Databases(databaseConfig(), vertx);
            ledger = new Ledger(databases, pipeline);
            function = function();
            function.start();
            TableName table = streaming("away");
            write(table, 10, 1, "1", 1);
            await().atMost(LIMIT).untilAsserted(() -> assertThat(rows("away")).containsExactly("1|1"));

            own.kill();
            write(table, 20, 2, "1", 2);
            awaitEvent(event -> event instanceof Event.QueueMoved moved && moved.trouble().isPresent());
            own.restart();

            await().atMost(LIMIT).untilAsserted(() -> assertThat(rows("away")).containsExactly("1|2"));
            awaitEvent(event -> event instanceof Event.QueueMoved moved
                    && moved.trouble().isEmpty()
                    && moved.applied() == 2);
            assertThat(events).noneMatch(event -> event instanceof Event.StreamFailed);
            function.stop();
        }
    }

    @Test
    void howFastAQueueIsApplied() throws Exception {
        int changes = 200_000;
        TableName table = table("fast");
        command(new StreamCommand.Hold(table, RUN, 1));
        awaitEvent(new Event.TableHeld(table, RUN, 1)::equals);
        queueFromTheEnd(table);
        for (int i = 1; i <= changes; i++) {
            write(table, i * 10L, i, Integer.toString(i % 50_000), i);
        }
        capture.flush();
        close(table);
        confirmedFlush.set(WATERMARK);
        long started = System.nanoTime();

        command(new StreamCommand.Drain(table, RUN, WATERMARK));
        awaitEvent(new Event.TableCaughtUp(table, RUN)::equals);

        double seconds = (System.nanoTime() - started) / 1e9;
        System.out.printf("%,d changes drained in %.1f s: %,.0f changes/s%n", changes, seconds, changes / seconds);
        assertThat(rows("fast")).hasSize(50_000).contains("1|150001", "49999|199999");
    }

    private TableName streaming(String name) throws Exception {
        TableName table = table(name);
        confirmedFlush.set(WATERMARK);
        command(new StreamCommand.Hold(table, RUN, 1));
        awaitEvent(new Event.TableHeld(table, RUN, 1)::equals);
        queueFromTheEnd(table);
        close(table);
        command(new StreamCommand.Drain(table, RUN, WATERMARK));
        awaitEvent(new Event.TableCaughtUp(table, RUN)::equals);
        return table;
    }

    private TableName table(String name) throws Exception {
        String ddl = "CREATE TABLE " + name + " (id bigint PRIMARY KEY, counter int)";
        execute(SharedServers.source(), sourceName, ddl);
        execute(destination, destinationName, ddl);
        return withQueue(name);
    }

    private TableName withQueue(String name) throws Exception {
        TableName table = new TableName("public", name);
        admin.createTopics(List.of(new NewTopic(pipeline.queueTopic(table), 1, (short) 1))).all().get();
        return table;
    }

    private void queueFromTheEnd(TableName table) throws Exception {
        String topicId = admin.describeTopics(List.of(pipeline.queueTopic(table)))
                .allTopicNames()
                .get()
                .get(pipeline.queueTopic(table))
                .topicId()
                .toString();
        ledger.startQueueAt(table, RUN, topicId, 0).await().atMost(LIMIT);
    }

    private void close(TableName table) {
        ledger.closeRun(table, RUN, Outcome.CUT_SHORT, 0).await().atMost(LIMIT);
        ledger.setWatermark(table, RUN, WATERMARK).await().atMost(LIMIT);
    }

    private void write(TableName table, long commitBefore, long lsn, String id, int counter) {
        write(table, source(commitBefore, lsn), id, counter);
    }

    private void write(TableName table, String source, String id, int counter) {
        capture.send(new ProducerRecord<>(
                pipeline.queueTopic(table),
                bytes("{\"id\":\"" + id + "\"}"),
                bytes("{\"before\":null,\"after\":{\"id\":\"" + id + "\",\"counter\":\"" + counter + "\"}," + source
                        + ",\"op\":\"u\"}")));
    }

    /** The first half of a key change. */
    private void writeMovedAway(TableName table, String source, String from, String to) throws Exception {
        var delete = new ProducerRecord<>(
                pipeline.queueTopic(table),
                bytes("{\"id\":\"" + from + "\"}"),
                bytes("{\"op\":\"d\"," + source + "}"));
        delete.headers().add("__debezium.newkey", bytes("{\"id\":\"" + to + "\"}"));
        capture.send(delete).get();
    }

    /** The second half, of a row that keeps its counter. */
    private void writeMovedHere(TableName table, String source, String from, String to) throws Exception {
        var create = new ProducerRecord<>(
                pipeline.queueTopic(table),
                bytes("{\"id\":\"" + to + "\"}"),
                bytes("{\"op\":\"c\",\"after\":{\"id\":\"" + to + "\",\"counter\":\"\\u0000\"}," + source + "}"));
        create.headers().add("__debezium.oldkey", bytes("{\"id\":\"" + from + "\"}"));
        capture.send(create).get();
    }

    /** A change with a value that capture could not carry. */
    private void writeUncarried(TableName table, long commitBefore, long lsn, String id) throws Exception {
        capture.send(new ProducerRecord<>(
                        pipeline.queueTopic(table),
                        bytes("{\"id\":\"" + id + "\"}"),
                        bytes("{\"op\":\"c\",\"after\":{\"id\":\"" + id + "\",\"counter\":\"\\u0000uncarried\"},"
                                + source(commitBefore, lsn) + "}")))
                .get();
    }

    private static String source(long commitBefore, long lsn) {
        return source(commitBefore, lsn, 100_000 + lsn);
    }

    private static String source(long commitBefore, long lsn, long transaction) {
        return "\"source\":{\"ts_ms\":1,\"sequence\":\"[\\\"" + commitBefore + "\\\",\\\"" + lsn + "\\\"]\",\"txId\":"
                + transaction + ",\"lsn\":" + lsn + "}";
    }

    private void command(StreamCommand command) throws Exception {
        commands.send(messages.streamCommand(command, "test")).get();
    }

    private void awaitHoldFailed(long run) {
        awaitEvent(event -> event instanceof Event.HoldFailed failed && failed.run() == run);
    }

    private Event.StreamFailed awaitStreamFailed(TableName table) {
        return (Event.StreamFailed)
                awaitEvent(event -> event instanceof Event.StreamFailed failed && failed.table().equals(table));
    }

    private Event awaitEvent(Predicate<Event> expected) {
        await().atMost(LIMIT).until(() -> {
            eventReader.poll(Duration.ofMillis(50)).forEach(record -> {
                if (messages.input(record) instanceof Messages.Input.OfEvent event) {
                    events.add(event.event());
                }
            });
            return events.stream().anyMatch(expected);
        });
        return events.stream().filter(expected).findFirst().orElseThrow();
    }

    /** A row that shows an older version after a newer one makes its statement fail. */
    private void forbidGoingBack(String table) throws SQLException {
        execute(destination, destinationName, """
                CREATE FUNCTION forward() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                  IF NEW.counter < OLD.counter THEN RAISE EXCEPTION 'back from %% to %%', OLD.counter, NEW.counter; END IF;
                  RETURN NEW;
                END $$;
                CREATE TRIGGER forward BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION forward();
                """.formatted(table));
    }

    private List<String> rows(String table) throws SQLException {
        try (var connection = destination.connect(destinationName);
                var statement = connection.createStatement();
                var result = statement.executeQuery("SELECT id || '|' || counter FROM " + table + " ORDER BY id")) {
            List<String> rows = new ArrayList<>();
            while (result.next()) {
                rows.add(result.getString(1));
            }
            return rows;
        }
    }

    private static void execute(PostgresServer server, String database, String sql) throws SQLException {
        try (var connection = server.connect(database); var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static Map<String, Object> kafka() {
        return new HashMap<>(Map.of(
                "bootstrap.servers", SharedServers.kafka().bootstrapServers(),
                "linger.ms", "20",
                "auto.offset.reset", "earliest"));
    }

    private StreamingFunction function() {
        states = new StateReader(
                new KafkaClients(new SmallRyeConfigBuilder()
                        .withDefaultValue("kafka.bootstrap.servers", SharedServers.kafka().bootstrapServers())
                        .build()),
                messages,
                pipeline);
        states.start();
        return new StreamingFunction(
                kafka(),
                pipeline,
                messages,
                streamingConfig(),
                ledger,
                new ChangeApply(databases, ledger, new SchemaMapping(Map.of())),
                () -> {
                    flushAsked.incrementAndGet();
                    return sourceHangs.get() ? Uni.createFrom().nothing() : Uni.createFrom().item(confirmedFlush::get);
                },
                Duration.ofSeconds(1),
                states);
    }

    /** Of the other tables nothing is known, as of any that no scheduler has written yet. */
    private void pause(TableName table, boolean rests) throws Exception {
        commands.send(messages.tableState(new TableRecord(
                        table, new TableState.Draining(RUN, WATERMARK), Instant.EPOCH, 1, Optional.empty(), Optional.empty(),
                        TableRecord.Progress.none(), Optional.empty(), TableOptions.NONE, Optional.empty(),
                        rests ? Optional.of(new Pause(Optional.empty(), Instant.EPOCH)) : Optional.empty(),
                        Optional.empty(), List.of(), Optional.empty())))
                .get();
    }

    private void pausePipeline(boolean rests) throws Exception {
        PipelineRecord none = PipelineRecord.empty();
        commands.send(messages.pipelineState(new PipelineRecord(
                        none.epoch(), none.inputOffset(), none.requests(), none.slots(), none.rejections(),
                        none.settings(), none.defaults(), none.resting(), none.pace(),
                        rests ? Optional.of(new Pause(Optional.empty(), Instant.EPOCH)) : Optional.empty())))
                .get();
    }

    private static StreamingConfig streamingConfig() {
        return new StreamingConfig() {
            @Override
            public int batchRows() {
                return 5_000;
            }

            @Override
            public MemorySize batchBytes() {
                return new MemorySize(BigInteger.valueOf(8 * 1024 * 1024));
            }

            @Override
            public Duration batchInterval() {
                return Duration.ofMillis(100);
            }

            @Override
            public int appliesMax() {
                return 4;
            }

            @Override
            public MemorySize bufferBytes() {
                return new MemorySize(BigInteger.valueOf(48 * 1024 * 1024));
            }

            @Override
            public Duration drainInterval() {
                return Duration.ofMillis(200);
            }

            @Override
            public Duration reportInterval() {
                return Duration.ofMillis(200);
            }

            @Override
            public Duration appliedKept() {
                return Duration.ofSeconds(1);
            }
        };
    }

    private DatabaseConfig databaseConfig() {
        String source = SharedServers.source().url(sourceName);
        String destinationUrl = destination.url(destinationName);
        String name = pipeline.name();
        return new DatabaseConfig() {
            @Override
            public String pipeline() {
                return name;
            }

            @Override
            public Optional<String> hashSalt() {
                return Optional.empty();
            }

            @Override
            public Source source() {
                return new Source() {
                    @Override
                    public String url() {
                        return source;
                    }

                    @Override
                    public int connectionsMax() {
                        return 4;
                    }

                    @Override
                    public Replica replica() {
                        return Optional::empty;
                    }
                };
            }

            @Override
            public Destination destination() {
                return new Destination() {
                    @Override
                    public String url() {
                        return destinationUrl;
                    }

                    @Override
                    public int connectionsMax() {
                        return 8;
                    }

                    @Override
                    public Map<String, String> schemas() {
                        return Map.of();
                    }

                    @Override
                    public DroppedColumns droppedColumns() {
                        return DroppedColumns.KEEP;
                    }
                };
            }
        };
    }
}
