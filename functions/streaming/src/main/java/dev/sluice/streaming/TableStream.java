package dev.sluice.streaming;

import dev.sluice.domain.Event;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Key;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.StreamCommand;
import dev.sluice.domain.StreamCommand.Drain;
import dev.sluice.domain.StreamCommand.Hold;
import dev.sluice.domain.TableName;
import dev.sluice.messaging.CapturedChanges;
import dev.sluice.postgres.ChangeApply.Applied;
import dev.sluice.postgres.ChangeBatch;
import dev.sluice.postgres.ChangeBatch.Reread;
import dev.sluice.postgres.DestinationTable;
import dev.sluice.postgres.Ledger.Applying;
import dev.sluice.postgres.Ledger.Entry;
import dev.sluice.postgres.Ledger.Progress;
import dev.sluice.postgres.Ledger.RowRead;
import dev.sluice.streaming.BatchPlan.Queued;
import dev.sluice.streaming.QueueOpening.Opened;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jboss.logging.Logger;

/**
 * One table: held, or applying its queue. What it may do it reads from the ledger each time it is woken up.
 *
 * <p>Only the thread of {@link QueueLoop} touches it. At most one thing is under way for it, and what comes meanwhile
 * waits until that is settled.
 */
final class TableStream {

    private static final Logger LOG = Logger.getLogger(TableStream.class);

    /** A queue counts as lost when it is found so for this long: a broker that just started may not know it yet. */
    private static final Duration LOST_AFTER = Duration.ofSeconds(5);
    private static final Duration LOOK_AGAIN_AFTER = Duration.ofSeconds(1);
    /** With the backoff, about eight minutes of something that may go right and does not. */
    private static final int FAULTY_TRIES_MAX = 20;
    /** Until a changed definition is followed; an index that is being built at the destination may be in the way. */
    private static final Duration FOLLOW_LIMIT = Duration.ofMinutes(30);

    private final TableName table;
    private final TopicPartition partition;
    private final StreamServices services;
    private final QueueLoop loop;

    private Optional<StreamCommand> command = Optional.empty();
    private boolean forgotten;
    private boolean busy;
    private boolean inLine;
    private boolean held;
    /** It would apply its queue, and is paused: nothing of the queue is kept in memory meanwhile. */
    private boolean resting;
    /** Rises whenever the table stops or starts anew, so that what was put off before then is dropped. */
    private long era;
    private Optional<Session> session = Optional.empty();

    private long run;
    private int failures;
    private Optional<Long> lostSinceNanos = Optional.empty();
    private Optional<Long> behindSinceNanos = Optional.empty();
    private Optional<String> trouble = Optional.empty();
    /** What broke while something was under way, which has to end first. */
    private Optional<RuntimeException> broken = Optional.empty();
    private long applied;
    private long waiting;
    private long delayMillis;
    private Optional<Instant> oldest = Optional.empty();
    private Optional<Event.QueueMoved> reported = Optional.empty();

    TableStream(TableName table, StreamServices services, QueueLoop loop) {
        this.table = table;
        this.partition = QueueTopics.partition(services.pipeline().queueTopic(table));
        this.services = services;
        this.loop = loop;
    }

    /** From when the ledger let it apply until it stops. */
    private static final class Session {
        private final long run;
        private final DestinationTable table;
        private final CapturedChanges changes;
        private final String topicId;
        private final Optional<Lsn> watermark;
        private final Deque<ConsumerRecord<byte[], byte[]>> pending = new ArrayDeque<>();
        private Applying applying;
        private Progress progress;
        /** The offset after the last change that is here. */
        private long readUpTo;
        private RetainedChunks chunks;
        /** Where rows were read that are ahead of the others until the queue has passed that, too. */
        private Optional<Lsn> rowsRead;
        /** The end of the queue as read after the slot had passed the watermark. */
        private Optional<Long> drainEnd = Optional.empty();
        /** The last change is half a key change: nothing can be done before the other half is here. */
        private boolean awaitsPartner;

