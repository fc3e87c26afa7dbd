package dev.sluice.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.sluice.domain.CaptureIdentity;
import dev.sluice.domain.ChunkTask;
import dev.sluice.domain.Command;
import dev.sluice.domain.Event;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Key;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.PastRun;
import dev.sluice.domain.PipelineRecord.SlotTask;
import dev.sluice.domain.StepResult;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.Backfilling;
import dev.sluice.domain.TableState.Completing;
import dev.sluice.domain.TableState.Constraints;
import dev.sluice.domain.TableState.Outcome;
import dev.sluice.domain.TableState.Queued;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * The scheduler among functions that answer late, twice, or that they failed, with commands at any time, capture that
 * breaks and queues that get lost. After every step the invariants hold; and once nothing goes wrong any more, every
 * table gets to where it belongs.
 *
 * <p>A failure names its seed: {@code -Dsluice.simulation.seed=…} runs that one and prints its inputs.
 * {@code -Dsluice.simulation.seconds=…}
 * goes on with new seeds for that long.
 */
class SchedulerSimulationTest {

    private static final int SEEDS = 150;
    private static final int STEPS = 1_500;

    @Test
    void holdsItsInvariantsWhateverHappens() {
        Optional<Long> one = Optional.ofNullable(Long.getLong("sluice.simulation.seed"));
        if (one.isPresent()) {
            run(one.get());
            return;
        }
        long first = Long.getLong("sluice.simulation.first", 1);
        long end = System.nanoTime() + Duration.ofSeconds(Long.getLong("sluice.simulation.seconds", 0)).toNanos();
        for (long seed = first; seed < first + SEEDS || System.nanoTime() < end; seed++) {
            run(seed);
        }
    }

    private static void run(long seed) {
        var simulation = new Simulation(seed);
        try {
            for (int step = 0; step < STEPS; step++) {
                simulation.step();
                simulation.checkInvariants();
            }
            simulation.settle();
        } catch (RuntimeException | AssertionError e) {
            if (Long.getLong("sluice.simulation.seed") != null) {
                simulation.log.forEach(System.out::println);
            }
            throw new AssertionError(
                    "seed " + seed + ", input " + simulation.story.offset + ": " + e.getMessage()
                            + "\nrun it again with -Dsluice.simulation.seed=" + seed + "\nthe last inputs:\n"
                            + String.join("\n", simulation.log.subList(Math.max(0, simulation.log.size() - 40), simulation.log.size())),
                    e);
        }
    }

    /** What stands at the destination and in Kafka for one table: what the fold cannot see, and must be right about. */
    private static final class Truth {
        private long ledgerRun = -1;
        private Optional<String> applying = Optional.empty();
        private final Set<Long> closed = new HashSet<>();
        private final Map<Long, Map<Integer, ChunkTask>> chunks = new HashMap<>();
        /** Rises with every hole: what was copied or queued before it is not enough. */
        private int generation;
        private int publicationMember;
        private boolean published;
        /** The generation since which the queue has all changes; none before the queue was started. */
        private Optional<Integer> queueSince = Optional.empty();
        /** The generation in which the destination was complete, up to what the queue holds. */
        private Optional<Integer> completeSince = Optional.empty();
        private final Map<Long, Integer> copiedIn = new HashMap<>();

        boolean isWhole() {
            return completeSince.equals(Optional.of(generation));
        }
    }

    private static final class Simulation {
        private final Random random;
        private final Story story;
        private final List<String> log = new ArrayList<>();
        private final Map<TableName, Truth> truths = new TreeMap<>();
        private final List<TableName> names = new ArrayList<>();
        /** Answers on their way; some are delivered twice. */
        private final List<Event> underWay = new ArrayList<>();
        private final Set<Object> answered = new HashSet<>();
        private final Map<TableName, Long> lastRun = new HashMap<>();
        private final Map<String, KeyRange> ranges = new HashMap<>();
        private final List<SlotTask> outstanding = new ArrayList<>();
        private boolean calm;
        private long inputOffset;

