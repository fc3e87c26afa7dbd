package dev.sluice.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.PipelineRecord.Pace;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PacingTest {

    private static final Instant NOW = Given.NOW;

    @Test
    void whatAChunkWasTakenForIsPutRightWhenItComesBack() {
        var pacing = new Pacing(Optional.empty(), Optional.of(100));
        pacing.sent(3, 1_000, NOW);
        assertThat(pacing.pace()).contains(new Pace(NOW.plusSeconds(10), Map.of(3, 1_000L)));

        pacing.answered(3, 250);

        assertThat(pacing.pace()).contains(new Pace(NOW.plusMillis(2_500), Map.of()));
    }

    @Test
    void aChunkThatFailedTakesNoTimeOfTheOthers() {
        var pacing = new Pacing(Optional.empty(), Optional.of(100));
        pacing.sent(2, 500, NOW);
        pacing.sent(3, 1_000, NOW);

        pacing.answered(3, 0);

        assertThat(pacing.pace()).contains(new Pace(NOW.plusSeconds(5), Map.of(2, 500L)));
    }

    @Test
    void nothingIsSavedUpWhileNoChunkGoesOut() {
        var pacing = new Pacing(Optional.of(new Pace(NOW.minusSeconds(3_600), Map.of())), Optional.of(100));

        pacing.sent(0, 1_000, NOW);

        assertThat(pacing.allows(NOW.plusMillis(9_999))).isFalse();
        assertThat(pacing.allows(NOW.plusSeconds(10))).isTrue();
    }

    @Test
    void whatIsNotPaidForCostsWhatItCostsByTheNewLimit() {
        var pacing = new Pacing(Optional.empty(), Optional.of(1));
        pacing.sent(0, 50_000, NOW);

        pacing.change(Optional.of(10_000), NOW.plusSeconds(10_000));

        assertThat(pacing.pace().orElseThrow().notBefore()).isEqualTo(NOW.plusSeconds(10_004));
    }

    @Test
    void anAnswerOfAChunkThatWentOutBeforeThereWasALimitCostsNothing() {
        var pacing = new Pacing(Optional.empty(), Optional.of(1));

        pacing.answered(0, 1_000_000);

        assertThat(pacing.allows(NOW)).isTrue();
        assertThat(pacing.pace()).isEmpty();
    }
}
