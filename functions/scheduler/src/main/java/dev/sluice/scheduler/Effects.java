package dev.sluice.scheduler;

import dev.sluice.domain.CaptureIdentity;
import dev.sluice.domain.Event;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.Step;
import dev.sluice.domain.StepResult;
import dev.sluice.domain.StreamCommand;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.messaging.Messages;
import dev.sluice.messaging.Topics;
import dev.sluice.postgres.BarrierStatus;
import dev.sluice.postgres.DefinitionFollow;
import dev.sluice.postgres.DestinationTables;
import dev.sluice.postgres.KeyOrders;
import dev.sluice.postgres.Ledger;
import dev.sluice.postgres.Matched;
import dev.sluice.postgres.Partitions;
import dev.sluice.postgres.Planned;
import dev.sluice.postgres.RefusedException;
import dev.sluice.postgres.SlotStatus;
import dev.sluice.postgres.SourceCapture;
import dev.sluice.postgres.SourceKeys;
import dev.sluice.postgres.SourceTables;
import dev.sluice.postgres.SqlFaults;
import io.smallrye.mutiny.TimeoutException;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Runs one effect and says what it came to. Every effect is idempotent and bounded in time. */
final class Effects {

    private static final Duration POLL = Duration.ofMillis(400);
    private static final Duration WAITING_REPORTED_EVERY = Duration.ofSeconds(2);
    private static final Duration CAPTURE_LIMIT = Duration.ofMinutes(2);
    private static final Duration HOLD_LIMIT = Duration.ofSeconds(20);
    /** Names of so many tables fit into one event. */
    private static final int MATCHED_MAX = 5_000;
    /** A table may be altered between two looks at it; then it is inspected anew. */
    private static final int INSPECTIONS_MAX = 5;
    private static final Duration STATEMENT_TIMEOUT = Duration.ofSeconds(60);
    /** A table of no more rows than so many chunks is copied in one, where its key cannot be cut. */
    private static final int WHOLE_CHUNKS_MAX = 10;

    private final SourceTables tables;
    private final KeyOrders orders;
    private final SourceKeys keys;
    private final SourceCapture capture;
    private final Partitions partitions;
    private final DestinationTables destination;
    private final DefinitionFollow follow;
    private final Ledger ledger;
    private final Topics topics;
    private final Messages messages;
    private final Consumer<ProducerRecord<String, byte[]>> commands;
    private final Duration barrierLimit;

    /**
     * @param commands sends a command to the streaming function
     * @param barrierLimit how long older transactions are waited for
     */
    Effects(
            SourceTables tables,
            KeyOrders orders,
            SourceKeys keys,
            SourceCapture capture,
            Partitions partitions,
            DestinationTables destination,
            DefinitionFollow follow,
            Ledger ledger,
            Topics topics,
            Messages messages,
            Consumer<ProducerRecord<String, byte[]>> commands,
            Duration barrierLimit) {
        this.tables = tables;
        this.orders = orders;
        this.keys = keys;
        this.capture = capture;
        this.partitions = partitions;
        this.destination = destination;
        this.follow = follow;
        this.ledger = ledger;
        this.topics = topics;
        this.messages = messages;
        this.commands = commands;
        this.barrierLimit = barrierLimit;
    }

    /**
     * @param meanwhile gets events while the effect still runs
     * @return the answer; empty if somebody else gives it
     */
    Optional<Event> run(Effect effect, Consumer<Event> meanwhile) {
        return switch (effect) {
            case Effect.MatchTables match -> Optional.of(match(match));
            case Effect.Prepare prepare -> prepare(prepare, meanwhile);
            case Effect.PlanChunks plan -> Optional.of(plan(plan));
            case Effect.Leave leave -> Optional.of(leave(leave));
        };
    }

    private Event match(Effect.MatchTables match) {
        try {
            Matched matched = await(tables.match(match.tables()));
            if (matched.tables().size() > MATCHED_MAX) {
                throw new FaultException(Fault.refused(
                        matched.tables().size() + " tables match; at most " + MATCHED_MAX + " can be added at once",
                        "send several add-tables with narrower patterns"));
            }
            return new Event.TablesMatched(match.request(), matched.tables(), matched.unknown());
        } catch (RuntimeException e) {
            return new Event.MatchingFailed(match.request(), match.attempt(), fault(e, "asking the source for its tables"));
        }
    }

