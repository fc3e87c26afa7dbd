package dev.sluice.domain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LsnTest {

    @ParameterizedTest
    @ValueSource(strings = {"0/0", "16/B374D848", "FFFFFFFF/FFFFFFFF", "1/0", "0/1"})
    void textAndLsnAreInverse(String text) {
        assertThat(Lsn.parse(text).toString()).isEqualTo(text);
    }

    @Test
    void lowerCaseIsReadToo() {
        assertThat(Lsn.parse("16/b374d848")).isEqualTo(Lsn.parse("16/B374D848"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/", "1", "1/", "/1", "G/0", "1/2/3", "-1/0", "+1/0", "0/+1", "123456789/0", "0x1/0", " 1/0"})
    void whatIsNoLsnIsRefused(String text) {
        assertThatThrownBy(() -> Lsn.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("is not an LSN");
    }

    @Test
    void theOrderIsUnsigned() {
        assertThat(Lsn.parse("FFFFFFFF/0")).isGreaterThan(Lsn.parse("7FFFFFFF/FFFFFFFF"));
    }

    @Test
    void anLsnIsAtLeastItself() {
        assertThat(Lsn.parse("1/0").isAtLeast(Lsn.parse("1/0"))).isTrue();
    }

    @Test
    void aSmallerLsnIsNotAtLeastAGreater() {
        assertThat(Lsn.parse("0/FFFFFFFF").isAtLeast(Lsn.parse("1/0"))).isFalse();
    }
}
