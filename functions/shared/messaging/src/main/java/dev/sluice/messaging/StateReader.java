package dev.sluice.messaging;

import dev.sluice.domain.Pause;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;
import org.jboss.logging.Logger;

/**
 * The state of the pipeline and of every table as the compacted topic has it, followed by a thread of its own. Safe for
 * use by several threads.
 *
 * <p>It commits nothing and belongs to no consumer group: each process reads all of the topic. When Kafka is away, what
 * was read last stays, and {@link #trouble} says so.
 */
@ApplicationScoped
public class StateReader implements AutoCloseable {

    private static final Logger LOG = Logger.getLogger(StateReader.class);
    private static final Duration POLL = Duration.ofMillis(200);
    private static final Duration RETRY_FIRST = Duration.ofSeconds(1);
    private static final Duration RETRY_MAX = Duration.ofSeconds(10);
    private static final Duration STOP_LIMIT = Duration.ofSeconds(5);
    /** A consumer that finds no broker says nothing, so Kafka is asked where the topic ends. */
    private static final Duration ASK_INTERVAL = Duration.ofSeconds(5);
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(5);
    /** Behind the topics, which are made sure of first, and before whoever asks. */
    private static final int AFTER_TOPICS = 2;

    private final KafkaClients kafka;
    private final Messages messages;
    private final TopicPartition partition;
    private final Map<TableName, TableRecord> tables = new ConcurrentSkipListMap<>();
    private final List<java.util.function.Consumer<Change>> listeners = new CopyOnWriteArrayList<>();
    private volatile Optional<PipelineRecord> pipelineRecord = Optional.empty();
    /** Keys whose last record cannot be read: a later version may have written it, and a pause with it. */
    private final Set<String> unreadable = ConcurrentHashMap.newKeySet();
    private volatile Optional<String> trouble = Optional.empty();
    private volatile boolean complete;
    private volatile boolean closed;
    private volatile Consumer<String, byte[]> consumer;
    private volatile Thread thread;
    /** Where reading goes on: read from the beginning once more, old states would stand for the new ones for a while. */
    private long next;

    @Inject
    public StateReader(KafkaClients kafka, Messages messages, Pipeline pipeline) {
        this.kafka = kafka;
        this.messages = messages;
        this.partition = new TopicPartition(pipeline.tableStateTopic(), 0);
    }

    /** One record of the topic that was read. */
    public sealed interface Change {

        record OfPipeline(PipelineRecord now) implements Change {}

        /** @param before empty: the table was not known */
        record OfTable(TableName table, Optional<TableRecord> before, TableRecord now) implements Change {}

        /** The table was forgotten. */
        record Gone(TableName table) implements Change {}

        /** The topic was read to the end that it had when reading began. */
        record Complete() implements Change {}
    }

    void onStart(@Observes @Priority(AFTER_TOPICS) StartupEvent event) {
        start();
    }

    void onStop(@Observes ShutdownEvent event) {
        close();
    }

    /** Begins to read. Called by the application at its start. */
    public synchronized void start() {
        if (thread == null) {
            thread = Thread.ofPlatform().daemon().name("state-reader").start(this::follow);
        }
    }

    /** Empty as long as no scheduler has ever led. */
    public Optional<PipelineRecord> pipeline() {
        return pipelineRecord;
    }

    /** By name; as it stands now. */
    public Map<TableName, TableRecord> tables() {
        return Collections.unmodifiableMap(new TreeMap<>(tables));
    }

    public Optional<TableRecord> table(TableName name) {
        return Optional.ofNullable(tables.get(name));
    }

    /** Whether what was read is all that the topic had when reading began. */
    public boolean isComplete() {
        return complete;
    }

    /** Why the states may be old, if so. */
    public Optional<String> trouble() {
        return trouble;
    }

