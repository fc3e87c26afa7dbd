package dev.sluice.scheduler;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LimitsTest {

    @ParameterizedTest
    @CsvSource({
        "0, 1, 1, 1, sluice.scheduler.concurrency", "1001, 1, 1, 1, sluice.scheduler.concurrency",
        "1, 0, 1, 1, sluice.chunk-worker.slots", "1, 257, 1, 1, sluice.chunk-worker.slots",
        "1, 1, 0, 1, sluice.scheduler.chunks-per-table", "1, 1, 257, 1, sluice.scheduler.chunks-per-table",
        "1, 1, 1, 0, sluice.scheduler.chunks-ahead", "1, 1, 1, 65, sluice.scheduler.chunks-ahead"
    })
    void aSettingOutOfItsRangeIsNamed(int tables, int slots, int chunksPerTable, int chunksAhead, String setting) {
        assertThatThrownBy(() -> new Limits(tables, slots, chunksPerTable, chunksAhead)).hasMessageContaining(setting);
    }

    @Test
    void theEndsOfTheRangesAreIn() {
        assertThatCode(() -> {
                    new Limits(1, 1, 1, 1);
                    new Limits(1_000, 256, 256, 64);
                })
                .doesNotThrowAnyException();
    }
}
