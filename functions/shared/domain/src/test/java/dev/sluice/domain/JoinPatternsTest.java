package dev.sluice.domain;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JoinPatternsTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '§',
            textBlock =
                    """
                    sales.*       | sales.orders         | true
                    sales.*       | public.orders        | false
                    *.orders      | sales.orders         | true
                    *.*           | "S".a                | true
                    o*            | public.orders        | true
                    o*            | sales.orders         | false
                    a*b*c         | public."aXbYbc"      | true
                    a*b*c         | public."aXbY"        | false
                    a*b*c         | sales.abc            | false
                    public.a_b*   | public.axb           | false
                    public.a_b*   | public.a_b           | true
                    "S%".*        | "S%".a               | true
                    "S%".*        | "SX".a               | false
                    "a*".*        | "a*".b               | true
                    "a*".*        | "ab".b               | false
                    "a\\".*       | "a\\".b              | true
                    public.orders | public.orders        | true
                    public.orders | public.orders2       | false
                    *.**          | public.x             | true
                    """)
    void aPatternMatchesAsTheSourceWouldSay(String pattern, String table, boolean matches) {
        assertThat(JoinPatterns.of(List.of(pattern)).joins(TableName.parse(table))).isEqualTo(matches);
    }

    @Test
    void whatIsExcludedDoesNotJoinWhereverItStands() {
        var patterns = JoinPatterns.of(List.of("!sales.tmp_*", "sales.*", "!sales.log"));

        assertThat(patterns.joins(TableName.parse("sales.orders"))).isTrue();
        assertThat(patterns.joins(TableName.parse("sales.tmp_1"))).isFalse();
        assertThat(patterns.joins(TableName.parse("sales.log"))).isFalse();
    }

    @Test
    void nothingJoinsThatIsOnlyNotExcluded() {
        assertThat(JoinPatterns.of(List.of("!sales.*")).joins(TableName.parse("public.a"))).isFalse();
    }

    @Test
    void aHostilePatternTakesNoLongTime() {
        var hostile = JoinPatterns.of(List.of("public." + "a*".repeat(120) + "b"));
        var table = new TableName("public", "a".repeat(63));

        Assertions.assertTimeoutPreemptively(Duration.ofSeconds(5), () -> assertThat(hostile.joins(table)).isFalse());
    }
}
