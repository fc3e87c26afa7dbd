package dev.sluice.completion;

import static dev.sluice.completion.Records.table;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.completion.Work.Decision;
import dev.sluice.domain.Attempt;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.Constraints;
import dev.sluice.domain.TableState.Outcome;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class WorkTest {

    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
    private static final Attempt SECOND =
            Attempt.first().after(Fault.faulty("broke", "wait"), NOW).orElseThrow();

    @Test
    void aRunThatCompletesIsClosed() {
        var state = new TableState.Completing(7, Outcome.COPIED, 12, Attempt.first());

        assertThat(Work.decide(table("a", state), NOW))
                .isEqualTo(new Decision.Do(new Work.Close(Records.name("a"), 7, 1, Outcome.COPIED, 12, java.util.Optional.empty(), false)));
    }

    @Test
    void aRetryWaitsForItsTime() {
        var state = new TableState.Completing(7, Outcome.COPIED, 12, SECOND);

        assertThat(Work.decide(table("a", state), NOW)).isEqualTo(new Decision.Wait(NOW.plusSeconds(1)));
        assertThat(Work.decide(table("a", state), NOW.plusSeconds(1))).isInstanceOf(Decision.Do.class);
    }

    @Test
    void pendingConstraintsAreBuiltAndOthersAreNot() {
        assertThat(Work.decide(table("a", new TableState.Streaming(7, new Constraints.Pending(SECOND))), NOW.plusSeconds(9)))
                .isEqualTo(new Decision.Do(new Work.Build(Records.name("a"), 7, 2)));
        assertThat(Work.decide(table("a", new TableState.Streaming(7, new Constraints.Built(2))), NOW))
                .isEqualTo(new Decision.Nothing());
        assertThat(Work.decide(
                        table("a", new TableState.Streaming(7, new Constraints.Missing(Fault.refused("r", "h")))), NOW))
                .isEqualTo(new Decision.Nothing());
    }

    @Test
    void aTableThatDrainsHasAllItNeeds() {
        assertThat(Work.decide(table("a", new TableState.Draining(7, Lsn.ZERO)), NOW)).isEqualTo(new Decision.Nothing());
    }
}
