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
import dev.sluice.domain.Settings;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState.Backfilling;
import dev.sluice.domain.TableState.Failed;
import dev.sluice.domain.TableState.Phase;
import dev.sluice.domain.TableState.Queued;
import dev.sluice.domain.TableState.Remedy;
import dev.sluice.messaging.Messages;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

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
                    Turn turn = OnCommand.decide(
                            table, ofTable, by, offset, Turns.front(tables.values()), now);
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
        dispatch(limits, now);
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
            unknownTable(unknown, request, options, offset, now);
        }
    }

    private void tablesJoined(Event.TablesJoined joined, long offset, Instant now) {
        if (!requests.isEmpty()) {
            // One of them may name the same tables, with options. They are looked for again.
            notes.add("tables do not join while a request to add tables waits: " + joined.tables());
            return;
        }
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
            reject(request, offset, table.table().toString(), "it is known already, with other options; send backfill "
                    + "with the new ones, which copies it anew");
        } else {
            notes.add(table.table() + " is known already");
        }
    }

    /** A name that the source does not have stands in the overview as Failed; a pattern has no row to stand in. */
    private void unknownTable(String unknown, Request request, TableOptions options, long offset, Instant now) {
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
            reject(request, offset, unknown, "no table of the source matches");
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
            reject(request, offset, request.tables().toString(), failed.fault().reason());
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

    /** @param offset of the answer that says so */
    private void reject(Request request, long offset, String tables, String reason) {
        reject(new Rejection(offset, "add-tables " + tables, reason, Optional.of(request.offset())));
    }

    private void reject(long offset, String what, String reason) {
        reject(new Rejection(offset, what, reason));
    }

    private void reject(Rejection rejection) {
        notes.add(rejection.what() + " rejected: " + rejection.reason());
        rejections.add(rejection);
        if (rejections.size() > PipelineRecord.REJECTIONS_MAX) {
            rejections.removeFirst();
        }
    }

    private void freeSlot(Event.OfChunk answer) {
        var asked = new SlotTask(answer.table(), answer.run(), answer.chunk(), answer.attempt());
        long rows = answer instanceof Event.ChunkCopied copied ? copied.rows() : 0;
        slots.entrySet().stream()
                .filter(slot -> slot.getValue().equals(asked))
                .map(Map.Entry::getKey)
                .findFirst()
                .ifPresent(slot -> {
                    slots.remove(slot);
                    pacing.answered(slot, rows);
                });
    }

    private void admit(Limits limits, Instant now) {
        if (pause.isPresent()) {
            return;
        }
        long places = limits.tables() - tables.values().stream().filter(TableRecord::isActive).count();
        Turns.inOrder(tables.values()).limit(Math.max(0, places)).toList()
                .forEach(table -> put(Turns.begun(table, now), now));
    }

    private void dispatch(Limits limits, Instant now) {
        if (pause.isPresent() || resting.isPresent()) {
            return;
        }
        var dispatch = new Dispatch(limits, effective(), slots, pacing, tasks);
        tables.values().stream()
                .filter(table -> table.state() instanceof Backfilling && table.isActive())
                .sorted(Dispatch.OLDER_RUNS_FIRST)
                .toList()
                .forEach(table -> dispatch.send(table, now).ifPresent(sent -> put(sent, now)));
    }
}
