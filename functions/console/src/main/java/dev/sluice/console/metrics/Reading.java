package dev.sluice.console.metrics;

import dev.sluice.console.view.OverviewShown;
import dev.sluice.console.view.TableSummary;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One value of a metric.
 *
 * @param label the value of its label; empty: it has none
 */
record Reading(Metric metric, Optional<String> label, double value) {

    /** More tables than this are counted, and not told one by one. */
    static final int TABLES_MAX = 2_000;

    private static final List<String> STATES = List.of(
            "Queued", "Preparing", "Backfilling", "Completing", "Draining", "Streaming", "Cancelled", "Failed", "Leaving");

    /**
     * All that can be told of a pipeline. Pure. What is not known is left out, so that nobody takes it for a zero.
     *
     * @param stalled how long tables have copied nothing, by name
     */
    static List<Reading> of(OverviewShown overview, boolean fresh, Map<String, Duration> stalled) {
        List<Reading> all = new ArrayList<>();
        all.add(plain(Metric.STATES_FRESH, fresh ? 1 : 0));
        overview.health().checks().stream()
                .filter(check -> !check.status().equals("unknown") && !check.name().equals("states"))
                .forEach(check -> all.add(new Reading(Metric.UP, Optional.of(check.name()), check.status().equals("down") ? 0 : 1)));
        overview.health().slot().ifPresent(slot -> {
            all.add(plain(Metric.SLOT_ACTIVE, slot.active() ? 1 : 0));
            all.add(plain(Metric.SLOT_LAG_BYTES, slot.lagBytes()));
            all.add(plain(Metric.SLOT_RETAINED_BYTES, slot.retainedBytes()));
            slot.safeBytes().ifPresent(bytes -> all.add(plain(Metric.SLOT_SAFE_BYTES, bytes)));
        });
        if (!fresh) {
            return all;
        }
        Map<String, Integer> states = new LinkedHashMap<>();
        STATES.forEach(state -> states.put(state, 0));
        overview.tables().forEach(table -> states.merge(table.state(), 1, Integer::sum));
        states.forEach((state, count) -> all.add(new Reading(Metric.TABLES, Optional.of(state), count)));
        all.add(plain(Metric.TABLES_PAUSED, overview.tables().stream().filter(table -> table.paused().isPresent()).count()));
        all.add(plain(Metric.PIPELINE_PAUSED, overview.pipeline().paused().isPresent() ? 1 : 0));
        all.add(plain(Metric.WORKERS_BUSY, overview.health().workers().busy()));
        all.add(plain(Metric.WORKERS_SLOTS, overview.health().workers().slots()));
        all.add(plain(Metric.REJECTIONS, overview.pipeline().rejections().size()));
        boolean rests = overview.pipeline().paused().isPresent() || overview.pipeline().resting().isPresent();
        overview.tables().stream()
                .limit(TABLES_MAX)
                .forEach(table -> ofTable(table, overview.at(), rests ? Map.of() : stalled, all));
        return all;
    }

    private static void ofTable(TableSummary table, Instant now, Map<String, Duration> stalled, List<Reading> all) {
        Optional<String> name = Optional.of(table.name());
        all.add(new Reading(Metric.TABLE_FAILED, name, table.state().equals("Failed") ? 1 : 0));
        all.add(new Reading(Metric.TABLE_ROWS_COPIED, name, table.rows().copied()));
        table.rows().estimated().ifPresent(rows -> all.add(new Reading(Metric.TABLE_ROWS_ESTIMATED, name, rows)));
        all.add(new Reading(Metric.TABLE_CHUNKS_FAILING, name, table.chunks().map(TableSummary.Chunks::failing).orElse(0)));
        all.add(new Reading(
                Metric.TABLE_STALLED_SECONDS, name,
                table.paused().isPresent() ? 0 : stalled.getOrDefault(table.name(), Duration.ZERO).toSeconds()));
        table.queue().ifPresent(queue -> {
            all.add(new Reading(Metric.TABLE_QUEUE_CHANGES, name, queue.waiting()));
            all.add(new Reading(Metric.TABLE_DELAY_SECONDS, name, queue.delayMillis() / 1_000.0));
            if (queue.waiting() == 0) {
                all.add(new Reading(Metric.TABLE_QUEUE_OLDEST_SECONDS, name, 0));
            } else {
                queue.oldest().ifPresent(at -> all.add(new Reading(
                        Metric.TABLE_QUEUE_OLDEST_SECONDS, name, Math.max(0, Duration.between(at, now).toMillis()) / 1_000.0)));
            }
        });
        table.verification()
                .filter(verified -> !verified.status().equals("stale"))
                .flatMap(TableSummary.Verified::differing)
                .ifPresent(rows -> all.add(new Reading(Metric.TABLE_DIFFERING_ROWS, name, rows)));
    }

    private static Reading plain(Metric metric, double value) {
        return new Reading(metric, Optional.empty(), value);
    }
}
