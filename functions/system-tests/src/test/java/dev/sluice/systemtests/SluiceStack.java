package dev.sluice.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Command;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.messaging.Messages;
import dev.sluice.testing.DebeziumServer;
import dev.sluice.testing.FunctionsServer;
import dev.sluice.testing.KafkaServer;
import dev.sluice.testing.PostgresServer;
import dev.sluice.testing.SharedServers;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * One whole Sluice on shared servers: a source and a destination database of its own, Debezium Server, the functions,
 * and an observer of the table states that sees every one of them.
 */
final class SluiceStack implements AutoCloseable {

    static final Duration LONG = Duration.ofMinutes(3);
    private static final Duration POLL = Duration.ofMillis(100);

    final Pipeline pipeline;
    final PostgresServer sourceServer;
    final PostgresServer destinationServer;
    final String sourceDatabase;
    final String destinationDatabase;
    private final KafkaServer kafka = SharedServers.kafka();
    private final Messages messages;
    private final KafkaProducer<String, byte[]> producer;
    private final Map<String, String> settings;
    private final Map<TableName, TableRecord> tables = new ConcurrentHashMap<>();
    private final List<TableRecord> history = new CopyOnWriteArrayList<>();
    private volatile PipelineRecord pipelineRecord = PipelineRecord.empty();
    private volatile boolean observing = true;
    private Thread observer;
    private Optional<PostgresServer> replica = Optional.empty();
    private DebeziumServer debezium;
    private FunctionsServer functions;

