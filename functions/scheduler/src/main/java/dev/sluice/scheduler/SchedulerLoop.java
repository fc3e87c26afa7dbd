package dev.sluice.scheduler;

import dev.sluice.domain.Command;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.Settings;
import dev.sluice.domain.TableName;
import dev.sluice.messaging.KafkaClients;
import dev.sluice.messaging.Messages;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;
import org.jboss.logging.Logger;

/**
 * The scheduler's door: reads inputs, folds them, and commits what follows in one Kafka transaction.
 *
 * <p>Of all schedulers in the group, the one that gets the topic's only partition leads; the others stand by. This is a
 * plain consumer loop, because taking over has an order that must hold: fence the one before, read the state to its
 * end, continue from the offset in the state (R16).
 */
final class SchedulerLoop implements Runnable {

    private static final Logger LOG = Logger.getLogger(SchedulerLoop.class);
    private static final Duration POLL = Duration.ofMillis(200);
    private static final Duration BACKOFF_FIRST = Duration.ofMillis(500);
    private static final Duration BACKOFF_MAX = Duration.ofSeconds(30);
    private static final int BATCH_RECORDS_MAX = 500;

    private final KafkaClients kafka;
    private final Pipeline pipeline;
    private final Messages messages;
    private final Limits limits;
    private final Settings defaults;
    private final Follower follower;
    private final List<Command.AddTables> onboarding;
    private final TopicPartition input;
    private volatile boolean stopping;
    private volatile Consumer<String, byte[]> consumer;

    SchedulerLoop(
            KafkaClients kafka,
            Pipeline pipeline,
            Messages messages,
            Limits limits,
            Settings defaults,
            Follower follower,
            List<Command.AddTables> onboarding) {
        this.kafka = kafka;
        this.pipeline = pipeline;
        this.messages = messages;
        this.limits = limits;
        this.defaults = defaults;
        this.follower = follower;
        this.onboarding = onboarding;
        this.input = new TopicPartition(pipeline.commandsAndEventsTopic(), 0);
    }

    void stop() {
        stopping = true;
        Consumer<String, byte[]> current = consumer;
        if (current != null) {
            current.wakeup();
        }
    }

    @Override
    public void run() {
        Duration backoff = BACKOFF_FIRST;
        while (!stopping) {
            Instant started = Instant.now();
            try {
                standByAndLead();
            } catch (WakeupException | InterruptException e) {
                if (!stopping) {
                    LOG.warn("the scheduler was interrupted and starts over", e);
                }
            } catch (RuntimeException e) {
                LOG.errorf(e, "the scheduler starts over in %d ms: nothing is lost, the last transaction did not count",
                        backoff.toMillis());
            } finally {
                follower.lead(Optional.empty());
            }
            if (Duration.between(started, Instant.now()).compareTo(BACKOFF_MAX) > 0) {
                backoff = BACKOFF_FIRST;
            }
            pause(backoff);
            backoff = backoff.multipliedBy(2).compareTo(BACKOFF_MAX) > 0 ? BACKOFF_MAX : backoff.multipliedBy(2);
        }
    }

    private void pause(Duration backoff) {
        Instant until = Instant.now().plus(backoff);
        while (!stopping && Instant.now().isBefore(until)) {
            java.util.concurrent.locks.LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
        }
    }

    private void standByAndLead() {
        try (Consumer<String, byte[]> current = kafka.consumer(Map.of(
                ConsumerConfig.GROUP_ID_CONFIG, pipeline.name() + ".scheduler",
                ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed",
                ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, 6_000,
                ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG, 1_500,
                ConsumerConfig.MAX_POLL_RECORDS_CONFIG, BATCH_RECORDS_MAX))) {
            consumer = current;
            var assignment = new Assignment(current);
            current.subscribe(List.of(input.topic()), assignment);
            while (!stopping) {
                current.poll(POLL);
                if (assignment.held) {
                    lead(current, assignment);
                }
            }
        } finally {
            consumer = null;
        }
    }

    /** Whether the partition is ours. Called within poll, so by the thread of the loop. */
    private static final class Assignment implements ConsumerRebalanceListener {
        private final Consumer<String, byte[]> consumer;
        private boolean held;
        /** Rises with every assignment: the partition may have been away, and come back, within one poll. */
        private long count;

        private Assignment(Consumer<String, byte[]> consumer) {
            this.consumer = consumer;
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            if (!partitions.isEmpty()) {
                held = true;
                count++;
                // Nothing is to be read until the take-over has said from where.
                consumer.seekToEnd(partitions);
            }
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            held &= partitions.isEmpty();
        }
    }

