package dev.sluice.streaming;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.streaming.QueueHole.Topic;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class QueueHoleTest {

    @Test
    void aPositionFromTheBeginningToTheEndIsWhole() {
        assertThat(QueueHole.find("id", 5, topic("id", 1, 5, 9))).isEmpty();
        assertThat(QueueHole.find("id", 9, topic("id", 1, 5, 9))).isEmpty();
    }

    @Test
    void whatIsMissingIsSaid() {
        assertThat(QueueHole.find("id", 5, Optional.empty()).orElseThrow()).contains("does not exist");
        assertThat(QueueHole.find("id", 5, topic("other", 1, 0, 9)).orElseThrow()).contains("other");
        assertThat(QueueHole.find("id", 5, topic("id", 2, 0, 9)).orElseThrow()).contains("2 partitions");
        assertThat(QueueHole.find("id", 4, topic("id", 1, 5, 9)).orElseThrow()).contains("starts at offset 5");
        assertThat(QueueHole.find("id", 10, topic("id", 1, 5, 9)).orElseThrow()).contains("ends at offset 9");
    }

    @Test
    void triesComeHalfASecondToHalfAMinuteApart() {
        assertThat(Backoff.after(1)).isEqualTo(Duration.ofMillis(500));
        assertThat(Backoff.after(2)).isEqualTo(Duration.ofSeconds(1));
        assertThat(Backoff.after(7)).isEqualTo(Duration.ofSeconds(30));
        assertThat(Backoff.after(1_000)).isEqualTo(Duration.ofSeconds(30));
    }

    private static Optional<Topic> topic(String id, int partitions, long beginning, long end) {
        return Optional.of(new Topic(id, partitions, beginning, end));
    }
}
