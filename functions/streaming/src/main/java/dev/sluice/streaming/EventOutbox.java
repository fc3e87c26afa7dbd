package dev.sluice.streaming;

import dev.sluice.domain.Event;
import dev.sluice.messaging.Messages;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jboss.logging.Logger;

/**
 * Sends events in the background, again and again until Kafka has them; only reports of how a queue stands are
 * dropped while Kafka is away.
 */
final class EventOutbox implements Consumer<Event>, AutoCloseable {

    private static final Logger LOG = Logger.getLogger(EventOutbox.class);

    private static final int REPORTS_UNSENT_MAX = 1_000;
    private static final Duration RETRY_AFTER = Duration.ofSeconds(1);
    private static final Duration CLOSE_LIMIT = Duration.ofSeconds(5);

    private final Messages messages;
    private final KafkaProducer<String, byte[]> producer;
    private final AtomicInteger unsent = new AtomicInteger();
    private final ScheduledExecutorService sender =
            Executors.newSingleThreadScheduledExecutor(task -> new Thread(task, "sluice-streaming-events"));

    EventOutbox(Messages messages, Map<String, Object> kafka) {
        this.messages = messages;
        Map<String, Object> settings = new HashMap<>(kafka);
        settings.put(ProducerConfig.CLIENT_ID_CONFIG, "sluice-streaming-events");
        settings.put(ProducerConfig.ACKS_CONFIG, "all");
        settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        settings.put(ProducerConfig.BUFFER_MEMORY_CONFIG, 8 * 1024 * 1024L);
        settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 10_000);
        settings.put(ProducerConfig.LINGER_MS_CONFIG, 5);
        this.producer = new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer());
    }

    @Override
    public void accept(Event event) {
        if (event instanceof Event.QueueMoved && unsent.get() > REPORTS_UNSENT_MAX) {
            return;
        }
        unsent.incrementAndGet();
        send(event, Duration.ZERO);
    }

    private void send(Event event, Duration delay) {
        try {
            sender.schedule(() -> send(event), delay.toMillis(), TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            LOG.warnf("not sent, this process ends: %s", event);
        }
    }

    private void send(Event event) {
        try {
            producer.send(messages.event(event, "streaming"), (metadata, failure) -> {
                if (failure == null) {
                    unsent.decrementAndGet();
                } else {
                    again(event, failure);
                }
            });
        } catch (RuntimeException e) {
            again(event, e);
        }
    }

    private void again(Event event, Exception failure) {
        LOG.warnf("an event could not be sent, next try in %d ms: %s", RETRY_AFTER.toMillis(), failure.getMessage());
        send(event, RETRY_AFTER);
    }

    @Override
    public void close() {
        sender.shutdown();
        try {
            sender.awaitTermination(CLOSE_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        producer.close(CLOSE_LIMIT);
    }
}
