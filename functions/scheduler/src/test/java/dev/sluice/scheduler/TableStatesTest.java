package dev.sluice.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Attempt;
import dev.sluice.domain.Command;
import dev.sluice.domain.Event;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.Step;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.Active;
import dev.sluice.domain.TableState.Completing;
import dev.sluice.domain.TableState.Leaving;
import dev.sluice.domain.TableState.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The page with the states of a table is written from what the fold does with every command and event in every state.
 */
class TableStatesTest {

    private static final String WRITE_PROPERTY = "sluice.docs.write";
    private static final String PAGE = "functions/docs/table-states.md";
    private static final String COMMAND = "mvn -pl functions/scheduler -am test -Dtest=TableStatesTest"
            + " -Dsurefire.failIfNoSpecifiedTests=false -D" + WRITE_PROPERTY + "=true";
    /** What is before the first and after the last state. */
    private static final String NOTHING = "[*]";
    /** Not an input: the fold lets a table in when there is room. */
    private static final String TURN = "its turn";

    private record Transition(String from, String to) {}

    private static final Map<Transition, Set<String>> TRANSITIONS = new LinkedHashMap<>();

    @BeforeAll
    static void foldEverything() {
        List<TableRecord> tables = new ArrayList<>(Given.tables().values());
        tables.addAll(lastTries());
        for (TableRecord table : tables) {
            for (Command.OfTable command : List.of(
                    new Command.Backfill(Given.TABLE), new Command.Cancel(Given.TABLE, false),
                    new Command.Cancel(Given.TABLE, true), new Command.Retry(Given.TABLE),
                    new Command.Remove(Given.TABLE), new Command.Pause(Given.TABLE), new Command.Resume(Given.TABLE),
                    new Command.ToFront(Given.TABLE))) {
                observe(table, command.getClass().getSimpleName(), fold -> fold.command(command, Optional.empty(), 20, Given.NOW));
            }
            for (Event.OfRun event : Given.events().values()) {
                observe(table, event.getClass().getSimpleName(), fold -> fold.event(event, 20, Given.NOW));
            }
            letIn(table);
        }
        added();
    }

    @Test
    void everyStateIsReachedAndLeft() {
        List<String> states = states();
        assertThat(TRANSITIONS.keySet().stream().map(Transition::to))
                .as("states that no input leads to: add one to Given, or the state is dead")
                .containsAll(states);
        assertThat(TRANSITIONS.keySet().stream().map(Transition::from))
                .as("states that no input leads out of: a table would be stuck there")
                .containsAll(states);
    }

    @Test
    void fromEveryStateATableCanComeToStreamAndBeRemoved() {
        for (String state : states()) {
            Set<String> reached = reached(state);
            assertThat(reached).as("what can become of a table that is %s", state).contains(NOTHING);
            // A table that is being removed comes back by being added.
            if (!state.equals("Leaving")) {
                assertThat(reached).as("what can become of a table that is %s", state).contains("Streaming");
            }
        }
    }

    @Test
    void thePageShowsTheStatesAsTheyAre() throws IOException {
        Path page = root().resolve(PAGE);
        if (Boolean.getBoolean(WRITE_PROPERTY)) {
            Files.writeString(page, page());
        }
        String onDisk = Files.exists(page) ? Files.readString(page) : "";

        assertThat(onDisk)
                .as("%s shows other states than the code has; write it again with\n  %s\nand look at the difference", PAGE, COMMAND)
                .isEqualTo(page());
    }

    /** States whose next fault is the last. */
    private static List<TableRecord> lastTries() {
        Attempt last = Given.lastAttempt();
        List<TableRecord> tables = new ArrayList<>();
        for (Step step : Step.values()) {
            tables.add(Given.first(Given.preparing(step, last)));
        }
        tables.add(Given.first(Given.backfilling(last, Given.attempt())));
        tables.add(Given.first(Given.backfilling(Given.attempt(), last)));
        for (Outcome outcome : Outcome.values()) {
            tables.add(Given.first(new Completing(Given.RUN, outcome, 0, last)));
        }
        tables.add(Given.first(new Leaving(Given.RUN, true, last)));
        tables.add(Given.first(new Leaving(Given.RUN, false, last)));
        return tables;
    }

    private static void observe(TableRecord table, String cause, java.util.function.Consumer<Fold> input) {
        Fold.Folded folded = foldFull(table, input);
        TableRecord after = folded.world().tables().get(Given.TABLE);
        String to = after == null ? NOTHING : kind(after.state());
        if (!to.equals(kind(table.state()))) {
            TRANSITIONS
                    .computeIfAbsent(new Transition(kind(table.state()), to), any -> new TreeSet<>())
                    .add(cause);
        }
    }

    /** With another table that takes the only place, so that nobody is let in by the way. */
    private static Fold.Folded foldFull(TableRecord table, java.util.function.Consumer<Fold> input) {
        var other = new TableName("public", "other");
        TableRecord active = new TableRecord(
                other, new TableState.Draining(1, Given.LSN), Given.BEFORE, 0, java.util.Optional.empty(),
                java.util.Optional.empty(), TableRecord.Progress.none(), java.util.Optional.empty(),
                dev.sluice.domain.TableOptions.NONE, java.util.Optional.empty());
        var fold = new Fold(
                new World(PipelineRecord.empty(), Map.of(Given.TABLE, table, other, active)), new Limits(1, 4, 2, 4));
        input.accept(fold);
        return fold.finish(Given.NOW);
    }

