package dev.sluice.console.view;

import dev.sluice.console.Json;
import dev.sluice.console.ProblemException;
import dev.sluice.domain.TableName;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.subscription.BackPressureStrategy;
import io.smallrye.mutiny.subscription.MultiEmitter;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/**
 * Tells everybody who looks what has changed, once a second. What changed is found and written once for all. A client
 * that does not take it in time loses its stream, and begins anew with the whole.
 */
@ApplicationScoped
public class Streams {

    private static final Logger LOG = Logger.getLogger(Streams.class);
    private static final Duration INTERVAL = Duration.ofSeconds(1);
    /** A stream that says nothing for longer cannot be told from one that is cut. */
    private static final Duration SILENCE_MAX = Duration.ofSeconds(15);
    private static final int STREAMS_MAX = 200;
    private static final int STREAMS_OF_USER_MAX = 20;
    private static final int WAITING_MAX = 16;

    private final Overview overview;
    private final List<Client> clients = new CopyOnWriteArrayList<>();
    private final ScheduledExecutorService ticks = Executors.newSingleThreadScheduledExecutor(
            work -> Thread.ofPlatform().daemon().name("console-streams").unstarted(work));
    private Optional<OverviewShown> told = Optional.empty();
    private long saidNanos = System.nanoTime();

    /** @param data JSON in one line */
    public record Message(String event, String data) {}

    private static final class Client {
        private final String user;
        private final Optional<TableName> table;
        private final MultiEmitter<? super Message> out;
        private String detail = "";

        Client(String user, Optional<TableName> table, MultiEmitter<? super Message> out) {
            this.user = user;
            this.table = table;
            this.out = out;
        }
    }

    @Inject
    public Streams(Overview overview) {
        this.overview = overview;
    }

    void start(@Observes StartupEvent event) {
        ticks.scheduleWithFixedDelay(this::tick, INTERVAL.toMillis(), INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
    }

    void stop(@Observes ShutdownEvent event) {
        ticks.shutdownNow();
        clients.forEach(client -> client.out.complete());
    }

    /**
     * @param user whose streams are counted together
     * @param table whose details are told, too
     * @throws ProblemException if there are too many streams
     */
    public Multi<Message> open(String user, Optional<TableName> table) {
        if (clients.size() >= STREAMS_MAX || clients.stream().filter(it -> it.user.equals(user)).count() >= STREAMS_OF_USER_MAX) {
            throw ProblemException.of(429, "there are too many open event streams: close some pages");
        }
        return Multi.createFrom().<Message>emitter(
                        emitter -> {
                            var client = new Client(user, table, emitter);
                            emitter.onTermination(() -> clients.remove(client));
                            ticks.execute(() -> welcome(client));
                        },
                        BackPressureStrategy.ERROR)
                .onOverflow()
                .buffer(WAITING_MAX);
    }

    private void welcome(Client client) {
        guarded(() -> {
            OverviewShown now = overview.look();
            if (told.isEmpty() || clients.isEmpty()) {
                told = Optional.of(now);
            }
            // The next change says it all once more that the others have not been told yet.
            client.out.emit(new Message("overview", Json.text(now)));
            tellDetail(client);
            clients.add(client);
        });
    }

    private void tick() {
        guarded(() -> {
            if (clients.isEmpty()) {
                return;
            }
            OverviewShown now = overview.look();
            Optional<Message> change = change(told.orElse(now), now);
            told = Optional.of(now);
            if (change.isPresent()) {
                saidNanos = System.nanoTime();
            }
            for (Client client : clients) {
                change.ifPresent(client.out::emit);
                tellDetail(client);
            }
        });
    }

    private void tellDetail(Client client) {
        client.table.ifPresent(table -> {
            String detail;
            try {
                detail = Json.text(overview.detail(table));
            } catch (ProblemException e) {
                // It is forgotten, which the change of the whole says.
                return;
            }
            if (!detail.equals(client.detail)) {
                client.detail = detail;
                client.out.emit(new Message("table", detail));
            }
        });
    }

    private Optional<Message> change(OverviewShown before, OverviewShown now) {
        Map<String, Object> change = new LinkedHashMap<>();
        change.put("at", now.at());
        if (!before.pipeline().equals(now.pipeline())) {
            change.put("pipeline", now.pipeline());
        }
        if (!before.health().equals(now.health())) {
            change.put("health", now.health());
        }
        Map<String, TableSummary> were = new HashMap<>();
        before.tables().forEach(table -> were.put(table.name(), table));
        List<TableSummary> changed = new ArrayList<>();
        for (TableSummary table : now.tables()) {
            if (!table.equals(were.remove(table.name()))) {
                changed.add(table);
            }
        }
        if (!changed.isEmpty()) {
            change.put("tables", changed);
        }
        if (!were.isEmpty()) {
            change.put("gone", List.copyOf(were.keySet()));
        }
        boolean silent = change.size() == 1 && System.nanoTime() - saidNanos < SILENCE_MAX.toNanos();
        return silent ? Optional.empty() : Optional.of(new Message("change", Json.text(change)));
    }

    /** The ticks go on whatever becomes of one. */
    private static void guarded(Runnable work) {
        try {
            work.run();
        } catch (RuntimeException e) {
            LOG.error("those who look were not told", e);
        }
    }
}
