package dev.sluice.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.domain.Attempt;
import dev.sluice.domain.CaptureIdentity;
import dev.sluice.domain.Event;
import dev.sluice.domain.Fault;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.Constraints;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Capture must not end silently: what the watch sees of Kafka (R20). Its other half is {@code CaptureCheck}'s. */
class WatchIT {

    private static final TableName TABLE = Given.TABLE;
    private static final long RUN = 5;

    private CapturedSource source;
    private CaptureIdentity identity;
    private Watch watch;

    @BeforeEach
    void start() throws SQLException {
        source = new CapturedSource();
        source.onSource("CREATE TABLE public.orders (id int PRIMARY KEY)");
        identity = source.join(TABLE);
        watch = new Watch(source.capture, source.partitions(), source.topics);
    }

    @AfterEach
    void stop() throws SQLException {
        source.close();
    }

    @Test
    void aTopicThatWasDeletedAndMadeAgainIsSeen() {
        source.topics.deleteQueue(TABLE);
        untilTrue(() -> source.topics.queue(TABLE).isEmpty());
        source.topics.ensureQueue(TABLE);
        untilTrue(() -> source.topics.queue(TABLE).isPresent());

        assertSeenAtTheSecondLook("Kafka topic");
    }

    @Test
    void aTopicThatIsGoneIsSeen() {
        source.topics.deleteQueue(TABLE);
        untilTrue(() -> source.topics.queue(TABLE).isEmpty());

        assertSeenAtTheSecondLook("Kafka topic");
    }

    @Test
    void aSecondPartitionIsSeen() {
        try (Admin admin = source.kafka.admin()) {
            admin.createPartitions(Map.of(source.pipeline.queueTopic(TABLE), NewPartitions.increaseTo(2)));
            untilTrue(() -> source.topics.queue(TABLE).filter(queue -> queue.partitions() == 2).isPresent());
        }

        assertSeenAtTheSecondLook("Kafka topic");
    }

    @Test
    void captureThatBeganAnewIsSeen() {
        try (Admin admin = source.kafka.admin()) {
            admin.deleteTopics(List.of(source.pipeline.captureOffsetsTopic()));
            untilTrue(() -> source.topics.captureId().isEmpty());
            source.makeCaptureOffsets();
            untilTrue(() -> source.topics.captureId().isPresent());
        }

        assertSeenAtTheSecondLook("capture began anew");
    }

    @Test
    void onlyTwoLooksInARowCount() {
        var other = new CaptureIdentity(
                identity.tableOid(),
                identity.fingerprint(),
                identity.publicationMember(),
                identity.systemIdentifier(),
                "another topic",
                identity.captureId());

        assertThat(watch.look(world(other))).isEmpty();
        assertThat(watch.look(world(identity))).as("all is as it was").isEmpty();
        assertThat(watch.look(world(other))).as("the first look of a new suspicion").isEmpty();
    }

    @Test
    void aTableThatLeavesIsNotWatched() {
        source.topics.deleteQueue(TABLE);
        untilTrue(() -> source.topics.queue(TABLE).isEmpty());
        World leaving = world(identity, new TableState.Leaving(RUN, true, Attempt.first()));

        assertThat(watch.look(leaving)).isEmpty();
        assertThat(watch.look(leaving)).isEmpty();
    }

    private void assertSeenAtTheSecondLook(String reason) {
        assertThat(watch.look(world(identity)))
                .as("at the first look: a broker that has just started may not know the topic yet")
                .isEmpty();
        assertThat(watch.look(world(identity))).singleElement().isInstanceOfSatisfying(
                Event.CaptureBroken.class,
                broken -> {
                    assertThat(broken.table()).isEqualTo(TABLE);
                    assertThat(broken.run()).isEqualTo(RUN);
                    assertThat(broken.fault().kind()).isEqualTo(Fault.Kind.REFUSED);
                    assertThat(broken.fault().reason()).contains(reason);
                    assertThat(broken.fault().hint()).contains("retry");
                });
    }

    private static World world(CaptureIdentity captured) {
        return world(captured, new TableState.Streaming(RUN, new Constraints.Built(0)));
    }

    private static World world(CaptureIdentity captured, TableState state) {
        TableRecord record = Records.captured(Given.record(state, false, true), Optional.of(captured));
        return new World(PipelineRecord.empty(), Map.of(TABLE, record));
    }

    private static void untilTrue(Callable<Boolean> condition) {
        await().atMost(CapturedSource.LIMIT).until(condition);
    }
}
