package dev.sluice.domain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class SettingsTest {

    @Test
    void whatWasChangedHoldsOverTheDefaults() {
        Settings defaults = Settings.builtIn().with(Setting.CHUNK_ROWS, 20_000);

        Settings holds = Settings.NONE.with(Setting.TABLES_AT_ONCE, 3).over(defaults);

        assertThat(holds.tablesAtOnce()).contains(3);
        assertThat(holds.chunkRows()).contains(20_000);
        assertThat(holds.rowsPerSecond()).isEmpty();
        assertThat(holds.missingRows()).contains(MissingRows.DELETE);
        assertThat(holds.joinPatterns()).contains(List.of());
    }

    @Test
    void aChangeTakesASettingBackToItsDefaultAndLeavesOthersAlone() {
        Settings changed = Settings.NONE.with(Setting.CHUNK_ROWS, 500).with(Setting.READ_REPLICA, false);

        Settings after = changed.with(new Settings.Change(
                Map.of(Setting.CHUNK_ROWS, Optional.empty(), Setting.ROWS_PER_SECOND, Optional.of(7))));

        assertThat(after).isEqualTo(Settings.NONE.with(Setting.READ_REPLICA, false).with(Setting.ROWS_PER_SECOND, 7));
    }

    @Test
    void oneBadValueRefusesTheWholeChange() {
        assertThatThrownBy(() -> new Settings.Change(
                        Map.of(Setting.CHUNK_ROWS, Optional.of(500), Setting.TABLES_AT_ONCE, Optional.of(0))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("tablesAtOnce is 0: it must be");
    }

    @Test
    void aChangeOfNothingIsRefused() {
        assertThatThrownBy(() -> new Settings.Change(Map.of())).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void onlySomeAreKept() {
        assertThat(Settings.builtIn().only(Setting.MISSING_ROWS, Setting.ROWS_PER_SECOND).values())
                .containsOnly(Map.entry(Setting.MISSING_ROWS, "delete"));
    }
}
