package dev.sluice.console.metrics;

import dev.sluice.console.view.Overview;
import dev.sluice.console.view.OverviewShown;
import dev.sluice.console.view.TableSummary;
import dev.sluice.messaging.StateReader;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/** Tells Prometheus every few seconds how the pipeline stands. A table that is forgotten is told of no more. */
@ApplicationScoped
public class PipelineMetrics {

    private static final Logger LOG = Logger.getLogger(PipelineMetrics.class);
    private static final Duration INTERVAL = Duration.ofSeconds(5);

    private final Overview overview;
    private final StateReader states;
    private final Map<Metric, MultiGauge> gauges = new EnumMap<>(Metric.class);
    private final Map<String, Progress> progress = new HashMap<>();
    private final ScheduledExecutorService ticks = Executors.newSingleThreadScheduledExecutor(
            work -> Thread.ofPlatform().daemon().name("console-metrics").unstarted(work));

    private record Progress(long run, long rows, int chunks, long sinceNanos) {}

    @Inject
    public PipelineMetrics(Overview overview, StateReader states, MeterRegistry registry) {
        this.overview = overview;
        this.states = states;
        for (Metric metric : Metric.values()) {
            gauges.put(metric, MultiGauge.builder(metric.text()).description(metric.help()).register(registry));
        }
    }

    void start(@Observes StartupEvent event) {
        ticks.scheduleWithFixedDelay(this::tick, 0, INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
    }

    void stop(@Observes ShutdownEvent event) {
        ticks.shutdownNow();
    }

    private void tick() {
        try {
            OverviewShown now = overview.look();
            boolean fresh = states.isComplete() && states.trouble().isEmpty();
            Map<Metric, List<MultiGauge.Row<?>>> rows = new EnumMap<>(Metric.class);
            for (Reading reading : Reading.of(now, fresh, stalled(now.tables()))) {
                Tags tags = reading.label().map(value -> Tags.of(reading.metric().label().orElseThrow(), value)).orElse(Tags.empty());
                rows.computeIfAbsent(reading.metric(), ignored -> new ArrayList<>())
                        .add(MultiGauge.Row.of(tags, reading.value()));
            }
            gauges.forEach((metric, gauge) -> gauge.register(rows.getOrDefault(metric, List.of()), true));
        } catch (RuntimeException e) {
            // The next tick may succeed; until then the values of before stand.
            LOG.warn("the metrics were not brought up to date", e);
        }
    }

    /** How long tables that are being backfilled have not moved. */
    private Map<String, Duration> stalled(List<TableSummary> tables) {
        long nanos = System.nanoTime();
        Map<String, Duration> stalled = new HashMap<>();
        Map<String, Progress> now = new HashMap<>();
        for (TableSummary table : tables) {
            if (table.state().equals("Backfilling") && table.paused().isEmpty()) {
                int chunks = table.chunks().map(TableSummary.Chunks::copied).orElse(0);
                Progress before = progress.get(table.name());
                boolean moved = before == null || before.run() != table.run() || before.rows() != table.rows().copied()
                        || before.chunks() != chunks;
                Progress standing = moved ? new Progress(table.run(), table.rows().copied(), chunks, nanos) : before;
                now.put(table.name(), standing);
                stalled.put(table.name(), Duration.ofNanos(nanos - standing.sinceNanos()));
            }
        }
        progress.clear();
        progress.putAll(now);
        return stalled;
    }
}