    private static void letIn(TableRecord table) {
        var fold = new Fold(new World(PipelineRecord.empty(), Map.of(Given.TABLE, table)), new Limits(1, 4, 2, 4));
        TableRecord after = fold.finish(Given.NOW).world().tables().get(Given.TABLE);
        if (!kind(after.state()).equals(kind(table.state()))) {
            TRANSITIONS
                    .computeIfAbsent(new Transition(kind(table.state()), kind(after.state())), any -> new TreeSet<>())
                    .add(TURN);
        }
    }

    private static void added() {
        var story = Story.withTables(1, "first", "a").add("first").add("a", "nothing");
        for (String name : List.of("a", "nothing")) {
            TRANSITIONS
                    .computeIfAbsent(new Transition(NOTHING, story.kind(name)), any -> new TreeSet<>())
                    .add("TablesMatched");
        }
    }

    private static Set<String> reached(String from) {
        Set<String> reached = new TreeSet<>();
        List<String> next = new ArrayList<>(List.of(from));
        while (!next.isEmpty()) {
            String state = next.removeFirst();
            for (Transition transition : TRANSITIONS.keySet()) {
                boolean leads = transition.from().equals(state) && !state.equals(NOTHING);
                if (leads && reached.add(transition.to())) {
                    next.add(transition.to());
                }
            }
        }
        return reached;
    }

    /** In the order of the sealed interface, the active ones in their place in life. */
    private static List<String> states() {
        return List.of(
                        TableState.Queued.class, TableState.Preparing.class, TableState.Backfilling.class,
                        TableState.Completing.class, TableState.Draining.class, TableState.Streaming.class,
                        TableState.Cancelled.class, TableState.Failed.class, TableState.Leaving.class)
                .stream()
                .map(Class::getSimpleName)
                .toList();
    }

    @Test
    void thePageHasEveryState() {
        assertThat(states())
                .containsExactlyInAnyOrderElementsOf(DecisionsTest.leaves(TableState.class).stream()
                        .map(Class::getSimpleName)
                        .toList());
    }

    private static String kind(TableState state) {
        return state.getClass().getSimpleName();
    }

    private static String page() {
        Map<String, Map<String, Set<String>>> byState = new TreeMap<>();
        TRANSITIONS.forEach((transition, causes) -> byState
                .computeIfAbsent(transition.from(), any -> new TreeMap<>())
                .put(transition.to(), causes));
        List<String> order = Stream.concat(Stream.of(NOTHING), states().stream()).toList();

        var page = new StringBuilder("""
                # The states of a table

                Written by `TableStatesTest` from what the scheduler's fold does with every command and event in every
                state; the test fails when this page shows something else. To write it again:

                ```bash
                %s
                ```

                A table that is %s counts towards the limit of tables at once,
                unless it is paused: a pause stands beside the state, and changes none.

                Late and repeated inputs change nothing. What each decision comes to in detail:
                [each command in each state](../scheduler/src/test/resources/dev/sluice/scheduler/on-command.txt),
                [each event in each state](../scheduler/src/test/resources/dev/sluice/scheduler/on-event.txt).

                ## The way of a backfill, and where it can end

                """.formatted(COMMAND, active()));
        page.append("```mermaid\nstateDiagram-v2\n");
        for (String from : order) {
            byState.getOrDefault(from, Map.of()).keySet().stream()
                    // Every state leads there; the table below says by what.
                    .filter(to -> from.equals(NOTHING) || !to.equals("Leaving") && !to.equals("Failed"))
                    .filter(to -> !to.equals("Queued") || from.equals(NOTHING) || from.equals("Failed")
                            || from.equals("Cancelled") || from.equals("Streaming"))
                    .forEach(to -> page.append("    ").append(from).append(" --> ").append(to).append('\n'));
        }
        page.append("""
                ```

                Left out, for the sake of the eye: from every state but Leaving a `Backfill` leads to Queued and a
                `Remove` to Leaving, and faults lead to Failed.
                """);
        page.append("\n## Every transition\n\n| from | to | by |\n|---|---|---|\n");
        for (String from : order) {
            byState.getOrDefault(from, Map.of()).forEach((to, causes) -> page.append("| ")
                    .append(shown(from))
                    .append(" | ")
                    .append(shown(to))
                    .append(" | ")
                    .append(causes.stream()
                            .map(cause -> cause.equals(TURN) ? cause : "`" + cause + "`")
                            .collect(Collectors.joining(", ")))
                    .append(" |\n"));
        }
        return page.toString();
    }

    private static String shown(String state) {
        return state.equals(NOTHING) ? "(not known)" : state;
    }

    private static String active() {
        List<String> active = states().stream()
                .filter(name -> Stream.of(Active.class.getPermittedSubclasses())
                        .anyMatch(permitted -> permitted.getSimpleName().equals(name)))
                .toList();
        return String.join(", ", active.subList(0, active.size() - 1)) + " or " + active.getLast();
    }

    /** Tests run in the module's folder, under Maven and in an IDE alike. */
    private static Path root() {
        for (Path folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
            if (Files.exists(folder.resolve("functions/scheduler/pom.xml"))) {
                return folder;
            }
        }
        throw new IllegalStateException("the repository is not found above " + Path.of("").toAbsolutePath());
    }
}
