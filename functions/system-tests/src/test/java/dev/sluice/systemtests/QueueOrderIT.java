package dev.sluice.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** First in, first out, and never more tables at once than allowed. */
class QueueOrderIT {

    @Test
    void sixTablesGoTwoAtATimeInTheOrderOfTheirRequests() throws Exception {
        try (var stack = SluiceStack.start(
                "queueorder", Map.of("sluice.scheduler.concurrency", "2", "sluice.scheduler.chunk-rows", "200"))) {
            // The order asked for is not the order of the names.
            List<String> asked =
                    List.of("public.f", "public.a", "public.e", "public.b", "public.d", "public.c");
            for (String table : asked) {
                stack.onSource(
                        "CREATE TABLE " + table + " (id int PRIMARY KEY, text text)",
                        "INSERT INTO " + table + " SELECT g, 'row ' || g FROM generate_series(1, 2000) g");
            }

            stack.add(asked.get(0), asked.get(1));
            stack.add(asked.get(2), asked.get(3), asked.get(4));
            stack.add(asked.get(5));
            for (String table : asked) {
                stack.awaitStreaming(table);
            }

            List<String> started = new ArrayList<>();
            Map<TableName, TableState> now = new HashMap<>();
            for (TableRecord record : stack.history()) {
                now.put(record.table(), record.state());
                assertThat(now.values().stream().filter(TableState.Active.class::isInstance))
                        .as("tables between Queued and Streaming when %s became %s", record.table(), record.state())
                        .hasSizeLessThanOrEqualTo(2);
                String name = record.table().toString();
                if (record.state() instanceof TableState.Preparing && !started.contains(name)) {
                    started.add(name);
                }
            }
            assertThat(started).as("the order in which tables started").isEqualTo(asked);
            for (String table : asked) {
                stack.assertEqual(table);
            }
        }
    }
}