    private Optional<Event> prepare(Effect.Prepare prepare, Consumer<Event> meanwhile) {
        TableName table = prepare.table();
        try {
            Optional<StepResult> result = switch (prepare.step()) {
                case INSPECT -> Optional.of(
                        inspect(table, prepare.options(), prepare.chunkRows().orElseThrow()));
                case CAPTURE -> Optional.of(captureRuns(prepare, meanwhile));
                case HOLD -> hold(prepare);
                case QUEUE -> Optional.of(queue(prepare));
                case PUBLISH -> Optional.of(unlessAltered(prepare, definition -> publish(prepare, definition)));
                case BARRIER -> Optional.of(barrier(prepare, meanwhile));
                case BOUNDS -> Optional.of(unlessAltered(prepare, definition -> await(prepare.part()
                        .map(part -> keys.bounds(definition, part))
                        .orElseGet(() -> keys.bounds(definition, prepare.inspected().orElseThrow().whole().isPresent())))));
                case DESTINATION -> Optional.of(unlessAltered(prepare, definition -> destination(prepare, definition)));
            };
            return result.map(it -> new Event.StepDone(table, prepare.run(), prepare.step(), prepare.attempt(), it));
        } catch (RuntimeException e) {
            return Optional.of(
                    new Event.StepFailed(
                            table,
                            prepare.run(),
                            prepare.step(),
                            prepare.attempt(),
                            fault(e, "preparing " + table + ", step " + prepare.step())));
        }
    }

    private StepResult inspect(TableName table, TableOptions options, int chunkRows) {
        KeyOrders.Compared compared = compared(table, options);
        TableDefinition definition = compared.definition();
        long rows = await(tables.rowsEstimated(table));
        long rowsMax = (long) WHOLE_CHUNKS_MAX * chunkRows;
        // Without a key there is no other way, however large it is. The estimate of a table that was never analysed can be
        // many times too high.
        if (compared.onlyWhole().isPresent()
                && !definition.key().isEmpty()
                && rows > rowsMax
                && await(tables.hasMoreRowsThan(definition, rowsMax))) {
            Fault fault = compared.onlyWhole().get();
            throw new FaultException(Fault.refused(
                    fault.reason() + "; and with more than " + rowsMax + " rows it is too large to be copied at once",
                    fault.hint()));
        }
        // The first thing that is written anywhere, and only once the table is known to be one that can be carried.
        await(ledger.create());
        return new StepResult.Inspected(
                definition.runFingerprint(),
                definition.oid(),
                definition.key(),
                rows,
                compared.onlyWhole().map(Fault::reason));
    }

    private StepResult captureRuns(Effect.Prepare prepare, Consumer<Event> meanwhile) {
        Lsn probe = await(capture.probe());
        waitUntil(prepare, meanwhile, () -> {
            SlotStatus slot = await(capture.slot());
            if (!slot.exists()) {
                throw new FaultException(Fault.unavailable(
                        "the replication slot of this pipeline is missing at the source",
                        "start Debezium Server; if it had run before and the slot was dropped, its changes are lost: "
                                + "see debezium-server/README.md"));
            }
            if (slot.isLost()) {
                throw new FaultException(Fault.refused(
                        "the source has thrown away WAL that the replication slot still needed: changes are lost",
                        "make a new slot as debezium-server/README.md says, raise max_slot_wal_keep_size at the "
                                + "source, and backfill every table again"));
            }
            if (slot.active() && slot.confirmedFlush().filter(at -> at.isAtLeast(probe)).isPresent()) {
                return Optional.empty();
            }
            return Optional.of(slot.active()
                    ? "capture to pass " + probe
                    : "Debezium Server to connect to its slot");
        });
        return new StepResult.Done();
    }

    /** The answer is the streaming function's; this attempt only ends here if there is none. */
    private Optional<StepResult> hold(Effect.Prepare prepare) {
        commands.accept(messages.streamCommand(
                new StreamCommand.Hold(prepare.table(), prepare.run(), prepare.attempt(), prepare.options()),
                "scheduler"));
        pause(HOLD_LIMIT);
        throw new FaultException(Fault.unavailable(
                "the streaming function did not answer within " + HOLD_LIMIT.toSeconds() + " s",
                "check that the streaming function runs and reaches Kafka and the destination"));
    }

    private StepResult queue(Effect.Prepare prepare) {
        TableName table = prepare.table();
        Topics.Queue queue = topics.ensureQueue(table);
        if (queue.partitions() != 1) {
            throw new FaultException(Fault.refused(
                    "the topic of " + table + " has " + queue.partitions() + " partitions: the order of its changes is lost",
                    "remove the table, delete the topic, and add the table again"));
        }
        if (prepare.captured().isEmpty()) {
            await(ledger.startQueueAt(table, prepare.run(), queue.topicId(), queue.end()));
            return new StepResult.Done();
        }
        Optional<Ledger.Entry> entry = await(ledger.read(table));
        boolean whole = entry.flatMap(Ledger.Entry::topicId).filter(queue.topicId()::equals).isPresent()
                && entry.flatMap(Ledger.Entry::position)
                        .filter(position -> position >= queue.beginning() && position <= queue.end())
                        .isPresent();
        // Not started anew here: were this answer lost, or a cancel quicker, nobody would know of the hole.
        return whole ? new StepResult.Done() : new StepResult.QueueHasHole();
    }

