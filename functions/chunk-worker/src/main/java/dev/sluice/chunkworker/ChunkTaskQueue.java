package dev.sluice.chunkworker;

import dev.sluice.domain.ChunkTask;
import dev.sluice.domain.Pipeline;
import dev.sluice.messaging.Messages;
import dev.sluice.messaging.Messages.InvalidMessageException;
import dev.sluice.postgres.ChunkCopy;
import dev.sluice.postgres.Databases;
import dev.sluice.postgres.SchemaMapping;
import io.smallrye.reactive.messaging.annotations.Blocking;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.eclipse.microprofile.reactive.messaging.Incoming;
import org.eclipse.microprofile.reactive.messaging.Outgoing;
import org.jboss.logging.Logger;

/**
 * The work queue: tasks in, answers out. This class and the channels' settings beside it are all that know what kind
 * of queue it is: a consumer group over a topic with one partition a worker slot. The scheduler hands a task only to a
 * partition that has none in flight, so nothing waits behind a slow chunk.
 *
 * <p>A task's offset is committed once its answer is acknowledged by Kafka. A worker that dies before leaves the task
 * to another, which does it again or finds it done.
 */
@ApplicationScoped
public class ChunkTaskQueue {

    private static final Logger LOG = Logger.getLogger(ChunkTaskQueue.class);
    private static final String FROM = "chunk-worker";

    private final Messages messages;
    private final ChunkWorker worker;

    @Inject
    public ChunkTaskQueue(
            Messages messages,
            Databases databases,
            Pipeline pipeline,
            SchemaMapping schemas,
            ChunkWorkerConfig config) {
        this.messages = messages;
        var limits =
                new ChunkCopy.Limits(config.lockTimeout(), config.transactionTimeout(), config.replicaTimeout());
        var copy = new ChunkCopy(databases, pipeline, schemas, limits);
        this.worker = new ChunkWorker(copy::copy, System::nanoTime);
    }

    /** On a thread of its own for each slot: copying blocks. */
    @Incoming("chunk-tasks")
    @Outgoing("chunk-answers")
    @Blocking(value = "chunk-worker", ordered = false)
    public ProducerRecord<String, byte[]> answer(ConsumerRecord<String, byte[]> record) {
        ChunkTask task;
        try {
            task = messages.chunkTask(record);
        } catch (InvalidMessageException e) {
            LOG.errorf("not a chunk task, put with the dead letters: %s", e.getMessage());
            return messages.deadLetter(record, e.getMessage());
        }
        return messages.event(worker.run(task), FROM);
    }
}
