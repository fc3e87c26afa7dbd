package dev.sluice.streaming;

import dev.sluice.domain.Lsn;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.StreamCommand;
import dev.sluice.domain.TableName;
import dev.sluice.messaging.StateReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jboss.logging.Logger;

/**
 * The one thread that owns this instance's tables and their one consumer. What takes time (the databases, planning)
 * goes on elsewhere and comes back as a task.
 */
final class QueueLoop implements AutoCloseable {

    private static final Logger LOG = Logger.getLogger(QueueLoop.class);

    private static final Duration POLL_MAX = Duration.ofMillis(500);
    private static final Duration AFTER_ERROR = Duration.ofSeconds(1);
    private static final Duration IDENTITY_INTERVAL = Duration.ofSeconds(10);
    private static final Duration STOP_LIMIT = Duration.ofSeconds(15);
    private static final int OPENINGS_MAX = 4;
    private static final Duration STATES_LIMIT = Duration.ofSeconds(5);

    private final StreamServices services;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final LinkedBlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();
    private final PriorityQueue<Timer> timers = new PriorityQueue<>(Comparator.comparingLong(Timer::atNanos));
    private final Thread thread = new Thread(this::run, "sluice-streaming-queues");
    private volatile boolean polling;
    private volatile boolean closing;

    private final Map<TableName, TableStream> tables = new HashMap<>();
    private final Map<TopicPartition, TableStream> followed = new HashMap<>();
    /** Partitions that a table wants no records of for now. */
    private final Set<TopicPartition> unwanted = new HashSet<>();
    private final Line applies;
    private final Line openings = new Line(OPENINGS_MAX);
    private final List<Waiter> waiters = new ArrayList<>();
    private long heldBytes;
    private boolean full;
    private boolean looksAtSlot;
    private boolean looksAtHeld;
    private boolean pipelineRests;
    /** Where the tables stood at the last look: what is before that is applied for as long as changes are kept. */
    private Map<TopicPartition, Long> appliedBefore = Map.of();

    private record Timer(long atNanos, Runnable task) {}

    /** Somebody who waits until these tables have stopped. */
    private record Waiter(Set<TableName> tables, CompletableFuture<Void> done) {}

    QueueLoop(StreamServices services, Map<String, Object> kafka) {
        this.services = services;
        this.applies = new Line(services.config().appliesMax());
        this.consumer = new KafkaConsumer<>(
                settings(kafka), new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private static Map<String, Object> settings(Map<String, Object> kafka) {
        Map<String, Object> settings = new HashMap<>(kafka);
        settings.remove(ConsumerConfig.GROUP_ID_CONFIG);
        settings.put(ConsumerConfig.CLIENT_ID_CONFIG, "sluice-streaming-queues");
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        // A hole in a queue must be seen, not skipped (R15).
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
        settings.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        // Bounds what a thousand tables can bring in at once. A single larger record still passes.
        settings.put(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, 16 * 1024 * 1024);
        // As compressed, and one poll may return it all: at lz4's best that is 64 MiB of a table whose rows are large.
        settings.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, 256 * 1024);
        settings.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 5_000);
        settings.put(ConsumerConfig.METADATA_MAX_AGE_CONFIG, 10_000);
        return settings;
    }

    void start() {
        services.states().onChange(change -> execute(() -> follow(change)));
        thread.start();
        execute(() -> {
            // What was read before somebody listened.
            pipelineRests = services.states().pipeline().flatMap(PipelineRecord::pause).isPresent();
            every(services.config().drainInterval(), this::lookAtSlot);
            every(services.config().reportInterval(), this::report);
            every(IDENTITY_INTERVAL, this::lookAtTopics);
            every(services.config().appliedKept(), this::deleteApplied);
            sayWhileStatesAreAwaited();
        });
    }

    private void sayWhileStatesAreAwaited() {
        after(STATES_LIMIT, () -> {
            if (!services.states().isComplete()) {
                LOG.warnf(
                        "nothing is applied before the states of the tables are read, which says who is paused: %s",
                        services.states().trouble().orElse("they are being read"));
                sayWhileStatesAreAwaited();
            }
        });
    }

