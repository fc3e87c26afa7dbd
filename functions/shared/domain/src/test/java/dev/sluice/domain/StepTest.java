package dev.sluice.domain;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class StepTest {

    @Test
    void theOrderOfTheStepsIsTheProtocols() {
        // Refuse first (R1); hold before the queue's start is read; publish before the barrier (R2); the barrier
        // before the bounds; nothing at the destination's table before all that.
        assertThat(Step.values())
                .containsExactly(
                        Step.INSPECT, Step.CAPTURE, Step.HOLD, Step.QUEUE, Step.PUBLISH, Step.BARRIER, Step.BOUNDS,
                        Step.DESTINATION);
    }

    @Test
    void theLastStepHasNoNext() {
        assertThat(Step.DESTINATION.next()).isEmpty();
    }

    @Test
    void everyOtherStepLeadsToTheOneBehindIt() {
        for (int i = 0; i + 1 < Step.values().length; i++) {
            assertThat(Step.values()[i].next()).contains(Step.values()[i + 1]);
        }
    }
}
