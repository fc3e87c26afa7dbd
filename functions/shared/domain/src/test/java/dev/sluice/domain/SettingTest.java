package dev.sluice.domain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class SettingTest {

    @ParameterizedTest
    @EnumSource
    void aSettingIsFoundByItsName(Setting setting) {
        assertThat(Setting.named(setting.text())).isEqualTo(setting);
    }

    @ParameterizedTest
    @EnumSource
    void aSettingSaysWhatItDoesInOneSentence(Setting setting) {
        assertThat(setting.effect()).endsWith(".").doesNotContain(". ").hasSizeGreaterThan(30);
        assertThat(setting.title()).isNotBlank();
    }

    @ParameterizedTest
    @EnumSource
    void aSettingHasAValueOrSaysWhatHoldsWithout(Setting setting) {
        assertThat(setting.builtIn().isPresent()).isNotEqualTo(setting.whenEmpty().isPresent());
        setting.builtIn().ifPresent(value -> assertThat(setting.require(value)).isEqualTo(value));
    }

    static Stream<Arguments> good() {
        return Stream.of(
                Arguments.of(Setting.CHUNK_ROWS, 100, 100),
                Arguments.of(Setting.CHUNK_ROWS, 10_000_000L, 10_000_000),
                Arguments.of(Setting.READ_REPLICA, false, false),
                Arguments.of(Setting.MISSING_ROWS, "keep", "keep"),
                Arguments.of(Setting.JOIN_PATTERNS, List.of(), List.of()),
                Arguments.of(
                        Setting.JOIN_PATTERNS,
                        List.of("sales.*", "!sales.tmp_*", "sales.*", "\"Sales\".*"),
                        List.of("sales.*", "!sales.tmp_*", "\"Sales\".*")));
    }

    @ParameterizedTest
    @MethodSource("good")
    void aValueWithinItsBoundsIsKept(Setting setting, Object written, Object kept) {
        assertThat(setting.require(written)).isEqualTo(kept);
    }

    static Stream<Arguments> bad() {
        return Stream.of(
                Arguments.of(Setting.CHUNK_ROWS, 99, "chunkRows is 99: it must be a whole number from 100 to 10000000"),
                Arguments.of(Setting.CHUNK_ROWS, 10_000_001, "chunkRows is 10000001: it must be"),
                Arguments.of(Setting.CHUNK_ROWS, (1L << 32) + 100, "chunkRows is 4294967396: it must be"),
                Arguments.of(Setting.CHUNK_ROWS, 100.0, "chunkRows is 100.0: it must be a whole number"),
                Arguments.of(Setting.CHUNK_ROWS, "500", "chunkRows is 500: it must be a whole number"),
                Arguments.of(Setting.CHUNK_ROWS, null, "chunkRows is null: it must be"),
                Arguments.of(Setting.TABLES_AT_ONCE, 0, "tablesAtOnce is 0: it must be a whole number from 1 to 1000"),
                Arguments.of(Setting.READ_REPLICA, "true", "readReplica is true: it must be true or false"),
                Arguments.of(Setting.MISSING_ROWS, "DELETE", "missingRows is DELETE: it must be one of [delete, keep]"),
                Arguments.of(Setting.JOIN_PATTERNS, "public.*", "joinPatterns is public.*: it must be a list"),
                Arguments.of(Setting.JOIN_PATTERNS, List.of(7), "joinPatterns is 7: it must be"),
                Arguments.of(Setting.JOIN_PATTERNS, List.of(" "), "joinPatterns is  : it must be"),
                Arguments.of(Setting.JOIN_PATTERNS, List.of("!"), "joinPatterns is !: it must be"),
                Arguments.of(Setting.JOIN_PATTERNS, List.of("a".repeat(259)), "…: it must be"),
                Arguments.of(Setting.JOIN_PATTERNS, List.of("Sales.*"), "joinPatterns is Sales.*: it must be"),
                Arguments.of(
                        Setting.JOIN_PATTERNS, Collections.nCopies(101, "a"), "it must be a list of at most 100"));
    }

    @ParameterizedTest
    @MethodSource("bad")
    void aBadValueIsRefusedWithSettingValueAndBounds(Setting setting, Object written, String message) {
        assertThatThrownBy(() -> setting.require(written))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }

    @Test
    void aSettingThatThereIsNotIsAnsweredWithThoseThatThereAre() {
        assertThatThrownBy(() -> Setting.named("chunk-rows"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("there is no setting «chunk-rows»; there are tablesAtOnce, chunksPerTable");
    }
}
