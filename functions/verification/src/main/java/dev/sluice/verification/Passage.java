package dev.sluice.verification;

import dev.sluice.domain.Lsn;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableName;
import dev.sluice.messaging.KafkaClients;
import dev.sluice.postgres.Database;
import dev.sluice.postgres.Ledger;
import dev.sluice.postgres.Ledger.Applying;
import dev.sluice.postgres.Ledger.Entry;
import dev.sluice.postgres.RefusedException;
import dev.sluice.postgres.SourceCapture;
import dev.sluice.postgres.TableVerification.Stream;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.TopicPartition;

/**
 * Waits until the destination has applied what the source had: a message of ours is written to the source's WAL; once
 * the slot has passed it, everything before stands in Kafka; and once the ledger's position is where the table's queue
 * ended then, everything is applied. A mark would not tell that of a table that nobody writes to.
 *
 * <p>Not safe for use by several threads.
 */
final class Passage implements Stream, AutoCloseable {

    private static final Duration LOOK_INTERVAL = Duration.ofMillis(50);

    private final TableName table;
    private final long run;
    private final SourceCapture capture;
    private final Ledger ledger;
    private final Consumer<String, byte[]> consumer;
    private final TopicPartition queue;
    private final Duration limit;
    private final BooleanSupplier wanted;

    /** @param wanted asked all the time; false ends the wait */
    Passage(
            TableName table,
            long run,
            SourceCapture capture,
            Ledger ledger,
            KafkaClients kafka,
            Pipeline pipeline,
            Duration limit,
            BooleanSupplier wanted) {
        this.table = table;
        this.run = run;
        this.capture = capture;
        this.ledger = ledger;
        this.consumer = kafka.consumer(Map.of());
        this.queue = new TopicPartition(pipeline.queueTopic(table), 0);
        this.limit = limit;
        this.wanted = wanted;
    }

    @Override
    public void passed() throws InterruptedException {
        long deadline = System.nanoTime() + limit.toNanos();
        Lsn place = answer(capture.probe());
        while (!answer(capture.confirmedFlush()).isAtLeast(place)) {
            rest(deadline, "the slot has not passed " + place);
        }
        long end = consumer.endOffsets(List.of(queue), Database.ANSWER_LIMIT).get(queue);
        while (position() < end) {
            rest(deadline, "its queue is not applied up to offset " + end);
        }
    }

    private long position() {
        Entry entry = answer(ledger.read(table))
                .filter(found -> found.run() == run && found.applying() == Applying.STREAMING)
                .orElseThrow(() -> new RefusedException(
                        table + " does not stream in run " + run + " any more", "Verify it once it streams again."));
        return entry.position().orElse(0L);
    }

    private void rest(long deadline, String what) throws InterruptedException {
        if (!wanted.getAsBoolean()) {
            throw new InterruptedException("no longer wanted");
        }
        if (System.nanoTime() > deadline) {
            throw new RefusedException(
                    "after " + limit.toSeconds() + " s the stream of " + table + " has not caught up: " + what,
                    "Look at the delay of the table and at the health of capture, then verify it again; or raise "
                            + "sluice.verification.stream-wait.");
        }
        Thread.sleep(LOOK_INTERVAL);
    }

    private static <T> T answer(Uni<T> asked) {
        return asked.await().atMost(Database.ANSWER_LIMIT);
    }

    @Override
    public void close() {
        consumer.close();
    }
}
