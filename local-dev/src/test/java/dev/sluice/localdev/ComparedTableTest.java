package dev.sluice.localdev;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.TableName;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class ComparedTableTest {

    @Test
    void everyTableHasItsVerdictAndWhatDiffersIsNamed() {
        var equal = new ComparedTable(TableName.parse("shop.a"), 20_100, 20_100, 0, List.of(), Duration.ofMillis(340));
        var different = new ComparedTable(
                TableName.parse("shop.b"), 3, 2, 1, List.of("only at the source: (17)"), Duration.ofSeconds(75));

        assertThat(ComparedTable.lines(List.of(equal, different)))
                .containsExactly(
                        "TABLE   ROWS AT SOURCE  AT DESTINATION  DIFFERENT  VERDICT          TIME",
                        "shop.a          20,100          20,100          0  equal           0.3 s",
                        "shop.b               3               2          1  NOT EQUAL  1 min 15 s",
                        "shop.b: only at the source: (17)",
                        "1 of 2 tables are equal value for value; 20,103 rows at the source.");
    }
}
