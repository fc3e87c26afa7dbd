package dev.sluice.traces;

import dev.sluice.domain.Pipeline;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.TableName;
import dev.sluice.messaging.KafkaClients;
import dev.sluice.messaging.Messages;
import dev.sluice.messaging.Messages.InvalidMessageException;
import dev.sluice.messaging.Topics;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jboss.logging.Logger;

/**
 * Tells the runs of all tables to one receiver, with a thread and consumers of its own: it waits for nobody, and nobody
 * waits for it.
 *
 * <p>States are read transaction by transaction: the record of the pipeline stands last in each, and says which inputs
 * the states before it have followed. The committed offset is the first record that is not wholly told. Whoever gets
 * the topic reads it from its beginning, in silence up to there, so that runs under way are known again.
 */
final class TracesLoop implements Runnable, ConsumerRebalanceListener {

    /** When so many spans wait, states are not read on. */
    static final int SPANS_WAITING_MAX = 2_048;

    /** More states than one transaction has stand together only where records of the pipeline are gone from between. */
    private static final int STATES_AT_ONCE_MAX = 1_000;

    private static final Logger LOG = Logger.getLogger(TracesLoop.class);
    private static final Duration POLL = Duration.ofMillis(200);
    private static final Duration BETWEEN_TRIES = Duration.ofSeconds(5);

    private final Collector collector;
    private final KafkaClients kafka;
    private final Topics topics;
    private final Messages messages;
    private final Pipeline pipeline;
    private final AtomicBoolean running = new AtomicBoolean(true);
    private final Outgoing outgoing = new Outgoing();
    private final List<ConsumerRecord<String, byte[]>> states = new ArrayList<>();
    private Consumer<String, byte[]> consumer;
    private Inputs inputs;
    private Ids ids;
    private Runs runs;
    private long toldUpTo;
    private long followedUpTo;
    private long committed;
    private long givenUp;
    private boolean toldOfTooMany;

    TracesLoop(Collector collector, KafkaClients kafka, Topics topics, Messages messages, Pipeline pipeline) {
        this.collector = collector;
        this.kafka = kafka;
        this.topics = topics;
        this.messages = messages;
        this.pipeline = pipeline;
    }

    /** Ends the loop soon. Without an interrupt, the consumer leaves its group, and another takes over at once. */
    void stop() {
        running.set(false);
    }

    @Override
    public void run() {
        while (running.get()) {
            try (var opened = kafka.consumer(settings());
                    var read = new Inputs(kafka, messages, pipeline);
                    var exporter = new Exporter(collector, pipeline)) {
                consumer = opened;
                inputs = read;
                ids = new Ids(topics.inputsId());
                forget();
                consumer.subscribe(List.of(pipeline.tableStateTopic()), this);
                while (running.get()) {
                    turn(exporter);
                }
            } catch (RuntimeException e) {
                // Whatever it is: the position stands in Kafka, so beginning anew loses nothing.
                LOG.errorf(e, "telling of runs begins anew receiver=%s", collector);
                pauseBetweenTries();
            }
        }
    }

    private Map<String, Object> settings() {
        return Map.of(
                ConsumerConfig.GROUP_ID_CONFIG, pipeline.name() + ".traces",
                ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed",
                // Where to begin is decided when the topic is assigned.
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest",
                ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 100,
                ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, 10_000);
    }

    private void turn(Exporter exporter) {
        Duration wait = outgoing.due(Instant.now()).isEmpty() ? POLL : Duration.ZERO;
        for (ConsumerRecord<String, byte[]> record : consumer.poll(wait)) {
            states.add(record);
            if (Messages.PIPELINE_KEY.equals(record.key()) || states.size() >= STATES_AT_ONCE_MAX) {
                follow();
            }
        }
        List<Span> due = outgoing.due(Instant.now());
        if (!due.isEmpty()) {
            tell(exporter, due);
        }
        commit();
        if (outgoing.size() >= SPANS_WAITING_MAX) {
            consumer.pause(consumer.assignment());
        } else {
            consumer.resume(consumer.paused());
        }
    }

