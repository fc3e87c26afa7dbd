package dev.sluice.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Event.SourceMeasured;
import dev.sluice.domain.Setting;
import dev.sluice.domain.Settings;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RestingTest {

    private static final Settings BOTH =
            Settings.NONE.with(Setting.SOURCE_SESSIONS_MAX, 10).with(Setting.REPLICA_LAG_SECONDS_MAX, 20);

    @ParameterizedTest
    @CsvSource({
        // rests before, sessions, lag in ms, rests then
        "false, 10, 20000, false", "false, 11, 0, true", "false, 0, 20001, true",
        "true, 9, 0, true", "true, 8, 16000, false", "true, 0, 16001, true", "true, 11, 0, true"
    })
    void restsAboveAndUntilItIsAFifthBelow(boolean before, long sessions, long lagMillis, boolean then) {
        Optional<String> restsBefore = before ? Optional.of("busy") : Optional.empty();

        assertThat(Resting.after(BOTH, restsBefore, new SourceMeasured(sessions, lagMillis, Optional.empty())).isPresent())
                .isEqualTo(then);
    }

    @Test
    void theReasonSaysWhatWasSeenAndWhatMayBe() {
        assertThat(Resting.after(BOTH, Optional.empty(), new SourceMeasured(12, 0, Optional.empty())))
                .contains("12 sessions are active at the source; sourceSessionsMax is 10");
        assertThat(Resting.after(BOTH, Optional.empty(), new SourceMeasured(0, 21_900, Optional.empty())))
                .contains("a standby of the source is 21 s behind; replicaLagSecondsMax is 20");
    }

    @Test
    void aSourceThatDoesNotTellIsTakenForBusy() {
        assertThat(Resting.after(BOTH, Optional.empty(), new SourceMeasured(0, 0, Optional.of("run GRANT x"))))
                .contains("whether the source is busy is not known: run GRANT x");
    }

    @Test
    void whatNobodyAskedForKeepsNothing() {
        assertThat(Resting.after(Settings.NONE, Optional.of("busy"), new SourceMeasured(99, 99_000, Optional.of("x"))))
                .isEmpty();
        assertThat(Resting.after(
                        Settings.NONE.with(Setting.SOURCE_SESSIONS_MAX, 10),
                        Optional.empty(),
                        new SourceMeasured(0, 99_000_000, Optional.empty())))
                .isEmpty();
    }
}
