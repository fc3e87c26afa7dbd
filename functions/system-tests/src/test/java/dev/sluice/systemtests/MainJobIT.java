package dev.sluice.systemtests;

import static dev.sluice.systemtests.TestTable.BY_PAIR;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Command;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A table of each kind under fire: backfilled, drained, streamed, and one of them backfilled once more. */
class MainJobIT {

    private static final int ROWS = 100_000;

    @Test
    void tablesThatAreWrittenToArriveEqualAndNoRowGoesBackwards() throws Exception {
        try (var stack = SluiceStack.start("mainjob", Map.of("sluice.scheduler.chunk-rows", "10000"))) {
            for (TestTable table : TestTable.values()) {
                table.create(stack, ROWS);
            }
            try (var writes = LiveWrites.start(stack, 4, ROWS, TestTable.values());
                    var reader = BackwardsReader.start(stack, TestTable.values())) {
                stack.add("public.by_*");
                for (TestTable table : TestTable.values()) {
                    stack.awaitStreaming(table.tableName());
                }

                TableRecord first = stack.table(BY_PAIR.tableName()).orElseThrow();
                reader.close();
                assertThat(reader.backwards()).as("rows that went backwards").isEmpty();
                assertThat(reader.reads()).as("reads of the reader").isGreaterThan(2);

                // Rows that somebody altered and deleted at the destination come back with a second backfill.
                stack.onDestinationAlone(
                        BY_PAIR,
                        "DELETE FROM public.by_pair WHERE n % 5 = 0",
                        "UPDATE public.by_pair SET note = 'altered by hand', version = 0 WHERE n % 7 = 1",
                        "INSERT INTO public.by_pair (ref, line, n, version) VALUES ('zzz', 99, -1, 0), ('', -5, -2, 0)");
                try (var second = BackwardsReader.start(stack, TestTable.values())) {
                    stack.send(new Command.Backfill(TableName.parse(BY_PAIR.tableName())));
                    stack.awaitStreamingAfter(BY_PAIR.tableName(), first.state().run());
                    second.close();
                    assertThat(second.backwards()).as("rows that went backwards").isEmpty();
                }
                assertThat(writes.transactions()).as("transactions of the writers").isGreaterThan(100);
            }

            for (TestTable table : TestTable.values()) {
                stack.assertEqual(table.tableName());
            }
        }
    }
}
