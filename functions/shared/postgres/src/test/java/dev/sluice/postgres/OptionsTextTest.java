package dev.sluice.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableOptions.SoftDelete;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class OptionsTextTest {

    @Test
    void whatIsWrittenIsReadAgain() {
        Map<String, Optional<String>> masks = new LinkedHashMap<>();
        masks.put("größe", Optional.empty());
        masks.put("a\"b", Optional.of("*\n\u0001'*"));
        var options = new TableOptions(
                List.of("Id"), List.of(), List.of("note"), List.of("e-mail"), masks, Optional.of("n > 1"),
                Optional.of(new SoftDelete("gone", SoftDelete.Type.TIMESTAMPTZ)));
        var others = new TableOptions(
                List.of(), List.of("a", "b"), List.of(), List.of(), Map.of(), Optional.empty(), Optional.empty());

        assertThat(OptionsText.read(OptionsText.write(options))).isEqualTo(options);
        assertThat(OptionsText.read(OptionsText.write(others))).isEqualTo(others);
    }

    @Test
    void noOptionsAreAnEmptyObject() {
        assertThat(OptionsText.write(TableOptions.NONE)).isEqualTo("{}");
        assertThat(OptionsText.read("{}")).isEqualTo(TableOptions.NONE);
    }
}