    /**
     * Whether nothing new may begin for a table: it or the whole pipeline is paused, or that is not known, not yet or
     * because the record that would say so cannot be read.
     */
    public boolean rests(TableName name) {
        boolean pipelineRests = pipelineRecord.map(PipelineRecord::pause).filter(Optional<Pause>::isPresent).isPresent();
        return !complete
                || pipelineRests
                || unreadable.contains(Messages.PIPELINE_KEY)
                || unreadable.contains(name.toString())
                || table(name).filter(table -> table.pause().isPresent()).isPresent();
    }

    /** @param listener called by the reader's thread, so it must not block; what it throws is logged */
    public void onChange(java.util.function.Consumer<Change> listener) {
        listeners.add(listener);
    }

    private void follow() {
        Duration backoff = RETRY_FIRST;
        while (!closed) {
            try (Consumer<String, byte[]> current =
                    kafka.consumer(Map.of(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed"))) {
                consumer = current;
                current.assign(List.of(partition));
                if (next == 0) {
                    current.seekToBeginning(List.of(partition));
                } else {
                    current.seek(partition, next);
                }
                long end = end(current);
                long askedNanos = System.nanoTime();
                while (!closed) {
                    current.poll(POLL).forEach(this::take);
                    next = current.position(partition, ANSWER_LIMIT);
                    if (!complete && next >= end) {
                        complete = true;
                        tell(new Change.Complete());
                    }
                    if (System.nanoTime() - askedNanos >= ASK_INTERVAL.toNanos()) {
                        end(current);
                        askedNanos = System.nanoTime();
                    }
                    trouble = Optional.empty();
                    backoff = RETRY_FIRST;
                }
            } catch (WakeupException | InterruptException e) {
                LOG.debug("the states of the tables are read no more");
            } catch (OffsetOutOfRangeException e) {
                LOG.warn("the topic of the tables' states is another one now, it is read from its beginning");
                next = 0;
                complete = false;
                tables.clear();
                unreadable.clear();
                pipelineRecord = Optional.empty();
            } catch (KafkaException e) {
                trouble = Optional.of("the states of the tables cannot be read: " + e.getMessage());
                LOG.warnf("the states of the tables cannot be read, trying again in %d s: %s",
                        backoff.toSeconds(), e.getMessage());
                pause(backoff);
                backoff = backoff.multipliedBy(2).compareTo(RETRY_MAX) > 0 ? RETRY_MAX : backoff.multipliedBy(2);
            } finally {
                consumer = null;
            }
        }
    }

    private long end(Consumer<String, byte[]> current) {
        return current.endOffsets(List.of(partition), ANSWER_LIMIT).get(partition);
    }

    private void take(ConsumerRecord<String, byte[]> record) {
        try {
            unreadable.remove(String.valueOf(record.key()));
            if (Messages.PIPELINE_KEY.equals(record.key())) {
                if (record.value() != null) {
                    PipelineRecord now = messages.pipelineState(record);
                    pipelineRecord = Optional.of(now);
                    tell(new Change.OfPipeline(now));
                }
            } else if (record.value() == null) {
                TableName table = TableName.parse(record.key());
                tables.remove(table);
                tell(new Change.Gone(table));
            } else {
                TableRecord now = messages.tableState(record);
                Optional<TableRecord> before = Optional.ofNullable(tables.put(now.table(), now));
                tell(new Change.OfTable(now.table(), before, now));
            }
        } catch (Messages.InvalidMessageException | IllegalArgumentException e) {
            LOG.errorf("a state cannot be read, and what it speaks of rests: %s", e.getMessage());
            unreadable.add(String.valueOf(record.key()));
        }
    }

    private void tell(Change change) {
        for (java.util.function.Consumer<Change> listener : listeners) {
            try {
                listener.accept(change);
            } catch (RuntimeException e) {
                LOG.errorf(e, "a change of state was not followed: %s", change.getClass().getSimpleName());
            }
        }
    }

    private void pause(Duration time) {
        long until = System.nanoTime() + time.toNanos();
        while (!closed && System.nanoTime() < until) {
            LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        Consumer<String, byte[]> current = consumer;
        if (current != null) {
            current.wakeup();
        }
        if (thread != null) {
            try {
                thread.join(STOP_LIMIT.toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
