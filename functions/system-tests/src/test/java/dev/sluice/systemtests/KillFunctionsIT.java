package dev.sluice.systemtests;

import static dev.sluice.systemtests.TestTable.BY_NUMBER;
import static dev.sluice.systemtests.TestTable.BY_PAIR;
import static dev.sluice.systemtests.TestTable.BY_UUID;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.TableState;
import dev.sluice.testing.FunctionsServer;
import dev.sluice.testing.SharedServers;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The functions may die at any moment, or be thought dead and come back. */
class KillFunctionsIT {

    private static final int ROWS = 15_000;

    @Test
    void killedDuringBackfillAndDrainTheyGoOnWhereTheyWere() throws Exception {
        try (var stack = SluiceStack.start("killed", Map.of("sluice.scheduler.chunk-rows", "400"))) {
            for (TestTable table : TestTable.values()) {
                table.create(stack, ROWS);
            }
            try (var writes = LiveWrites.start(stack, 3, ROWS, TestTable.values());
                    var reader = BackwardsReader.start(stack, TestTable.values())) {
                stack.add("public.by_*");
                stack.await(
                        BY_NUMBER.tableName(),
                        SluiceStack.LONG,
                        table -> table.state() instanceof TableState.Backfilling backfilling
                                && backfilling.plan().chunksCopied() > 3);

                stack.functions().kill();
                // While nobody applies, a queue builds up that is worth a kill of its own.
                stack.onSourceAlone(BY_NUMBER, BY_NUMBER.update("true"));
                stack.onSourceAlone(BY_PAIR, BY_PAIR.update("true"));
                stack.onSourceAlone(BY_NUMBER, BY_NUMBER.update("n % 2 = 0"));
                stack.functions().restart();

                SluiceStack.awaitTrue("a table drains or streams", SluiceStack.LONG, () -> stack.table(BY_NUMBER.tableName())
                        .map(it -> it.state() instanceof TableState.Draining || it.state() instanceof TableState.Streaming)
                        .orElse(false));
                stack.functions().kill();
                stack.functions().restart();

                for (TestTable table : TestTable.values()) {
                    stack.awaitStreaming(table.tableName());
                }
                stack.functions().kill();
                stack.functions().restart();
                reader.close();
                assertThat(reader.backwards()).as("rows that went backwards").isEmpty();
                assertThat(writes.transactions()).isPositive();
            }
            for (TestTable table : TestTable.values()) {
                stack.assertEqual(table.tableName());
            }
        }
    }

    @Test
    void stoppedAndThoughtDeadTheyChangeNothingWhenTheyComeBack() throws Exception {
        try (var stack = SluiceStack.start("zombie", Map.of("sluice.scheduler.chunk-rows", "400"))) {
            BY_UUID.create(stack, ROWS);
            try (var writes = LiveWrites.start(stack, 3, ROWS, BY_UUID);
                    var reader = BackwardsReader.start(stack, BY_UUID)) {
                stack.add(BY_UUID.tableName());
                stack.await(
                        BY_UUID.tableName(),
                        SluiceStack.LONG,
                        table -> table.state() instanceof TableState.Backfilling backfilling
                                && backfilling.plan().chunksCopied() > 3);
                signal(stack.functions().pid(), "STOP");
                try (var successor = FunctionsServer.start(
                        SharedServers.folder("zombie-successor"), stack.functionSettings())) {
                    stack.awaitStreaming(BY_UUID.tableName());
                    signal(stack.functions().pid(), "CONT");
                    stack.onSourceAlone(BY_UUID, BY_UUID.update("n % 3 = 0"));
                    stack.awaitQueueApplied(BY_UUID.tableName());

                    reader.close();
                    assertThat(reader.backwards()).as("rows that went backwards").isEmpty();
                    writes.close();
                    stack.assertEqual(BY_UUID.tableName());
                }
            }
        }
    }

    private static void signal(long pid, String signal) throws IOException, InterruptedException {
        Process kill = new ProcessBuilder("/bin/sh", "-c", "kill -" + signal + " " + pid).inheritIO().start();
        assertThat(kill.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(kill.exitValue()).isZero();
    }
}
