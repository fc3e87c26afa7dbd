package dev.sluice.debezium;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.TableName;
import io.debezium.relational.TableId;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * That Debezium finds each table whose changes it decodes. It registers a table by what the WAL says of it before the
 * first change, and looks it up by a text that it makes of its name: only where that text is read as another name is
 * there none, and then it logs «cannot load schema for table» and drops the change. Tables of such names are refused.
 */
class TableNamesTest {

    private static final String[] PARTS = {"a", "B", " ", ".", "\"", "'", "`", "\\", "[", "]", "$", "é", "\n"};
    private static final int LENGTH_MAX = 3;

    @Test
    void everyNameThatIsCarriedIsReadAsItWasWritten() {
        List<String> names = new ArrayList<>(List.of(PARTS));
        for (int i = 0; i < names.size() && names.get(i).length() < LENGTH_MAX; i++) {
            for (String part : PARTS) {
                names.add(names.get(i) + part);
            }
        }
        List<TableName> misread = new ArrayList<>();
        int exact = 0;
        for (String schema : names) {
            for (String name : names) {
                var table = new TableName(schema, name);
                if (schema.length() + name.length() <= LENGTH_MAX + 1 && table.isExactInCapture()) {
                    exact++;
                    if (!isFound(table)) {
                        misread.add(table);
                    }
                }
            }
        }

        assertThat(exact).as("names that were tried").isGreaterThan(50_000);
        assertThat(misread).isEmpty();
    }

    @Test
    void oneThatIsRefusedWouldNotBeFound() {
        for (String name : List.of("\"x\"", "it''s", "``")) {
            var table = new TableName("public", name);

            assertThat(table.isExactInCapture()).as(name).isFalse();
            assertThat(isFound(table)).as(name).isFalse();
        }
    }

    private static boolean isFound(TableName table) {
        var id = new TableId(null, table.schema(), table.name());
        return id.equals(TableId.parse(id.toDoubleQuotedString(), false));
    }
}
