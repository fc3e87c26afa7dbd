package dev.sluice.console.view;

import dev.sluice.console.view.OverviewShown.Check;
import dev.sluice.domain.Pipeline;
import dev.sluice.messaging.KafkaClients;
import dev.sluice.postgres.SourceOverview;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.common.KafkaException;
import org.jboss.logging.Logger;

/**
 * Looks every few seconds whether all that a pipeline needs is there, on a thread of its own: whoever asks gets what was
 * found last, and never waits.
 */
@ApplicationScoped
public class Probes {

    private static final Logger LOG = Logger.getLogger(Probes.class);
    private static final Duration INTERVAL = Duration.ofSeconds(3);
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(4);
    private static final Duration STOP_LIMIT = Duration.ofSeconds(6);
    /** What is older says nothing of now. */
    private static final Duration FRESH = Duration.ofSeconds(30);
    private static final List<String> FUNCTIONS =
            List.of("scheduler", "chunk-worker", "completion", "streaming", "verification");
    /** These run only where they are set up, so only one whose group was there can be missed. */
    private static final List<String> OPTIONAL_FUNCTIONS = List.of("webhooks", "traces");

    private final SourceOverview databases;
    private final KafkaClients kafka;
    private final Pipeline pipeline;
    private volatile Found found = new Found(List.of(), Optional.empty(), 0, System.nanoTime());
    private volatile boolean closed;
    private Thread thread;

    /** @param slots partitions of the topic of chunk tasks */
    record Found(List<Check> checks, Optional<SourceOverview.Slot> slot, int slots, long atNanos) {

        boolean isFresh(long nanos) {
            return nanos - atNanos <= FRESH.toNanos();
        }
    }

    @Inject
    public Probes(SourceOverview databases, KafkaClients kafka, Pipeline pipeline) {
        this.databases = databases;
        this.kafka = kafka;
        this.pipeline = pipeline;
    }

    void start(@Observes StartupEvent event) {
        thread = Thread.ofPlatform().daemon().name("console-probes").start(this::run);
    }

    void stop(@Observes ShutdownEvent event) throws InterruptedException {
        closed = true;
        thread.interrupt();
        thread.join(STOP_LIMIT.toMillis());
    }

    /** What was found last. */
    Found found() {
        return found;
    }

    private void run() {
        while (!closed) {
            try (Admin admin = kafka.admin()) {
                while (!closed) {
                    found = look(admin);
                    LockSupport.parkNanos(INTERVAL.toNanos());
                }
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                LOG.warn("looking whether all is there failed, and begins anew", e);
                LockSupport.parkNanos(INTERVAL.toNanos());
            }
        }
    }

    private Found look(Admin admin) throws InterruptedException {
        List<Check> checks = new ArrayList<>();
        Optional<Map<String, Boolean>> groups = groups(admin);
        int slots = groups.isPresent() ? slots(admin) : 0;
        checks.add(groups.isPresent()
                ? ok("kafka", "Kafka answers.")
                : down("kafka", "Kafka does not answer.", "Look whether its brokers run and can be reached."));
        Optional<SourceOverview.Slot> slot = source(checks);
        destination(checks);
        FUNCTIONS.forEach(name -> checks.add(function(name, groups.map(all -> all.get(name)))));
        OPTIONAL_FUNCTIONS.stream()
                .filter(name -> groups.filter(all -> all.containsKey(name)).isPresent())
                .forEach(name -> checks.add(function(name, groups.map(all -> all.get(name)))));
        return new Found(List.copyOf(checks), slot, slots, System.nanoTime());
    }

    /** Which functions have a process in their consumer group; empty if Kafka does not answer. */
    private Optional<Map<String, Boolean>> groups(Admin admin) throws InterruptedException {
        Map<String, Boolean> alive = new LinkedHashMap<>();
        try {
            List<String> asked = new ArrayList<>(
                    FUNCTIONS.stream().map(name -> pipeline.name() + "." + name).toList());
            admin.listGroups(new ListGroupsOptions().timeoutMs((int) ANSWER_LIMIT.toMillis()))
                    .all()
                    .get(ANSWER_LIMIT.toMillis(), TimeUnit.MILLISECONDS)
                    .forEach(group -> {
                        if (functionOf(group.groupId()).filter(OPTIONAL_FUNCTIONS::contains).isPresent()) {
                            asked.add(group.groupId());
                        }
                    });
            var described = admin.describeConsumerGroups(asked).describedGroups();
            for (String group : asked) {
                boolean lives = members(described.get(group)) > 0;
                functionOf(group).ifPresent(name -> alive.merge(name, lives, Boolean::logicalAnd));
            }
            return Optional.of(alive);
        } catch (ExecutionException | TimeoutException | KafkaException e) {
            LOG.debugf("Kafka does not say which functions run: %s", e.getMessage());
            return Optional.empty();
        }
    }

