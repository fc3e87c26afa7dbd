package dev.sluice.scheduler;

import dev.sluice.domain.Asked;
import dev.sluice.domain.Attempt;
import dev.sluice.domain.ChunkTask;
import dev.sluice.domain.Command;
import dev.sluice.domain.Event;
import dev.sluice.domain.Fault;
import dev.sluice.domain.JoinPatterns;
import dev.sluice.domain.PastRun;
import dev.sluice.domain.Pause;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.PipelineRecord.Rejection;
import dev.sluice.domain.PipelineRecord.Request;
import dev.sluice.domain.PipelineRecord.SlotTask;
import dev.sluice.domain.Setting;
import dev.sluice.domain.Settings;
import dev.sluice.domain.Step;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.Backfilling;
import dev.sluice.domain.TableState.ChunkPlan;
import dev.sluice.domain.TableState.Completing;
import dev.sluice.domain.TableState.Failed;
import dev.sluice.domain.TableState.OpenChunk;
import dev.sluice.domain.TableState.Phase;
import dev.sluice.domain.TableState.Preparing;
import dev.sluice.domain.TableState.Queued;
import dev.sluice.domain.TableState.Remedy;
import dev.sluice.messaging.Messages;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The fold at the heart of Sluice: inputs in their one order, over what is known, give what is known then and what is
 * to be sent. Nothing here reads a clock, a topic or a database.
 *
 * <p>One object folds one batch; what it has gathered becomes one Kafka transaction, or nothing does.
 */
final class Fold {

    /**
     * What a batch came to.
     *
     * @param changed tables whose record is another than before, in the order in which that came to be; {@code forgotten} ones have none any more
     * @param notes what was ignored or rejected and why, for the log
     */
    record Folded(
            World world,
            Set<TableName> changed,
            Set<TableName> forgotten,
            boolean pipelineChanged,
            List<Dispatched> tasks,
            List<String> notes) {

        boolean isEmpty() {
            return changed.isEmpty() && forgotten.isEmpty() && !pipelineChanged && tasks.isEmpty();
        }
    }

    record Dispatched(ChunkTask task, int slot) {}

    private final World before;
    private final Limits configured;
    private final Map<TableName, TableRecord> tables;
    /** In the order of the last change: whoever reads the topic sees a table leave before another takes its place. */
    private final Set<TableName> changed = new LinkedHashSet<>();
    private final Set<TableName> forgotten = new HashSet<>();
    private final Map<Integer, SlotTask> slots;
    private final List<Request> requests;
    private final List<Rejection> rejections;
    private final List<Dispatched> tasks = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private long inputOffset;
    private Settings settings;
    private Optional<Pause> pause;
    private final Pacing pacing;
    private Optional<String> resting;

    /** @param configured what holds for settings that the world does not have */
    Fold(World before, Limits configured) {
        this.before = before;
        this.configured = configured;
        this.tables = new HashMap<>(before.tables());
        this.slots = new TreeMap<>(before.pipeline().slots());
        this.requests = new ArrayList<>(before.pipeline().requests());
        this.rejections = new ArrayList<>(before.pipeline().rejections());
        this.inputOffset = before.pipeline().inputOffset();
        this.settings = before.pipeline().settings();
        this.pause = before.pipeline().pause();
        this.pacing = new Pacing(before.pipeline().pace(), limits().rowsPerSecond());
        this.resting = before.pipeline().resting();
    }

    private Settings effective() {
        return settings.over(before.pipeline().defaults());
    }

    private Limits limits() {
        return configured.under(effective());
    }

    /**
     * A command at its offset.
     *
     * @param by who asks, as far as that is known
     */
    void command(Command command, Optional<String> by, long offset, Instant now) {
        inputOffset = offset + 1;
        switch (command) {
            case Command.AddTables add -> add(new Request(offset, add.tables(), add.options(), Attempt.first(), by));
            case Command.OfTable ofTable -> {
                TableRecord table = tables.get(ofTable.table());
                String what = ofTable.getClass().getSimpleName() + " " + ofTable.table();
                if (table == null) {
                    reject(offset, what, "Sluice does not know this table; send add-tables first");
                } else if (ofTable instanceof Command.Remove && joins(ofTable.table())) {
                    reject(offset, what, "it would join again: joinPatterns names it; add the entry «!" + ofTable.table()
                            + "» there first, with change-settings");
                } else {
                    Turn turn = OnCommand.decide(table, ofTable, by, offset, front(), now);
                    take(turn.asked(new Asked(Messages.name(command), by, now)), what, offset, table.table(), now);
                }
            }
            case Command.ChangeSettings change -> {
                settings = settings.with(change.settings());
                pacing.change(limits().rowsPerSecond(), now);
                resting = resting.filter(why -> Resting.isAsked(effective()));
            }
            case Command.PausePipeline rest -> {
                if (pause.isPresent()) {
                    reject(offset, "pause-pipeline", "the pipeline is paused already");
                } else {
                    pause = Optional.of(new Pause(by, now));
                }
            }
            case Command.ResumePipeline goOn -> {
                if (pause.isEmpty()) {
                    reject(offset, "resume-pipeline", "the pipeline is not paused");
                }
                pause = Optional.empty();
            }
        }
    }

