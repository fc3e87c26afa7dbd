package dev.sluice.scheduler;

import dev.sluice.domain.CaptureIdentity;
import dev.sluice.domain.Event;
import dev.sluice.domain.Fault;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.messaging.Topics;
import dev.sluice.postgres.Partitions;
import dev.sluice.postgres.SourceCapture;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Looks, every few seconds, whether capture of each table still is what it was when the table joined (R20, R21). */
final class Watch {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private final SourceCapture capture;
    private final Partitions partitions;
    private final Topics topics;
    /** Whose topic was not the right one at the last look: a broker that has just started may not know it yet. */
    private Set<TableName> suspects = Set.of();

    Watch(SourceCapture capture, Partitions partitions, Topics topics) {
        this.capture = capture;
        this.partitions = partitions;
        this.topics = topics;
    }

    /** One event for each table whose capture is broken. */
    List<Event> look(World world) {
        Map<TableName, CaptureIdentity> identities = new HashMap<>();
        for (TableRecord table : world.tables().values()) {
            boolean leaves = table.state() instanceof TableState.Leaving
                    || table.state() instanceof TableState.Failed failed
                            && failed.remedy() instanceof TableState.Remedy.Leave;
            if (!leaves) {
                table.captured().ifPresent(identity -> identities.put(table.table(), identity));
            }
        }
        if (identities.isEmpty()) {
            return List.of();
        }
        Map<TableName, Fault> broken = new HashMap<>(partitions.broken(identities).await().atMost(TIMEOUT));
        broken.putAll(capture.broken(identities).await().atMost(TIMEOUT));
        var described = topics.describe(List.copyOf(identities.keySet()));
        Optional<String> captureId = topics.captureId();
        Set<TableName> suspectsNow = new HashSet<>();
        identities.forEach((table, identity) -> {
            var topic = described.get(table);
            boolean same = topic != null
                    && topic.topicId().toString().equals(identity.topicId())
                    && topic.partitions().size() == 1;
            boolean sameCapture = captureId.filter(identity.captureId()::equals).isPresent();
            if (same && sameCapture) {
                return;
            }
            suspectsNow.add(table);
            if (suspects.contains(table)) {
                broken.putIfAbsent(
                        table,
                        same
                                ? Fault.refused(
                                        "capture began anew, with another slot: changes in between are lost",
                                        "send retry: the table is backfilled anew")
                                : Fault.refused(
                                        "the Kafka topic of the table is not the one that its changes queued in",
                                        "find out who deletes or alters topics, then send retry: the table is "
                                                + "backfilled anew"));
            }
        });
        suspects = suspectsNow;
        List<Event> events = new ArrayList<>();
        broken.forEach((table, fault) -> events.add(
                new Event.CaptureBroken(
                        table, world.tables().get(table).state().run(), identities.get(table), fault)));
        return events;
    }

    /** Makes the slot move while only tables are written that nobody captures. */
    void heartbeat() {
        capture.heartbeat().await().atMost(TIMEOUT);
    }
}