        private Session(Entry entry, DestinationTable table, RetainedChunks chunks) {
            this.run = entry.run();
            this.table = table;
            this.changes = new CapturedChanges(table.keyColumns());
            this.topicId = entry.topicId().orElseThrow();
            this.watermark = entry.watermark();
            this.applying = entry.applying();
            this.progress = new Progress(entry.position().orElseThrow(), entry.mark());
            this.readUpTo = progress.position();
            this.chunks = chunks;
            this.rowsRead = chunks.lastRowRead();
        }
    }

    TableName table() {
        return table;
    }

    TopicPartition partition() {
        return partition;
    }

    boolean isBusy() {
        return busy;
    }

    /** The offset up to which the ledger has every change; empty while the table is not applied here. */
    Optional<Long> applied() {
        return session.map(open -> open.progress.position());
    }

    /** Wakes the table up, one that has failed too. */
    void command(StreamCommand next) {
        forgotten = false;
        command = Optional.of(next);
        failures = 0;
        lostSinceNanos = Optional.empty();
        behindSinceNanos = Optional.empty();
        guarded(this::act);
    }

    /** Another instance has the table from now on, or nobody. */
    void forget() {
        forgotten = true;
        command = Optional.empty();
        guarded(this::act);
    }

    void records(List<ConsumerRecord<byte[], byte[]>> records) {
        session.ifPresent(open -> guarded(() -> {
            open.pending.addAll(records);
            open.readUpTo = records.get(records.size() - 1).offset() + 1;
            open.awaitsPartner = false;
            loop.hold(bytes(records));
            loop.want(partition, false);
            act();
        }));
    }

    /** Looks again at what the ledger and Kafka say, from the position that the ledger has. */
    void reopen() {
        if (session.isPresent() && !busy) {
            guarded(() -> {
                stop();
                open();
            });
        }
    }

    Optional<String> topicId() {
        return session.map(open -> open.topicId);
    }

    /** What the slot has not been seen to pass and must, before the table is drained. */
    Optional<Lsn> awaitedWatermark() {
        return session.filter(open -> open.applying == Applying.DRAINING && open.drainEnd.isEmpty())
                .flatMap(open -> open.watermark.map(watermark ->
                        open.rowsRead.filter(read -> read.compareTo(watermark) > 0).orElse(watermark)));
    }

    /** @param end the queue's end, read after the slot had passed {@link #awaitedWatermark} */
    void watermarkPassed(Lsn watermark, long end) {
        if (awaitedWatermark().equals(Optional.of(watermark))) {
            session.orElseThrow().drainEnd = Optional.of(end);
            guarded(this::act);
        }
    }

    /** What keeps the watermark from being looked at, or empty when that works again. */
    void drainTrouble(Optional<String> what) {
        if (session.isPresent()) {
            trouble = what;
        }
    }

    /** It is paused, or no more, or neither. */
    void pauseMayHaveChanged() {
        guarded(this::act);
    }

    private boolean rests() {
        return services.states().rests(table);
    }

    private void rest() {
        stop();
        resting = true;
        held = true;
        trouble = Optional.empty();
        LOG.infof("rests table=%s run=%d", table, run);
    }

    private void act() {
        if (busy) {
            return;
        }
        if (forgotten) {
            stop();
            loop.forgotten(this);
            return;
        }
        if (command.isPresent()) {
            StreamCommand next = command.get();
            command = Optional.empty();
            run = next.run();
            stop();
            switch (next) {
                case Hold hold -> hold(hold);
                case Drain drain -> open();
            }
            return;
        }
        if (session.isPresent() && rests()) {
            rest();
            return;
        }
        if (resting && !rests()) {
            resting = false;
            held = false;
            LOG.infof("goes on table=%s run=%d", table, run);
            open();
            return;
        }
        session.ifPresent(open -> {
            if (isDrained(open)) {
                catchUp(open);
            } else if (hasWork(open) && !inLine) {
                inLine = true;
                loop.applies().join(() -> guardedStart(this::startBatch));
            }
        });
    }

    private static boolean isDrained(Session open) {
        return open.applying == Applying.DRAINING
                && open.drainEnd.map(end -> open.progress.position() >= end).orElse(false);
    }

    private static boolean hasWork(Session open) {
        return !open.pending.isEmpty() && !open.awaitsPartner;
    }

