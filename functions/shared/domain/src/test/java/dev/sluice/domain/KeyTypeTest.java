package dev.sluice.domain;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class KeyTypeTest {

    /** Values in PostgreSQL's text, in PostgreSQL's order. */
    static Stream<Arguments> ordered() {
        return Stream.of(
                Arguments.of(KeyType.INTEGER, List.of(
                        "-9223372036854775808", "-10", "-9", "-1", "0", "9", "10", "4294967295", "9223372036854775807")),
                Arguments.of(KeyType.NUMERIC, List.of(
                        "-Infinity", "-1" + "0".repeat(40), "-10", "-9.5", "-0.0000001", "0", "0.1", "9.99", "10",
                        "1" + "0".repeat(40), "Infinity", "NaN")),
                Arguments.of(KeyType.UUID, List.of(
                        "00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-00000000000a",
                        "10000000-0000-0000-0000-000000000000", "7fffffff-ffff-ffff-ffff-ffffffffffff",
                        "80000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff")),
                // As UTF-16, the last but one would come after the last: it starts with a surrogate, 0xD83D < 0xFFFD.
                Arguments.of(KeyType.TEXT, List.of(
                        "", " ", "A", "Z", "a", "aa", "b", "ä", "表", "\uFFFD", "\uD83D\uDE00")),
                Arguments.of(KeyType.BYTEA, List.of("\\x", "\\x00", "\\x0000", "\\x01", "\\x7f", "\\x80", "\\xff")),
                Arguments.of(KeyType.BOOLEAN, List.of("f", "t")));
    }

    @ParameterizedTest
    @MethodSource("ordered")
    void theOrderIsPostgreSqls(KeyType type, List<String> ordered) {
        for (int i = 0; i < ordered.size(); i++) {
            for (int j = 0; j < ordered.size(); j++) {
                assertThat(Integer.signum(type.compare(ordered.get(i), ordered.get(j))))
                        .as("%s: «%s» against «%s»", type, ordered.get(i), ordered.get(j))
                        .isEqualTo(Integer.compare(i, j));
            }
        }
    }

    @Test
    void everyTypeHasItsOrderTested() {
        assertThat(ordered().map(arguments -> arguments.get()[0])).containsExactlyInAnyOrder((Object[]) KeyType.values());
    }

    @Test
    void trailingZerosMakeNoOtherNumber() {
        assertThat(KeyType.NUMERIC.compare("1.0", "1.00")).isZero();
    }

    @Test
    void nanIsEqualToItself() {
        assertThat(KeyType.NUMERIC.compare("NaN", "NaN")).isZero();
    }
}