    private void follow(StateReader.Change change) {
        switch (change) {
            case StateReader.Change.OfTable ofTable -> look(Set.of(ofTable.table()));
            case StateReader.Change.Gone gone -> look(Set.of(gone.table()));
            case StateReader.Change.Complete all -> look(tables.keySet());
            case StateReader.Change.OfPipeline ofPipeline -> {
                boolean rests = ofPipeline.now().pause().isPresent();
                if (rests != pipelineRests) {
                    pipelineRests = rests;
                    look(tables.keySet());
                }
            }
        }
    }

    private void look(Set<TableName> names) {
        List.copyOf(names).forEach(name -> Optional.ofNullable(tables.get(name)).ifPresent(TableStream::pauseMayHaveChanged));
    }

    boolean isAlive() {
        return thread.isAlive();
    }

    /** From any thread. */
    void command(StreamCommand command) {
        execute(() -> {
            if (!closing) {
                tables.computeIfAbsent(command.table(), table -> new TableStream(table, services, this)).command(command);
            }
        });
    }

    /**
     * From any thread: stops tables that this instance has no longer.
     *
     * @return completed when none of them has anything under way
     */
    CompletableFuture<Void> forget(Collection<TableName> names) {
        var waiter = new Waiter(new HashSet<>(names), new CompletableFuture<>());
        execute(() -> {
            waiter.tables().retainAll(tables.keySet());
            if (waiter.tables().isEmpty()) {
                waiter.done().complete(null);
            } else {
                waiters.add(waiter);
                List.copyOf(waiter.tables()).forEach(name -> tables.get(name).forget());
            }
        });
        return waiter.done();
    }

    /** From any thread: runs a task on the loop's. */
    void execute(Runnable task) {
        tasks.add(task);
        if (polling) {
            consumer.wakeup();
        }
    }

    // From here on: only for the loop's own thread, where the tables run.

    Line applies() {
        return applies;
    }

    Line openings() {
        return openings;
    }

    void after(Duration delay, Runnable task) {
        timers.add(new Timer(System.nanoTime() + delay.toNanos(), task));
    }

    void follow(TableStream table, long position) {
        TopicPartition partition = table.partition();
        followed.put(partition, table);
        consumer.assign(followed.keySet());
        consumer.seek(partition, position);
        want(partition, true);
    }

    void unfollow(TopicPartition partition) {
        if (followed.remove(partition) != null) {
            unwanted.remove(partition);
            consumer.assign(followed.keySet());
        }
    }

    void want(TopicPartition partition, boolean wanted) {
        if (!followed.containsKey(partition)) {
            return;
        }
        if (wanted) {
            unwanted.remove(partition);
        } else {
            unwanted.add(partition);
        }
        if (wanted && !full) {
            consumer.resume(List.of(partition));
        } else {
            consumer.pause(List.of(partition));
        }
    }

    /** Counts bytes that stay in memory until {@link #release}. Above the bound nothing more is read. */
    void hold(long bytes) {
        heldBytes += bytes;
        if (!full && heldBytes > services.config().bufferBytes().asLongValue()) {
            full = true;
            consumer.pause(followed.keySet());
        }
    }

    void release(long bytes) {
        heldBytes -= bytes;
        if (full && heldBytes < services.config().bufferBytes().asLongValue() / 2) {
            full = false;
            consumer.resume(followed.keySet().stream().filter(p -> !unwanted.contains(p)).toList());
        }
    }

    /** Records that stand in Kafka beyond those that were read; empty if that is not known yet. */
    OptionalLong lag(TopicPartition partition) {
        return followed.containsKey(partition) ? consumer.currentLag(partition) : OptionalLong.empty();
    }

    void forgotten(TableStream table) {
        tables.remove(table.table(), table);
        waiters.removeIf(waiter -> {
            waiter.tables().remove(table.table());
            return waiter.tables().isEmpty() && waiter.done().complete(null);
        });
    }

    private void every(Duration interval, Runnable task) {
        after(interval, () -> {
            every(interval, task);
            task.run();
        });
    }