    private StepResult publish(Effect.Prepare prepare, TableDefinition definition) {
        String topicId = topics.queue(prepare.table())
                .orElseThrow(() -> new FaultException(Fault.faulty(
                        "the topic of " + prepare.table() + " disappeared", "find out who deletes topics, then retry")))
                .topicId();
        String captureId = topics.captureId()
                .orElseThrow(() -> new FaultException(Fault.unavailable(
                        "the topic of Debezium's offsets is missing", "run Debezium Server's prepare step")));
        CaptureIdentity identity = asLeader(
                prepare.epoch(), () -> await(capture.join(
                        definition, prepare.options().key(), prepare.epoch(), topicId, captureId)));
        await(partitions.note(definition, prepare.run()));
        return new StepResult.Published(identity);
    }

    private StepResult barrier(Effect.Prepare prepare, Consumer<Event> meanwhile) {
        long transaction = await(capture.barrierTransaction());
        waitUntil(prepare, meanwhile, () -> {
            BarrierStatus status = await(capture.barrierStatus(transaction));
            return status.passed()
                    ? Optional.empty()
                    : Optional.of(status.transactions() + " transactions to end that are older than the capture"
                            + status.oldest().map(oldest -> "; " + oldest).orElse(""));
        });
        return new StepResult.Done();
    }

    private StepResult destination(Effect.Prepare prepare, TableDefinition definition) {
        await(destination.prepare(definition, prepare.options()));
        // The last thing before chunks are read: what becomes of the table from here on is compared with this.
        return await(follow.remember(definition)) ? new StepResult.Done() : new StepResult.DefinitionChanged();
    }

    private StepResult unlessAltered(Effect.Prepare prepare, Function<TableDefinition, StepResult> step) {
        TableDefinition now = compared(prepare.table(), prepare.options()).definition();
        String expected = prepare.inspected().orElseThrow().fingerprint();
        try {
            return now.runFingerprint().equals(expected) ? step.apply(now) : new StepResult.DefinitionChanged();
        } catch (KeyOrders.AlteredException e) {
            return new StepResult.DefinitionChanged();
        }
    }

    private KeyOrders.Compared compared(TableName table, TableOptions options) {
        return await(tables.inspect(table, options)
                .chain(definition -> orders.compare(definition, options))
                .onFailure(KeyOrders.AlteredException.class)
                .retry()
                .atMost(INSPECTIONS_MAX));
    }

    private Event plan(Effect.PlanChunks plan) {
        try {
            TableDefinition definition = compared(plan.table(), plan.options()).definition();
            if (!definition.runFingerprint().equals(plan.fingerprint())) {
                throw new FaultException(plan.fingerprint().startsWith(definition.fingerprint())
                        ? reordered(plan.table())
                        : altered(plan.table()));
            }
            Planned planned =
                    await(keys.plan(definition, plan.after(), plan.highest(), plan.chunks(), plan.rows()));
            return new Event.ChunksPlanned(
                    plan.table(), plan.run(), plan.attempt(), planned.boundaries(), planned.complete(),
                    Optional.of(plan.rows()));
        } catch (KeyOrders.AlteredException e) {
            return new Event.PlanningFailed(
                    plan.table(), plan.run(), plan.attempt(), altered(plan.table()));
        } catch (RuntimeException e) {
            return new Event.PlanningFailed(
                    plan.table(), plan.run(), plan.attempt(), fault(e, "planning chunks of " + plan.table()));
        }
    }

    private static Fault reordered(TableName table) {
        return Fault.refused(
                "source and destination agree on another order of the key of " + table + " than when its backfill started",
                "start a new backfill of the table: the new run cuts its chunks anew");
    }

    private static Fault altered(TableName table) {
        return Fault.unavailable(
                "the definition of " + table + " changed at the source during its backfill",
                "it is tried again by itself once the destination has followed the change, or the table fails if it "
                        + "cannot");
    }