    /** What was written in one transaction. */
    private void follow() {
        ConsumerRecord<String, byte[]> last = states.getLast();
        boolean silent = last.offset() < toldUpTo;
        Optional<PipelineRecord> now = pipeline(last);
        now.ifPresent(runs::pipeline);
        // Not what has expired: nothing that is told now began with it.
        Answers answers = now.filter(it -> !silent)
                .map(it -> inputs.upTo(it.inputOffset()))
                .orElse(Answers.NONE);
        Asking.Lookup lookup = silent ? (table, offset) -> Optional.empty() : inputs::asking;
        for (ConsumerRecord<String, byte[]> state : states) {
            List<Span> spans = spans(state, answers, lookup);
            if (!silent) {
                outgoing.add(spans, last.offset(), Instant.now());
            }
        }
        if (silent) {
            now.ifPresent(it -> inputs.beginAt(it.inputOffset()));
        }
        states.clear();
        followedUpTo = last.offset() + 1;
        if (runs.tooMany() > 0 && !toldOfTooMany) {
            toldOfTooMany = true;
            LOG.warnf("there are more than %d tables, runs of the others are not told", Runs.TABLES_MAX);
        }
    }

    private Optional<PipelineRecord> pipeline(ConsumerRecord<String, byte[]> record) {
        if (!Messages.PIPELINE_KEY.equals(record.key()) || record.value() == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(messages.pipelineState(record));
        } catch (InvalidMessageException e) {
            LOG.errorf("the pipeline's state cannot be read: %s", e.getMessage());
            return Optional.empty();
        }
    }

    private List<Span> spans(ConsumerRecord<String, byte[]> record, Answers answers, Asking.Lookup lookup) {
        if (record.key() == null || record.key().equals(Messages.PIPELINE_KEY)) {
            return List.of();
        }
        Instant at = Instant.ofEpochMilli(record.timestamp());
        try {
            return record.value() == null
                    ? runs.gone(TableName.parse(record.key()), at, answers, lookup)
                    : runs.table(messages.tableState(record), at, answers, lookup);
        } catch (InvalidMessageException | IllegalArgumentException e) {
            LOG.errorf("a table's state cannot be read and is not told: %s", e.getMessage());
            return List.of();
        }
    }

    private void tell(Exporter exporter, List<Span> spans) {
        Optional<String> failure = exporter.send(spans, running::get);
        if (!running.get()) {
            // It is not committed, and is told again.
            return;
        }
        if (failure.isEmpty()) {
            if (outgoing.failures() > 0) {
                LOG.infof("the receiver of traces takes spans again receiver=%s", collector);
            }
            outgoing.done(spans.size());
            return;
        }
        int lost = outgoing.failed(
                spans.size(), Instant.now(), collector.giveUpAfter(), ThreadLocalRandom.current().nextDouble());
        if (lost > 0) {
            givenUp += lost;
            LOG.errorf(
                    "spans are given up, the receiver never gets them receiver=%s spans=%d sinceStart=%d reason=\"%s\"",
                    collector, lost, givenUp, failure.get());
        } else {
            LOG.warnf("spans are not delivered, are tried again receiver=%s spans=%d tries=%d reason=\"%s\"",
                    collector, spans.size(), outgoing.failures(), failure.get());
        }
    }

    private void commit() {
        for (TopicPartition partition : consumer.assignment()) {
            // Behind the last transaction stands its marker, which is no record.
            long followed = states.isEmpty() ? consumer.position(partition) : followedUpTo;
            long next = outgoing.firstOffset().orElse(followed);
            if (next > committed) {
                consumer.commitSync(Map.of(partition, new OffsetAndMetadata(next)));
                committed = next;
            }
        }
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        for (TopicPartition partition : partitions) {
            forget();
            long end = consumer.endOffsets(List.of(partition)).get(partition);
            OffsetAndMetadata position = consumer.committed(Set.of(partition)).get(partition);
            if (position == null || position.offset() > end) {
                // New here, or the topic was made anew: what was before is not news. Noted at once, so that a restart
                // tells all from now on.
                LOG.infof("runs are told from now on receiver=%s offset=%d", collector, end);
                position = new OffsetAndMetadata(end);
                consumer.commitSync(Map.of(partition, position));
            }
            toldUpTo = position.offset();
            committed = toldUpTo;
            consumer.seekToBeginning(List.of(partition));
        }
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        // Another process goes on from the committed offset.
        forget();
    }

    private void forget() {
        states.clear();
        outgoing.clear();
        runs = new Runs(ids);
        followedUpTo = 0;
        inputs.beginAnew();
    }

    private void pauseBetweenTries() {
        Instant until = Instant.now().plus(BETWEEN_TRIES);
        while (running.get() && Instant.now().isBefore(until)) {
            LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
        }
    }
}
