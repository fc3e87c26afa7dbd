package dev.sluice.domain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TableNameTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\'', value = {
        "orders | public | orders",
        "sales.orders | sales | orders",
        "_a.b$1 | _a | b$1",
        "\"Sales\".\"Order Items\" | Sales | Order Items",
        "\"a.b\".\"c.d\" | a.b | c.d",
        "\"a\"\"b\".c | a\"b | c",
        "\"Größe\".\"表\" | Größe | 表",
        "\"\uD83D\uDE00\".t | \uD83D\uDE00 | t",
        "\"select\".\"table\" | select | table",
        "select.table | select | table",
    })
    void aNameIsReadAsInSql(String text, String schema, String name) {
        assertThat(TableName.parse(text)).isEqualTo(new TableName(schema, name));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", ".", "a.", ".a", "a.b.c", "A.b", "a b", "a.b ", "Größe", "1a", "\"a", "\"a\"b", "\"a\".\"b\".\"c\"",
        "a.\"b\"x", "\"\".b", "a;drop table b", "a.b--", "public.*", "\"a\0b\".c", "a..b", "\"a\"\"", "«»"
    })
    void whatIsNoNameIsRefused(String text) {
        assertThatThrownBy(() -> TableName.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void anIdentifierHasAtMost63Bytes() {
        String longest = "x".repeat(63);

        assertThat(new TableName(longest, longest).schema()).hasSize(63);
        assertThatThrownBy(() -> new TableName("public", longest + "x")).hasMessageContaining("63 bytes");
    }

    @Test
    void bytesCountNotCharacters() {
        assertThatThrownBy(() -> new TableName("public", "ä".repeat(32))).hasMessageContaining("this has 64");
    }

    @Test
    void halfASurrogatePairIsNoName() {
        assertThatThrownBy(() -> new TableName("public", "a\uD83D"))
                .as("it would be written as «a?», and two names would become one")
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aQuoteInANameCannotEndTheIdentifierInSql() {
        assertThat(new TableName("a\"; DROP TABLE b; --", "c").sql()).isEqualTo("\"a\"\"; DROP TABLE b; --\".\"c\"");
    }

    @Test
    void plainPartsAreWrittenWithoutQuotes() {
        assertThat(new TableName("sales", "Order").toString()).isEqualTo("sales.\"Order\"");
    }

    @Test
    void textAndNameAreInverse() {
        long seed = 20260101;
        var random = new Random(seed);
        String alphabet = "ab_$1.\"' \\A*é表«-/";
        for (int i = 0; i < 20_000; i++) {
            var name = new TableName(identifier(random, alphabet), identifier(random, alphabet));
            assertThat(TableName.parse(name.toString())).as("seed %d, round %d", seed, i).isEqualTo(name);
        }
    }

    @Test
    void noTablesKeyIsThePipelinesKey() {
        assertThat(new TableName("public", "pipeline").toString()).isNotEqualTo("pipeline");
    }

    private static String identifier(Random random, String alphabet) {
        var text = new StringBuilder();
        int length = 1 + random.nextInt(6);
        for (int i = 0; i < length; i++) {
            text.append(alphabet.charAt(random.nextInt(alphabet.length())));
        }
        return text.toString();
    }
}
