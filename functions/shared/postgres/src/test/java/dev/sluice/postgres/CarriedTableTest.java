package dev.sluice.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableDefinition.Column;
import dev.sluice.domain.TableDefinition.Generation;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class CarriedTableTest {

    @Test
    void aConditionIsNeverAskedOfAValueThatWasCut() {
        var definition = new TableDefinition(
                TableName.parse("t"), 1, List.of(column("code", "character varying(3)"), column("n", "numeric(5,2)")), List.of());
        var options = new TableOptions(
                List.of(), List.of(), List.of(), List.of(), Map.of(), Optional.of("code <> 'abc' AND n > 1"),
                Optional.empty());

        String sql = new CarriedTable(definition, options, Optional.empty()).fulfils(column -> "u." + column);

        assertThat(sql).contains("(u.code)::character varying AS", "(u.n)::numeric(5,2) AS");
    }

    private static Column column(String name, String type) {
        return new Column(name, type, false, Generation.NONE, Optional.empty(), Optional.empty(), "1");
    }
}