    private void add(Request request) {
        int length = request.length() + requests.stream().mapToInt(Request::length).sum();
        if (requests.size() >= PipelineRecord.REQUESTS_MAX || length > PipelineRecord.REQUESTS_LENGTH_MAX) {
            reject(
                    request.offset(),
                    "add-tables " + request.tables(),
                    "too many requests wait for the source; send it again later");
        } else {
            requests.add(request);
        }
    }

    /** A place before all that wait for their turn. */
    private long front() {
        return waiting().mapToLong(Fold::place).min().orElse(0) - 1;
    }

    /** An event at its offset. */
    void event(Event event, long offset, Instant now) {
        inputOffset = offset + 1;
        switch (event) {
            case Event.TablesMatched matched -> tablesMatched(matched, offset, now);
            case Event.MatchingFailed failed -> matchingFailed(failed, offset, now);
            case Event.TablesJoined joined -> tablesJoined(joined, offset, now);
            case Event.SourceMeasured measured -> resting = Resting.after(effective(), resting, measured);
            case Event.OfRun ofRun -> {
                if (ofRun instanceof Event.OfChunk answer) {
                    freeSlot(answer);
                }
                TableRecord table = tables.get(ofRun.table());
                String what = ofRun.getClass().getSimpleName() + " " + ofRun.table();
                if (table == null) {
                    notes.add(what + " ignored: the table is not known");
                } else {
                    take(OnEvent.decide(table, ofRun, now), what, offset, table.table(), now);
                }
            }
        }
    }

    /** An input that could not be understood; it is in the dead-letter topic with its reason. */
    void poison(String reason, long offset) {
        reject(offset, "unreadable input", reason);
        inputOffset = offset + 1;
    }

    /** Lets queued tables in and gives chunks to free worker slots, then closes the batch. */
    Folded finish(Instant now) {
        Limits limits = limits();
        admit(limits, now);
        if (resting.isEmpty()) {
            dispatch(limits, now);
        }
        PipelineRecord pipeline = new PipelineRecord(
                before.pipeline().epoch(),
                inputOffset,
                requests,
                slots,
                rejections,
                settings,
                before.pipeline().defaults(),
                resting,
                pacing.pace(),
                pause);
        return new Folded(
                new World(pipeline, tables),
                Collections.unmodifiableSet(new LinkedHashSet<>(changed)),
                Set.copyOf(forgotten),
                !pipeline.equals(before.pipeline()),
                List.copyOf(tasks),
                List.copyOf(notes));
    }

    private void tablesMatched(Event.TablesMatched matched, long offset, Instant now) {
        if (requests.isEmpty() || requests.getFirst().offset() != matched.request()) {
            notes.add("tables of request " + matched.request() + " ignored: it is answered already");
            return;
        }
        Request request = requests.removeFirst();
        TableOptions options = request.options().orElse(TableOptions.NONE);
        var asked = new Asked("add-tables", request.by(), now);
        int place = 0;
        for (TableName name : matched.tables()) {
            if (tables.containsKey(name)) {
                known(tables.get(name), request, offset);
            } else {
                var queued = new Queued(offset, matched.request(), place++, Optional.empty(), false);
                put(Records.asked(added(name, queued, options, request.by(), now), asked), now);
            }
        }
        for (String unknown : matched.unknown()) {
            unknownTable(unknown, options, offset, now);
        }
    }

    private void tablesJoined(Event.TablesJoined joined, long offset, Instant now) {
        int place = 0;
        for (TableName name : joined.tables()) {
            if (tables.containsKey(name)) {
                notes.add(name + " is known already");
            } else if (!joins(name)) {
                notes.add(name + " does not join: joinPatterns does not name it any more");
            } else {
                var queued = new Queued(offset, offset, place++, Optional.empty(), false);
                put(added(name, queued, TableOptions.NONE, Optional.empty(), now), now);
            }
        }
    }

