package dev.sluice.systemtests;

import static dev.sluice.systemtests.TestTable.BY_NUMBER;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Command;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableState;
import dev.sluice.testing.Server;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Wrong commands and servers that are away: a clear error where a person looks, nothing lost, and it goes on. */
class TroubleIT {

    private static final int ROWS = 50_000;
    private static final Duration AWAY = Duration.ofSeconds(30);

    private static SluiceStack stack;

    @BeforeAll
    static void start() throws Exception {
        stack = SluiceStack.start("trouble", Map.of("sluice.scheduler.chunk-rows", "500"));
        BY_NUMBER.create(stack, ROWS);
    }

    @AfterAll
    static void stop() throws Exception {
        stack.close();
    }

    @Test
    void malformedCommandsAreRejectedWithTheirReasonAndTheNextOneWorks() throws Exception {
        stack.sendRaw("this is not JSON");
        stack.sendRaw("{\"specversion\":\"1.0\",\"type\":\"dev.sluice.command.explode\",\"data\":{}}");
        stack.sendRaw("{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/me\",\"type\":\"dev.sluice.command.backfill\","
                + "\"data\":{\"tabel\":\"public.x\"}}");
        stack.send(new Command.Backfill(TableName.parse("public.nobody_added_me")));
        stack.add("public.no_such_table", "nothing.*");
        stack.onSource("CREATE TABLE public.fine (id int PRIMARY KEY)", "INSERT INTO public.fine VALUES (1)");
        stack.sendRaw("{\"specversion\":\"1.0\",\"id\":\"2\",\"source\":\"/me\",\"type\":\"dev.sluice.command.add-tables\","
                + "\"data\":{\"tables\":[\"public.fine\"]}}");

        stack.awaitStreaming("public.fine");

        assertThat(stack.awaitFailed("public.no_such_table").fault().reason()).contains("no table");
        PipelineRecord pipeline = stack.pipelineRecord();
        assertThat(pipeline.rejections())
                .extracting(PipelineRecord.Rejection::reason)
                .anyMatch(reason -> reason.contains("JSON") || reason.contains("token"))
                .anyMatch(reason -> reason.contains("explode"))
                .anyMatch(reason -> reason.contains("tabel"))
                .anyMatch(reason -> reason.contains("does not know this table"))
                .anyMatch(reason -> reason.contains("matches"));
    }

    @Test
    void aDestinationAndASourceThatAreAwayForHalfAMinuteLoseNothing() throws Exception {
        stack.add(BY_NUMBER.tableName());
        stack.await(
                BY_NUMBER.tableName(),
                SluiceStack.LONG,
                table -> table.state() instanceof TableState.Backfilling backfilling
                        && backfilling.plan().chunksCopied() > 3);
        away(stack.destinationServer);
        stack.await(
                BY_NUMBER.tableName(),
                SluiceStack.LONG,
                table -> table.state() instanceof TableState.Backfilling backfilling
                                && backfilling.plan().chunksCopied() > 10
                        || table.state() instanceof TableState.Streaming);
        away(stack.sourceServer);
        // Debezium Server ends when it loses its source for long, as a container that is started again by its platform.
        if (!stack.debezium().isAlive() || !stack.debezium().isCapturing()) {
            stack.debezium().restart();
        }
        stack.awaitStreaming(BY_NUMBER.tableName());
        stack.assertEqual(BY_NUMBER.tableName());

        stack.onSource(BY_NUMBER.update("n % 2 = 0"));
        away(stack.destinationServer);
        stack.onSource(BY_NUMBER.update("n % 5 = 0"), BY_NUMBER.delete("n % 9 = 0"));
        stack.assertEqual(BY_NUMBER.tableName());
        assertThat(stack.functions().isLive()).as("the functions go on").isTrue();
    }

    /** Half a minute without a server: the time itself is what is tested, so it is waited for. */
    private static void away(Server server) {
        server.kill();
        Instant back = Instant.now().plus(AWAY);
        SluiceStack.awaitTrue("half a minute passes", AWAY.multipliedBy(2), () -> Instant.now().isAfter(back));
        server.restart();
    }
}
