package dev.sluice.streaming;

import dev.sluice.domain.Lsn;
import dev.sluice.domain.Pipeline;
import dev.sluice.messaging.Messages;
import dev.sluice.messaging.StateReader;
import dev.sluice.postgres.ChangeApply;
import dev.sluice.postgres.Database;
import dev.sluice.postgres.Ledger;
import dev.sluice.postgres.SourceCapture;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.smallrye.common.annotation.Identifier;
import io.smallrye.mutiny.Uni;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jboss.logging.Logger;

/** The streaming function: wires its loops together, and starts and stops them with the application. */
@Singleton
public class StreamingFunction {

    private static final Logger LOG = Logger.getLogger(StreamingFunction.class);
    private static final int PLANNERS = 2;

    private final Map<String, Object> kafka;
    private final Pipeline pipeline;
    private final Messages messages;
    private final StreamingConfig config;
    private final Ledger ledger;
    private final ChangeApply apply;
    private final Supplier<Uni<Lsn>> confirmedFlush;
    private final Duration answerLimit;
    private final StateReader states;
    /** What runs, the last started first. */
    private final Deque<AutoCloseable> running = new ArrayDeque<>();
    private volatile QueueLoop queues;
    private volatile CommandLoop commands;

    @Inject
    public StreamingFunction(
            @Identifier("default-kafka-broker") Map<String, Object> kafka,
            Pipeline pipeline,
            Messages messages,
            StreamingConfig config,
            Ledger ledger,
            ChangeApply apply,
            SourceCapture capture,
            StateReader states) {
        this(kafka, pipeline, messages, config, ledger, apply, capture::confirmedFlush, Database.ANSWER_LIMIT, states);
    }

    StreamingFunction(
            Map<String, Object> kafka,
            Pipeline pipeline,
            Messages messages,
            StreamingConfig config,
            Ledger ledger,
            ChangeApply apply,
            Supplier<Uni<Lsn>> confirmedFlush,
            Duration answerLimit,
            StateReader states) {
        this.kafka = kafka;
        this.pipeline = pipeline;
        this.messages = messages;
        this.config = config;
        this.ledger = ledger;
        this.apply = apply;
        this.confirmedFlush = confirmedFlush;
        this.answerLimit = answerLimit;
        this.states = states;
    }

    void onStart(@Observes StartupEvent event) {
        start();
    }

    void onStop(@Observes ShutdownEvent event) {
        stop();
    }

    void start() {
        ExecutorService planner =
                Executors.newFixedThreadPool(PLANNERS, task -> new Thread(task, "sluice-streaming-planner"));
        running.push(planner);
        var topics = new QueueTopics(kafka);
        running.push(topics);
        var events = new EventOutbox(messages, kafka);
        running.push(events);
        queues = new QueueLoop(
                new StreamServices(
                        pipeline,
                        config,
                        ledger,
                        ledgerCreation(),
                        apply,
                        confirmedFlush,
                        topics,
                        events,
                        planner,
                        answerLimit,
                        states),
                kafka);
        running.push(queues);
        queues.start();
        commands = new CommandLoop(pipeline, messages, queues, kafka);
        running.push(commands);
        commands.start();
    }

    void stop() {
        while (!running.isEmpty()) {
            try {
                running.pop().close();
            } catch (Exception e) {
                LOG.warn("a part of the streaming function did not stop in order", e);
            }
        }
    }

    /** Whether both loops run. */
    boolean isAlive() {
        return queues != null && queues.isAlive() && commands != null && commands.isAlive();
    }

    private Supplier<Uni<Void>> ledgerCreation() {
        var created = new AtomicBoolean();
        return () -> created.get()
                ? Uni.createFrom().voidItem()
                : ledger.create().invoke(() -> created.set(true));
    }
}
