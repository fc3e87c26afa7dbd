package dev.sluice.webhooks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.TableName;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class WaitingTest {

    private static final Duration DAY = Duration.ofHours(24);

    private final Waiting waiting = new Waiting();

    @Test
    void theWaitDoublesUpToFiveMinutes() {
        assertThat(Waiting.pause(1)).isEqualTo(Duration.ofSeconds(1));
        assertThat(Waiting.pause(2)).isEqualTo(Duration.ofSeconds(2));
        assertThat(Waiting.pause(9)).isEqualTo(Duration.ofSeconds(256));
        assertThat(Waiting.pause(10)).isEqualTo(Duration.ofMinutes(5));
        assertThat(Waiting.pause(Integer.MAX_VALUE)).isEqualTo(Duration.ofMinutes(5));
    }

    @Test
    void oneThatFailsLetsTheNextGoFirstAndKeepsThePosition() {
        waiting.add(notification("a"), 5);
        waiting.add(notification("b"), 6);

        boolean givenUp = waiting.failed(waiting.due(Given.T0).orElseThrow(), Given.T0, DAY, 0);

        assertThat(givenUp).isFalse();
        Waiting.Delivery next = waiting.due(Given.T0).orElseThrow();
        assertThat(next.notification().id()).isEqualTo("b");
        waiting.done(next);
        assertThat(waiting.due(Given.T0)).isEmpty();
        assertThat(waiting.firstOffset()).hasValue(5);
        assertThat(waiting.due(Given.T0.plusSeconds(1))).isPresent();
    }

    @Test
    void thoseThatAreDueAgainDoNotKeepANewOneFromItsFirstTry() {
        for (String id : new String[] {"a", "b", "c"}) {
            waiting.add(notification(id), 5);
            waiting.failed(waiting.due(Given.T0).orElseThrow(), Given.T0, DAY, 0);
        }
        waiting.add(notification("new"), 6);

        assertThat(waiting.due(Given.T0.plusSeconds(60)).orElseThrow().notification().id()).isEqualTo("new");
    }

    @Test
    void jitterShortensTheWaitByHalfAtMost() {
        waiting.add(notification("a"), 5);
        waiting.failed(waiting.due(Given.T0).orElseThrow(), Given.T0, DAY, 1);

        assertThat(waiting.due(Given.T0.plusMillis(499))).isEmpty();
        assertThat(waiting.due(Given.T0.plusMillis(500))).isPresent();
    }

    @Test
    void anOldOneIsGivenUpOnlyAfterATry() {
        waiting.add(notification("a"), 5);

        Waiting.Delivery old = waiting.due(Given.T0.plus(DAY).plusSeconds(1)).orElseThrow();

        assertThat(waiting.failed(old, Given.T0.plus(DAY).plusSeconds(1), DAY, 0)).isTrue();
        assertThat(waiting.size()).isZero();
    }

    private static Notification notification(String id) {
        return new Notification(id, Kind.TABLE_FAILED, new TableName("public", "t"), Given.T0, Map.of());
    }
}