    private Event leave(Effect.Leave leave) {
        try {
            // The ledger first: from here on nothing of the table is applied or copied.
            await(ledger.release(leave.table(), leave.run()));
            asLeader(leave.epoch(), () -> await(capture.leave(leave.table(), leave.tableOid(), leave.epoch())));
            if (leave.toBeRemoved()) {
                awaitCaptureWithout(leave.table());
                topics.deleteQueue(leave.table());
            }
            return new Event.TableLeft(leave.table(), leave.run(), leave.attempt());
        } catch (RuntimeException e) {
            return new Event.LeavingFailed(
                    leave.table(), leave.run(), leave.attempt(), fault(e, "taking " + leave.table() + " out"));
        }
    }

    /** What was committed before the table left is still sent: were the topic gone, the broker might make it again. */
    private void awaitCaptureWithout(TableName table) {
        Lsn left = await(capture.probe());
        Instant deadline = Instant.now().plus(CAPTURE_LIMIT);
        while (!await(capture.slot()).confirmedFlush().filter(at -> at.isAtLeast(left)).isPresent()) {
            if (Instant.now().isAfter(deadline)) {
                throw new FaultException(Fault.unavailable(
                        "capture has not yet passed the moment when " + table + " left the publication",
                        "start Debezium Server; this is tried again by itself"));
            }
            pause(POLL);
        }
    }

    /**
     * A change of the publication that a later epoch refuses. It does not fail the table: whoever asks may be a zombie,
     * and the scheduler that leads tries the same step again (R18).
     */
    private static <T> T asLeader(long epoch, Supplier<T> change) {
        try {
            return change.get();
        } catch (Ledger.FencedException e) {
            throw new FaultException(Fault.unavailable(
                    "the publication belongs to a scheduler of a later epoch than " + epoch,
                    "if this is the pipeline's only scheduler, its state topic was lost: restore it, or start a new "
                            + "pipeline under another name"));
        }
    }

    private interface Waiting {
        /** What is waited for, or empty when it is there. */
        Optional<String> look();
    }

    private void waitUntil(Effect.Prepare prepare, Consumer<Event> meanwhile, Waiting waiting) {
        Duration limit = prepare.step() == Step.BARRIER ? barrierLimit : CAPTURE_LIMIT;
        Instant deadline = Instant.now().plus(limit);
        Instant nextReport = Instant.now().plus(WAITING_REPORTED_EVERY);
        String reported = "";
        while (true) {
            Optional<String> waitingFor = waiting.look();
            if (waitingFor.isEmpty()) {
                return;
            }
            Instant now = Instant.now();
            if (now.isAfter(deadline) && prepare.step() == Step.BARRIER) {
                throw new FaultException(Fault.refused(
                        "after " + limit.toSeconds() + " s still waiting for " + waitingFor.get(),
                        "end that transaction, then send retry; sluice.scheduler.barrier-limit is how long to wait"));
            }
            if (now.isAfter(deadline)) {
                throw new FaultException(Fault.unavailable(
                        "after " + limit.toSeconds() + " s still waiting for " + waitingFor.get(),
                        "it is tried again; what is waited for must end or come back"));
            }
            if (now.isAfter(nextReport) && !waitingFor.get().equals(reported)) {
                reported = waitingFor.get();
                nextReport = now.plus(WAITING_REPORTED_EVERY);
                meanwhile.accept(new Event.StepWaiting(
                        prepare.table(), prepare.run(), prepare.step(), prepare.attempt(), reported));
            }
            pause(POLL);
        }
    }

    private static void pause(Duration duration) {
        try {
            Thread.sleep(duration);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EffectRunner.InterruptedEffectException();
        }
    }

    private static <T> T await(Uni<T> uni) {
        if (Thread.currentThread().isInterrupted()) {
            throw new EffectRunner.InterruptedEffectException();
        }
        return uni.await().atMost(STATEMENT_TIMEOUT);
    }

    private static Fault fault(RuntimeException e, String doing) {
        if (e instanceof EffectRunner.InterruptedEffectException interrupted) {
            throw interrupted;
        }
        if (Thread.currentThread().isInterrupted()) {
            throw new EffectRunner.InterruptedEffectException();
        }
        return switch (e) {
            case FaultException known -> known.fault();
            case RefusedException refused -> refused.fault();
            case TimeoutException timeout -> Fault.unavailable(
                    "a database did not answer within " + STATEMENT_TIMEOUT.toSeconds() + " s",
                    "check its load and the network");
            case Topics.KafkaUnavailableException kafka -> Fault.unavailable(kafka.getMessage(), "check Kafka");
            default -> SqlFaults.fault(e, doing);
        };
    }

    private static final class FaultException extends RuntimeException {
        private final transient Fault fault;

        FaultException(Fault fault) {
            super(fault.reason());
            this.fault = fault;
        }

        Fault fault() {
            return fault;
        }
    }
}