        Simulation(long seed) {
            this.random = new Random(seed);
            this.story = new Story(new Limits(1 + random.nextInt(2), 1 + random.nextInt(4), 1 + random.nextInt(3), 1 + random.nextInt(6)));
            for (int i = 0; i < 5; i++) {
                var name = new TableName("public", "t" + i);
                names.add(name);
                story.source.add(name);
                truths.put(name, new Truth());
                if (random.nextInt(5) == 0) {
                    story.empty.add(name);
                }
            }
            input(new Command.AddTables(names.stream().map(TableName::toString).toList()));
        }

        void step() {
            work();
            int dice = random.nextInt(100);
            if (dice < 8) {
                command();
            } else if (dice < 9) {
                breakSomething();
            } else if (dice < 11) {
                story.after(Duration.ofMillis(random.nextInt(60_000)));
                sendTasks();
            } else if (dice < 12) {
                log.add("poison");
                story.poison("nonsense");
            } else if (!underWay.isEmpty()) {
                int at = random.nextInt(underWay.size());
                Event event = random.nextInt(10) == 0 ? underWay.get(at) : underWay.remove(at);
                input(event);
            } else {
                story.after(Duration.ofSeconds(1 + random.nextInt(40)));
                sendTasks();
            }
        }

        /** Nothing goes wrong any more; what failed is retried, what was cancelled is asked for again. */
        void settle() {
            calm = true;
            for (int round = 0; round < 20_000; round++) {
                work();
                if (!underWay.isEmpty()) {
                    input(underWay.removeFirst());
                } else {
                    story.after(Duration.ofSeconds(31));
                    sendTasks();
                    work();
                    if (underWay.isEmpty() && watch().isEmpty()) {
                        if (!askAgain()) {
                            checkEnd();
                            return;
                        }
                    }
                }
                checkInvariants();
            }
            fail("it does not come to rest: %s", states());
        }

        private boolean askAgain() {
            boolean asked = story.world.pipeline().pause().isPresent();
            if (asked) {
                input(new Command.ResumePipeline());
            }
            for (TableRecord table : List.copyOf(story.world.tables().values())) {
                if (table.pause().isPresent()) {
                    input(new Command.Resume(table.table()));
                    asked = true;
                    continue;
                }
                switch (table.state()) {
                    case TableState.Failed failed -> {
                        input(new Command.Retry(table.table()));
                        asked = true;
                    }
                    case TableState.Cancelled cancelled -> {
                        input(new Command.Backfill(table.table()));
                        asked = true;
                    }
                    default -> { }
                }
            }
            return asked;
        }

        private void checkEnd() {
            for (TableRecord table : story.world.tables().values()) {
                assertThat(table.state())
                        .as("%s is stuck: the ledger has run %d, %s", table.table(), truth(table).ledgerRun, truth(table).applying)
                        .isInstanceOf(TableState.Streaming.class);
                assertThat(((TableState.Streaming) table.state()).constraints())
                        .as("%s waits for its constraints for ever", table.table())
                        .isInstanceOf(Constraints.Built.class);
                assertThat(truth(table).applying).as("%s is called Streaming", table.table()).contains("STREAMING");
                assertThat(truth(table).isWhole()).as("%s streams, and nothing is missing", table.table()).isTrue();
            }
            assertThat(story.world.pipeline().slots()).as("slots that nobody frees").isEmpty();
            assertThat(story.world.pipeline().requests()).as("requests that nobody answers").isEmpty();
        }

        private Truth truth(TableRecord table) {
            return truths.get(table.table());
        }

        private String states() {
            Map<TableName, String> states = new TreeMap<>();
            story.world.tables().forEach((name, table) -> states.put(name, Given.text(table.state())));
            return states + ", requests " + story.world.pipeline().requests().size();
        }

        private void command() {
            TableName name = names.get(random.nextInt(names.size()));
            input(switch (random.nextInt(32)) {
                case 0, 1, 2, 3, 4, 5, 6, 7 -> new Command.Backfill(name);
                case 8, 9, 10, 11, 12 -> new Command.Cancel(name, random.nextInt(4) == 0);
                case 13, 14, 15, 16, 17, 18, 19 -> new Command.Retry(name);
                case 20 -> new Command.Remove(name);
                case 21, 22 -> new Command.Pause(name);
                case 23, 24, 25 -> new Command.Resume(name);
                case 26 -> new Command.ToFront(name);
                case 27 -> new Command.PausePipeline();
                case 28, 29 -> new Command.ResumePipeline();
                default -> new Command.AddTables(List.of(name.toString()));
            });
        }

