package dev.sluice.webhooks;

import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableRecord;
import dev.sluice.messaging.KafkaClients;
import dev.sluice.messaging.Messages;
import dev.sluice.messaging.Messages.InvalidMessageException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.jboss.logging.Logger;

/**
 * Tells one receiver: a thread, a consumer and a consumer group of its own, so that it waits for nobody else and nobody
 * waits for it. Its queue is the topic; in memory are at most the records of one poll.
 *
 * <p>The committed offset is the first record that is not wholly told. Whoever gets the topic reads it from its beginning,
 * in silence up to there: that is how a table's state before is known again.
 */
final class HookLoop implements Runnable, ConsumerRebalanceListener {

    /** So many notifications wait at once; behind them only what one more poll brings. */
    static final int WAITING_MAX = 100;

    private static final Logger LOG = Logger.getLogger(HookLoop.class);
    private static final Duration POLL = Duration.ofMillis(200);
    private static final Duration BETWEEN_TRIES = Duration.ofSeconds(5);

    private final Hook hook;
    private final KafkaClients kafka;
    private final Messages messages;
    private final Pipeline pipeline;
    private final AtomicBoolean running = new AtomicBoolean(true);
    private final Map<String, Standing> standings = new HashMap<>();
    private final Waiting waiting = new Waiting();
    private Consumer<String, byte[]> consumer;
    private long toldUpTo;
    private long committed;

    HookLoop(Hook hook, KafkaClients kafka, Messages messages, Pipeline pipeline) {
        this.hook = hook;
        this.kafka = kafka;
        this.messages = messages;
        this.pipeline = pipeline;
    }

    /** Ends the loop within the time that one try may take. */
    void stop() {
        running.set(false);
    }

    @Override
    public void run() {
        while (running.get()) {
            try (var opened = kafka.consumer(settings());
                    var poster = new Poster(hook, pipeline)) {
                consumer = opened;
                consumer.subscribe(List.of(pipeline.tableStateTopic()), this);
                while (running.get()) {
                    turn(poster);
                }
            } catch (InterruptedException | InterruptException e) {
                Thread.currentThread().interrupt();
                return;
            } catch (RuntimeException e) {
                // Whatever it is: the position stands in Kafka, so beginning anew loses nothing.
                LOG.errorf(e, "the webhook begins anew webhook=%s", hook);
                pauseBetweenTries();
            }
        }
    }

    private Map<String, Object> settings() {
        return Map.of(
                ConsumerConfig.GROUP_ID_CONFIG, pipeline.name() + ".webhooks." + hook.name(),
                ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed",
                // Where to begin is decided when the topic is assigned.
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest",
                ConsumerConfig.MAX_POLL_RECORDS_CONFIG, WAITING_MAX,
                ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, 10_000);
    }

    private void turn(Poster poster) throws InterruptedException {
        Duration wait = waiting.due(Instant.now()).isPresent() ? Duration.ZERO : POLL;
        for (ConsumerRecord<String, byte[]> record : consumer.poll(wait)) {
            read(record);
        }
        Optional<Waiting.Delivery> due = waiting.due(Instant.now());
        if (due.isPresent()) {
            tell(poster, due.get());
        }
        commit();
        if (waiting.size() >= WAITING_MAX) {
            consumer.pause(consumer.assignment());
        } else {
            consumer.resume(consumer.paused());
        }
    }

    private void read(ConsumerRecord<String, byte[]> record) {
        if (record.key() == null || record.key().equals(Messages.PIPELINE_KEY)) {
            return;
        }
        if (record.value() == null) {
            standings.remove(record.key());
            return;
        }
        try {
            TableRecord table = messages.tableState(record);
            Standing after = Standing.of(table, hook.progressPercent());
            Optional<Standing> before = Optional.ofNullable(standings.put(record.key(), after));
            if (record.offset() < toldUpTo) {
                return;
            }
            Instant at = Instant.ofEpochMilli(record.timestamp());
            Notifications.of(pipeline, before, after, table, record.offset(), at).stream()
                    .filter(it -> hook.wants(it.kind(), it.table()))
                    .forEach(it -> waiting.add(it, record.offset()));
        } catch (InvalidMessageException e) {
            LOG.errorf("a table's state cannot be read and is not told webhook=%s: %s", hook, e.getMessage());
        }
    }

    private void tell(Poster poster, Waiting.Delivery delivery) throws InterruptedException {
        Notification notification = delivery.notification();
        Optional<String> failure = poster.post(notification);
        if (failure.isEmpty()) {
            waiting.done(delivery);
        } else if (waiting.failed(
                delivery, Instant.now(), hook.giveUpAfter(), ThreadLocalRandom.current().nextDouble())) {
            LOG.errorf(
                    "given up, the receiver never learns of it webhook=%s id=%s kind=%s table=%s tries=%d reason=\"%s\"",
                    hook, notification.id(), notification.kind().text(), notification.table(),
                    delivery.failures() + 1, failure.get());
        } else {
            LOG.warnf(
                    "not delivered, is tried again webhook=%s id=%s kind=%s table=%s tries=%d reason=\"%s\"",
                    hook, notification.id(), notification.kind().text(), notification.table(),
                    delivery.failures() + 1, failure.get());
        }
    }

    private void commit() {
        for (TopicPartition partition : consumer.assignment()) {
            long next = waiting.firstOffset().orElseGet(() -> consumer.position(partition));
            if (next > committed) {
                consumer.commitSync(Map.of(partition, new OffsetAndMetadata(next)));
                committed = next;
            }
        }
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        for (TopicPartition partition : partitions) {
            standings.clear();
            waiting.clear();
            long end = consumer.endOffsets(List.of(partition)).get(partition);
            OffsetAndMetadata position = consumer.committed(Set.of(partition)).get(partition);
            if (position == null || position.offset() > end) {
                // New here, or the topic was made anew: what was before is not news. Noted at once, so that a restart
                // tells all from now on.
                LOG.infof("the webhook is told of what happens from now on webhook=%s offset=%d", hook, end);
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
        standings.clear();
        waiting.clear();
    }

    private void pauseBetweenTries() {
        try {
            Thread.sleep(BETWEEN_TRIES);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            running.set(false);
        }
    }
}
