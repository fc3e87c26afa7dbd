package dev.sluice.console.act;

import dev.sluice.domain.Command;
import dev.sluice.messaging.KafkaClients;
import dev.sluice.messaging.Messages;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.jboss.logging.Logger;

/** Puts commands on their topic, in order. Whoever waits for it waits a bounded time. */
@ApplicationScoped
public class CommandSender {

    private static final Logger LOG = Logger.getLogger(CommandSender.class);
    private static final int BLOCK_MILLIS = 5_000;
    private static final int DELIVERY_MILLIS = 8_000;
    private static final Map<String, Object> BOUNDED = Map.of(
            ProducerConfig.LINGER_MS_CONFIG, 0,
            ProducerConfig.MAX_BLOCK_MS_CONFIG, BLOCK_MILLIS,
            ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, 4_000,
            ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, DELIVERY_MILLIS);

    private final KafkaClients kafka;
    private final Messages messages;
    private Producer<String, byte[]> producer;

    @Inject
    public CommandSender(KafkaClients kafka, Messages messages) {
        this.kafka = kafka;
        this.messages = messages;
    }

    /** @param offset of the command on the topic */
    record Sent(Command command, long offset) {}

    /** @param failed the first that was not taken for certain; those behind it were not sent */
    record Sending(List<Sent> sent, Optional<Command> failed) {
        Sending {
            sent = List.copyOf(sent);
        }
    }

    /** Ends at the first that Kafka does not take in time. */
    Sending send(List<Command> commands, Optional<String> by) {
        List<Sent> sent = new ArrayList<>();
        for (Command command : commands) {
            Optional<Long> offset = send(command, by);
            if (offset.isEmpty()) {
                return new Sending(sent, Optional.of(command));
            }
            sent.add(new Sent(command, offset.get()));
        }
        return new Sending(sent, Optional.empty());
    }

    private Optional<Long> send(Command command, Optional<String> by) {
        try {
            return Optional.of(producer()
                    .send(messages.command(command, "console", by))
                    .get(DELIVERY_MILLIS + BLOCK_MILLIS, TimeUnit.MILLISECONDS)
                    .offset());
        } catch (ExecutionException | TimeoutException | KafkaException e) {
            LOG.warnf("a command was not taken command=%s reason=\"%s\"", Messages.name(command), e.getMessage());
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }

    private synchronized Producer<String, byte[]> producer() {
        if (producer == null) {
            producer = kafka.producer(BOUNDED);
        }
        return producer;
    }

    @PreDestroy
    synchronized void close() {
        if (producer != null) {
            producer.close(Duration.ofSeconds(2));
        }
    }
}