    private void run() {
        while (!closing) {
            try {
                turn();
            } catch (WakeupException e) {
                // A task came.
            } catch (OffsetOutOfRangeException e) {
                List.copyOf(e.offsetOutOfRangePartitions().keySet()).forEach(partition ->
                        Optional.ofNullable(followed.get(partition)).ifPresent(TableStream::reopen));
            } catch (RuntimeException e) {
                LOG.error("the queues cannot be read for now", e);
                pauseAfterError();
            }
        }
        finish();
    }

    private void turn() {
        long now = System.nanoTime();
        while (!timers.isEmpty() && timers.peek().atNanos() <= now) {
            timers.poll().task().run();
        }
        Runnable task;
        while ((task = tasks.poll()) != null) {
            task.run();
        }
        Duration timeout = timers.isEmpty()
                ? POLL_MAX
                : Duration.ofNanos(Math.clamp(timers.peek().atNanos() - System.nanoTime(), 0, POLL_MAX.toNanos()));
        if (followed.isEmpty()) {
            // A consumer that is assigned nothing cannot be polled.
            runNextTask(timeout);
            return;
        }
        ConsumerRecords<byte[], byte[]> records = ConsumerRecords.empty();
        polling = true;
        try {
            if (tasks.isEmpty()) {
                records = consumer.poll(timeout);
            }
        } finally {
            polling = false;
        }
        for (TopicPartition partition : records.partitions()) {
            TableStream table = followed.get(partition);
            if (table != null) {
                table.records(records.records(partition));
            }
        }
    }

    private void runNextTask(Duration timeout) {
        try {
            Runnable task = tasks.poll(timeout.toNanos(), TimeUnit.NANOSECONDS);
            if (task != null) {
                task.run();
            }
        } catch (InterruptedException e) {
            closing = true;
            Thread.currentThread().interrupt();
        }
    }

    private void pauseAfterError() {
        long until = System.nanoTime() + AFTER_ERROR.toNanos();
        while (!closing && System.nanoTime() < until) {
            runNextTask(Duration.ofNanos(Math.max(0, until - System.nanoTime())));
        }
    }

    /** Once for all tables that drain: has the slot passed their watermark, and where do their queues end after that? */
    private void lookAtSlot() {
        boolean waits = tables.values().stream().anyMatch(table -> table.awaitedWatermark().isPresent());
        if (looksAtSlot || !waits) {
            return;
        }
        looksAtSlot = true;
        services.answered(services.confirmedFlush().get()).subscribe().with(
                confirmed -> execute(() -> readEnds(confirmed)), failure -> execute(() -> slotUnknown(failure)));
    }

    private void readEnds(Lsn confirmed) {
        Map<TableStream, Lsn> passed = new HashMap<>();
        for (TableStream table : tables.values()) {
            table.drainTrouble(Optional.empty());
            table.awaitedWatermark()
                    .filter(confirmed::isAtLeast)
                    .ifPresent(watermark -> passed.put(table, watermark));
        }
        if (passed.isEmpty()) {
            looksAtSlot = false;
            return;
        }
        services.topics().ends(passed.keySet().stream().map(TableStream::partition).toList()).subscribe().with(
                ends -> execute(() -> {
                    looksAtSlot = false;
                    passed.forEach((table, watermark) -> Optional.ofNullable(ends.get(table.partition()))
                            .ifPresent(end -> table.watermarkPassed(watermark, end)));
                }),
                failure -> execute(() -> slotUnknown(failure)));
    }

    private void slotUnknown(Throwable failure) {
        looksAtSlot = false;
        LOG.warnf("cannot tell yet whether the watermark is passed: %s", failure.getMessage());
        tables.values().stream()
                .filter(table -> table.awaitedWatermark().isPresent())
                .forEach(table -> table.drainTrouble(
                        Optional.of("cannot tell yet whether the watermark is passed: " + failure.getMessage())));
    }

