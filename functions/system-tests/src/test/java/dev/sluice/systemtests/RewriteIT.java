package dev.sluice.systemtests;

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

/** TRUNCATE and ALTER TABLE are not MVCC-safe: right, or Failed with the reason, never silently empty (R7, R12). */
class RewriteIT {

    private static final Predicate<TableRecord> HALFWAY = table ->
            table.state() instanceof TableState.Backfilling backfilling
                    && backfilling.plan().chunksCopied() > 5;

    private static SluiceStack stack;

    @BeforeAll
    static void start() {
        stack = SluiceStack.start(
                "rewrite", Map.of("sluice.scheduler.chunk-rows", "1500", "sluice.scheduler.chunks-per-table", "2"));
    }

    @AfterAll
    static void stop() throws Exception {
        stack.close();
    }

    private static void fill(String table) throws Exception {
        stack.onSource(
                "CREATE TABLE " + table + " (id int PRIMARY KEY, text text)",
                "INSERT INTO " + table + " SELECT g, 'row ' || g FROM generate_series(1, 100000) g",
                "ANALYZE " + table);
    }

    @Test
    void truncateDuringTheBackfillLeavesWhatCameAfterIt() throws Exception {
        fill("public.truncated");
        stack.add("public.truncated");
        stack.await("public.truncated", SluiceStack.LONG, HALFWAY);

        stack.onSource(
                "TRUNCATE public.truncated",
                "INSERT INTO public.truncated SELECT g, 'after' FROM generate_series(50000, 50100) g");

        stack.awaitStreaming("public.truncated");
        stack.assertEqual("public.truncated");
        assertThat(stack.one(stack.destination(), "SELECT count(*) FROM public.truncated")).contains("101");
    }

    @Test
    void truncateOfAStreamingTableArrives() throws Exception {
        fill("public.emptied");
        stack.add("public.emptied");
        stack.awaitStreaming("public.emptied");

        stack.onSource("TRUNCATE public.emptied", "INSERT INTO public.emptied VALUES (7, 'after')");

        stack.assertEqual("public.emptied");
    }

    @Test
    void aRewritingAlterDuringTheBackfillFailsTheTableAndRetryMakesItEqual() throws Exception {
        fill("public.rewritten");
        stack.add("public.rewritten");
        stack.await("public.rewritten", SluiceStack.LONG, HALFWAY);

        // The type stays as it was, so nothing but the values tells; and a rewrite sends no changes.
        stack.onSource("ALTER TABLE public.rewritten ALTER COLUMN text TYPE text USING upper(text)");

        TableState.Failed failed = stack.awaitFailed("public.rewritten");
        assertThat(failed.fault().reason()).contains("definition");
        stack.send(new Command.Retry(TableName.parse("public.rewritten")));
        stack.awaitTrueState("public.rewritten", state -> !(state instanceof TableState.Failed));
        stack.awaitStreaming("public.rewritten");
        stack.assertEqual("public.rewritten");
    }

    @Test
    void aColumnAddedDuringTheBackfillIsFollowedInTheSameRun() throws Exception {
        fill("public.widened");
        stack.add("public.widened");
        long run = stack.await("public.widened", SluiceStack.LONG, HALFWAY).state().run();

        stack.onSource("ALTER TABLE public.widened ADD COLUMN added int DEFAULT 7");

        assertThat(stack.awaitStreaming("public.widened").state().run()).isEqualTo(run);
        stack.assertEqual("public.widened");
    }
}
