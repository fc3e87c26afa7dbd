package dev.sluice.console.view;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** All of a pipeline at a glance. */
public record OverviewShown(Instant at, PipelineShown pipeline, Health health, List<TableSummary> tables) {

    /** @param resting why no chunk goes out although there are some */
    public record PipelineShown(
            String name,
            Optional<TableSummary.Paused> paused,
            Optional<String> resting,
            List<Request> requests,
            List<Refused> rejections,
            Map<String, Object> settings,
            int waiting,
            int active,
            int tablesAtOnce,
            long rowsPerSecond) {}

    /** Tables that somebody asked for, and that the source was not asked about yet. */
    public record Request(List<String> tables, Optional<String> by) {}

    /** @param offset of the command that asked */
    public record Refused(long offset, String what, String reason) {}

    /** @param status ok, degraded or down */
    public record Health(String status, List<Check> checks, Optional<Slot> slot, Workers workers) {}

    /** @param status ok, warning, down or unknown */
    public record Check(String name, String status, String summary, Optional<String> hint) {}

    /** @param lagBytes of WAL that is not acknowledged by Kafka yet */
    public record Slot(String name, boolean active, long lagBytes, long retainedBytes, Optional<Long> safeBytes, String walStatus) {}

    public record Workers(int slots, int busy) {}
}