    private void stop() {
        era++;
        held = false;
        resting = false;
        oldest = Optional.empty();
        session.ifPresent(open -> {
            loop.unfollow(partition);
            loop.release(bytes(open.pending));
        });
        session = Optional.empty();
    }

    private void hold(Hold hold) {
        start(
                services.ledgerReady().chain(() -> services.ledger().openRun(table, hold.run(), hold.options())),
                ignored -> {
                    LOG.infof("held table=%s run=%d attempt=%d", table, hold.run(), hold.attempt());
                    trouble = Optional.empty();
                    held = true;
                    services.events().accept(new Event.TableHeld(table, hold.run(), hold.attempt()));
                },
                failure -> {
                    Fault fault = StreamFaults.of(failure, "holding " + table);
                    LOG.warnf("not held table=%s run=%d attempt=%d: %s", table, hold.run(), hold.attempt(), fault.reason());
                    services.events().accept(new Event.HoldFailed(table, hold.run(), hold.attempt(), fault));
                    // It may be a late command for a table that drains or streams, and the last one that there is.
                    goOnByTheLedger(failure, fault);
                });
    }

    private void goOnByTheLedger(Throwable failure, Fault fault) {
        if (StreamFaults.isFenced(failure)) {
            open();
        } else {
            failures++;
            trouble = Optional.of(fault.reason());
            openAfter(Backoff.after(failures));
        }
    }

    private void open() {
        long current = era;
        loop.openings().join(() -> guardedStart(() -> {
            if (current != era || busy) {
                return false;
            }
            start(
                    services.ledgerReady().chain(() -> new QueueOpening(table, services).read()),
                    opened -> {
                        loop.openings().leave();
                        opened(opened);
                    },
                    failure -> {
                        loop.openings().leave();
                        failed(failure, "starting to apply the queue of " + table);
                    });
            return true;
        }));
    }

    private void opened(Opened opened) {
        switch (opened) {
            case Opened.Unknown unknown -> LOG.infof("not in the ledger, nothing to apply table=%s", table);
            case Opened.Held ofRun -> {
                run = ofRun.run();
                trouble = Optional.empty();
                held = true;
                LOG.infof("held by the ledger, waits table=%s", table);
            }
            case Opened.Lost lost -> lost(lost);
            case Opened.Ready ready -> {
                lostSinceNanos = Optional.empty();
                trouble = Optional.empty();
                var open = new Session(ready.entry(), ready.table(), ready.chunks());
                run = open.run;
                if (rests()) {
                    rest();
                    return;
                }
                session = Optional.of(open);
                loop.follow(this, open.progress.position());
                LOG.infof(
                        "applies its queue table=%s run=%d offset=%d state=%s",
                        table, open.run, open.progress.position(), open.applying);
                if (open.applying == Applying.STREAMING) {
                    // The process may have ended between the ledger and the event.
                    services.events().accept(new Event.TableCaughtUp(table, open.run));
                }
            }
        }
    }

    private void lost(Opened.Lost lost) {
        run = lost.run();
        long now = System.nanoTime();
        long since = lostSinceNanos.orElse(now);
        lostSinceNanos = Optional.of(since);
        if (now - since >= LOST_AFTER.toNanos()) {
            streamFailed(
                    Fault.refused(
                            "changes of " + table + " are lost: " + lost.why(),
                            "Start a new backfill of the table. Topics of changes must never be deleted, and must keep "
                                    + "their records until they are applied."),
                    true);
        } else {
            trouble = Optional.of("the queue is not whole: " + lost.why());
            openAfter(LOOK_AGAIN_AFTER);
        }
    }

    private boolean startBatch() {
        inLine = false;
        if (busy || session.isEmpty() || !hasWork(session.get()) || rests()) {
            return false;
        }
        Session open = session.get();
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        long bytes = 0;
        for (ConsumerRecord<byte[], byte[]> record : open.pending) {
            boolean full = records.size() >= services.config().batchRows()
                    || bytes >= services.config().batchBytes().asLongValue();
            // A large change is applied alone, unless it is half of one.
            if (full && !records.isEmpty() && !CapturedChanges.isFirstHalf(records.getLast())) {
                break;
            }
            records.add(record);
            bytes += bytes(record);
        }
        long startedNanos = System.nanoTime();
        start(
                batch(open, records),
                done -> {
                    loop.applies().leave();
                    applied(open, done, startedNanos);
                },
                failure -> {
                    loop.applies().leave();
                    failed(failure, "applying the changes of " + table + " from offset " + open.progress.position());
                });
        return true;
    }

