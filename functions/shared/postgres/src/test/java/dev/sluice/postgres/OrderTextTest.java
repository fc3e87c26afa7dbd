package dev.sluice.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OrderTextTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\'', textBlock = """
            "k" mood (sad,ok)                      | "k" mood (sad,ok)
            "k" mood (sad,ok)                      | "k" mood (sad,"so so",ok)
            "k" mood (sad)                         | "k" mood (new,sad,newer)
            "k" mood ("a,b","c"")")                | "k" mood ("a,b",b,"c"")"," ")
            "k" mood (sad); "n" icu sv 153.1 (a)   | "k" mood (sad,ok); "n" icu sv 153.1 (a,b)
            """)
    void furtherLabelsLeaveTheOrderAsItIs(String before, String now) {
        assertThat(OrderText.holds(before, now)).isTrue();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\'', textBlock = """
            "k" mood (sad,ok)             | "k" mood (ok,sad)
            "k" mood (sad,ok)             | "k" mood (sad)
            "k" mood (sad,ok)             | "k" mood (sad,fine)
            "k" mood (sad)                | "k" feeling (sad,ok)
            "k" mood ("a,b")              | "k" mood (a,b)
            "k" mood (sad)                | "n" mood (sad,ok)
            "k (a)" mood (sad)            | "k (a,b)" mood (sad)
            "k" icu sv 153.1              | "k" icu sv 153.2
            "k" citext ( UTF8 icu a, b)   | "k" citext ( UTF8 icu a, c, b)
            "k" mood (sad)                | "k" mood (sad); "n" mood (sad)
            """)
    void anythingElseMeansAnotherOrder(String before, String now) {
        assertThat(OrderText.holds(before, now)).isFalse();
    }

    @Test
    void thereMayBeManyLabels() {
        String labels = IntStream.range(0, 20_000)
                .mapToObj(i -> i % 2 == 0 ? "label_" + i : "\"Label " + "\"\"x".repeat(20) + i + "\"")
                .collect(Collectors.joining(","));

        assertThat(OrderText.holds("\"k\" e (" + labels + ")", "\"k\" e (first," + labels + ",last)")).isTrue();
    }
}