    /** Which function a group is of: it is called after it, and after the hook if it is one of webhooks. */
    private Optional<String> functionOf(String group) {
        String prefix = pipeline.name() + ".";
        return group.startsWith(prefix)
                ? Optional.of(group.substring(prefix.length()).replaceFirst("\\..*", ""))
                : Optional.empty();
    }

    private static int members(
            org.apache.kafka.common.KafkaFuture<org.apache.kafka.clients.admin.ConsumerGroupDescription> group)
            throws InterruptedException, TimeoutException, ExecutionException {
        try {
            return group.get(ANSWER_LIMIT.toMillis(), TimeUnit.MILLISECONDS).members().size();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof org.apache.kafka.common.errors.GroupIdNotFoundException) {
                return 0;
            }
            throw e;
        }
    }

    private int slots(Admin admin) throws InterruptedException {
        try {
            return admin.describeTopics(List.of(pipeline.chunkTasksTopic()))
                    .topicNameValues()
                    .get(pipeline.chunkTasksTopic())
                    .get(ANSWER_LIMIT.toMillis(), TimeUnit.MILLISECONDS)
                    .partitions()
                    .size();
        } catch (ExecutionException | TimeoutException e) {
            LOG.debugf("Kafka does not say how many worker slots there are: %s", e.getMessage());
            return 0;
        }
    }

    private Optional<SourceOverview.Slot> source(List<Check> checks) {
        try {
            Optional<SourceOverview.Slot> slot = databases.slot().await().atMost(ANSWER_LIMIT);
            checks.add(ok("source", "The source answers."));
            checks.add(slot.map(Probes::capture).orElseGet(() -> down(
                    "capture",
                    "The source has no slot " + pipeline.slot() + ".",
                    "Start Debezium Server: it makes the slot. If tables streamed before, changes are lost: backfill them.")));
            return slot;
        } catch (RuntimeException e) {
            LOG.debugf("the source does not answer: %s", e.getMessage());
            checks.add(down("source", "The source does not answer.", "Look whether it runs and takes connections."));
            checks.add(new Check("capture", "unknown", "Not known while the source does not answer.", Optional.empty()));
            return Optional.empty();
        }
    }

    private static Check capture(SourceOverview.Slot slot) {
        if (slot.walStatus().equals("lost")) {
            return down("capture", "The source has thrown away WAL that the slot needed: changes are lost.",
                    "Raise max_slot_wal_keep_size, make the slot anew, and backfill the tables.");
        }
        if (!slot.active()) {
            return down("capture", "Nobody reads the slot: changes are not captured.",
                    "Start Debezium Server; the source keeps its WAL until then.");
        }
        return slot.walStatus().equals("unreserved")
                ? new Check("capture", "warning", "The slot is about to lose WAL that it needs.",
                        Optional.of("Find out what holds up Debezium Server, or raise max_slot_wal_keep_size."))
                : ok("capture", "Changes are captured.");
    }

    private void destination(List<Check> checks) {
        try {
            databases.askDestination().await().atMost(ANSWER_LIMIT);
            checks.add(ok("destination", "The destination answers."));
        } catch (RuntimeException e) {
            LOG.debugf("the destination does not answer: %s", e.getMessage());
            checks.add(down("destination", "The destination does not answer.",
                    "Look whether it runs and takes connections; nothing is lost meanwhile."));
        }
    }

    private static Check function(String name, Optional<Boolean> alive) {
        return alive.map(lives -> lives
                        ? ok(name, "Runs.")
                        : down(name, "No process of it runs.", "Start the function " + name + "; nothing is lost meanwhile."))
                .orElseGet(() -> new Check(name, "unknown", "Not known while Kafka does not answer.", Optional.empty()));
    }

    private static Check ok(String name, String summary) {
        return new Check(name, "ok", summary, Optional.empty());
    }

    private static Check down(String name, String summary, String hint) {
        return new Check(name, "down", summary, Optional.of(hint));
    }
}