    private boolean joins(TableName table) {
        return JoinPatterns.of(effective().joinPatterns().orElse(List.of())).joins(table);
    }

    /** Where a table that is added is not backfilled by itself, it waits until somebody resumes it. */
    private TableRecord added(TableName name, Queued queued, TableOptions options, Optional<String> by, Instant now) {
        TableRecord fresh = Records.fresh(name, queued, options, now);
        return effective().backfillOnAdd().orElse(true)
                ? fresh
                : Records.paused(fresh, Optional.of(new Pause(by, now)));
    }

    /** Its options stay: other ones would hold for some of its rows only, until all are copied anew. */
    private void known(TableRecord table, Request request, long offset) {
        TableOptions now = table.optionsAsked().orElse(table.options());
        if (request.options().filter(asked -> !asked.equals(now)).isPresent()) {
            reject(offset, "add-tables " + table.table(), "it is known already, with other options; send backfill with "
                    + "the new ones, which copies it anew");
        } else {
            notes.add(table.table() + " is known already");
        }
    }

    /** A name that the source does not have stands in the overview as Failed; a pattern has no row to stand in. */
    private void unknownTable(String unknown, TableOptions options, long offset, Instant now) {
        Fault fault = Fault.refused(
                "the source has no table " + unknown,
                "check the name and that Sluice's role may see it, then send retry, or remove to take it off the list");
        try {
            TableName name = TableName.parse(unknown);
            if (!tables.containsKey(name)) {
                put(
                        Records.fresh(
                                name, new Failed(offset, Phase.PREPARING, fault, new Remedy.CopyAnew()), options, now),
                        now);
            }
        } catch (IllegalArgumentException e) {
            reject(offset, "add-tables " + unknown, "no table of the source matches");
        }
    }

    private void matchingFailed(Event.MatchingFailed failed, long offset, Instant now) {
        if (requests.isEmpty()
                || requests.getFirst().offset() != failed.request()
                || requests.getFirst().attempt().number() != failed.attempt()) {
            notes.add("failed matching of request " + failed.request() + " ignored: it is not waited for");
            return;
        }
        Request request = requests.removeFirst();
        Optional<Attempt> next = request.attempt().after(failed.fault(), now);
        if (next.isPresent()) {
            requests.addFirst(new Request(
                    request.offset(), request.tables(), request.options(), next.get(), request.by()));
        } else {
            reject(offset, "add-tables " + request.tables(), failed.fault().reason());
        }
    }

    private void take(Turn turn, String what, long offset, TableName name, Instant now) {
        switch (turn) {
            case Turn.Becomes becomes -> put(becomes.next(), now);
            case Turn.Forgotten gone -> {
                tables.remove(name);
                changed.remove(name);
                forgotten.add(name);
            }
            case Turn.Ignored ignored -> notes.add(what + " ignored: " + ignored.reason());
            case Turn.Rejected rejected -> reject(offset, what, rejected.reason());
        }
    }

    private void put(TableRecord next, Instant now) {
        TableRecord table = OnVerification.after(
                Records.settled(Records.runs(next, PastRun.after(next.runs(), next, now))), now);
        tables.put(table.table(), table);
        changed.remove(table.table());
        changed.add(table.table());
        forgotten.remove(table.table());
    }

    private void reject(long offset, String what, String reason) {
        notes.add(what + " rejected: " + reason);
        rejections.add(new Rejection(offset, what, reason));
        if (rejections.size() > PipelineRecord.REJECTIONS_MAX) {
            rejections.removeFirst();
        }
    }

    private void freeSlot(Event.OfChunk answer) {
        var asked = new SlotTask(answer.table(), answer.run(), answer.chunk(), answer.attempt());
        Optional<Long> rows = answer instanceof Event.ChunkCopied copied ? Optional.of(copied.rows()) : Optional.empty();
        slots.entrySet().stream()
                .filter(slot -> slot.getValue().equals(asked))
                .map(Map.Entry::getKey)
                .findFirst()
                .ifPresent(slot -> {
                    slots.remove(slot);
                    pacing.answered(slot, rows);
                });
    }

    /** Those that wait for a place among the tables at once: queued, or to go on after a pause. */
    private Stream<TableRecord> waiting() {
        return tables.values().stream()
                .filter(table -> table.pause()
                        .map(rest -> rest.resumed().isPresent())
                        .orElse(table.state() instanceof Queued));
    }