        private void breakSomething() {
            TableName name = names.get(random.nextInt(names.size()));
            Truth truth = truths.get(name);
            if (truth.published && random.nextBoolean()) {
                log.add("somebody takes " + name + " out of the publication");
                truth.published = false;
                truth.generation++;
            } else if (truth.queueSince.isPresent()) {
                log.add("changes of " + name + " expire in its queue");
                truth.queueSince = Optional.empty();
                truth.generation++;
            }
        }

        private void input(Command command) {
            log.add(story.offset + " " + command);
            World before = story.world;
            story.command(command);
            checkOrder(before);
            sendTasks();
        }

        private void input(Event event) {
            log.add(story.offset + " " + event);
            if (event instanceof Event.OfChunk answer) {
                outstanding.remove(new SlotTask(answer.table(), answer.run(), answer.chunk(), answer.attempt()));
            }
            World before = story.world;
            story.event(event);
            checkOrder(before);
            sendTasks();
        }

        private boolean rests(TableRecord table) {
            return story.world.pipeline().pause().isPresent() || table.pause().isPresent();
        }

        /** Of a table that waits to be among the tables at once: its place, and that among those of one request. */
        private static Optional<List<Long>> place(TableRecord table) {
            if (table.pause().isPresent()) {
                return table.pause().get().resumed().map(resumed -> List.of(resumed, 0L));
            }
            return table.state() instanceof Queued queued
                    ? Optional.of(List.of(queued.requested(), (long) queued.place()))
                    : Optional.empty();
        }

        /** First in, first out: who is let in asked before everybody who goes on waiting. */
        private void checkOrder(World before) {
            List<List<Long>> letIn = new ArrayList<>();
            List<List<Long>> waiting = new ArrayList<>();
            before.tables().forEach((name, table) -> {
                TableRecord after = story.world.tables().get(name);
                place(table).filter(place -> after != null).ifPresent(place -> {
                    if (after.isActive()) {
                        letIn.add(place);
                    } else if (place(after).equals(place(table))) {
                        waiting.add(place);
                    }
                });
            });
            for (List<Long> first : letIn) {
                assertThat(waiting)
                        .as("tables that asked before %s and still wait", first)
                        .noneMatch(other -> other.get(0) < first.get(0)
                                || other.get(0).equals(first.get(0)) && other.get(1) < first.get(1));
            }
        }

        private void sendTasks() {
            for (Fold.Dispatched dispatched : story.last.tasks()) {
                ChunkTask task = dispatched.task();
                var slotTask = new SlotTask(task.table(), task.run(), task.chunk(), task.attempt());
                assertThat(outstanding).as("a task goes out twice").doesNotContain(slotTask);
                outstanding.add(slotTask);
                KeyRange before = ranges.putIfAbsent(task.table() + "/" + task.run() + "/" + task.chunk(), task.range());
                assertThat(before == null || before.equals(task.range())).as("a chunk keeps its range").isTrue();
                TableRecord table = story.world.tables().get(task.table());
                assertThat(table.state()).as("a task for a table that is not backfilled").isInstanceOf(Backfilling.class);
                assertThat(rests(table)).as("a task for a table that rests").isFalse();
                underWay.add(copy(task));
            }
        }

        private Event copy(ChunkTask task) {
            Truth truth = truths.get(task.table());
            boolean open = truth.ledgerRun == task.run() && !truth.closed.contains(task.run());
            if (!open || trouble(15)) {
                return new Event.ChunkFailed(task.table(), task.run(), task.chunk(), task.attempt(), fault());
            }
            truth.chunks.computeIfAbsent(task.run(), run -> new HashMap<>()).put(task.chunk(), task);
            // What was read before the last hole does not count for after it.
            truth.copiedIn.merge(task.run(), truth.published ? truth.generation : -1, Math::min);
            return new Event.ChunkCopied(task.table(), task.run(), task.chunk(), task.attempt(), 10, 100, 1);
        }

        private boolean trouble(int percent) {
            return !calm && random.nextInt(100) < percent;
        }

        private Fault fault() {
            return switch (random.nextInt(6)) {
                case 0 -> Given.REFUSED;
                case 1, 2 -> Fault.unavailable("no server", "start it");
                default -> Given.FAULTY;
            };
        }

