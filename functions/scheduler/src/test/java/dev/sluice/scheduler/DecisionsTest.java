package dev.sluice.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Command;
import dev.sluice.domain.Event;
import dev.sluice.domain.KeyBounds;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each command and each event in each state, against the two decision tables beside this test: who changes a decision
 * reads there what else it changes. {@link Given} has the states and events by the names used there.
 */
class DecisionsTest {

    private static final Map<String, Command.OfTable> COMMANDS = new LinkedHashMap<>();

    static {
        COMMANDS.put("Backfill", new Command.Backfill(Given.TABLE));
        COMMANDS.put("Backfill, other options", new Command.Backfill(Given.TABLE, Optional.of(Given.OPTIONS)));
        COMMANDS.put("Backfill, the same options", new Command.Backfill(Given.TABLE, Optional.of(TableOptions.NONE)));
        COMMANDS.put("Backfill, a part", new Command.Backfill(
                Given.TABLE, Optional.empty(), Optional.of(new KeyBounds(Optional.of(List.of("5")), Optional.empty()))));
        COMMANDS.put("Cancel", new Command.Cancel(Given.TABLE, false));
        COMMANDS.put("Cancel, drop queue", new Command.Cancel(Given.TABLE, true));
        COMMANDS.put("Retry", new Command.Retry(Given.TABLE));
        COMMANDS.put("Remove", new Command.Remove(Given.TABLE));
        COMMANDS.put("Verify", new Command.Verify(Given.TABLE));
        COMMANDS.put("CancelVerification", new Command.CancelVerification(Given.TABLE));
        COMMANDS.put("Pause", new Command.Pause(Given.TABLE));
        COMMANDS.put("Resume", new Command.Resume(Given.TABLE));
        COMMANDS.put("ToFront", new Command.ToFront(Given.TABLE));
    }

    static Stream<String> commands() {
        return COMMANDS.keySet().stream();
    }

    static Stream<String> events() {
        return Given.events().keySet().stream();
    }

    @ParameterizedTest
    @MethodSource("commands")
    void everyCommandInEveryState(String command) {
        List<String> decisions = new ArrayList<>();
        Given.tables().forEach((name, table) ->
                decisions.add(line(name, table, OnCommand.decide(
                        table, COMMANDS.get(command), Optional.of("ann"), 20, -1, Given.NOW))));

        assertThat(decisions).isEqualTo(expected("on-command.txt").get(command));
    }

    /** States that are not listed ignore the event. */
    @ParameterizedTest
    @MethodSource("events")
    void everyEventInEveryState(String event) {
        List<String> decisions = new ArrayList<>();
        Given.tables().forEach((name, table) -> {
            Turn turn = OnEvent.decide(table, Given.events().get(event), Given.NOW);
            if (!(turn instanceof Turn.Ignored)) {
                decisions.add(line(name, table, turn));
            }
        });

        assertThat(decisions).isEqualTo(expected("on-event.txt").getOrDefault(event, List.of()));
    }

    @ParameterizedTest
    @MethodSource("events")
    void whatIsIgnoredSaysWhy(String event) {
        Given.tables().forEach((name, table) -> {
            if (OnEvent.decide(table, Given.events().get(event), Given.NOW) instanceof Turn.Ignored ignored) {
                assertThat(ignored.reason()).as(name).isNotBlank();
            }
        });
    }

    @Test
    void theTablesNameNoOtherCommandsAndEvents() {
        assertThat(expected("on-command.txt").keySet()).isEqualTo(COMMANDS.keySet());
        assertThat(Given.events().keySet()).containsAll(expected("on-event.txt").keySet());
    }

    @Test
    void everyStateCommandAndEventIsTried() {
        assertThat(Given.tables().values().stream().<Class<?>>map(table -> table.state().getClass()).distinct())
                .containsExactlyInAnyOrderElementsOf(leaves(TableState.class));
        assertThat(COMMANDS.values().stream().<Class<?>>map(Object::getClass).distinct())
                .containsExactlyInAnyOrderElementsOf(leaves(Command.OfTable.class));
        assertThat(Given.events().values().stream().<Class<?>>map(Object::getClass).distinct())
                .containsExactlyInAnyOrderElementsOf(leaves(Event.OfRun.class));
    }

    @ParameterizedTest
    @MethodSource("events")
    void theSameDecisionIsMadeEachTime(String event) {
        Given.tables().forEach((name, table) -> assertThat(OnEvent.decide(table, Given.events().get(event), Given.NOW))
                .as(name)
                .isEqualTo(OnEvent.decide(table, Given.events().get(event), Given.NOW)));
    }

    @ParameterizedTest
    @MethodSource("events")
    void noDecisionLeavesATableCompleteWithoutCapture(String event) {
        Given.tables().forEach((name, table) -> {
            if (OnEvent.decide(table, Given.events().get(event), Given.NOW) instanceof Turn.Becomes becomes) {
                TableRecord next = becomes.next();
                assertThat(next.streamedRun().isEmpty() || next.captured().isPresent())
                        .as("%s: complete after run %s, but nobody watches its capture", name, next.streamedRun())
                        .isTrue();
            }
        });
    }

    static List<Class<?>> leaves(Class<?> sealed) {
        List<Class<?>> leaves = new ArrayList<>();
        for (Class<?> permitted : sealed.getPermittedSubclasses()) {
            if (permitted.isSealed()) {
                leaves.addAll(leaves(permitted));
            } else {
                leaves.add(permitted);
            }
        }
        return leaves;
    }

    private static String line(String name, TableRecord table, Turn turn) {
        return name + " → " + Given.text(table, turn);
    }

    /** Lines under a heading «== name»; those with # are remarks. */
    private static Map<String, List<String>> expected(String file) {
        Map<String, List<String>> expected = new LinkedHashMap<>();
        List<String> current = null;
        for (String line : read(file).split("\n")) {
            if (line.startsWith("== ")) {
                current = new ArrayList<>();
                expected.put(line.substring(3), current);
            } else if (!line.isBlank() && !line.startsWith("#")) {
                current.add(line.replaceAll(" +→", " →"));
            }
        }
        return expected;
    }

    private static String read(String file) {
        try (InputStream stream = DecisionsTest.class.getResourceAsStream(file)) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException(file + " cannot be read", e);
        }
    }
}
