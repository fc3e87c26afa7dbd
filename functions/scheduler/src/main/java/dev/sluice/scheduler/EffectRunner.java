package dev.sluice.scheduler;

import dev.sluice.domain.Event;
import dev.sluice.messaging.Messages;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jboss.logging.Logger;

/**
 * Starts the effects that the committed world lacks, each once, and sends what they came to as an event.
 *
 * <p>At most one runs for each table past Queued, and one for the requests: the limit of tables bounds them.
 *
 * <p>An effect has no say in what follows: it may run twice, answer late or never. Only the fold decides.
 */
final class EffectRunner implements Follower, AutoCloseable {

    private static final Logger LOG = Logger.getLogger(EffectRunner.class);
    private final Effects effects;
    private final Watch watch;
    private final SourceWatch sourceWatch;
    private final Messages messages;
    private final Outbox outbox;
    private final Limits limits;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final ConcurrentHashMap<Effect, Future<?>> started = new ConcurrentHashMap<>();
    private final Regularly watching;
    private final Regularly looking;
    private final Regularly beating;

    EffectRunner(
            Effects effects,
            Watch watch,
            SourceWatch sourceWatch,
            Messages messages,
            Outbox outbox,
            Limits limits,
            Duration watchInterval,
            Duration heartbeatInterval) {
        this.effects = effects;
        this.watch = watch;
        this.sourceWatch = sourceWatch;
        this.messages = messages;
        this.outbox = outbox;
        this.limits = limits;
        this.watching = new Regularly(watchInterval, "capture could not be checked");
        this.looking = new Regularly(watchInterval, "the source could not be looked at");
        this.beating = new Regularly(heartbeatInterval, "the heartbeat could not be written at the source");
    }

    /** As the interface says; when this scheduler does not lead any more, whatever runs is interrupted. */
    @Override
    public void lead(Optional<World> world) {
        Instant now = Instant.now();
        List<Effect> due = world.map(it -> Effect.due(it, limits, now)).orElse(List.of());
        Set<Effect> wanted = new HashSet<>(due);
        started.forEach((effect, task) -> {
            if (!wanted.contains(effect)) {
                // Its state has moved on: done and answered, or overtaken.
                task.cancel(true);
                started.remove(effect);
            }
        });
        for (Effect effect : due) {
            if (!started.containsKey(effect)) {
                started.put(effect, threads.submit(() -> run(effect)));
            }
        }
        world.ifPresent(it -> watchAndBeat(it, now));
    }

    private void run(Effect effect) {
        try {
            effects.run(effect, this::send).ifPresent(this::send);
        } catch (InterruptedEffectException e) {
            LOG.debugf("%s was interrupted", effect);
        } catch (RuntimeException e) {
            // The event could not be sent: the effect is forgotten here, and so starts again.
            LOG.warnf(e, "%s did not get its answer out; it will run again", effect);
            started.remove(effect);
        }
    }

    private void watchAndBeat(World world, Instant now) {
        watching.run(now, () -> watch.look(world).forEach(this::send));
        looking.run(now, () -> sourceWatch.look(world, now).forEach(this::send));
        beating.run(now, watch::heartbeat);
    }

    /** Work that is done again and again, never twice at once. */
    private final class Regularly {
        private final Duration interval;
        private final String trouble;
        private Instant next = Instant.MIN;
        private volatile Future<?> underWay;

        private Regularly(Duration interval, String trouble) {
            this.interval = interval;
            this.trouble = trouble;
        }

        private void run(Instant now, Runnable work) {
            if (now.isBefore(next) || underWay != null && !underWay.isDone()) {
                return;
            }
            next = now.plus(interval);
            underWay = threads.submit(() -> {
                try {
                    work.run();
                } catch (RuntimeException e) {
                    LOG.warnf("%s: %s", trouble, e.getMessage());
                }
            });
        }
    }

    void send(Event event) {
        send(messages.event(event, "scheduler"));
    }

    @Override
    public void send(ProducerRecord<String, byte[]> record) {
        outbox.send(record);
    }

    @Override
    public void close() {
        threads.shutdownNow();
        outbox.close();
    }

    /** The effect is not wanted any more. */
    static final class InterruptedEffectException extends RuntimeException {}
}
