package dev.sluice.console.view;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.console.view.TableDetail.Repair;
import dev.sluice.domain.Verification.Difference;
import dev.sluice.domain.Verification.Findings;
import dev.sluice.domain.Verification.Kind;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class RepairsTest {

    @Test
    void numbersThatAreCloseAreOneRangeAndOthersAreNot() {
        assertThat(Repairs.of(found("5", "-3", "7", "5000000", "5000001"))).containsExactly(
                new Repair(List.of("-3"), List.of("7"), 3), new Repair(List.of("5000000"), List.of("5000001"), 2));
    }

    @Test
    void ofKeysWhoseOrderOnlyTheDatabaseKnowsEachIsARange() {
        assertThat(Repairs.of(found("b", "a"))).containsExactly(
                new Repair(List.of("b"), List.of("b"), 1), new Repair(List.of("a"), List.of("a"), 1));
    }

    @Test
    void whereRangesWouldMendOnlyAPartNoneAreOffered() {
        var keys = IntStream.range(0, 21).mapToObj(i -> i * 1_000_000L + "").toArray(String[]::new);

        assertThat(Repairs.of(found(keys))).as("more than can be looked over").isEmpty();
        assertThat(Repairs.of(new Findings(10, 1, 2, 0, List.of(new Difference(List.of("1"), Kind.DIFFERENT)))))
                .as("not all keys are listed").isEmpty();
        assertThat(Repairs.of(new Findings(10, 1))).isEmpty();
    }

    private static Findings found(String... keys) {
        return new Findings(100, 1, keys.length, 0,
                Stream.of(keys).map(key -> new Difference(List.of(key), Kind.DIFFERENT)).toList());
    }
}
