package dev.sluice.localdev;

import static dev.sluice.localdev.TablesOfTests.NOW;
import static dev.sluice.localdev.TablesOfTests.backfilling;
import static dev.sluice.localdev.TablesOfTests.draining;
import static dev.sluice.localdev.TablesOfTests.failed;
import static dev.sluice.localdev.TablesOfTests.preparingAgain;
import static dev.sluice.localdev.TablesOfTests.queued;
import static dev.sluice.localdev.TablesOfTests.streaming;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class TableProgressTest {

    private final TableProgress progress = new TableProgress();

    @Test
    void everyTableHasALine() {
        assertThat(progress.lines(
                        List.of(queued("shop.a"), backfilling("shop.b", 40_000, 10_000), streaming("shop.c", 1_234, 0)), NOW))
                .containsExactly(
                        "TABLE   STATE        ROWS COPIED                SPEED  QUEUE  DELAY",
                        "shop.a  Queued                 0                    –      –      –",
                        "shop.b  Backfilling       10,000   25 %  1,000 rows/s      –      –",
                        "shop.c  Streaming            100  100 %             –  1,234  0.3 s");
    }

    @Test
    void changesAreCountedOverTheLastSeconds() {
        progress.lines(List.of(draining("shop.a", 900, 100)), NOW);
        progress.lines(List.of(draining("shop.a", 500, 500)), NOW.plusSeconds(4));

        assertThat(progress.lines(List.of(draining("shop.a", 0, 1_100)), NOW.plusSeconds(8)).get(1))
                .contains("Draining", "125 changes/s", "1 min 30 s");
        assertThat(progress.lines(List.of(draining("shop.a", 0, 1_100)), NOW.plusSeconds(30)).get(1))
                .contains(" 0 changes/s");
    }

    @Test
    void aCountThatStartsAnewIsNoSpeedBackwards() {
        progress.lines(List.of(draining("shop.a", 0, 5_000)), NOW);

        assertThat(progress.lines(List.of(draining("shop.a", 0, 10)), NOW.plusSeconds(5)).get(1))
                .doesNotContain("changes/s");
    }

    @Test
    void anEstimateIsNeverQuiteAll() {
        assertThat(TableProgress.percentage(backfilling("shop.a", 1_000, 5_000))).isEqualTo("99 %");
        assertThat(TableProgress.percentage(backfilling("shop.a", 0, 5_000))).isEmpty();
    }

    @Test
    void whatIsWrongIsSaidOnceWithWhatToDoAboutIt() {
        assertThat(progress.lines(
                        List.of(failed("shop.a"), preparingAgain("shop.b", 1), preparingAgain("shop.c", 1)), NOW))
                .endsWith(
                        "shop.a: the disk is full → make room",
                        "shop.b, shop.c: tries again after the disk is full → make room")
                .anySatisfy(line -> assertThat(line).startsWith("shop.b  Preparing 3/8"));
    }
}
