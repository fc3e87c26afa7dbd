package dev.sluice.localdev;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class OptionsTest {

    @Test
    void withoutArgumentsItStaysUpWithAHundredThousandRows() {
        assertThat(Options.parse()).isEqualTo(new Options(false, false, 100_000));
    }

    @Test
    void optionsComeInAnyOrder() {
        assertThat(Options.parse("--rows", "500", "--once")).isEqualTo(new Options(true, false, 500));
        assertThat(Options.parse("--empty")).isEqualTo(new Options(false, true, 100_000));
    }

    @Test
    void whatMakesNoSenseIsNamed() {
        assertThatThrownBy(() -> Options.parse("--row", "5")).hasMessageContaining("--row");
        assertThatThrownBy(() -> Options.parse("--rows")).hasMessageContaining("«»");
        assertThatThrownBy(() -> Options.parse("--rows", "many")).hasMessageContaining("«many»");
        assertThatThrownBy(() -> Options.parse("--rows", "0")).hasMessageContaining("«0»");
        assertThatThrownBy(() -> Options.parse("--once", "--empty")).hasMessageContaining("choose one");
    }
}
