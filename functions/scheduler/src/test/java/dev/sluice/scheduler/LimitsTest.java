package dev.sluice.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.domain.Setting;
import dev.sluice.domain.Settings;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

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

    @ParameterizedTest
    @ValueSource(ints = {99, 10_000_001})
    void rowsOfAChunkOutOfTheirRangeAreNamed(int rows) {
        assertThatThrownBy(() -> new Limits(1, 1, 1, 1, rows, Optional.empty(), Optional.empty()))
                .hasMessageContaining("sluice.scheduler.chunk-rows");
    }

    @Test
    void settingsThatHaveAValueHold() {
        var configured = new Limits(1, 2, 3, 4);

        assertThat(configured.under(Settings.NONE)).isEqualTo(configured);
        assertThat(configured.under(Settings.NONE
                        .with(Setting.TABLES_AT_ONCE, 10)
                        .with(Setting.CHUNKS_PER_TABLE, 30)
                        .with(Setting.CHUNK_ROWS, 500)
                        .with(Setting.CHUNK_SECONDS, 6)
                        .with(Setting.ROWS_PER_SECOND, 7)))
                .isEqualTo(new Limits(10, 2, 30, 4, 500, Optional.of(6), Optional.of(7)));
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