    private SluiceStack(
            String name, Map<String, String> settings, PostgresServer sourceServer, PostgresServer destinationServer) {
        this.sourceServer = sourceServer;
        this.destinationServer = destinationServer;
        this.sourceDatabase = SharedServers.freshDatabase(sourceServer);
        this.destinationDatabase = SharedServers.freshDatabase(destinationServer);
        this.pipeline = new Pipeline(name);
        this.messages = new Messages(pipeline);
        this.settings = settings;
        this.producer = new KafkaProducer<>(
                Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrapServers()),
                new StringSerializer(),
                new ByteArraySerializer());
    }

    /**
     * @param name the pipeline's: another for each stack, since all share one Kafka
     * @param settings of the functions, beside where the servers are
     */
    static SluiceStack start(String name, Map<String, String> settings) {
        SluiceStack stack = startWithoutFunctions(name, settings);
        stack.startFunctions();
        return stack;
    }

    /** As {@link #start}, on a source of its own with a standby that chunks are read from. */
    static SluiceStack start(
            String name, PostgresServer primary, PostgresServer standby, Map<String, String> settings) {
        SluiceStack stack = startWithoutFunctions(name, settings, primary, SharedServers.destination());
        stack.replica = Optional.of(standby);
        stack.startFunctions();
        return stack;
    }

    /** As {@link #start}, for a test that runs the functions itself. */
    static SluiceStack startWithoutFunctions(String name, Map<String, String> settings) {
        return startWithoutFunctions(name, settings, SharedServers.source(), SharedServers.destination());
    }

    /** As {@link #startWithoutFunctions(String, Map)}, on other servers than the shared ones. */
    static SluiceStack startWithoutFunctions(
            String name, Map<String, String> settings, PostgresServer sourceServer, PostgresServer destinationServer) {
        var stack = new SluiceStack(name, settings, sourceServer, destinationServer);
        stack.startDebezium();
        stack.observer = Thread.ofVirtual().name("observer of " + name).start(stack::observe);
        return stack;
    }

    void startDebezium() {
        debezium = DebeziumServer.start(
                SharedServers.folder(pipeline.name() + "-debezium"),
                new DebeziumServer.Settings(pipeline, sourceServer, sourceDatabase, kafka.bootstrapServers()));
    }

    void startFunctions() {
        functions = FunctionsServer.start(SharedServers.folder(pipeline.name() + "-functions"), functionSettings());
    }

    /** Ends the functions, and starts them with some settings changed: those of before, but for these. */
    void restartFunctions(Map<String, String> changed) {
        functions.kill();
        Map<String, String> all = new HashMap<>(settings);
        all.putAll(changed);
        functions = FunctionsServer.start(functions.folder(), functionSettings(all));
    }

    /** What a second process of functions needs to join this stack, too. */
    FunctionsServer.Settings functionSettings() {
        return functionSettings(settings);
    }

    private FunctionsServer.Settings functionSettings(Map<String, String> settings) {
        Map<String, String> all = new HashMap<>(settings);
        replica.ifPresent(standby -> all.put("sluice.source.replica.url", standby.url(sourceDatabase)));
        return new FunctionsServer.Settings(
                pipeline,
                sourceServer.url(sourceDatabase),
                destinationServer.url(destinationDatabase),
                kafka.bootstrapServers(),
                0,
                all);
    }

    DebeziumServer debezium() {
        return debezium;
    }

    FunctionsServer functions() {
        return functions;
    }

    Connection source() throws SQLException {
        return sourceServer.connect(sourceDatabase);
    }

    Connection destination() throws SQLException {
        return destinationServer.connect(destinationDatabase);
    }

    void onSource(String... statements) throws SQLException {
        run(source(), statements);
    }

    /**
     * Changes much of a table that is written to, in one transaction that keeps the other writers out meanwhile: row by
     * row it would deadlock with them.
     */
    void onSourceAlone(TestTable table, String statement) throws SQLException {
        runAlone(source(), table, statement);
    }

    /** The same at the destination, where Sluice is the other writer. */
    void onDestinationAlone(TestTable table, String... statements) throws SQLException {
        runAlone(destination(), table, statements);
    }

    private static void runAlone(Connection opened, TestTable table, String... statements) throws SQLException {
        try (Connection connection = opened; Statement sql = connection.createStatement()) {
            connection.setAutoCommit(false);
            sql.execute("LOCK TABLE " + table.tableName() + " IN SHARE ROW EXCLUSIVE MODE");
            for (String statement : statements) {
                sql.execute(statement);
            }
            connection.commit();
        }
    }

    void onDestination(String... statements) throws SQLException {
        run(destination(), statements);
    }

    private static void run(Connection opened, String... statements) throws SQLException {
        try (Connection connection = opened; Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    Optional<String> one(Connection opened, String query) throws SQLException {
        try (Connection connection = opened;
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            return rows.next() ? Optional.ofNullable(rows.getString(1)) : Optional.empty();
        }
    }

    void send(Command command) {
        send(messages.command(command, "system-tests"));
    }

    /** A record on the command topic that may be anything. */
    void sendRaw(String value) {
        send(new ProducerRecord<>(pipeline.commandsAndEventsTopic(), null, value.getBytes(StandardCharsets.UTF_8)));
    }

    private void send(ProducerRecord<String, byte[]> record) {
        try {
            producer.send(record).get(30, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError("Kafka did not take " + record, e);
        }
    }

    void add(String... names) {
        send(new Command.AddTables(List.of(names)));
    }

    Optional<TableRecord> table(String name) {
        return Optional.ofNullable(tables.get(TableName.parse(name)));
    }

    PipelineRecord pipelineRecord() {
        return pipelineRecord;
    }

    /** Every state that was ever committed, in order. */
    List<TableRecord> history() {
        return List.copyOf(history);
    }

    /** Waits until the table's state is as asked; a table that fails instead ends the wait at once with its reason. */
    TableRecord await(String name, Duration limit, Predicate<TableRecord> condition) {
        Instant deadline = Instant.now().plus(limit);
        while (true) {
            Optional<TableRecord> table = table(name);
            if (table.filter(condition).isPresent()) {
                return table.get();
            }
            if (table.map(TableRecord::state).filter(TableState.Failed.class::isInstance).isPresent()) {
                throw new AssertionError(name + " failed: " + table.get().state());
            }
            if (Instant.now().isAfter(deadline)) {
                throw new AssertionError(
                        name + " is not as awaited after " + limit + ": " + table);
            }
            LockSupport.parkNanos(POLL.toNanos());
        }
    }

    TableRecord awaitStreaming(String name) {
        return await(name, LONG, table -> table.state() instanceof TableState.Streaming);
    }

    /** Waits until the table streams in a run after the given one. */
    TableRecord awaitStreamingAfter(String name, long run) {
        return await(name, LONG, table -> table.state() instanceof TableState.Streaming streaming && streaming.run() > run);
    }

    TableState.Failed awaitFailed(String name) {
        awaitTrue(
                name + " fails",
                LONG,
                () -> table(name).map(TableRecord::state).filter(TableState.Failed.class::isInstance).isPresent());
        return (TableState.Failed) table(name).orElseThrow().state();
    }

    /** Waits for a state, whatever it is: also out of Failed. */
    void awaitTrueState(String name, Predicate<TableState> condition) {
        awaitTrue(name + " is as awaited", LONG, () -> table(name)
                .map(TableRecord::state)
                .filter(condition)
                .isPresent());
    }

    static void awaitTrue(String what, Duration limit, BooleanSupplier condition) {
        Instant deadline = Instant.now().plus(limit);
        while (!condition.getAsBoolean()) {
            if (Instant.now().isAfter(deadline)) {
                throw new AssertionError("not within " + limit + ": " + what);
            }
            LockSupport.parkNanos(POLL.toNanos());
        }
    }

    /** Waits until everything that the source has committed by now is applied at the destination. */
    void awaitQueueApplied(String... names) throws SQLException {
        Lsn written = Lsn.parse(one(
                        source(), "SELECT pg_logical_emit_message(true, '" + pipeline.probePrefix() + "', 'test')::text")
                .orElseThrow());
        awaitTrue("capture passes " + written, LONG, () -> confirmedFlush().isAtLeast(written));
        for (String name : names) {
            var queue = new TopicPartition(pipeline.queueTopic(TableName.parse(name)), 0);
            long end;
            try (var consumer = consumer()) {
                end = consumer.endOffsets(List.of(queue)).get(queue);
            }
            awaitTrue(name + " is applied up to offset " + end, LONG, () -> position(name) >= end);
        }
    }

    private Lsn confirmedFlush() {
        try {
            return one(
                            source(),
                            "SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = '"
                                    + pipeline.slot() + "'")
                    .map(Lsn::parse)
                    .orElse(Lsn.ZERO);
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    long position(String name) {
        try {
            return one(
                            destination(),
                            "SELECT position FROM " + pipeline.ledgerSchema() + ".tables WHERE table_name = '"
                                    + TableName.parse(name).toString().replace("'", "''") + "'")
                    .map(Long::parseLong)
                    .orElse(-1L);
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    /** Asserts that source and destination hold the same rows, value for value, once the queue is applied. */
    void assertEqual(String... names) throws SQLException {
        awaitQueueApplied(names);
        for (String name : names) {
            TableName table = TableName.parse(name);
            assertThat(Contents.differences(this, table))
                    .as("rows of %s that differ between source and destination", table)
                    .isEmpty();
        }
    }

    private KafkaConsumer<String, byte[]> consumer() {
        return new KafkaConsumer<>(
                Map.of(
                        ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrapServers(),
                        ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed",
                        ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false),
                new StringDeserializer(),
                new ByteArrayDeserializer());
    }

    private void observe() {
        try (var consumer = consumer()) {
            var partition = new TopicPartition(pipeline.tableStateTopic(), 0);
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            while (observing) {
                for (ConsumerRecord<String, byte[]> record : consumer.poll(POLL)) {
                    if (Messages.PIPELINE_KEY.equals(record.key())) {
                        pipelineRecord = messages.pipelineState(record);
                    } else if (record.value() == null) {
                        tables.remove(TableName.parse(record.key()));
                    } else {
                        TableRecord table = messages.tableState(record);
                        tables.put(table.table(), table);
                        history.add(table);
                    }
                }
            }
        }
    }

    @Override
    public void close() throws Exception {
        observing = false;
        if (observer != null) {
            observer.join(5_000);
        }
        producer.close(Duration.ofSeconds(5));
        if (functions != null) {
            functions.close();
        }
        if (debezium != null) {
            debezium.close();
        }
        dropSlot();
    }

    /** A server has some slots only, and each left behind keeps all that is written from then on. */
    private void dropSlot() throws SQLException {
        String slot = " FROM pg_replication_slots WHERE slot_name = '" + pipeline.slot() + "'";
        // The server notices only a moment later that whoever used it is gone.
        awaitTrue("nobody uses the slot of " + pipeline.name(), LONG, () ->
                unused("SELECT count(*)" + slot + " AND active"));
        onSource("SELECT pg_drop_replication_slot(slot_name)" + slot);
    }

    private boolean unused(String count) {
        try {
            return one(source(), count).equals(Optional.of("0"));
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }
}
