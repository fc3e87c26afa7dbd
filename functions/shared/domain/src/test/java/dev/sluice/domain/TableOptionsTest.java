package dev.sluice.domain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.domain.TableOptions.SoftDelete;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class TableOptionsTest {

    private static final List<String> NO = List.of();

    @Test
    void noOptionsAreNone() {
        assertThat(options(NO, NO, NO, NO, Map.of()).isNone()).isTrue();
        assertThat(options(NO, NO, List.of("a"), NO, Map.of()).isNone()).isFalse();
    }

    static Stream<Arguments> contradictions() {
        List<String> a = List.of("a");
        Map<String, Optional<String>> maskA = Map.of("a", Optional.of("x"));
        return Stream.of(
                of(() -> options(NO, a, List.of("b"), NO, Map.of()), "«include» or «exclude», not both"),
                of(() -> options(a, NO, a, NO, Map.of()), "a key column cannot be left out"),
                of(() -> options(a, NO, NO, a, Map.of()), "ranges need its order"),
                of(() -> options(a, NO, NO, NO, maskA), "rows are found by their key"),
                of(() -> options(NO, NO, NO, a, maskA), "name it in one of them"),
                of(() -> options(NO, NO, a, a, Map.of()), "«hash» and in «exclude»"),
                of(() -> options(NO, NO, a, NO, maskA), "«mask» and in «exclude»"),
                of(() -> options(List.of("b"), a, NO, NO, Map.of()), "«key» but not in «include»"),
                of(() -> options(NO, a, NO, List.of("b"), Map.of()), "«hash» but not in «include»"),
                of(() -> options(NO, List.of("b"), NO, NO, maskA), "«mask» but not in «include»"),
                of(() -> options(NO, List.of("a", "a"), NO, NO, Map.of()), "names the column «a» twice"),
                of(() -> options(NO, List.of(""), NO, NO, Map.of()), "has 1 to 63 bytes"),
                of(() -> options(NO, NO, List.of("x".repeat(64)), NO, Map.of()), "has 1 to 63 bytes"),
                of(() -> options(NO, NO, NO, List.of("a\0b"), Map.of()), "no NUL"),
                of(() -> options(NO, NO, Collections.singletonList(null), NO, Map.of()), "null"),
                of(() -> options(NO, NO, NO, NO, Map.of("a", Optional.of("a\0"))), "without NUL"),
                of(() -> options(NO, NO, NO, NO, Map.of("a", Optional.of("x".repeat(1_001)))), "at most 1000"),
                of(
                        () -> options(
                                NO, NO, IntStream.range(0, 1_700).mapToObj(i -> "x".repeat(58) + (10_000 + i)).toList(),
                                NO, Map.of()),
                        "more than 100000 characters"),
                of(() -> new SoftDelete("", SoftDelete.Type.BOOLEAN), "has 1 to 63 bytes"));
    }

    private static Arguments of(Supplier<Object> making, String message) {
        return Arguments.of(making, message);
    }

    @ParameterizedTest
    @MethodSource("contradictions")
    void whatContradictsItselfIsRefusedWithTheReason(Supplier<Object> making, String message) {
        assertThatThrownBy(making::get).isInstanceOf(IllegalArgumentException.class).hasMessageContaining(message);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "true",
        "status = 'it''s open'",
        "\"Weird \"\"; -- name\" > 3 AND (a OR b)",
        "a - -b > 0",
        "tags[1] = '(' OR note LIKE '%;%'",
        "a / 2 * 3 > 1\n  AND b"
    })
    void aConditionThatStaysWithinItsParenthesesIsTaken(String where) {
        assertThatCode(() -> where(where)).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "",
        "   ",
        "true) ; DROP TABLE orders; --",
        "true) OR (true",
        "true; SELECT 1",
        "(true",
        "true)",
        "a[1",
        "a[1)]",
        "true -- and nothing else",
        "true /* and nothing else",
        "status = 'open",
        "\"status = 'open'",
        "status = E'\\''",
        "status = 'a\\'",
        "status = $$x$$",
        "id = $1",
        "a \\ b",
        "a = '\0'",
        "a \u0001 b"
    })
    void aConditionThatCouldReachBeyondThemIsRefused(String where) {
        assertThatThrownBy(() -> where(where))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("«where» is not a condition to be followed");
    }

    @Test
    void aConditionHasABound() {
        assertThatThrownBy(() -> where("a" + " OR a".repeat(2_000))).hasMessageContaining("1 to 10000");
        assertThatThrownBy(() -> where("(".repeat(101) + "true" + ")".repeat(101))).hasMessageContaining("within each other");
    }

    private static TableOptions where(String where) {
        return new TableOptions(NO, NO, NO, NO, Map.of(), Optional.of(where), Optional.empty());
    }

    private static TableOptions options(
            List<String> key,
            List<String> include,
            List<String> exclude,
            List<String> hash,
            Map<String, Optional<String>> mask) {
        return new TableOptions(key, include, exclude, hash, mask, Optional.empty(), Optional.empty());
    }
}
