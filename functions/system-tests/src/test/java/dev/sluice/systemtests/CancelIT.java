package dev.sluice.systemtests;

import static dev.sluice.systemtests.TestTable.BY_NUMBER;
import static dev.sluice.systemtests.TestTable.BY_UUID;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Command;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Cancel: of a first backfill, which stays incomplete, and of a second one, after which the table streams again. */
class CancelIT {

    private static final int ROWS = 40_000;
    private static final Predicate<TableRecord> HALFWAY = table ->
            table.state() instanceof TableState.Backfilling backfilling
                    && backfilling.plan().chunksCopied() > 2;

    private static SluiceStack stack;

    @BeforeAll
    static void start() {
        stack = SluiceStack.start(
                "cancel", Map.of("sluice.scheduler.chunk-rows", "500", "sluice.scheduler.chunks-per-table", "2"));
    }

    @AfterAll
    static void stop() throws Exception {
        stack.close();
    }

    @Test
    void aFirstBackfillThatIsCancelledStaysIncompleteAndSaysSoUntilItIsBackfilledAnew() throws Exception {
        String name = BY_NUMBER.tableName();
        BY_NUMBER.create(stack, ROWS);
        stack.add(name);
        stack.await(name, SluiceStack.LONG, HALFWAY);

        stack.send(new Command.Cancel(TableName.parse(name), false));

        TableRecord cancelled =
                stack.await(name, SluiceStack.LONG, table -> table.state() instanceof TableState.Cancelled);
        assertThat(((TableState.Cancelled) cancelled.state()).queueing()).isTrue();
        String rows = stack.one(stack.destination(), "SELECT count(*) FROM " + name).orElseThrow();
        assertThat(Integer.parseInt(rows)).isBetween(1, ROWS - 1);

        // Its changes queue meanwhile, and a new backfill brings all together.
        stack.onSource(BY_NUMBER.update("n <= 1000"), BY_NUMBER.delete("n BETWEEN 2000 AND 2500"));
        assertThat(stack.one(stack.destination(), "SELECT count(*) FROM " + name)).contains(rows);
        stack.send(new Command.Backfill(TableName.parse(name)));
        stack.awaitStreaming(name);
        stack.assertEqual(name);
    }

    @Test
    void aSecondBackfillThatIsCancelledLeavesAStreamingTableThatIsEqual() throws Exception {
        String name = BY_UUID.tableName();
        BY_UUID.create(stack, ROWS);
        stack.add(name);
        long first = stack.awaitStreaming(name).state().run();
        try (var writes = LiveWrites.start(stack, 2, ROWS, BY_UUID);
                var reader = BackwardsReader.start(stack, BY_UUID)) {
            stack.send(new Command.Backfill(TableName.parse(name)));
            stack.await(name, SluiceStack.LONG, table -> HALFWAY.test(table) && table.state().run() > first);

            stack.send(new Command.Cancel(TableName.parse(name), false));

            stack.awaitStreamingAfter(name, first);
            reader.close();
            assertThat(reader.backwards()).isEmpty();
            assertThat(writes.transactions()).isPositive();
        }
        stack.assertEqual(name);
    }
}