    /**
     * @param chunks by which it was planned
     * @param millis when the last change of the batch was made at the source
     */
    private record Done(BatchPlan plan, RetainedChunks chunks, Optional<Applied> applied, long millis) {}

    private Uni<Done> batch(Session open, List<ConsumerRecord<byte[], byte[]>> records) {
        Progress from = open.progress;
        RetainedChunks chunks = open.chunks;
        DestinationTable destination = open.table;
        CapturedChanges changes = open.changes;
        Applying applying = open.applying;
        return Uni.createFrom()
                .item(() -> DecodedChanges.of(destination, changes, records))
                .runSubscriptionOn(services.planner())
                .chain(decoded -> placed(open.table, chunks, decoded.queued())
                        .emitOn(services.planner())
                        .map(placed -> plan(decoded, from, placed, destination.isFiltered())))
                .chain(planned -> planned.plan().consumed() == 0
                        ? Uni.createFrom().item(planned)
                        : services.apply()
                                .apply(
                                        new ChangeBatch(
                                                table,
                                                open.run,
                                                applying,
                                                from.position(),
                                                planned.plan().reached(),
                                                planned.plan().steps()),
                                        open.table)
                                .map(done -> new Done(
                                        planned.plan(), planned.chunks(), Optional.of(done), planned.millis())));
    }

    /** Where only the database knows the order of keys, it is asked as long as the order decides anything. */
    private Uni<RetainedChunks> placed(DestinationTable destination, RetainedChunks chunks, List<Queued> queued) {
        Set<Key> keys = chunks.keys();
        // A row that moves may have to be read from the source, and decides from then on. So may one whose chunk was
        // read at a standby; such a chunk has an end, and so there are keys.
        boolean moves = destination.isFiltered() || queued.stream().anyMatch(next -> next.change().keys().size() > 1);
        if (destination.keyOrder().isPresent() || keys.isEmpty() && !moves) {
            return Uni.createFrom().item(chunks);
        }
        queued.forEach(next -> keys.addAll(next.change().keys()));
        return services.apply().locate(destination, keys).map(chunks::in);
    }

    private static Done plan(DecodedChanges decoded, Progress from, RetainedChunks chunks, boolean filtered) {
        BatchPlan plan = BatchPlan.of(decoded.queued(), from, chunks, filtered);
        if (plan.consumed() == 0 && decoded.unreadable().isPresent()) {
            // Half a key change may stand before it, whose other half nobody will ever read.
            throw decoded.unreadable().get();
        }
        return new Done(plan, chunks, Optional.empty(), decoded.millis());
    }

    private void applied(Session open, Done done, long startedNanos) {
        if (done.applied().isEmpty()) {
            open.awaitsPartner = true;
            loop.want(partition, true);
            return;
        }
        Applied result = done.applied().get();
        failures = 0;
        behindSinceNanos = Optional.empty();
        trouble = Optional.empty();
        delayMillis = Math.max(0, System.currentTimeMillis() - done.millis());
        open.progress = result.reached();
        open.chunks = done.chunks().with(result.rowReads());
        awaitRowsRead(open, done.plan(), result.rowReads());
        result.reached().mark().ifPresent(mark -> {
            RetainedChunks left = open.chunks.without(mark.commitBefore());
            if (left != open.chunks) {
                open.chunks = left;
                services.ledger().forgetRowReads(table, mark.commitBefore()).subscribe().with(
                        ignored -> {},
                        failure -> LOG.debugf("row reads stay for now table=%s: %s", table, failure.getMessage()));
            }
        });
        while (!open.pending.isEmpty() && open.pending.peek().offset() < result.reached().position()) {
            loop.release(bytes(open.pending.poll()));
            applied++;
        }
        if (result.oneByOne()) {
            LOG.infof(
                    "a batch fitted the destination's constraints only one by one table=%s run=%d offset=%d",
                    table, open.run, open.progress.position());
        }
        LOG.debugf(
                "applied table=%s run=%d offset=%d changes=%d passed=%d contained=%d",
                table, open.run, open.progress.position(), done.plan().consumed(), done.plan().passed(),
                done.plan().contained());
        if (open.pending.isEmpty()) {
            Duration since = Duration.ofNanos(System.nanoTime() - startedNanos);
            Duration rest = services.config().batchInterval().minus(since);
            if (loop.lag(partition).orElse(0) > 0 || rest.isNegative() || rest.isZero()) {
                loop.want(partition, true);
            } else {
                long current = era;
                loop.after(rest, () -> {
                    if (current == era) {
                        guarded(() -> loop.want(partition, true));
                    }
                });
            }
        }
    }

