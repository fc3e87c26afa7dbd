package dev.sluice.debezium;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.domain.Pipeline;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** The topics that Debezium itself needs: where it stores its position, and where logical messages go. */
final class CaptureTopics implements AutoCloseable {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final ObjectMapper JSON = new ObjectMapper();

    /** What Debezium Server calls its engine, which is part of the key of a stored offset. */
    private static final String ENGINE = "kafka";

    private final Pipeline pipeline;
    private final Properties properties = new Properties();
    private final Admin admin;

    CaptureTopics(Pipeline pipeline, String bootstrapServers) {
        this.pipeline = pipeline;
        properties.put(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
        admin = Admin.create(properties);
    }

    String offsetsTopic() {
        return pipeline.captureOffsetsTopic();
    }

    /** With the broker's own replication factor. What exists is left as it is. */
    void create() throws ExecutionException, InterruptedException, TimeoutException {
        create(new NewTopic(offsetsTopic(), Optional.of(1), Optional.empty())
                .configs(Map.of("cleanup.policy", "compact")));
        // Nobody reads what passed through it: its records only make Debezium store how far it is.
        create(new NewTopic(pipeline.probeTopic(), Optional.of(1), Optional.empty())
                .configs(Map.of("cleanup.policy", "delete", "retention.ms", "3600000", "segment.ms", "600000")));
    }

    private void create(NewTopic topic) throws ExecutionException, InterruptedException, TimeoutException {
        try {
            admin.createTopics(List.of(topic)).all().get(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof TopicExistsException)) {
                throw e;
            }
        }
    }

    /** The end of the last whole transaction that Debezium has stored, if it has stored any. */
    OptionalLong storedCommitLsn() throws TimeoutException {
        OptionalLong last = OptionalLong.empty();
        var partition = new TopicPartition(offsetsTopic(), 0);
        try (var consumer = new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = consumer.endOffsets(List.of(partition), LIMIT).get(partition);
            long deadline = System.nanoTime() + LIMIT.toNanos();
            while (consumer.position(partition, LIMIT) < end) {
                if (System.nanoTime() > deadline) {
                    throw new TimeoutException("topic " + offsetsTopic() + " was not read within "
                            + LIMIT.toSeconds() + " s");
                }
                for (var record : consumer.poll(Duration.ofMillis(500))) {
                    if (isOurs(record.key())) {
                        last = commitLsn(record.value());
                    }
                }
            }
        }
        return last;
    }

    private boolean isOurs(String key) {
        JsonNode node = read(key);
        return node != null && pipeline.name().equals(node.path(1).path("server").asText(null));
    }

    private static OptionalLong commitLsn(String value) {
        JsonNode node = read(value);
        return node != null && node.path(TransactionEndOffsets.LSN_COMMIT).isIntegralNumber()
                ? OptionalLong.of(node.path(TransactionEndOffsets.LSN_COMMIT).asLong())
                : OptionalLong.empty();
    }

    /** Stores the first offset in Debezium's own form, so that its first start is one like every other. */
    void storeCommitLsn(long lsn) throws ExecutionException, InterruptedException, TimeoutException {
        String key = write(List.of(ENGINE, Map.of("server", pipeline.name())));
        String value = write(Map.of(TransactionEndOffsets.LSN, lsn, TransactionEndOffsets.LSN_COMMIT, lsn));
        var durable = new Properties();
        durable.putAll(properties);
        durable.put(ProducerConfig.ACKS_CONFIG, "all");
        try (var producer = new KafkaProducer<>(durable, new StringSerializer(), new StringSerializer())) {
            producer.send(new ProducerRecord<>(offsetsTopic(), 0, key, value))
                    .get(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    private static JsonNode read(String json) {
        try {
            return json == null ? null : JSON.readTree(json);
        } catch (IOException e) {
            throw new UncheckedIOException("not an offset that Debezium stored: " + json, e);
        }
    }

    private static String write(Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        admin.close(Duration.ofSeconds(5));
    }
}
