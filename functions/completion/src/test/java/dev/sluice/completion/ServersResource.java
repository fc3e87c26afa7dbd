package dev.sluice.completion;

import dev.sluice.domain.Attempt;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.Outcome;
import dev.sluice.messaging.Messages;
import dev.sluice.testing.SharedServers;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Real servers, and a table that was Completing when the function was killed. */
public class ServersResource implements QuarkusTestResourceLifecycleManager {

    static final Pipeline PIPELINE = new Pipeline("closing");

    @Override
    public Map<String, String> start() {
        String kafka = SharedServers.kafka().bootstrapServers();
        String source = SharedServers.freshDatabase(SharedServers.source());
        String destination = SharedServers.freshDatabase(SharedServers.destination());
        leaveUnfinishedWork(kafka);
        return Map.of(
                "kafka.bootstrap.servers", kafka,
                "sluice.pipeline", PIPELINE.name(),
                "sluice.source.url", SharedServers.source().url(source),
                "sluice.destination.url", SharedServers.destination().url(destination));
    }

    private static void leaveUnfinishedWork(String kafka) {
        Map<String, Object> settings = Map.of("bootstrap.servers", kafka);
        var partition = new TopicPartition(PIPELINE.tableStateTopic(), 0);
        var unfinished = Records.table(
                "unfinished", new TableState.Completing(3, Outcome.ABANDONED, 0, Attempt.first()));
        try (Admin admin = Admin.create(settings);
                var producer = new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer())) {
            admin.createTopics(List.of(new NewTopic(partition.topic(), Optional.of(1), Optional.empty())
                            .configs(Map.of("cleanup.policy", "compact"))))
                    .all()
                    .get(30, TimeUnit.SECONDS);
            long offset = producer.send(new Messages(PIPELINE).tableState(unfinished))
                    .get(30, TimeUnit.SECONDS)
                    .offset();
            // As if it had been read before: a stored position must not hide it.
            admin.alterConsumerGroupOffsets(
                            PIPELINE.name() + ".completion", Map.of(partition, new OffsetAndMetadata(offset + 1)))
                    .all()
                    .get(30, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new IllegalStateException("the test's topic cannot be prepared", e);
        }
    }

    @Override
    public void stop() {
        // The servers end with the JVM.
    }
}
