package dev.sluice.domain;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MarkTest {

    @ParameterizedTest
    @CsvSource({
        "0/9, 0/5, false, a later transaction whose record lies before",
        "0/7, 0/8, true, an earlier transaction whose record lies after: transactions interleave",
        "0/8, 0/6, true, the same transaction earlier",
        "0/8, 0/8, false, the same transaction later",
        "0/8, 0/7, false, the same record: several rows share it",
        "FFFFFFFF/0, 0/1, false, the order is unsigned",
    })
    void aChangeBelowTheMarkWasPassed(String commitBefore, String lsn, boolean past, String why) {
        var mark = new Mark(Lsn.parse("0/8"), Lsn.parse("0/7"));

        assertThat(mark.isPast(new Mark(Lsn.parse(commitBefore), Lsn.parse(lsn)))).as(why).isEqualTo(past);
    }
}
