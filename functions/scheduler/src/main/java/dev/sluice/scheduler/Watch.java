package dev.sluice.scheduler;

import dev.sluice.domain.CaptureIdentity;
import dev.sluice.domain.Event;
import dev.sluice.domain.Fault;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.messaging.Topics;
import dev.sluice.postgres.CaptureFindings;
import dev.sluice.postgres.DefinitionFollow;
import dev.sluice.postgres.Partitions;
import dev.sluice.postgres.SourceCapture;
import dev.sluice.postgres.SqlFaults;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jboss.logging.Logger;

/**
 * Looks, every few seconds, whether capture of each table still is what it was when the table joined (R20, R21), and
 * follows what ALTER TABLE did to it at the source.
 *
 * <p>Following leaves nothing half done and does nothing twice, so that it needs no state of the fold: what did not work
 * is tried again at the next look, for as long as the table differs. Chunks and changes that need it wait meanwhile.
 */
final class Watch {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private static final Logger LOG = Logger.getLogger(Watch.class);
    /** Above what the destination is given for it. */
    private static final Duration FOLLOW_TIMEOUT = Duration.ofSeconds(90);

    private final SourceCapture capture;
    private final Partitions partitions;
    private final DefinitionFollow follow;
    private final Topics topics;
    /** Whose topic was not the right one at the last look: a broker that has just started may not know it yet. */
    private Set<TableName> suspects = Set.of();
    /** By table: the state of its definition and storage that was last taken care of. Only saves work. */
    private final Map<TableName, Settled> settled = new HashMap<>();

    Watch(SourceCapture capture, Partitions partitions, DefinitionFollow follow, Topics topics) {
        this.capture = capture;
        this.partitions = partitions;
        this.follow = follow;
        this.topics = topics;
    }

    private record Settled(CaptureIdentity identity, String state) {}

    /** One event for each table whose capture is broken, or whose new definition is followed. */
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
        CaptureFindings findings = capture.look(identities, settled(identities)).await().atMost(TIMEOUT);
        findings.otherNames().forEach(this::giveQueue);
        Map<TableName, Fault> broken = brokenPartitions(identities);
        broken.putAll(findings.broken());
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
        List<Event> events = new ArrayList<>(follow(world, identities, findings, broken));
        broken.forEach((table, fault) -> events.add(
                new Event.CaptureBroken(
                        table, world.tables().get(table).state().run(), identities.get(table), fault)));
        return events;
    }

    /**
     * What is written to a table under its new name goes to a queue of that name, which nobody made: Debezium Server waits
     * for it for as long as its producer does, then ends, and with it the capture of every table.
     */
    private void giveQueue(TableName name) {
        if (topics.queue(name).isEmpty()) {
            topics.ensureQueue(name);
            LOG.infof("a captured table has another name now, and a queue of that name table=%s", name);
        }
    }

    /** What keeps one table from being looked at must not hide what happened to the others: then each is asked alone. */
    private Map<TableName, Fault> brokenPartitions(Map<TableName, CaptureIdentity> identities) {
        Map<TableName, Fault> broken = new HashMap<>();
        try {
            broken.putAll(partitions.broken(identities).await().atMost(TIMEOUT));
        } catch (RuntimeException e) {
            if (identities.size() > 1) {
                LOG.debugf(e, "partitions are looked at table by table");
                identities.forEach((table, identity) -> broken.putAll(brokenPartitions(Map.of(table, identity))));
                return broken;
            }
            TableName table = identities.keySet().iterator().next();
            Fault fault = SqlFaults.fault(e, "looking at the partitions of " + table);
            if (fault.kind() == Fault.Kind.REFUSED) {
                broken.put(table, fault);
            } else {
                LOG.warnf("partitions not looked at this time table=%s: %s", table, fault.reason());
            }
        }
        return broken;
    }

    private Map<TableName, String> settled(Map<TableName, CaptureIdentity> identities) {
        settled.entrySet().removeIf(table -> !table.getValue().identity().equals(identities.get(table.getKey())));
        Map<TableName, String> states = new HashMap<>();
        settled.forEach((table, known) -> states.put(table, known.state()));
        return states;
    }

    /** @param broken gets the tables whose definition cannot be followed */
    private List<Event> follow(
            World world,
            Map<TableName, CaptureIdentity> identities,
            CaptureFindings findings,
            Map<TableName, Fault> broken) {
        Set<TableName> differing = new HashSet<>(findings.touched().keySet());
        differing.addAll(findings.redefined());
        Map<TableName, Fault> refused = new HashMap<>();
        List<Event> events = new ArrayList<>();
        for (TableName table : differing) {
            TableState state = world.tables().get(table).state();
            if (preparesAnew(state) || broken.containsKey(table)) {
                continue;
            }
            CaptureIdentity identity = identities.get(table);
            try {
                Optional<String> followed =
                        follow.follow(table, identity.fingerprint()).await().atMost(FOLLOW_TIMEOUT);
                Optional.ofNullable(findings.touched().get(table))
                        .ifPresent(now -> settled.put(table, new Settled(identity, now)));
                followed.filter(fingerprint -> !fingerprint.equals(identity.fingerprint()))
                        .ifPresent(fingerprint -> {
                            LOG.infof("definition followed table=%s run=%d", table, state.run());
                            events.add(new Event.DefinitionFollowed(table, state.run(), identity, fingerprint));
                        });
            } catch (RuntimeException e) {
                Fault fault = SqlFaults.fault(e, "following the definition of " + table);
                if (fault.kind() == Fault.Kind.REFUSED) {
                    refused.put(table, fault);
                } else {
                    LOG.warnf("definition not followed yet table=%s run=%d: %s", table, state.run(), fault.reason());
                }
            }
        }
        if (!refused.isEmpty()) {
            // Some may have been renamed or dropped since this look began: that says more.
            refused.putAll(capture.look(identitiesOf(refused.keySet(), identities)).await().atMost(TIMEOUT).broken());
            broken.putAll(refused);
        }
        return events;
    }

    private static Map<TableName, CaptureIdentity> identitiesOf(
            Set<TableName> tables, Map<TableName, CaptureIdentity> identities) {
        Map<TableName, CaptureIdentity> some = new HashMap<>(identities);
        some.keySet().retainAll(tables);
        return some;
    }

    /** A preparation looks for itself, and leaves behind what the table is like when it is through. */
    private static boolean preparesAnew(TableState state) {
        return state instanceof TableState.Preparing
                || state instanceof TableState.Failed failed && failed.remedy() instanceof TableState.Remedy.CopyAnew;
    }

    /** Makes the slot move while only tables are written that nobody captures. */
    void heartbeat() {
        capture.heartbeat().await().atMost(TIMEOUT);
    }
}
