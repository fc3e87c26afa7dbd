package dev.sluice.traces;

import static dev.sluice.traces.Given.FAULT;
import static dev.sluice.traces.Given.SECOND;
import static dev.sluice.traces.Given.at;
import static dev.sluice.traces.Given.backfilling;
import static dev.sluice.traces.Given.chunk;
import static dev.sluice.traces.Given.completing;
import static dev.sluice.traces.Given.copied;
import static dev.sluice.traces.Given.failed;
import static dev.sluice.traces.Given.name;
import static dev.sluice.traces.Given.paused;
import static dev.sluice.traces.Given.pipeline;
import static dev.sluice.traces.Given.preparing;
import static dev.sluice.traces.Given.queued;
import static dev.sluice.traces.Given.streaming;
import static dev.sluice.traces.Given.table;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Attempt;
import dev.sluice.domain.Event;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.PastRun;
import dev.sluice.domain.PipelineRecord.SlotTask;
import dev.sluice.domain.Step;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.Outcome;
import dev.sluice.domain.TableState.Remedy;
import io.opentelemetry.api.trace.SpanContext;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What states and answers tell, by the clock of the states: `at(n)` is n seconds behind the beginning. */
class RunsTest {

    private static final String T = "orders";
    private static final Optional<SpanContext> CALLER =
            Asking.caller("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    private static final Attempt FIRST = Attempt.first();

    private final List<Span> spans = new ArrayList<>();
    private Runs runs = new Runs(new Ids("topic"));

    @Test
    void aWholeRunIsOneTraceFromTheCommandToStreaming() {
        wholeRun();

        assertThat(spans).extracting(Span::name).containsExactly(
                "Queued", "INSPECT", "CAPTURE", "Preparing", "chunk", "chunk", "chunk", "Backfilling", "Completing",
                "Draining", "backfill public.orders");
        assertThat(spans).extracting(Span::trace).containsOnly(spans.getFirst().trace());
        assertThat(spans).extracting(Span::id).doesNotHaveDuplicates();
        Span root = span("backfill public.orders");
        assertThat(root.parent()).isEmpty();
        assertThat(root.link()).isEqualTo(CALLER);
        assertThat(times(root)).isEqualTo(List.of(at(0), at(9)));
        assertThat(text(root))
                .containsEntry("table", "public.orders")
                .containsEntry("run", "7")
                .containsEntry("offset", "7")
                .containsEntry("command", "backfill")
                .containsEntry("by", "ann")
                .containsEntry("outcome", "streaming")
                .containsEntry("rows", "20")
                .containsEntry("chunks", "2");
        for (String phase : List.of("Queued", "Preparing", "Backfilling", "Completing", "Draining")) {
            assertThat(span(phase).parent()).as(phase).contains(root.id());
        }
        assertThat(span("INSPECT").parent()).contains(span("Preparing").id());
        assertThat(times(span("Queued"))).isEqualTo(List.of(at(1), at(2)));
        assertThat(times(span("INSPECT"))).isEqualTo(List.of(at(2.1), at(3.1)));
        assertThat(times(span("Backfilling"))).isEqualTo(List.of(at(4), at(7)));
        assertThat(text(span("Backfilling"))).containsEntry("lsn", "0/AA").containsEntry("rows", "20");
        assertThat(text(span("Draining"))).containsEntry("lsn", "0/BB");
        assertThat(spans).allMatch(span -> span.name().equals("chunk") || span.fault().isEmpty());
    }

    @Test
    void aChunkIsToldFromTheTaskToTheAnswerAndEachTryByItself() {
        wholeRun();

        List<Span> chunks = spans.stream().filter(span -> span.name().equals("chunk")).toList();
        assertThat(chunks).extracting(Span::parent).containsOnly(Optional.of(span("Backfilling").id()));
        Span broken = chunks.get(0);
        assertThat(times(broken)).isEqualTo(List.of(at(4.1), at(5)));
        assertThat(text(broken))
                .containsEntry("chunk", "1")
                .containsEntry("attempt", "1")
                .containsEntry("hint", "mend it");
        assertThat(broken.fault()).contains(FAULT);
        Span first = chunks.get(1);
        assertThat(times(first)).isEqualTo(List.of(at(4.1), at(5.5)));
        assertThat(text(first))
                .containsEntry("chunk", "0")
                .containsEntry("slot", "3")
                .containsEntry("rows", "11")
                .containsEntry("bytes", "12");
        Span again = chunks.get(2);
        assertThat(text(again)).containsEntry("chunk", "1").containsEntry("attempt", "2");
        // The worker's clock is ahead: what the state says bounds it.
        assertThat(times(again)).isEqualTo(List.of(at(6), at(7.1)));
    }

    @Test
    void whoTellsARunAgainTellsTheSameSpans() {
        wholeRun();
        List<Span> once = List.copyOf(spans);
        spans.clear();
        runs = new Runs(new Ids("topic"));
        wholeRun();

        assertThat(spans).isEqualTo(once);

        spans.clear();
        runs = new Runs(new Ids("another topic"));
        wholeRun();
        assertThat(spans).extracting(Span::id).doesNotContainAnyElementsOf(once.stream().map(Span::id).toList());
        assertThat(spans.getFirst().trace()).isNotEqualTo(once.getFirst().trace());
    }

    @Test
    void whoComesLaterTellsTheRestOfTheSameSpans() {
        wholeRun();
        Span root = span("backfill public.orders");
        Span backfilling = span("Backfilling");
        spans.clear();

        // What compaction left of it: the newest state, which remembers when the run had its turn.
        runs = new Runs(new Ids("topic"));
        runs.table(
                table(
                        T, backfilling(7, 2, chunk(1, SECOND, true)), 4, TableRecord.Progress.none(), history(2),
                        Optional.empty()),
                at(6), Answers.NONE, this::asked);
        end();

        assertThat(spans).extracting(Span::name).containsExactly(
                "chunk", "Backfilling", "Completing", "Draining", "backfill public.orders");
        assertThat(span("backfill public.orders")).isEqualTo(root);
        assertThat(span("Backfilling").id()).isEqualTo(backfilling.id());
        assertThat(times(span("Backfilling"))).isEqualTo(times(backfilling));
    }

    @Test
    void aRunThatFailsIsAnErrorWithItsReasonAndTheRetryIsAnotherSpanOfTheTrace() {
        tell(table(T, queued(7, 7), 1), 1);
        tell(table(T, preparing(7, Step.INSPECT, FIRST), 2), 2);
        tell(copied(T, failed(7, new Remedy.Close(Outcome.RESUMED, 0)), 3, 0), 3);
        Span root = span("backfill public.orders");

        for (String failed : List.of("INSPECT", "Preparing", "backfill public.orders")) {
            assertThat(span(failed).fault()).as(failed).contains(FAULT);
        }
        assertThat(text(root)).containsEntry("outcome", "failed").containsEntry("fault", "FAULTY");
        assertThat(span("Queued").fault()).isEmpty();

        spans.clear();
        // Where there is a place, it goes on at once, and nobody sees it wait.
        var retry = new Asking("retry", Optional.of("bob"), at(9), Optional.of(20L), CALLER);
        runs.table(
                table(T, completing(7, Outcome.RESUMED), 10), at(10),
                new Answers(List.of(), Map.of(name(T), retry)), this::asked);
        tell(table(T, streaming(7), 12), 12);
        assertThat(spans).extracting(Span::name).containsExactly("Completing", "retry public.orders");
        assertThat(span("retry public.orders").trace()).isEqualTo(root.trace());
        assertThat(span("retry public.orders").id()).isNotEqualTo(root.id());
        assertThat(text(span("retry public.orders"))).containsEntry("offset", "20").containsEntry("by", "bob")
                .containsEntry("outcome", "streaming");
        assertThat(times(span("retry public.orders"))).isEqualTo(List.of(at(9), at(12)));
        assertThat(span("retry public.orders").link()).isEqualTo(CALLER);
    }

    @Test
    void aCancelledRunEndsCancelledAndSaysWhatWasCutOff() {
        tell(table(T, queued(7, 7), 1), 1);
        tell(table(T, preparing(7, Step.INSPECT, FIRST), 2), 2);
        tell(table(T, backfilling(7, 2, chunk(0, FIRST, true), chunk(1, FIRST, true)), 4), 4);
        tell(
                table(T, completing(7, Outcome.CUT_SHORT), 5),
                5,
                new Event.ChunkCopied(name(T), 7, 0, 1, 11, 12, 13));
        tell(table(T, new TableState.Draining(7, Lsn.parse("0/BB")), 6), 6);
        tell(table(T, streaming(7), 7), 7);

        assertThat(text(span("backfill public.orders"))).containsEntry("outcome", "cancelled");
        List<Span> chunks = spans.stream().filter(span -> span.name().equals("chunk")).toList();
        assertThat(text(chunks.get(0))).containsEntry("chunk", "0").containsEntry("rows", "11");
        assertThat(text(chunks.get(1))).containsEntry("chunk", "1").containsEntry("outcome", "cut off");
        assertThat(chunks.get(1).fault()).isEmpty();
    }

    @Test
    void aRunThatIsOvertakenTakenBackOrRemovedEnds() {
        tell(table("overtaken", queued(7, 7), 1), 1);
        tell(table("overtaken", queued(8, 8), 2), 2);
        assertThat(text(spans.getLast())).containsEntry("run", "7").containsEntry("outcome", "superseded");

        tell(table("back", streaming(3), 0), 0);
        tell(table("back", queued(7, 7), 1), 1);
        tell(table("back", streaming(3), 2), 2);
        assertThat(text(spans.getLast())).containsEntry("run", "7").containsEntry("outcome", "cancelled");

        tell(table("removed", queued(7, 7), 1), 1);
        spans.addAll(runs.gone(name("removed"), at(2), Answers.NONE, this::asked));
        assertThat(text(spans.getLast())).containsEntry("run", "7").containsEntry("outcome", "removed");
        assertThat(spans.getLast().end()).isEqualTo(at(2));
    }

    @Test
    void whatIsOverIsNotToldOnceMore() {
        wholeRun();
        spans.clear();

        tell(copied(T, streaming(7), 9, 2), 20);
        tell(copied(T, failed(7, new Remedy.Close(Outcome.RESUMED, 0)), 21, 2), 21);
        tell(copied(T, new TableState.Leaving(7, true, FIRST), 22, 2), 22);
        spans.addAll(runs.gone(name(T), at(23), Answers.NONE, this::asked));

        assertThat(spans).isEmpty();
    }

    @Test
    void aPauseIsAMomentOfWhatItInterrupts() {
        TableRecord waiting = table(T, queued(7, 7), 1);
        tell(waiting, 1);
        tell(paused(waiting, 2), 2);
        tell(paused(waiting, 2), 3);
        tell(waiting, 4);
        tell(table(T, preparing(7, Step.INSPECT, FIRST), 5), 5);

        assertThat(span("Queued").moments()).extracting(Span.Moment::name).containsExactly("paused", "resumed");
        assertThat(span("Queued").moments()).extracting(Span.Moment::at).containsExactly(at(2), at(4));
    }

    @Test
    void chunksWhoseStatesAreGoneAreToldByTheirAnswers() {
        tell(table(T, queued(7, 7), 1), 1);
        tell(copied(T, backfilling(7, 2, chunk(0, FIRST, true), chunk(1, FIRST, false)), 4, 0), 4);
        tell(
                copied(T, backfilling(7, 5, chunk(4, FIRST, true)), 4, 4),
                20,
                new Event.ChunkCopied(name(T), 7, 0, 1, 1, 1, 1000),
                new Event.ChunkCopied(name(T), 7, 1, 1, 2, 2, 1000),
                new Event.ChunkCopied(name(T), 7, 3, 1, 3, 3, 1000),
                // An answer that comes twice, of a chunk that is told already by then.
                new Event.ChunkCopied(name(T), 7, 3, 1, 3, 3, 1000),
                // Of another run.
                new Event.ChunkCopied(name(T), 6, 2, 1, 4, 4, 1000));

        List<Span> chunks = spans.stream().filter(span -> span.name().equals("chunk")).toList();
        assertThat(chunks).extracting(span -> text(span).get("chunk")).containsExactlyInAnyOrder("0", "1", "3");
        assertThat(chunks)
                .filteredOn(span -> text(span).get("chunk").equals("3"))
                .allMatch(span -> times(span).equals(List.of(at(18.9), at(19.9))));
    }

    @Test
    void ofARunThatBeganAndEndedUnseenTheRootIsTold() {
        tell(table(T, streaming(7), 9, TableRecord.Progress.none(), history(2), Optional.empty()), 9);

        assertThat(spans).extracting(Span::name).containsExactly("backfill public.orders");
        assertThat(times(spans.getFirst())).isEqualTo(List.of(at(0), at(9)));
    }

    @Test
    void aCommandWithAClockOfItsOwnDoesNotMoveTheTrace() {
        for (double asked : new double[] {3, -8 * 86_400}) {
            spans.clear();
            runs = new Runs(new Ids("topic"));
            Asking.Lookup lookup = (table, offset) ->
                        Optional.of(new Asking(
                            "backfill", Optional.empty(), at(asked), Optional.of(offset), Optional.empty()));
            runs.table(table(T, queued(7, 7), 1), at(1), Answers.NONE, lookup);
            spans.addAll(runs.table(table(T, new TableState.Cancelled(7, true), 5), at(5), Answers.NONE, lookup));

            assertThat(times(span("backfill public.orders"))).isEqualTo(List.of(at(1), at(5)));
        }
    }

    @Test
    void moreTablesThanItsBoundAreCountedAndNotTold() {
        for (int i = 0; i <= Runs.TABLES_MAX; i++) {
            tell(table("t" + i, queued(7, 7), 1), 1);
        }
        tell(table("t" + Runs.TABLES_MAX, streaming(7), 2), 2);
        tell(table("t1", streaming(7), 2), 2);

        assertThat(runs.tooMany()).isEqualTo(2);
        assertThat(spans).extracting(Span::name).containsExactly("Queued", "backfill public.t1");
    }

    private void wholeRun() {
        tell(table(T, queued(7, 7), 1), 1);
        tell(table(T, preparing(7, Step.INSPECT, FIRST), 2), 2.1);
        tell(table(T, preparing(7, Step.CAPTURE, FIRST.next()), 2), 3.1);
        runs.pipeline(pipeline(9, Map.of(3, new SlotTask(name(T), 7, 0, 1))));
        tell(copied(T, backfilling(7, 2, chunk(0, FIRST, true), chunk(1, FIRST, true)), 4, 0), 4.1);
        tell(
                copied(T, backfilling(7, 2, chunk(0, FIRST, true), chunk(1, SECOND, false)), 4, 0),
                5.1,
                new Event.ChunkFailed(name(T), 7, 1, 1, FAULT));
        tell(
                copied(T, backfilling(7, 2, chunk(1, SECOND, false)), 4, 1),
                5.6,
                new Event.ChunkCopied(name(T), 7, 0, 1, 11, 12, 13));
        tell(copied(T, backfilling(7, 2, chunk(1, SECOND, true)), 4, 1), 6);
        end();
    }

    private void end() {
        spans.addAll(runs.table(
                copied(T, completing(7, Outcome.COPIED), 7, 2),
                at(7.1),
                new Answers(
                        List.of(new Answers.Answer(new Event.ChunkCopied(name(T), 7, 1, 2, 9, 9, 9), at(8))), Map.of()),
                this::asked));
        tell(copied(T, new TableState.Draining(7, Lsn.parse("0/BB")), 8, 2), 8);
        tell(copied(T, streaming(7), 9, 2), 9);
    }

    /** @param answers that came a tenth of a second before */
    private void tell(TableRecord table, double at, Event.OfChunk... answers) {
        spans.addAll(runs.table(
                table,
                at(at),
                new Answers(
                        Stream.of(answers).map(event -> new Answers.Answer(event, at(at - 0.1))).toList(), Map.of()),
                this::asked));
    }

    private Optional<Asking> asked(TableName table, long offset) {
        return Optional.of(
                new Asking("backfill", Optional.of("ann"), at(0), Optional.of(offset), CALLER));
    }

    private static List<PastRun> history(double began) {
        return List.of(new PastRun(
                7, at(began), Optional.empty(), PastRun.Outcome.RUNNING, 0, 0, 0, Optional.empty(), Optional.empty()));
    }

    private Span span(String name) {
        return spans.stream().filter(span -> span.name().equals(name)).reduce((one, other) -> other).orElseThrow();
    }

    private static List<Instant> times(Span span) {
        return List.of(span.start(), span.end());
    }

    private static Map<String, String> text(Span span) {
        Map<String, String> text = new HashMap<>();
        span.attributes().forEach((key, value) -> text.put(key.getKey(), value.toString()));
        return text;
    }
}
