package dev.sluice.systemtests;

import static dev.sluice.systemtests.TestTable.BY_NUMBER;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Command;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableState;
import dev.sluice.domain.Verification;
import dev.sluice.testing.FunctionsServer;
import dev.sluice.testing.SharedServers;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Each function as a process of its own: what works in one JVM works apart, too. */
class SeparateProcessesIT {

    private static final int ROWS = 30_000;

    @Test
    void theFunctionsDoTheJobApartAndAKilledWorkersTasksAreRunByAnother() throws Exception {
        List<FunctionsServer> processes = new ArrayList<>();
        try (var stack = SluiceStack.startWithoutFunctions("apart", Map.of("sluice.scheduler.chunk-rows", "300"))) {
            BY_NUMBER.create(stack, ROWS);
            processes.add(start(stack, "scheduler", "scheduler"));
            processes.add(start(stack, "completion", "completion"));
            processes.add(start(stack, "streaming", "streaming"));
            processes.add(start(stack, "verification", "verification"));
            processes.add(start(stack, "webhooks", "webhooks"));
            processes.add(start(stack, "traces", "traces"));
            FunctionsServer console = start(stack, "console", "console");
            processes.add(console);
            FunctionsServer first = start(stack, "chunk-worker", "first-worker");
            processes.add(first);
            processes.add(start(stack, "chunk-worker", "second-worker"));
            try (var writes = LiveWrites.start(stack, 2, ROWS, BY_NUMBER)) {
                stack.add(BY_NUMBER.tableName());
                stack.await(
                        BY_NUMBER.tableName(),
                        SluiceStack.LONG,
                        table -> table.state() instanceof TableState.Backfilling backfilling
                                && backfilling.plan().chunksCopied() > 5);
                first.kill();
                stack.awaitStreaming(BY_NUMBER.tableName());
                assertThat(writes.transactions()).isPositive();
            }
            stack.assertEqual(BY_NUMBER.tableName());
            stack.send(new Command.Verify(TableName.parse(BY_NUMBER.tableName())));
            Verification compared = stack.await(BY_NUMBER.tableName(), SluiceStack.LONG, table ->
                            table.verification().filter(it -> !it.isRunning()).isPresent())
                    .verification()
                    .orElseThrow();
            assertThat(compared.stage()).isInstanceOfSatisfying(
                    Verification.Compared.class, done -> assertThat(done.findings().isEqual()).isTrue());
            SluiceStack.awaitTrue("the console finds all at work", SluiceStack.LONG, () -> Stream.of(
                            "kafka", "scheduler", "chunk-worker", "completion", "streaming", "verification")
                    .allMatch(name -> ConsoleOverview.of(console).finds(name, "ok")));
            assertThat(ConsoleOverview.of(console).tables()).contains(BY_NUMBER.tableName());
        } finally {
            processes.forEach(FunctionsServer::close);
        }
    }

    private static FunctionsServer start(SluiceStack stack, String module, String name) {
        return FunctionsServer.start(SharedServers.folder("apart-" + name), module, stack.functionSettings());
    }
}
