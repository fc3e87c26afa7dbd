package dev.sluice.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** How rows to read are cut into portions. */
class SourceRowsTest {

    private static List<List<String>> cut(List<String> rows, long... bytes) {
        return SourceRows.cut(rows, bytes, 10);
    }

    @Test
    void aPortionHasNoMoreThanTheLimitUnlessItIsOneRow() {
        assertThat(cut(List.of())).isEmpty();
        assertThat(cut(List.of("a"), 11)).containsExactly(List.of("a"));
        assertThat(cut(List.of("a", "b", "c"), 4, 6, 0)).containsExactly(List.of("a", "b", "c"));
        assertThat(cut(List.of("a", "b", "c"), 4, 7, 3)).containsExactly(List.of("a"), List.of("b", "c"));
        assertThat(cut(List.of("a", "b", "c"), 50, 50, 1)).containsExactly(List.of("a"), List.of("b"), List.of("c"));
        assertThat(cut(List.of("a", "b", "c"), 1, 50, 1)).containsExactly(List.of("a"), List.of("b"), List.of("c"));
    }
}