    /** How the queues stand; those of held tables grow unseen by the consumer, so the ledger and Kafka are asked. */
    private void report() {
        tables.values().forEach(TableStream::report);
        List<TableName> held = tables.values().stream()
                .filter(TableStream::isHeld)
                .map(TableStream::table)
                .toList();
        if (looksAtHeld || held.isEmpty()) {
            return;
        }
        looksAtHeld = true;
        services.ledger()
                .positions(held)
                .chain(positions -> services.topics()
                        .ends(positions.keySet().stream().map(this::partition).toList())
                        .invoke(ends -> execute(() -> heldQueues(positions, ends)))
                        .replaceWith(positions))
                .subscribe()
                .with(positions -> execute(() -> askForOldest(positions)), this::heldUnknown);
    }

    private void heldQueues(Map<TableName, Long> positions, Map<TopicPartition, Long> ends) {
        positions.forEach((table, position) -> Optional.ofNullable(ends.get(partition(table)))
                .ifPresent(end -> Optional.ofNullable(tables.get(table))
                        .ifPresent(stream -> stream.waiting(Math.max(0, end - position)))));
    }

    /** Once for each hold, since what waits first does not change meanwhile. */
    private void askForOldest(Map<TableName, Long> positions) {
        Map<TopicPartition, Long> asked = new HashMap<>();
        positions.forEach((table, position) -> Optional.ofNullable(tables.get(table))
                .filter(TableStream::wantsOldest)
                .filter(stream -> asked.size() < QueueTopics.FIRST_MAX)
                .ifPresent(stream -> asked.put(partition(table), position)));
        if (asked.isEmpty()) {
            looksAtHeld = false;
            return;
        }
        services.topics().firstAt(asked).subscribe().with(
                found -> execute(() -> {
                    looksAtHeld = false;
                    positions.keySet().forEach(table -> Optional.ofNullable(found.get(partition(table)))
                            .ifPresent(at -> Optional.ofNullable(tables.get(table)).ifPresent(it -> it.oldest(at))));
                }),
                this::heldUnknown);
    }

    private void heldUnknown(Throwable failure) {
        execute(() -> looksAtHeld = false);
        LOG.debugf("the queues of held tables are not known for now: %s", failure.getMessage());
    }

    private TopicPartition partition(TableName table) {
        return QueueTopics.partition(services.pipeline().queueTopic(table));
    }

    /** A topic that was made again under the same name would be read on without an error (R15). */
    private void lookAtTopics() {
        if (followed.isEmpty()) {
            return;
        }
        services.topics().ids(followed.keySet().stream().map(TopicPartition::topic).toList()).subscribe().with(
                ids -> execute(() -> List.copyOf(followed.values()).stream()
                        .filter(table -> !table.topicId()
                                .equals(Optional.ofNullable(ids.get(table.partition().topic()))))
                        .forEach(TableStream::reopen)),
                failure -> LOG.warnf("cannot look at the topics for now: %s", failure.getMessage()));
    }

    private void deleteApplied() {
        Map<TopicPartition, Long> applied = new HashMap<>();
        followed.forEach((partition, table) -> table.applied().ifPresent(offset -> applied.put(partition, offset)));
        Map<TopicPartition, Long> old = new HashMap<>(appliedBefore);
        old.keySet().retainAll(applied.keySet());
        // A table that was copied anew meanwhile may stand before where it stood.
        old.replaceAll((partition, offset) -> Math.min(offset, applied.get(partition)));
        appliedBefore = applied;
        if (!old.isEmpty()) {
            services.topics().deleteBefore(old).subscribe().with(
                    done -> LOG.debugf("deleted applied changes of %d tables", old.size()),
                    failure -> LOG.warnf("applied changes could not be deleted: %s", failure.getMessage()));
        }
    }

    /** Batches in flight end; what they come to, the ledger has. */
    private void finish() {
        long until = System.nanoTime() + STOP_LIMIT.toNanos();
        while (System.nanoTime() < until && tables.values().stream().anyMatch(TableStream::isBusy)) {
            List.copyOf(tables.values()).forEach(TableStream::forget);
            runNextTask(Duration.ofMillis(100));
        }
        waiters.forEach(waiter -> waiter.done().complete(null));
        consumer.close();
    }

    @Override
    public void close() {
        closing = true;
        execute(() -> {});
        try {
            thread.join(STOP_LIMIT.plusSeconds(5));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
