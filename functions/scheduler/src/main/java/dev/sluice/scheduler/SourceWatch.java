package dev.sluice.scheduler;

import dev.sluice.domain.Event;
import dev.sluice.domain.JoinPatterns;
import dev.sluice.domain.Settings;
import dev.sluice.domain.TableName;
import dev.sluice.postgres.SourceLoad;
import dev.sluice.postgres.SourceTables;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jboss.logging.Logger;

/** Looks at the source for what settings ask of it: whether it is busy, and which tables join by themselves. */
final class SourceWatch {

    private static final Logger LOG = Logger.getLogger(SourceWatch.class);
    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    private static final Duration JOINS_EVERY = Duration.ofSeconds(30);
    /** The others join at the next look. */
    private static final int JOINED_MAX = 1_000;

    private final SourceLoad load;
    private final SourceTables tables;
    private final WrittenWal wal = new WrittenWal();
    private Instant nextJoins = Instant.MIN;
    private List<String> patternsBefore = List.of();

    SourceWatch(SourceLoad load, SourceTables tables) {
        this.load = load;
        this.tables = tables;
    }

    /** Only what changes something. By one thread at a time. */
    List<Event> look(World world, Instant now) {
        List<Event> events = new ArrayList<>();
        Settings settings = world.pipeline().effective();
        busy(world, settings, now).ifPresent(events::add);
        joined(world, settings, now).ifPresent(events::add);
        return events;
    }

    private Optional<Event> busy(World world, Settings settings, Instant now) {
        if (!Resting.isAsked(settings)) {
            return Optional.empty();
        }
        SourceLoad.Load seen;
        try {
            seen = load.look().await().atMost(TIMEOUT);
        } catch (RuntimeException e) {
            // Nothing can be copied from it now either; what was decided stays.
            LOG.warnf("whether the source is busy could not be asked: %s", e.getMessage());
            return Optional.empty();
        }
        wal.written(seen.written(), now);
        long lagMillis = seen.standbys().stream()
                .mapToLong(standby -> Math.max(
                        standby.lagMillis(), wal.lag(standby.replayed(), now).toMillis()))
                .max()
                .orElse(0);
        if (settings.replicaLagSecondsMax().isPresent()) {
            lagMillis = Math.max(lagMillis, replicaLagMillis(now));
        }
        var measured = new Event.SourceMeasured(seen.sessions(), lagMillis, seen.unseen());
        Optional<String> before = world.pipeline().resting();
        return Resting.after(settings, before, measured).equals(before) ? Optional.empty() : Optional.of(measured);
    }

    private long replicaLagMillis(Instant now) {
        try {
            return load.replica()
                    .await()
                    .atMost(TIMEOUT)
                    .map(replayed -> wal.lag(replayed, now).toMillis())
                    .orElse(0L);
        } catch (RuntimeException e) {
            // Chunks say so themselves when they want to read there, and are tried again.
            LOG.warnf("the replica could not be asked how far it is: %s", e.getMessage());
            return 0;
        }
    }

    private Optional<Event> joined(World world, Settings settings, Instant now) {
        List<String> patterns = settings.joinPatterns().orElse(List.of());
        if (patterns.equals(patternsBefore) && now.isBefore(nextJoins)) {
            return Optional.empty();
        }
        patternsBefore = patterns;
        nextJoins = now.plus(JOINS_EVERY);
        List<String> including = JoinPatterns.including(patterns);
        if (including.isEmpty()) {
            return Optional.empty();
        }
        try {
            JoinPatterns joining = JoinPatterns.of(patterns);
            List<TableName> missing = tables.match(including).await().atMost(TIMEOUT).tables().stream()
                    .filter(joining::joins)
                    .filter(table -> !world.tables().containsKey(table))
                    .limit(JOINED_MAX)
                    .toList();
            return missing.isEmpty() ? Optional.empty() : Optional.of(new Event.TablesJoined(missing));
        } catch (RuntimeException e) {
            LOG.warnf("the source could not be asked which tables join: %s", e.getMessage());
            return Optional.empty();
        }
    }
}
