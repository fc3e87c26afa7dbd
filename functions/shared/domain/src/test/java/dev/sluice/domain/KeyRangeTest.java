package dev.sluice.domain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class KeyRangeTest {

    private static final KeyOrder INTEGER = KeyOrder.of(List.of(KeyType.INTEGER));
    private static final KeyOrder PAIR = KeyOrder.of(List.of(KeyType.TEXT, KeyType.INTEGER));

    @Test
    void theLowerEndIsOutAndTheUpperEndIsIn() {
        var range = new KeyRange(Optional.of(Key.of("5")), Optional.of(Key.of("10")));

        assertThat(range.contains(Key.of("5"), INTEGER)).as("the lower end").isFalse();
        assertThat(range.contains(Key.of("6"), INTEGER)).as("above the lower end").isTrue();
        assertThat(range.contains(Key.of("10"), INTEGER)).as("the upper end").isTrue();
        assertThat(range.contains(Key.of("11"), INTEGER)).as("above the upper end").isFalse();
    }

    @Test
    void allContainsEverything() {
        assertThat(KeyRange.ALL.contains(Key.of("-9223372036854775808"), INTEGER)).isTrue();
    }

    @Test
    void neighbouringRangesShareNoKey() {
        var below = new KeyRange(Optional.empty(), Optional.of(Key.of("10")));
        var above = new KeyRange(Optional.of(Key.of("10")), Optional.empty());

        for (String key : List.of("-1", "9", "10", "11", "100")) {
            assertThat(below.contains(Key.of(key), INTEGER) ^ above.contains(Key.of(key), INTEGER))
                    .as("%s is in one of the two", key)
                    .isTrue();
        }
    }

    @Test
    void keysOfSeveralColumnsAreComparedAsRows() {
        var range = new KeyRange(Optional.of(Key.of("a", "9")), Optional.of(Key.of("b", "2")));

        assertThat(range.contains(Key.of("a", "10"), PAIR)).as("a, 10").isTrue();
        assertThat(range.contains(Key.of("b", "-5"), PAIR)).as("b, -5").isTrue();
        assertThat(range.contains(Key.of("b", "3"), PAIR)).as("b, 3").isFalse();
        assertThat(range.contains(Key.of("a", "9"), PAIR)).as("a, 9").isFalse();
    }

    @Test
    void aKeyOfAnotherWidthIsAnError() {
        assertThatThrownBy(() -> INTEGER.compare(Key.of("1"), Key.of("1", "2"))).hasMessageContaining("1 columns");
    }

    @Test
    void theTextShowsWhichEndIsIn() {
        assertThat(new KeyRange(Optional.of(Key.of("1")), Optional.of(Key.of("2", "3"))).toString())
                .isEqualTo("((1), (2, 3)]");
        assertThat(KeyRange.ALL.toString()).isEqualTo("(-∞, +∞)");
    }

    @Test
    void aKeyHasAColumn() {
        assertThatThrownBy(() -> new Key(List.of())).isInstanceOf(IllegalArgumentException.class);
    }
}
