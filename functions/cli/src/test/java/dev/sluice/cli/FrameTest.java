package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class FrameTest {

    private static final Frame FRAME =
            new Frame(new Style(false), new Bar(false), new TableText(Clock.fixed(Run.NOW, ZoneOffset.UTC)));

    private final ObjectNode overview = Json.object();
    private final ArrayNode tables = overview.putArray("tables");

    @Test
    void whatIsUnderWayStandsFirstWithItsProgress() {
        overview.putObject("pipeline").put("name", "sluice").put("rowsPerSecond", 12_345.6);
        overview.putObject("health").put("status", "ok");
        table("public.a", "Streaming").putObject("queue").put("waiting", 7).put("delayMillis", 400);
        ObjectNode busy = table("public.b", "Backfilling");
        busy.putObject("rows").put("copied", 250_000).put("estimated", 1_000_000).put("percent", 25.0);
        busy.put("rowsPerSecond", 12_345.6).put("eta", "2026-05-04T10:01:05Z");
        table("public.c", "Failed").putObject("error").put("reason", "no key").put("hint", "add one");
        table("public.d", "Queued").put("position", 2);
        table("public.e", "Queued").put("position", 1);

        assertThat(lines(10, 110)).containsExactly(
                "sluice · 1 Failed · 1 Backfilling · 2 Queued · 1 Streaming · 12,346 rows/s",
                "public.c      Failed               no key; add one",
                "public.b      Backfilling         [######------------------]  25 %  12,346 rows/s  1 min 5 s left  250,000 of…",
                "public.e      Queued               number 1 in the queue",
                "public.d      Queued               number 2 in the queue",
                "public.a      Streaming            7 changes waiting  delay 0.4 s");
    }

    @Test
    void nothingIsEverWiderOrHigherThanTheTerminal() {
        for (int i = 0; i < 40; i++) {
            ObjectNode table = table("\"表\u001b[2J" + "x".repeat(i * 3) + "\".\"t\"", i % 2 == 0 ? "Backfilling" : "Failed");
            table.putObject("rows").put("copied", Long.MAX_VALUE).put("percent", 3.3 * i);
            table.putObject("error").put("reason", "r\n\u009b".repeat(i));
        }
        for (int columns = 1; columns < 200; columns += 3) {
            for (int rows = 1; rows < 50; rows += 4) {
                List<String> lines = lines(rows, columns);
                assertThat(lines).as("%d x %d", rows, columns).hasSizeLessThanOrEqualTo(rows);
                for (String line : lines) {
                    assertThat(Columns.of(line)).as("%d x %d: %s", rows, columns, line).isLessThanOrEqualTo(columns);
                    assertThat(line).doesNotContain("\u001b", "\u009b", "\n");
                }
            }
        }
    }

    @Test
    void whatDoesNotFitIsCounted() {
        for (int i = 0; i < 9; i++) {
            table("public.t" + i, "Streaming");
        }

        assertThat(lines(4, 80)).hasSize(4).last().isEqualTo("and 7 more tables");
    }

    @Test
    void aLostConnectionAndTroubleAreSaidAtTheTop() {
        overview.putObject("pipeline").put("name", "sluice").putObject("paused");
        ObjectNode health = overview.putObject("health").put("status", "degraded");
        health.putArray("checks").addObject().put("name", "kafka").put("status", "warning").put("summary", "is slow");

        assertThat(lines(3, 80)).containsExactly("sluice · PAUSED · degraded: kafka, is slow");
        var board = new Board();
        assertThat(FRAME.lines(board, List.of(), Optional.of(Duration.ofSeconds(61)), 3, 80))
                .containsExactly("connection lost for 1 min 1 s, trying again");
    }

    private ObjectNode table(String name, String state) {
        return tables.addObject().put("name", name).put("state", state);
    }

    private List<String> lines(int rows, int columns) {
        var board = new Board();
        board.apply(overview, true);
        return FRAME.lines(board, List.copyOf(board.tables()), Optional.empty(), rows, columns);
    }
}
