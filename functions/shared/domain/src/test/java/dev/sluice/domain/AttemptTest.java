package dev.sluice.domain;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class AttemptTest {

    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
    private static final Fault UNAVAILABLE = Fault.unavailable("no server", "start it");
    private static final Fault FAULTY = Fault.faulty("deadlock", "wait");
    private static final Fault REFUSED = Fault.refused("no key", "add one");

    @Test
    void theFirstAttemptIsDueAtOnce() {
        assertThat(Attempt.first().isDue(Instant.MIN)).isTrue();
    }

    @Test
    void aRefusalEndsItAtOnce() {
        assertThat(Attempt.first().after(REFUSED, NOW)).isEmpty();
    }

    @Test
    void aFaultIsTriedFiveTimes() {
        assertThat(tries(FAULTY)).hasSize(5);
    }

    @Test
    void aServerThatIsNotThereIsWaitedForTwoHours() {
        List<Attempt> tries = tries(UNAVAILABLE);

        Instant last = tries.getLast().notBefore().orElseThrow();
        assertThat(Duration.between(NOW, last)).isBetween(Duration.ofMinutes(110), Duration.ofMinutes(125));
    }

    @Test
    void theBackoffDoublesFromOneSecondToThirty() {
        List<Attempt> tries = tries(UNAVAILABLE);

        List<Long> seconds = new ArrayList<>();
        for (int i = 1; i < 9; i++) {
            Instant before = i == 1 ? NOW : tries.get(i - 1).notBefore().orElseThrow();
            seconds.add(Duration.between(before, tries.get(i).notBefore().orElseThrow()).toSeconds());
        }
        assertThat(seconds).containsExactly(1L, 2L, 4L, 8L, 16L, 30L, 30L, 30L);
    }

    @Test
    void aHiccupAfterALongOutageIsNotTheEnd() {
        Attempt attempt = Attempt.first();
        for (int i = 0; i < 100; i++) {
            attempt = attempt.after(UNAVAILABLE, NOW).orElseThrow();
        }

        assertThat(attempt.after(FAULTY, NOW))
                .as("a server that comes back after 100 tries, and one deadlock then")
                .isPresent();
    }

    @Test
    void faultsAndOutagesInTurnEndToo() {
        Optional<Attempt> attempt = Optional.of(Attempt.first());
        int tries = 0;
        while (attempt.isPresent() && tries < 1_000) {
            attempt = attempt.get().after(tries++ % 2 == 0 ? UNAVAILABLE : FAULTY, NOW);
        }

        assertThat(tries).isEqualTo(10);
    }

    @Test
    void theNextEffectStartsAfreshUnderAHigherNumber() {
        Attempt failedOnce = Attempt.first().after(FAULTY, NOW).orElseThrow();

        assertThat(failedOnce.next()).isEqualTo(new Attempt(3, 0, 0, Optional.empty(), Optional.empty()));
    }

    @Test
    void anAttemptIsDueFromItsTimeOn() {
        Attempt second = Attempt.first().after(FAULTY, NOW).orElseThrow();

        assertThat(second.isDue(NOW.plusMillis(999))).as("a moment before").isFalse();
        assertThat(second.isDue(NOW.plusMillis(1_000))).as("at the time").isTrue();
    }

    @Test
    void theFaultIsKeptForThePersonWhoLooks() {
        assertThat(Attempt.first().after(FAULTY, NOW).orElseThrow().last()).contains(FAULTY);
    }

    /** Every try there is, each one started as soon as it was due. */
    private static List<Attempt> tries(Fault fault) {
        List<Attempt> tries = new ArrayList<>();
        Optional<Attempt> attempt = Optional.of(Attempt.first());
        while (attempt.isPresent()) {
            tries.add(attempt.get());
            attempt = attempt.get().after(fault, attempt.get().notBefore().orElse(NOW));
        }
        return tries;
    }
}