    /**
     * Only readings that stand for changes of chunks: all of those come before the watermark. Rows that move, or may
     * begin to fulfil a condition, are read for as long as the table is written to: waiting for them, a drain would have
     * no end where changes come as fast as they are applied.
     */
    private static void awaitRowsRead(Session open, BatchPlan plan, List<RowRead> reads) {
        boolean ofChunks = plan.steps().stream().anyMatch(Reread.class::isInstance);
        if (ofChunks && !reads.isEmpty()) {
            open.rowsRead = reads.stream().map(RowRead::lsn).max(Comparator.naturalOrder());
            open.drainEnd = Optional.empty();
        }
    }

    private void catchUp(Session open) {
        start(
                services.ledger().caughtUp(table, open.run, open.progress.position()),
                ignored -> {
                    open.applying = Applying.STREAMING;
                    open.chunks = open.chunks.withoutChunks();
                    LOG.infof("caught up table=%s run=%d offset=%d", table, open.run, open.progress.position());
                    services.events().accept(new Event.TableCaughtUp(table, open.run));
                },
                failure -> failed(failure, "catching up with " + table));
    }

    private void failed(Throwable failure, String doing) {
        Optional<DestinationTable> opened = session.map(open -> open.table);
        stop();
        failures++;
        if (StreamFaults.isFenced(failure)) {
            // Another owner was here, or an attempt of ours did commit: the ledger knows.
            LOG.infof("refused by the ledger, reads it again table=%s: %s", table, failure.getMessage());
            openAfter(Backoff.after(failures));
            return;
        }
        Fault fault = StreamFaults.of(failure, doing);
        boolean again = fault.kind() == Fault.Kind.UNAVAILABLE
                || fault.kind() == Fault.Kind.FAULTY && failures < FAULTY_TRIES_MAX;
        if (again) {
            Duration delay = Backoff.after(failures);
            LOG.warnf("trouble, next try in %d ms table=%s run=%d: %s", delay.toMillis(), table, run, fault.reason());
            LOG.debug("trouble of " + table, failure);
            trouble = Optional.of(fault.reason());
            openAfter(delay);
        } else {
            LOG.debug("failure of " + table, failure);
            refused(opened, fault, StreamFaults.isOfTheQueue(failure));
        }
    }

    /** What the destination refuses may fit once it has followed the source's definition; else nothing helps. */
    private void refused(Optional<DestinationTable> opened, Fault fault, boolean ofTheQueue) {
        start(
                services.answered(services.apply().standing(table, opened)),
                standing -> {
                    switch (standing) {
                        case SETTLED -> streamFailed(fault, ofTheQueue);
                        case FOLLOWED -> openAfter(Backoff.after(failures));
                        case BEHIND -> behind(fault);
                    }
                },
                failure -> {
                    trouble = Optional.of(StreamFaults.of(failure, "asking for the definition of " + table).reason());
                    openAfter(Backoff.after(failures));
                });
    }