    /** First in, first out. */
    private static long place(TableRecord table) {
        return table.pause().flatMap(Pause::resumed).orElseGet(() -> ((Queued) table.state()).requested());
    }

    private static int placeOfRequest(TableRecord table) {
        return table.state() instanceof Queued queued ? queued.place() : 0;
    }

    private void admit(Limits limits, Instant now) {
        if (pause.isPresent()) {
            return;
        }
        long active = tables.values().stream().filter(TableRecord::isActive).count();
        List<TableRecord> next = waiting()
                .sorted(Comparator.comparingLong(Fold::place).thenComparingInt(Fold::placeOfRequest))
                .toList();
        for (TableRecord table : next) {
            if (active >= limits.tables()) {
                return;
            }
            put(
                    table.state() instanceof Queued queued
                            ? begun(table, queued, now)
                            : Records.paused(table, Optional.empty()),
                    now);
            active++;
        }
    }

    private static TableRecord begun(TableRecord table, Queued queued, Instant now) {
        return queued.close()
                .map(close -> Records.to(
                        table,
                        new Completing(queued.run(), close.outcome(), close.chunks(), Records.nextAttempt(table)),
                        now))
                .orElseGet(() -> Records.to(
                        Records.begun(table),
                        new Preparing(
                                queued.run(),
                                Step.INSPECT,
                                Records.nextAttempt(table),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty()),
                        now));
    }

    /** A task goes only to a slot that has none: nothing ever waits behind a slow chunk. Older runs first. */
    private void dispatch(Limits limits, Instant now) {
        if (pause.isPresent()) {
            return;
        }
        List<TableRecord> copying = tables.values().stream()
                .filter(table -> table.state() instanceof Backfilling && table.isActive())
                .sorted(Comparator.comparingLong((TableRecord table) -> table.state().run())
                        .thenComparing(TableRecord::table))
                .toList();
        Settings forChunks = effective().only(Setting.READ_REPLICA, Setting.MISSING_ROWS);
        int slot = nextFreeSlot(limits, 0);
        for (TableRecord table : copying) {
            Backfilling backfilling = (Backfilling) table.state();
            long inFlight = backfilling.plan().inFlight();
            List<OpenChunk> open = new ArrayList<>(backfilling.plan().open());
            boolean sent = false;
            for (int i = 0; i < open.size() && inFlight < limits.chunksPerTable() && slot < limits.slots(); i++) {
                OpenChunk chunk = open.get(i);
                if (chunk.inFlight() || !chunk.attempt().isDue(now) || !pacing.allows(now)) {
                    continue;
                }
                ChunkTask task = task(table.table(), backfilling, chunk, forChunks);
                tasks.add(new Dispatched(task, slot));
                pacing.sent(slot, rowsLikely(limits, backfilling.plan(), chunk), now);
                slots.put(slot, new SlotTask(task.table(), task.run(), task.chunk(), task.attempt()));
                open.set(
                        i,
                        new OpenChunk(
                                chunk.chunk(), chunk.range(), chunk.attempt(), true, chunk.aboveHighest(), chunk.rows()));
                inFlight++;
                sent = true;
                slot = nextFreeSlot(limits, slot + 1);
            }
            if (sent) {
                put(OnChunk.with(table, backfilling, OnChunk.withOpen(backfilling.plan(), open), now), now);
            }
        }
    }

    private int nextFreeSlot(Limits limits, int from) {
        int slot = from;
        while (slot < limits.slots() && slots.containsKey(slot)) {
            slot++;
        }
        return slot;
    }

    private static long rowsLikely(Limits limits, ChunkPlan plan, OpenChunk chunk) {
        if (chunk.aboveHighest()) {
            return 0;
        }
        return plan.chunksCopied() == 0 ? ChunkRows.next(limits, plan) : plan.rowsCopied() / plan.chunksCopied();
    }

    private static ChunkTask task(TableName table, Backfilling backfilling, OpenChunk chunk, Settings settings) {
        return new ChunkTask(
                table,
                backfilling.run(),
                chunk.chunk(),
                chunk.attempt().number(),
                chunk.range(),
                backfilling.inspected().fingerprint(),
                backfilling.bounded().primary(),
                chunk.aboveHighest()
                        ? Optional.of(backfilling.bounded().snapshot())
                        : Optional.empty(),
                settings);
    }
}
