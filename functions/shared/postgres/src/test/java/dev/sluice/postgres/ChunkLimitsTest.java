package dev.sluice.postgres;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.postgres.ChunkCopy.Limits;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChunkLimitsTest {

    @ParameterizedTest
    @CsvSource({
        "PT0S,   PT10M,    PT1M,   lock-timeout",
        "PT-1S,  PT10M,    PT1M,   lock-timeout",
        "PT30S,  PT20M1S,  PT1M,   transaction-timeout",
        "PT30S,  PT29S,    PT1M,   transaction-timeout",
        "PT30S,  PT10M,    PT0S,   replica-timeout",
        "PT30S,  PT10M,    PT5M1S, replica-timeout"
    })
    void whatIsOutOfItsBoundsIsRefusedByItsName(Duration lock, Duration transaction, Duration replica, String setting) {
        assertThatThrownBy(() -> new Limits(lock, transaction, replica))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("sluice.chunk-worker." + setting + " is ");
    }

    @Test
    void theBoundsThemselvesAreTaken() {
        new Limits(Duration.ofMillis(1), Duration.ofMinutes(20), Duration.ofMinutes(5));
    }
}
