package dev.sluice.scheduler;

import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Sends what is not part of the fold's transaction: the answers of effects, and commands to the streaming function. */
final class Outbox implements AutoCloseable {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private final Producer<String, byte[]> producer;

    Outbox(Producer<String, byte[]> producer) {
        this.producer = producer;
    }

    /** Waits until Kafka has the record, 30 s at most. */
    void send(ProducerRecord<String, byte[]> record) {
        try {
            producer.send(record).get(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EffectRunner.InterruptedEffectException();
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException("Kafka did not take a record for " + record.topic(), e);
        }
    }

    @Override
    public void close() {
        producer.close(Duration.ofSeconds(5));
    }
}
