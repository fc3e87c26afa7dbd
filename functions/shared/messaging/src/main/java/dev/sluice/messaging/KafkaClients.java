package dev.sluice.messaging;

import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.eclipse.microprofile.config.Config;

/**
 * Kafka clients for the loops that no channel can express: those that fence, seek and pause by partition.
 *
 * <p>They take every setting that starts with {@code kafka.}, as the channels do: {@code kafka.bootstrap.servers},
 * {@code kafka.security.protocol} and the like.
 */
@Singleton
public class KafkaClients {

    private static final String PREFIX = "kafka.";

    private final Map<String, Object> common;

    @Inject
    public KafkaClients(Config config) {
        common = new HashMap<>();
        for (String name : config.getPropertyNames()) {
            if (name.startsWith(PREFIX)) {
                config.getOptionalValue(name, String.class)
                        .ifPresent(value -> common.put(name.substring(PREFIX.length()), value));
            }
        }
        config.getOptionalValue("kafka.bootstrap.servers", String.class)
                .ifPresent(value -> common.put("bootstrap.servers", value));
    }

    /** A consumer that never commits by itself, never creates a topic, and reads only from where it is told to. */
    public Consumer<String, byte[]> consumer(Map<String, Object> settings) {
        Map<String, Object> all = new HashMap<>(common);
        all.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        all.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        all.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
        all.putAll(settings);
        return new KafkaConsumer<>(properties(all), new StringDeserializer(), new ByteArrayDeserializer());
    }

    /** A producer that waits for all replicas and never writes a record twice. */
    public Producer<String, byte[]> producer(Map<String, Object> settings) {
        Map<String, Object> all = new HashMap<>(common);
        all.put(ProducerConfig.ACKS_CONFIG, "all");
        all.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        all.put(ProducerConfig.LINGER_MS_CONFIG, 5);
        all.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, Topics.STATE_BYTES_MAX);
        all.putAll(settings);
        return new KafkaProducer<>(properties(all), new StringSerializer(), new ByteArraySerializer());
    }

    public Admin admin() {
        return Admin.create(properties(common));
    }

    private static Properties properties(Map<String, Object> settings) {
        var properties = new Properties();
        properties.putAll(settings);
        return properties;
    }
}
