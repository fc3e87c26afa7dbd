package dev.sluice.webhooks;

import dev.sluice.domain.Fault;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What there is to tell when a table's state changes: pure. */
final class Notifications {

    private static final int ID_HEX_LENGTH = 32;

    private Notifications() {}

    /**
     * @param before how the table stood; empty if that is not known, so that everything the state implies is told: a
     *     repeat has the id of the first time, and a receiver drops it
     * @param at when the state was written
     * @return in the order in which it happened
     */
    static List<Notification> of(
            Pipeline pipeline, Optional<Standing> before, Standing after, TableRecord table, long offset, Instant at) {
        List<Milestone> news = new ArrayList<>(after.milestones());
        before.ifPresent(standing -> news.removeAll(standing.milestones()));
        before.flatMap(Standing::fingerprint)
                .filter(known -> after.fingerprint().filter(now -> !now.equals(known)).isPresent())
                // A definition can come back: only the place where it was noted tells the two times apart.
                .ifPresent(known -> news.add(new Milestone(Kind.SCHEMA_CHANGED, "offset " + offset)));
        return news.stream()
                .map(milestone -> new Notification(
                        id(pipeline, table.table(), milestone),
                        milestone.kind(),
                        table.table(),
                        at,
                        data(milestone.kind(), table)))
                .toList();
    }

    private static Map<String, Object> data(Kind kind, TableRecord table) {
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("table", table.table().toString());
        data.put("run", table.state().run());
        data.put("state", table.state().getClass().getSimpleName());
        TableRecord.Progress progress = table.progress();
        switch (kind) {
            case BACKFILL_STARTED, BACKFILL_PROGRESS, BACKFILL_COMPLETED, BACKFILL_CANCELLED, BACKFILL_FAILED -> {
                data.put("rowsEstimated", progress.rowsEstimated());
                data.put("rowsCopied", progress.rowsCopied());
                data.put("bytesCopied", progress.bytesCopied());
                Standing.percent(progress).ifPresent(percent -> data.put("percent", percent));
                progress.copyStarted().ifPresent(started -> data.put("started", started.toString()));
                progress.copyFinished().ifPresent(finished -> data.put("finished", finished.toString()));
            }
            case TABLE_FAILED, TABLE_CAUGHT_UP, SCHEMA_CHANGED -> {}
        }
        if (table.state() instanceof TableState.Failed failed) {
            Fault fault = failed.fault();
            data.put("phase", failed.phase().name());
            data.put("kind", fault.kind().name());
            data.put("reason", fault.reason());
            data.put("hint", fault.hint());
        }
        return data;
    }

    /** A hash, since a table's name may have what no header can carry. */
    private static String id(Pipeline pipeline, TableName table, Milestone milestone) {
        String whole = String.join("\n", pipeline.name(), table.toString(), milestone.kind().text(), milestone.which());
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(whole.getBytes(StandardCharsets.UTF_8));
            return "msg_" + HexFormat.of().formatHex(hash).substring(0, ID_HEX_LENGTH);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