        /** Everything that the world lacks and that nobody has begun is begun; its answer is then on its way. */
        private void work() {
            for (Effect effect : Effect.due(story.world, story.limits, story.now)) {
                if (answered.add(effect)) {
                    underWay.add(answer(effect));
                }
            }
            for (TableRecord table : story.world.tables().values()) {
                if (!rests(table)) {
                    byOthers(table);
                }
            }
            watch().forEach(broken -> {
                if (random.nextInt(calm ? 1 : 8) == 0) {
                    underWay.add(broken);
                }
            });
        }

        private List<Event> watch() {
            List<Event> broken = new ArrayList<>();
            for (TableRecord table : story.world.tables().values()) {
                boolean leaves = table.state() instanceof TableState.Leaving
                        || table.state() instanceof TableState.Failed failed
                                && failed.remedy() instanceof TableState.Remedy.Leave;
                Truth truth = truth(table);
                boolean same = table.captured()
                        .map(identity -> truth.published && identity.publicationMember() == truth.publicationMember)
                        .orElse(true);
                if (!leaves && !same) {
                    broken.add(new Event.CaptureBroken(
                            table.table(), table.state().run(), table.captured().orElseThrow(), Given.REFUSED));
                }
            }
            return broken;
        }

        private Event answer(Effect effect) {
            return switch (effect) {
                case Effect.MatchTables match -> trouble(20)
                        ? new Event.MatchingFailed(match.request(), match.attempt(), Fault.unavailable("away", "wait"))
                        : new Event.TablesMatched(
                                match.request(),
                                match.tables().stream().map(TableName::parse).toList(),
                                List.of());
                case Effect.Prepare prepare -> prepare(prepare);
                case Effect.PlanChunks plan -> trouble(10)
                        ? new Event.PlanningFailed(plan.table(), plan.run(), plan.attempt(), fault())
                        : Story.planned(plan);
                case Effect.Leave leave -> leave(leave);
            };
        }

        private Event prepare(Effect.Prepare prepare) {
            Truth truth = truths.get(prepare.table());
            if (trouble(8)) {
                return new Event.StepFailed(prepare.table(), prepare.run(), prepare.step(), prepare.attempt(), fault());
            }
            StepResult result = new StepResult.Done();
            switch (prepare.step()) {
                case HOLD -> {
                    if (truth.ledgerRun > prepare.run() || truth.closed.contains(prepare.run())) {
                        return new Event.HoldFailed(prepare.table(), prepare.run(), prepare.attempt(), Given.FAULTY);
                    }
                    truth.ledgerRun = prepare.run();
                    truth.applying = Optional.of("HELD");
                    return new Event.TableHeld(prepare.table(), prepare.run(), prepare.attempt());
                }
                case QUEUE -> {
                    if (prepare.captured().isEmpty()) {
                        truth.generation++;
                        truth.queueSince = Optional.of(truth.generation);
                    } else if (truth.queueSince.isEmpty()) {
                        result = new StepResult.QueueHasHole();
                    }
                }
                case PUBLISH -> {
                    if (!truth.published) {
                        truth.published = true;
                        truth.publicationMember++;
                    }
                    result = new StepResult.Published(
                            new CaptureIdentity(1, "f", truth.publicationMember, "system", "topic", "capture"));
                }
                case INSPECT -> result = Given.INSPECTED;
                case BOUNDS -> result = story.empty.contains(prepare.table()) ? Given.BOUNDED_EMPTY : Given.BOUNDED;
                case CAPTURE, BARRIER, DESTINATION -> { }
            }
            return new Event.StepDone(prepare.table(), prepare.run(), prepare.step(), prepare.attempt(), result);
        }

        private Event leave(Effect.Leave leave) {
            Truth truth = truths.get(leave.table());
            // The ledger first, as the effect does: it may fail in between.
            truth.ledgerRun = -1;
            truth.applying = Optional.empty();
            truth.closed.clear();
            truth.queueSince = Optional.empty();
            truth.generation++;
            if (trouble(30)) {
                return new Event.LeavingFailed(leave.table(), leave.run(), leave.attempt(), fault());
            }
            truth.published = false;
            return new Event.TableLeft(leave.table(), leave.run(), leave.attempt());
        }