    private void behind(Fault fault) {
        long now = System.nanoTime();
        long since = behindSinceNanos.orElse(now);
        behindSinceNanos = Optional.of(since);
        if (now - since >= FOLLOW_LIMIT.toNanos()) {
            streamFailed(
                    Fault.refused(
                            "the definition of the table changed at the source, and the destination has not followed within "
                                    + FOLLOW_LIMIT.toMinutes() + " min: " + fault.reason(),
                            "Look in the scheduler's log for what is in the way; then retry."),
                    false);
        } else {
            trouble = Optional.of(
                    "waits until the destination has followed the changed definition: " + fault.reason());
            LOG.infof("waits for the definition to be followed table=%s run=%d: %s", table, run, fault.reason());
            openAfter(Backoff.after(failures));
        }
    }

    private void streamFailed(Fault fault, boolean queueLost) {
        LOG.errorf("stopped table=%s run=%d queueLost=%s: %s", table, run, queueLost, fault.reason());
        trouble = Optional.of(fault.reason());
        services.events().accept(new Event.StreamFailed(table, run, fault, queueLost));
    }

    private void openAfter(Duration delay) {
        long current = era;
        loop.after(delay, () -> {
            if (current == era && !busy) {
                guarded(this::open);
            }
        });
    }

    /** Begins the one thing that is under way. Both ends run on the loop's thread. */
    private <T> void start(Uni<T> work, Consumer<T> done, Consumer<Throwable> failed) {
        busy = true;
        work.subscribe().with(result -> settle(() -> done.accept(result)), failure -> settle(() -> failed.accept(failure)));
    }

    private void settle(Runnable then) {
        loop.execute(() -> {
            busy = false;
            guarded(then);
            if (!busy && broken.isPresent()) {
                RuntimeException failure = broken.get();
                broken = Optional.empty();
                broke(failure);
            }
            guarded(this::act);
        });
    }

    /** What nobody expects stops this table and none of the others, which are on the same thread. */
    private void guarded(Runnable work) {
        try {
            work.run();
        } catch (RuntimeException e) {
            broke(e);
        }
    }

    /** As {@link #guarded}, of what another table may cause to start. */
    private boolean guardedStart(BooleanSupplier start) {
        try {
            return start.getAsBoolean();
        } catch (RuntimeException e) {
            broke(e);
            return false;
        }
    }

    private void broke(RuntimeException failure) {
        if (busy) {
            broken = Optional.of(failure);
        } else {
            LOG.errorf(failure, "broke off, and starts anew from the ledger table=%s run=%d", table, run);
            failed(failure, "working on the queue of " + table);
        }
    }

    /** Whether its queue only grows for the time being. */
    boolean isHeld() {
        return held;
    }

    /** @param count changes that wait in the queue of a held table */
    void waiting(long count) {
        if (held) {
            waiting = count;
        }
    }

    /** Whether nobody knows yet since when the first change waits in the queue of a held table. */
    boolean wantsOldest() {
        return held && waiting > 0 && oldest.isEmpty();
    }

    /** @param at when the change that waits first in the queue of a held table came in */
    void oldest(Instant at) {
        if (held) {
            oldest = Optional.of(at);
        }
    }

    /** Tells how the queue stands, if that has changed. */
    void report() {
        guarded(this::reportMoves);
    }

    private void reportMoves() {
        session.ifPresent(open -> loop.lag(partition)
                .ifPresent(lag -> {
                    waiting = Math.max(0, open.readUpTo + lag - open.progress.position());
                    oldest = Optional.ofNullable(open.pending.peek()).map(first -> Instant.ofEpochMilli(first.timestamp()));
                }));
        // What waits first does so for as long as the table rests or is held.
        Optional<Instant> since = waiting == 0 ? Optional.empty() : oldest;
        var now = new Event.QueueMoved(table, run, waiting, applied, delayMillis, trouble, since);
        boolean quiet = session.isEmpty() && trouble.isEmpty() && !held;
        if (!quiet && !reported.equals(Optional.of(now))) {
            reported = Optional.of(now);
            services.events().accept(now);
        }
    }

    private static long bytes(Iterable<ConsumerRecord<byte[], byte[]>> records) {
        long bytes = 0;
        for (ConsumerRecord<byte[], byte[]> record : records) {
            bytes += bytes(record);
        }
        return bytes;
    }

    private static long bytes(ConsumerRecord<byte[], byte[]> record) {
        return Math.max(0, record.serializedKeySize()) + Math.max(0, record.serializedValueSize());
    }
}
