package dev.sluice.debezium;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.function.Predicate;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Reads a table's topic from its beginning, as it stands in Kafka. */
final class Records implements AutoCloseable {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final KafkaConsumer<String, String> consumer;
    private final TopicPartition partition;
    private final List<Change> read = new ArrayList<>();

    /** One record: {@code key} is null for a TRUNCATE. */
    record Change(long offset, JsonNode key, JsonNode value, ConsumerRecord<String, String> record) {

        String op() {
            return value.path("op").asText();
        }

        long lsn() {
            return value.path("source").path("lsn").asLong();
        }

        /** The end of the last commit before this change's transaction; null if Debezium did not know it. */
        Long commitBefore() {
            JsonNode first = parse(value.path("source").path("sequence").asText()).path(0);
            return first.isNull() ? null : Long.valueOf(first.asText());
        }

        Optional<String> header(String name) {
            return Optional.ofNullable(record.headers().lastHeader(name))
                    .map(header -> new String(header.value(), StandardCharsets.UTF_8));
        }
    }

    Records(String bootstrapServers, String topic) {
        var properties = new Properties();
        properties.put("bootstrap.servers", bootstrapServers);
        consumer = new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer());
        partition = new TopicPartition(topic, 0);
        consumer.assign(List.of(partition));
        consumer.seekToBeginning(List.of(partition));
    }

    /** As the scheduler does before a table joins the publication. */
    static void createTopic(String bootstrapServers, String topic) throws Exception {
        var properties = new Properties();
        properties.put("bootstrap.servers", bootstrapServers);
        try (Admin admin = Admin.create(properties)) {
            admin.createTopics(List.of(new NewTopic(topic, Optional.of(1), Optional.empty()))).all().get();
        }
    }

    /** The offset that the next record of the topic gets. */
    long end() {
        return consumer.endOffsets(List.of(partition)).get(partition);
    }

    /** All records read when one is found that matches, in order; fails when none has come within a minute. */
    List<Change> until(Predicate<Change> last) {
        long deadline = System.nanoTime() + Duration.ofMinutes(1).toNanos();
        int checked = 0;
        while (true) {
            while (checked < read.size()) {
                if (last.test(read.get(checked++))) {
                    return List.copyOf(read);
                }
            }
            if (System.nanoTime() > deadline) {
                throw new AssertionError("the awaited change did not come within a minute; the last of " + read.size()
                        + " was " + (read.isEmpty() ? "none" : read.get(read.size() - 1).record()));
            }
            consumer.poll(Duration.ofMillis(200)).forEach(record -> read.add(new Change(record.offset(),
                    record.key() == null ? null : parse(record.key()), parse(record.value()), record)));
        }
    }

    private static JsonNode parse(String json) {
        try {
            return JSON.readTree(json);
        } catch (java.io.IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        consumer.close();
    }
}
