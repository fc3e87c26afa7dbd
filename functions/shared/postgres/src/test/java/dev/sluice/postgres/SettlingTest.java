package dev.sluice.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Verification.Difference;
import dev.sluice.domain.Verification.Kind;
import dev.sluice.postgres.Settling.Seen;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SettlingTest {

    private final Settling settling = new Settling();

    /** Key, value and version by turns. */
    private static Map<List<String>, Seen> rows(String... cells) {
        Map<List<String>, Seen> rows = new HashMap<>();
        for (int i = 0; i < cells.length; i += 3) {
            rows.put(List.of(cells[i]), new Seen(cells[i + 1], cells[i + 2]));
        }
        return rows;
    }

    private static Difference difference(String key, Kind kind) {
        return new Difference(List.of(key), kind);
    }

    @Test
    void whatIsEqualIsSettledAtOnceWhateverItsVersions() {
        assertThat(settling.look(rows("1", "a", "v1"), rows("1", "a", "w1"), true)).isEmpty();
        assertThat(settling.unsettled()).isZero();
    }

    @Test
    void theSameDifferenceTwiceIsCertain() {
        var source = rows("1", "a", "v1", "2", "b", "v2", "4", "d", "v4");
        var destination = rows("1", "x", "w1", "3", "c", "w3", "4", "d", "w4");

        assertThat(settling.look(source, destination, true)).as("once is not enough").isEmpty();
        assertThat(settling.unsettled()).isEqualTo(3);
        assertThat(settling.look(source, destination, true)).containsExactlyInAnyOrder(
                difference("1", Kind.DIFFERENT),
                difference("2", Kind.MISSING_AT_DESTINATION),
                difference("3", Kind.MISSING_AT_SOURCE));
        assertThat(settling.unsettled()).isZero();
    }

    @Test
    void aRowThatWasWrittenMeanwhileIsLookedAtAgain() {
        settling.look(rows("1", "a", "v1"), rows("1", "b", "w1"), true);

        assertThat(settling.look(rows("1", "a", "v2"), rows("1", "b", "w1"), true))
                .as("the same value, but written anew: it may have been «b» in between")
                .isEmpty();
        assertThat(settling.look(rows("1", "a", "v2"), rows("1", "b", "w2"), true))
                .as("the destination moves")
                .isEmpty();
        assertThat(settling.look(rows("1", "a", "v2"), rows("1", "b", "w2"), true)).hasSize(1);
    }

    @Test
    void aRowThatIsOnlyAtTheDestinationCountsWhenItStaysTheVeryRow() {
        settling.look(rows(), rows("1", "b", "w1"), true);

        assertThat(settling.look(rows(), rows("1", "b", "w2"), true)).isEmpty();
        assertThat(settling.look(rows(), rows("1", "b", "w2"), true))
                .containsExactly(difference("1", Kind.MISSING_AT_SOURCE));
    }

    @Test
    void aLookBeforeTransactionsHaveEndedProvesNothing() {
        settling.look(rows("1", "a", "v1"), rows("1", "b", "w1"), true);

        assertThat(settling.look(rows("1", "a", "v1"), rows("1", "b", "w1"), false)).isEmpty();
        assertThat(settling.unsettled()).isEqualTo(1);
        assertThat(settling.look(rows("1", "a", "v1"), rows("1", "b", "w1"), true)).hasSize(1);
    }

    @Test
    void whatComesAfterTheFirstLookIsTheStreamsBusiness() {
        settling.look(rows("1", "a", "v1"), rows("1", "b", "w1"), true);

        settling.look(rows("1", "a", "v1", "2", "n", "v2"), rows("1", "a", "w2"), true);
        assertThat(settling.unsettled()).isZero();
    }
}
