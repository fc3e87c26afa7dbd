package dev.sluice.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Command;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableState;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** One bad table stops alone: Failed with a reason that helps, while the others go on. */
class FailedTableIT {

    private static SluiceStack stack;

    @BeforeAll
    static void start() {
        stack = SluiceStack.start("failed", Map.of());
    }

    @AfterAll
    static void stop() throws Exception {
        stack.close();
    }

    @Test
    void aConstraintAtTheDestinationFailsItsTableAloneAndRetrySucceedsOnceItIsGone() throws Exception {
        for (String table : new String[] {"public.bad", "public.good"}) {
            stack.onSource(
                    "CREATE TABLE " + table + " (id int PRIMARY KEY, amount int)",
                    "INSERT INTO " + table + " SELECT g, g - 10 FROM generate_series(1, 5000) g");
        }
        stack.onDestination("CREATE TABLE public.bad (id int PRIMARY KEY, amount int, "
                + "CONSTRAINT amount_is_positive CHECK (amount > 0))");

        stack.add("public.bad", "public.good");

        TableState.Failed failed = stack.awaitFailed("public.bad");
        assertThat(failed.phase()).isEqualTo(TableState.Phase.BACKFILLING);
        assertThat(failed.fault().reason()).contains("amount_is_positive");
        assertThat(failed.fault().hint()).isNotBlank();
        stack.awaitStreaming("public.good");
        stack.onSource("INSERT INTO public.good VALUES (6000, 1)");
        stack.assertEqual("public.good");

        stack.onDestination("ALTER TABLE public.bad DROP CONSTRAINT amount_is_positive");
        stack.send(new Command.Retry(TableName.parse("public.bad")));
        stack.awaitTrueState("public.bad", state -> !(state instanceof TableState.Failed));
        stack.awaitStreaming("public.bad");
        stack.assertEqual("public.bad");
    }

    @Test
    void aChangeThatTheDestinationRefusesFailsTheStreamingTableAndRetryGoesOnWithTheQueue() throws Exception {
        stack.onSource("CREATE TABLE public.later (id int PRIMARY KEY, amount int)", "INSERT INTO public.later VALUES (1, 1)");
        stack.add("public.later");
        long run = stack.awaitStreaming("public.later").state().run();
        stack.onDestination("ALTER TABLE public.later ADD CONSTRAINT small CHECK (amount < 100)");

        stack.onSource("INSERT INTO public.later VALUES (2, 1000)", "UPDATE public.later SET amount = 3 WHERE id = 1");

        assertThat(stack.awaitFailed("public.later").fault().reason()).contains("small");
        stack.onDestination("ALTER TABLE public.later DROP CONSTRAINT small");
        stack.send(new Command.Retry(TableName.parse("public.later")));
        stack.awaitTrueState("public.later", state -> !(state instanceof TableState.Failed));
        assertThat(stack.awaitStreaming("public.later").state().run()).as("no new backfill").isEqualTo(run);
        stack.assertEqual("public.later");
    }

    @Test
    void aTableWithoutKeyIsRefusedBeforeAnythingIsTouched() throws Exception {
        stack.onSource("CREATE TABLE public.keyless (id int)", "INSERT INTO public.keyless VALUES (1)");

        stack.add("public.keyless");

        assertThat(stack.awaitFailed("public.keyless").fault().reason()).contains("primary key");
        assertThat(stack.one(
                        stack.source(),
                        "SELECT count(*) FROM pg_publication_tables WHERE tablename = 'keyless'"))
                .contains("0");
        stack.onSource("UPDATE public.keyless SET id = 2", "DELETE FROM public.keyless");
    }

    @Test
    void captureThatEndsSilentlyFailsTheTable() throws Exception {
        stack.onSource("CREATE TABLE public.watched (id int PRIMARY KEY)", "INSERT INTO public.watched VALUES (1)");
        stack.add("public.watched");
        stack.awaitStreaming("public.watched");

        stack.onSource("ALTER PUBLICATION " + stack.pipeline.publication() + " DROP TABLE public.watched");
        stack.onSource("INSERT INTO public.watched VALUES (2)");

        TableState.Failed failed = stack.awaitFailed("public.watched");
        assertThat(failed.phase()).isEqualTo(TableState.Phase.CAPTURE);
        stack.send(new Command.Retry(TableName.parse("public.watched")));
        stack.awaitTrueState("public.watched", state -> !(state instanceof TableState.Failed));
        stack.awaitStreaming("public.watched");
        stack.assertEqual("public.watched");
    }
}