        private record Answered(TableName table, long run, int attempt, String what) {}

        private void byOthers(TableRecord table) {
            TableName name = table.table();
            Truth truth = truth(table);
            switch (table.state()) {
                case Completing completing -> {
                    int attempt = completing.attempt().number();
                    if (completing.attempt().isDue(story.now)
                            && answered.add(new Answered(name, completing.run(), attempt, "close"))) {
                        underWay.add(close(name, truth, completing));
                    }
                }
                case TableState.Streaming streaming
                when streaming.constraints() instanceof Constraints.Pending pending
                        && pending.attempt().isDue(story.now)
                        && answered.add(new Answered(name, streaming.run(), pending.attempt().number(), "build")) ->
                    underWay.add(trouble(30)
                            ? new Event.ConstraintsFailed(name, streaming.run(), pending.attempt().number(), fault())
                            : new Event.ConstraintsBuilt(name, streaming.run(), pending.attempt().number(), 1));
                case TableState.Streaming streaming
                when calm && streaming.constraints() instanceof Constraints.Missing ->
                    input(new Command.Retry(name));
                default -> { }
            }
            stream(name, truth);
        }

        private Event close(TableName name, Truth truth, Completing completing) {
            long run = completing.run();
            int attempt = completing.attempt().number();
            if (trouble(15)) {
                return new Event.ClosingFailed(name, run, attempt, fault());
            }
            if (truth.ledgerRun > run) {
                return new Event.ClosingFailed(name, run, attempt, Given.FAULTY);
            }
            truth.ledgerRun = run;
            if (truth.applying.isEmpty()) {
                truth.applying = Optional.of("HELD");
            }
            if (truth.closed.add(run) && completing.outcome() == Outcome.COPIED) {
                int listed = truth.chunks.getOrDefault(run, Map.of()).size();
                if (listed != completing.chunks()) {
                    truth.closed.remove(run);
                    return new Event.ClosingFailed(name, run, attempt, Given.REFUSED);
                }
                if (truth.copiedIn.getOrDefault(run, -1) == truth.generation) {
                    truth.completeSince = Optional.of(truth.generation);
                }
            }
            if (completing.outcome().drains() && truth.applying.equals(Optional.of("HELD"))) {
                truth.applying = Optional.of("DRAINING");
            }
            return new Event.RunClosed(
                    name, run, attempt, completing.outcome().drains() ? Optional.of(Given.LSN) : Optional.empty());
        }

        /** The streaming function: it looks at the ledger and nothing else. */
        private void stream(TableName name, Truth truth) {
            if (truth.applying.isEmpty() || truth.applying.equals(Optional.of("HELD"))) {
                return;
            }
            boolean lost = truth.queueSince.isEmpty();
            if (lost) {
                if (answered.add(new Answered(name, truth.ledgerRun, truth.generation, "lost"))) {
                    underWay.add(new Event.StreamFailed(name, truth.ledgerRun, Given.REFUSED, true));
                }
            } else if (truth.applying.equals(Optional.of("DRAINING"))) {
                if (trouble(10)) {
                    underWay.add(new Event.StreamFailed(name, truth.ledgerRun, fault(), false));
                } else if (calm || random.nextInt(6) == 0) {
                    truth.applying = Optional.of("STREAMING");
                    underWay.add(new Event.TableCaughtUp(name, truth.ledgerRun));
                }
            } else if (calm && isWaitedFor(name, truth.ledgerRun) || random.nextInt(400) == 0) {
                // A process that starts says so again.
                underWay.add(new Event.TableCaughtUp(name, truth.ledgerRun));
            }
        }

        private boolean isWaitedFor(TableName name, long run) {
            TableRecord table = story.world.tables().get(name);
            return table != null && table.state() instanceof TableState.Draining draining && draining.run() == run;
        }

        /** Each run once, the newest first, and only the newest may be under way. */
        private void checkRuns(TableRecord table) {
            assertThat(table.runs()).as("past runs of %s", table.table()).hasSizeLessThanOrEqualTo(PastRun.RUNS_MAX);
            assertThat(table.runs().stream().map(PastRun::run).toList())
                    .as("past runs of %s", table.table())
                    .isSortedAccordingTo(Comparator.reverseOrder())
                    .doesNotHaveDuplicates();
            assertThat(table.runs().stream().skip(1)).as("runs that were overtaken").allMatch(run -> run.ended().isPresent());
            if (table.state() instanceof TableState.Streaming && table.runs().size() > 0) {
                assertThat(table.runs().getFirst().ended()).as("the last run of %s", table.table()).isPresent();
            }
        }

