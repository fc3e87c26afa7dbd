package dev.sluice.traces;

import static dev.sluice.traces.Given.at;
import static org.assertj.core.api.Assertions.assertThat;

import io.opentelemetry.api.common.Attributes;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class OutgoingTest {

    private static final Duration HOUR = Duration.ofHours(1);
    private static final Span SPAN = new Span(
            "t", "s", Optional.empty(), "n", at(0), at(1), Attributes.empty(), List.of(), Optional.empty(),
            Optional.empty());

    private final Outgoing outgoing = new Outgoing();

    @Test
    void goesInBatchesAndKeepsThePositionOfTheFirst() {
        outgoing.add(Collections.nCopies(600, SPAN), 7, at(0));
        outgoing.add(List.of(SPAN), 9, at(0));

        assertThat(outgoing.due(at(0))).hasSize(Outgoing.BATCH_MAX);
        outgoing.done(Outgoing.BATCH_MAX);
        assertThat(outgoing.firstOffset()).hasValue(7);
        outgoing.done(outgoing.due(at(0)).size());
        assertThat(outgoing.firstOffset()).isEmpty();
    }

    @Test
    void triesAgainLaterAndLaterUpToAMinute() {
        outgoing.add(List.of(SPAN), 7, at(0));

        assertThat(outgoing.failed(1, at(0), HOUR, 0)).isZero();
        assertThat(outgoing.due(at(0.9))).isEmpty();
        assertThat(outgoing.due(at(1))).hasSize(1);
        for (int i = 0; i < 10; i++) {
            outgoing.failed(1, at(10), HOUR, 0);
        }
        assertThat(outgoing.due(at(69))).isEmpty();
        assertThat(outgoing.due(at(70))).hasSize(1);

        outgoing.done(1);
        outgoing.add(List.of(SPAN), 8, at(70));
        assertThat(outgoing.due(at(70))).as("a success ends the wait").hasSize(1);
    }

    @Test
    void givesUpWhatIsOldAndNothingElse() {
        outgoing.add(List.of(SPAN, SPAN), 7, at(0));
        outgoing.add(List.of(SPAN), 8, at(100));

        assertThat(outgoing.failed(3, at(3601), HOUR, 0)).isEqualTo(2);
        assertThat(outgoing.firstOffset()).hasValue(8);
    }
}