    /** Leads until the partition is taken away. What was polled before counts for nothing: the state's offset does. */
    private void lead(Consumer<String, byte[]> current, Assignment assignment) {
        try (Producer<String, byte[]> producer = kafka.producer(Map.of(
                ProducerConfig.TRANSACTIONAL_ID_CONFIG, pipeline.name() + ".scheduler",
                ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, 30_000))) {
            long assigned = assignment.count;
            producer.initTransactions();
            World world = takeOver(current, producer);
            // Before tables are looked for that join by pattern: those that are named here may have options.
            onboarding.forEach(command -> follower.send(messages.command(command, "onboarding")));
            follower.lead(Optional.of(world));
            while (!stopping) {
                List<ConsumerRecord<String, byte[]>> records = new ArrayList<>();
                current.poll(POLL).records(input).forEach(records::add);
                if (!assignment.held || assignment.count != assigned) {
                    LOG.info(assignment.held
                            ? "the schedulers were counted anew; this one takes over again"
                            : "another scheduler leads now; this one stands by");
                    follower.lead(Optional.empty());
                    return;
                }
                world = fold(world, records, producer);
                follower.lead(Optional.of(world));
            }
        }
    }

    private World takeOver(Consumer<String, byte[]> current, Producer<String, byte[]> producer) {
        World stored;
        try (Consumer<String, byte[]> state = kafka.consumer(Map.of(
                ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed"))) {
            stored = new StateTopic(pipeline, messages).read(state);
        }
        PipelineRecord known = stored.pipeline();
        long beginning = current.beginningOffsets(List.of(input)).get(input);
        long end = current.endOffsets(List.of(input)).get(input);
        if (known.inputOffset() > end) {
            throw new IllegalStateException("the topic " + input.topic() + " ends at offset " + end
                    + ", but inputs up to " + known.inputOffset() + " were followed: it was deleted and made again. "
                    + "Restore it, or start a new pipeline under another name");
        }
        long from = Math.max(known.inputOffset(), beginning);
        if (known.inputOffset() < beginning && known.epoch() > 0) {
            LOG.errorf("inputs %d to %d are gone from %s before they were followed: raise its retention",
                    known.inputOffset(), beginning - 1, input.topic());
        }
        var claimed = new PipelineRecord(
                known.epoch() + 1,
                from,
                known.requests(),
                known.slots(),
                known.rejections(),
                known.settings(),
                defaults,
                known.resting(),
                known.pace(),
                known.pause());
        producer.beginTransaction();
        producer.send(messages.pipelineState(claimed));
        producer.commitTransaction();
        current.seek(input, from);
        LOG.infof("this scheduler leads: epoch=%d tables=%d inputOffset=%d",
                claimed.epoch(), stored.tables().size(), from);
        return new World(claimed, stored.tables());
    }

    private World fold(World world, List<ConsumerRecord<String, byte[]>> records, Producer<String, byte[]> producer) {
        var fold = new Fold(world, limits);
        // One clock, ours: a record's timestamp is its producer's.
        Instant now = Instant.now();
        List<ConsumerRecord<String, byte[]>> poison = new ArrayList<>();
        List<String> reasons = new ArrayList<>();
        for (ConsumerRecord<String, byte[]> record : records) {
            if (record.offset() < world.pipeline().inputOffset()) {
                throw new IllegalStateException("the input at offset " + record.offset()
                        + " was followed before: offset " + world.pipeline().inputOffset() + " is next");
            }
            switch (messages.input(record)) {
                case Messages.Input.OfCommand ofCommand -> {
                    LOG.infof("command: %s by=\"%s\"", ofCommand.command(), ofCommand.by().orElse(""));
                    fold.command(ofCommand.command(), ofCommand.by(), record.offset(), now);
                }
                case Messages.Input.OfEvent ofEvent -> fold.event(ofEvent.event(), record.offset(), now);
                case Messages.Input.Poison unreadable -> {
                    fold.poison(unreadable.reason(), record.offset());
                    poison.add(record);
                    reasons.add(unreadable.reason());
                }
            }
        }
        Fold.Folded folded = fold.finish(now);
        folded.notes().forEach(LOG::info);
        if (folded.isEmpty()) {
            return world;
        }
        commit(folded, poison, reasons, producer);
        report(world, folded);
        return folded.world();
    }

    /** All of a batch, or nothing: a failure starts the loop over from the last committed state. */
    private void commit(
            Fold.Folded folded,
            List<ConsumerRecord<String, byte[]>> poison,
            List<String> reasons,
            Producer<String, byte[]> producer) {
        producer.beginTransaction();
        for (TableName table : folded.changed()) {
            producer.send(messages.tableState(folded.world().tables().get(table)));
        }
        for (TableName table : folded.forgotten()) {
            producer.send(messages.tableTombstone(table));
            producer.send(messages.streamTombstone(table));
        }
        producer.send(messages.pipelineState(folded.world().pipeline()));
        for (Fold.Dispatched dispatched : folded.tasks()) {
            producer.send(messages.chunkTask(dispatched.task(), dispatched.slot()));
        }
        for (int i = 0; i < poison.size(); i++) {
            producer.send(messages.deadLetter(poison.get(i), reasons.get(i)));
        }
        producer.commitTransaction();
    }

    private static void report(World before, Fold.Folded folded) {
        for (TableName name : folded.changed()) {
            var after = folded.world().tables().get(name);
            var earlier = before.tables().get(name);
            String state = StateText.of(after.state());
            if (earlier == null || !StateText.of(earlier.state()).equals(state)) {
                LOG.infof("%s table=%s run=%d", state, name, after.state().run());
            }
        }
    }
}