        void checkInvariants() {
            World world = story.world;
            assertThat(world.pipeline().inputOffset()).as("the input offset goes back").isGreaterThanOrEqualTo(inputOffset);
            inputOffset = world.pipeline().inputOffset();
            long active = world.tables().values().stream().filter(TableRecord::isActive).count();
            assertThat(active).as("active tables: %s", states()).isLessThanOrEqualTo(story.limits.tables());
            boolean pipelineRests = world.pipeline().pause().isPresent();
            boolean anybodyWaits = world.tables().values().stream().anyMatch(table -> place(table).isPresent());
            assertThat(anybodyWaits && !pipelineRests && active < story.limits.tables()).as("a table waits while there is room").isFalse();
            checkSlots(world);
            for (TableRecord table : world.tables().values()) {
                checkTable(table);
            }
        }

        private void checkSlots(World world) {
            Map<Integer, SlotTask> slots = world.pipeline().slots();
            assertThat(slots.keySet()).as("slots").allMatch(slot -> slot >= 0 && slot < story.limits.slots());
            assertThat(outstanding)
                    .as("the tasks in slots are those that are not answered")
                    .containsExactlyInAnyOrderElementsOf(slots.values());
        }

        private void checkTable(TableRecord table) {
            checkRuns(table);
            if (table.state() instanceof TableState.Preparing preparing) {
                assertThat(preparing.run())
                        .as("run ids of %s rise", table.table())
                        .isGreaterThanOrEqualTo(lastRun.getOrDefault(table.table(), -1L));
                lastRun.put(table.table(), preparing.run());
            }
            assertThat(table.streamedRun().isEmpty() || table.captured().isPresent())
                    .as("%s is complete, but nobody watches its capture", table.table())
                    .isTrue();
            if (table.state() instanceof Backfilling backfilling) {
                checkPlan(table, backfilling.plan());
            }
            boolean claimsComplete = table.state() instanceof TableState.Streaming;
            Truth truth = truth(table);
            boolean watched = table.captured()
                    .map(identity -> !truth.published || identity.publicationMember() != truth.publicationMember)
                    .orElse(false);
            assertThat(!claimsComplete || truth.isWhole() || watched || truth.queueSince.isEmpty())
                    .as("%s streams, changes are missing, and nobody will notice", table.table())
                    .isTrue();
        }

        private void checkPlan(TableRecord table, TableState.ChunkPlan plan) {
            assertThat(plan.inFlight()).as("chunks of %s in flight", table.table()).isLessThanOrEqualTo(story.limits.chunksPerTable());
            // A chunk that failed waits again, and the one above the highest key comes on top.
            assertThat(plan.open().size())
                    .as("open chunks of %s", table.table())
                    .isLessThanOrEqualTo(story.limits.chunksAhead() + story.limits.chunksPerTable() + 1);
            Map<Integer, KeyRange> planned = new LinkedHashMap<>();
            plan.open().forEach(open -> planned.put(open.chunk(), open.range()));
            for (int chunk = 0; chunk < plan.next(); chunk++) {
                KeyRange range = planned.getOrDefault(
                        chunk, ranges.get(table.table() + "/" + table.state().run() + "/" + chunk));
                assertThat(range).as("chunk %d of %s has gone missing", chunk, table.table()).isNotNull();
                Optional<Key> before = chunk == 0
                        ? Optional.empty()
                        : planned.getOrDefault(
                                        chunk - 1,
                                        ranges.get(table.table() + "/" + table.state().run() + "/" + (chunk - 1)))
                                .upTo();
                assertThat(range.after()).as("chunk %d of %s goes on where the one before ends", chunk, table.table()).isEqualTo(before);
                assertThat(range.upTo().isEmpty())
                        .as("only the last chunk of a complete plan is open to +∞")
                        .isEqualTo(plan.complete() && chunk == plan.next() - 1);
            }
        }
    }
}
