package dev.sluice.systemtests;

import static dev.sluice.systemtests.TestTable.BY_NUMBER;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.testing.SpanReceiver;
import dev.sluice.testing.SpanReceiver.Received;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What functions at work write on the topics makes a whole trace, even if they are killed in between. */
class TracedRunIT {

    private static final int ROWS = 15_000;
    /** Of one machine: what the scheduler and a record say of the same moment. */
    private static final Duration CLOCKS = Duration.ofMillis(500);

    @Test
    void aRunIsOneTraceAlthoughItsTellerIsKilled() throws Exception {
        try (var receiver = new SpanReceiver(0);
                var stack = SluiceStack.start(
                        "tracedrun",
                        Map.of("sluice.scheduler.chunk-rows", "400", "sluice.traces.endpoint", receiver.url()))) {
            String table = BY_NUMBER.tableName();
            BY_NUMBER.create(stack, ROWS);
            stack.add(table);
            stack.await(table, SluiceStack.LONG, it -> it.state() instanceof TableState.Backfilling backfilling
                    && backfilling.plan().chunksCopied() > 3);
            stack.functions().kill();
            stack.functions().restart();
            TableRecord streaming = stack.awaitStreaming(table);
            SluiceStack.awaitTrue("the root is told", SluiceStack.LONG, () -> root(receiver.of(table)).isPresent());

            SluiceStack.awaitTrue("the console finds the teller at work", SluiceStack.LONG, () ->
                    ConsoleOverview.of(stack.functions()).finds("traces", "ok"));

            // What is told once more after the kill is the same span.
            Map<String, Received> spans = new LinkedHashMap<>();
            for (Received span : receiver.of(table)) {
                Received before = spans.putIfAbsent(span.id(), span);
                assertThat(before == null || before.equals(span)).as("%s is told alike", span).isTrue();
            }
            Received root = root(List.copyOf(spans.values())).orElseThrow();
            assertThat(root.attributes())
                    .containsEntry("outcome", "streaming")
                    .containsEntry("command", "add-tables")
                    .containsEntry("run", Long.toString(streaming.state().run()))
                    .containsEntry("rows", Integer.toString(ROWS));
            assertThat(spans.values()).extracting(Received::trace).containsOnly(root.trace());
            assertThat(names(spans, span -> span.parent().equals(Optional.of(root.id()))))
                    // It has its turn at once.
                    .containsExactlyInAnyOrder("Preparing", "Backfilling", "Completing", "Draining");
            assertThat(names(spans, span -> span.name().matches("[A-Z]+")))
                    .contains("INSPECT", "CAPTURE", "HOLD", "QUEUE", "PUBLISH", "BARRIER", "BOUNDS", "DESTINATION");
            assertThat(spans.values()).allSatisfy(span -> span.parent()
                    .ifPresent(parent -> assertThat(spans.get(parent)).as("parent of %s", span).satisfies(it -> {
                        assertThat(span.start()).isAfter(it.start().minus(CLOCKS));
                        assertThat(span.end()).isBefore(it.end().plus(CLOCKS));
                    })));

            Map<String, Received> copied = spans.values().stream()
                    .filter(span -> span.name().equals("chunk") && span.error().isEmpty())
                    .collect(Collectors.toMap(span -> span.attributes().get("chunk"), span -> span));
            assertThat(copied).hasSize(Integer.parseInt(root.attributes().get("chunks")));
            assertThat(copied.values()).extracting(span -> span.attributes().keySet())
                    .allMatch(keys -> keys.containsAll(
                            Set.of("table", "run", "chunk", "attempt", "slot", "rows", "bytes")));
            assertThat(copied.values().stream().mapToLong(span -> Long.parseLong(span.attributes().get("rows"))).sum())
                    .isEqualTo(ROWS);
            Instant copyFinished = streaming.progress().copyFinished().orElseThrow();
            assertThat(copied.values()).allMatch(span -> !span.end().isAfter(copyFinished.plus(CLOCKS)));
        }
    }

    private static Optional<Received> root(List<Received> spans) {
        return spans.stream().filter(span -> span.parent().isEmpty()).findFirst();
    }

    private static List<String> names(Map<String, Received> spans, Predicate<Received> which) {
        return spans.values().stream().filter(which).map(Received::name).toList();
    }
}
