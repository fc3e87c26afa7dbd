package dev.sluice.console.view;

import dev.sluice.console.ProblemException;
import dev.sluice.console.view.OverviewShown.Check;
import dev.sluice.console.view.OverviewShown.Health;
import dev.sluice.console.view.OverviewShown.PipelineShown;
import dev.sluice.console.view.OverviewShown.Refused;
import dev.sluice.console.view.OverviewShown.Request;
import dev.sluice.console.view.OverviewShown.Slot;
import dev.sluice.console.view.OverviewShown.Workers;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.Settings;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.messaging.StateReader;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The pipeline as it is shown, made once for all who look at the same moment. Safe for use by several threads. */
@Singleton
public class Overview {

    /** Short: who was just told that a table is added finds it here. */
    private static final Duration FRESH = Duration.ofMillis(20);

    private final StateReader states;
    private final Probes probes;
    private final History history;
    private final Columns columns;
    private final Pipeline pipeline;
    private final Rates rates = new Rates();
    private Optional<OverviewShown> last = Optional.empty();
    private long lastNanos;

    @Inject
    public Overview(StateReader states, Probes probes, History history, Columns columns, Pipeline pipeline) {
        this.states = states;
        this.probes = probes;
        this.history = history;
        this.columns = columns;
        this.pipeline = pipeline;
    }

    /** As it stands, or stood just now. */
    public synchronized OverviewShown look() {
        long nanos = System.nanoTime();
        if (last.isEmpty() || nanos - lastNanos >= FRESH.toNanos()) {
            last = Optional.of(make(nanos));
            lastNanos = nanos;
        }
        return last.get();
    }

    /**
     * A table with all that is known of it. Blocks for some seconds where the source has to be asked.
     *
     * @throws ProblemException if there is no such table
     */
    public TableDetail detail(TableName name) {
        TableRecord table = states.table(name).orElseThrow(() -> ProblemException.of(404, name
                + " is no table of the pipeline; add it first, or look whether it is written as in SQL"));
        Columns.Shown shown = columns.of(name, table.options());
        return Details.of(
                table, summary(table), history.copied(name, table.state().run()), shown, history.events(name));
    }

    private synchronized TableSummary summary(TableRecord table) {
        return Summaries.of(
                table, states.pipeline().orElseGet(PipelineRecord::empty), Optional.ofNullable(Turns.positions(states.tables().values()).get(table.table())), rates,
                Instant.now());
    }

    private OverviewShown make(long nanos) {
        Instant now = Instant.now();
        Optional<PipelineRecord> record = states.pipeline();
        Collection<TableRecord> tables = states.tables().values();
        rates.see(tables, nanos);
        Map<TableName, Integer> positions = Turns.positions(tables);
        List<TableSummary> summaries = tables.stream()
                .map(table -> Summaries.of(
                        table, record.orElseGet(PipelineRecord::empty), Optional.ofNullable(positions.get(table.table())), rates,
                        now))
                .toList();
        return new OverviewShown(
                now,
                pipeline(record, tables, positions.size(), summaries),
                health(record, nanos),
                summaries);
    }

    private PipelineShown pipeline(
            Optional<PipelineRecord> record, Collection<TableRecord> tables, int waiting, List<TableSummary> summaries) {
        Settings settings = record.map(PipelineRecord::effective).orElseGet(Settings::builtIn);
        Map<String, Object> values = new LinkedHashMap<>();
        settings.values().forEach((setting, value) -> values.put(setting.text(), value));
        List<Refused> rejections = new ArrayList<>(record.map(PipelineRecord::rejections).orElse(List.of()).stream()
                .map(it -> new Refused(it.command(), it.what(), it.reason()))
                .toList());
        return new PipelineShown(
                pipeline.name(),
                record.flatMap(PipelineRecord::pause).map(Summaries::paused),
                record.flatMap(PipelineRecord::resting),
                record.map(PipelineRecord::requests).orElse(List.of()).stream()
                        .map(it -> new Request(it.tables(), it.by()))
                        .toList(),
                rejections.reversed(),
                values,
                waiting,
                (int) tables.stream().filter(TableRecord::isActive).count(),
                settings.tablesAtOnce().orElse(0),
                summaries.stream().mapToLong(it -> it.rowsPerSecond().orElse(0L)).sum());
    }

    private Health health(Optional<PipelineRecord> record, long nanos) {
        Probes.Found found = probes.found();
        List<Check> checks = new ArrayList<>(found.isFresh(nanos) ? found.checks() : List.of());
        states.trouble().ifPresent(trouble -> checks.addFirst(new Check(
                "states", "down", "What is shown is old: " + trouble, Optional.of("It goes on by itself once Kafka answers."))));
        if (!states.isComplete()) {
            checks.addFirst(new Check("states", "unknown", "The states of the tables are being read.", Optional.empty()));
        }
        boolean anyDown = checks.stream().anyMatch(check -> check.status().equals("down"));
        boolean shaken = checks.isEmpty() || checks.stream().anyMatch(check -> !check.status().equals("ok"));
        boolean noStates = checks.stream().anyMatch(check ->
                (check.name().equals("kafka") || check.name().equals("states")) && check.status().equals("down"));
        return new Health(
                noStates ? "down" : anyDown || shaken ? "degraded" : "ok",
                checks,
                found.slot().map(slot -> new Slot(
                        pipeline.slot(), slot.active(), slot.lagBytes(), slot.retainedBytes(), slot.safeBytes(),
                        slot.walStatus())),
                new Workers(found.slots(), record.map(it -> it.slots().size()).orElse(0)));
    }
}
