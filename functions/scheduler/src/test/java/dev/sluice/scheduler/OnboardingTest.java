package dev.sluice.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.domain.Command;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class OnboardingTest {

    @Test
    void nothingIsAddedWithoutNames() {
        assertThat(Onboarding.commands(List.of(), Map.of())).isEmpty();
    }

    @Test
    void namesWithoutOptionsGoTogetherInTheOrderOfTheSetting() {
        assertThat(Onboarding.commands(List.of("a", "b", "c", "s.*"), Map.of("c", Given.OPTIONS)))
                .containsExactly(
                        new Command.AddTables(List.of("a", "b")),
                        new Command.AddTables(List.of("c"), Optional.of(Given.OPTIONS)),
                        new Command.AddTables(List.of("s.*")));
    }

    @Test
    void optionsOfWhatIsNotAddedAreAMistake() {
        assertThatThrownBy(() -> Onboarding.commands(List.of("public.orders"), Map.of("orders", Given.OPTIONS)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("«orders»");
    }
}
