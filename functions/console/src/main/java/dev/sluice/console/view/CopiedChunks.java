package dev.sluice.console.view;

import dev.sluice.domain.Event;
import dev.sluice.domain.Pipeline;
import dev.sluice.messaging.KafkaClients;
import dev.sluice.messaging.Messages;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;
import org.jboss.logging.Logger;

/**
 * Reads which chunks are copied, from the newest events on: the states have only how many. It belongs to no group and
 * commits nothing; what it misses is only not shown.
 */
@ApplicationScoped
public class CopiedChunks {

    private static final Logger LOG = Logger.getLogger(CopiedChunks.class);
    private static final Duration POLL = Duration.ofMillis(500);
    private static final Duration RETRY = Duration.ofSeconds(5);
    private static final Duration STOP_LIMIT = Duration.ofSeconds(5);
    private static final long BACK = 5_000;

    private final KafkaClients kafka;
    private final Messages messages;
    private final History history;
    private final TopicPartition partition;
    private volatile boolean closed;
    private volatile Consumer<String, byte[]> consumer;
    private Thread thread;

    @Inject
    public CopiedChunks(KafkaClients kafka, Messages messages, History history, Pipeline pipeline) {
        this.kafka = kafka;
        this.messages = messages;
        this.history = history;
        this.partition = new TopicPartition(pipeline.commandsAndEventsTopic(), 0);
    }

    void start(@Observes StartupEvent event) {
        thread = Thread.ofPlatform().daemon().name("console-chunks").start(this::follow);
    }

    void stop(@Observes ShutdownEvent event) throws InterruptedException {
        closed = true;
        Consumer<String, byte[]> current = consumer;
        if (current != null) {
            current.wakeup();
        }
        LockSupport.unpark(thread);
        thread.join(STOP_LIMIT.toMillis());
    }

    private void follow() {
        while (!closed) {
            try (Consumer<String, byte[]> current = kafka.consumer(Map.of(
                    ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed",
                    ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "latest"))) {
                consumer = current;
                current.assign(List.of(partition));
                long begin = current.beginningOffsets(List.of(partition)).get(partition);
                long end = current.endOffsets(List.of(partition)).get(partition);
                current.seek(partition, Math.max(begin, end - BACK));
                while (!closed) {
                    current.poll(POLL).forEach(this::take);
                }
            } catch (WakeupException | InterruptException e) {
                LOG.debug("events are read no more");
            } catch (KafkaException e) {
                LOG.debugf("events cannot be read for now: %s", e.getMessage());
                LockSupport.parkNanos(RETRY.toNanos());
            } finally {
                consumer = null;
            }
        }
    }

    private void take(ConsumerRecord<String, byte[]> record) {
        if (messages.input(record) instanceof Messages.Input.OfEvent(Event.ChunkCopied copied)) {
            history.copied(copied);
        }
    }
}
