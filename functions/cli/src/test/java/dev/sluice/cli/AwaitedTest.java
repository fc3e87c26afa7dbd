package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class AwaitedTest {

    private static final String NAME = "public.orders";

    private final Board board = new Board();

    @Test
    void aBackfillIsThroughWhenTheTableStreamsInALaterRunAndNotBefore() {
        Awaited awaited = awaited(Awaited.Kind.BACKFILLED, table("Streaming", 1, "t1"));

        assertThat(look(awaited, table("Streaming", 1, "t1"))).isEmpty();
        assertThat(look(awaited, table("Queued", 1, "t2"))).isEmpty();
        assertThat(look(awaited, table("Backfilling", 2, "t3"))).isEmpty();
        assertThat(look(awaited, table("Draining", 2, "t4"))).isEmpty();
        assertThat(look(awaited, table("Streaming", 2, "t5"))).contains(List.of(new Ending(NAME, true, "streams")));
    }

    @Test
    void aFailureOfBeforeDoesNotEndTheWaitAndANewOneDoes() {
        ObjectNode failed = table("Failed", 1, "t1");
        failed.putObject("error").put("reason", "no key").put("hint", "add one");
        Awaited awaited = awaited(Awaited.Kind.BACKFILLED, failed);

        assertThat(look(awaited, failed)).isEmpty();
        assertThat(look(awaited, table("Preparing", 2, "t2"))).isEmpty();
        assertThat(look(awaited, failed.deepCopy().put("run", 2).put("since", "t3")))
                .contains(List.of(new Ending(NAME, false, "failed: no key; add one")));
    }

    @Test
    void aBackfillThatSomebodyCancelsIsNoSuccessEvenIfTheTableStreams() {
        Awaited awaited = awaited(Awaited.Kind.BACKFILLED, table("Streaming", 1, "t1"));
        ObjectNode cancelled = table("Streaming", 2, "t3");
        cancelled.putObject("asked").put("command", "cancel").put("at", "t2");

        assertThat(look(awaited, cancelled))
                .contains(List.of(new Ending(NAME, false, "streams, its backfill was cancelled")));
    }

    @Test
    void aCommandThatIsRejectedLateEndsTheWait() {
        var awaited = new Awaited(
                Awaited.Kind.BACKFILLED, Map.of(NAME, new Table(table("Streaming", 1, "t1"))), Map.of(NAME, 42L), it -> List.of(NAME));
        ObjectNode overview = overview(table("Streaming", 1, "t1"));
        ObjectNode rejection = overview.putObject("pipeline").putArray("rejections").addObject();
        rejection.put("offset", 42).put("reason", "no such column");
        board.apply(overview, true);

        assertThat(awaited.look(board)).contains(List.of(new Ending(NAME, false, "was rejected: no such column")));
    }

    @Test
    void aTableThatWaitedBeforeKeepsItsRunAndIsThroughAllTheSame() {
        Awaited awaited = awaited(Awaited.Kind.BACKFILLED, table("Queued", 5, "t1"));

        assertThat(look(awaited, table("Queued", 5, "t1"))).isEmpty();
        assertThat(look(awaited, table("Preparing", 5, "t2"))).isEmpty();
        assertThat(look(awaited, table("Streaming", 5, "t3"))).contains(List.of(new Ending(NAME, true, "streams")));
    }

    @Test
    void whatTheSchedulerHasNotSeenYetIsWaitedForAndItsRejectionIsKnown() {
        var awaited = new Awaited(Awaited.Kind.ADDED, Map.of(), Map.of(NAME, 7L), it -> List.of(NAME));
        ObjectNode rejected = overview();
        ArrayNode rejections = rejected.withObject("/pipeline").putArray("rejections");

        board.apply(overview(), true);
        assertThat(awaited.look(board)).as("before the scheduler has come to it").isEmpty();
        rejections.addObject().put("offset", 7).put("what", "add-tables public.other").put("reason", "x");
        board.apply(rejected, true);
        assertThat(awaited.look(board)).as("another table of the same request was rejected").isEmpty();
        rejections.addObject().put("offset", 7).put("what", "add-tables " + NAME).put("reason", "y");
        board.apply(rejected, true);
        assertThat(awaited.look(board)).contains(List.of(new Ending(NAME, false, "was rejected: y")));
    }

    @Test
    void aTableThatIsAddedMayBeUnknownAsLongAsTheSourceIsAsked() {
        var awaited = new Awaited(Awaited.Kind.ADDED, Map.of(), Map.of(), it -> List.of(NAME));
        ObjectNode adding = overview();
        adding.putObject("pipeline").putArray("requests").addObject().putArray("tables").add("orders");

        board.apply(adding, true);
        assertThat(awaited.look(board)).isEmpty();
        assertThat(look(awaited, table("Queued", 0, "t1"))).isEmpty();
        assertThat(look(awaited, table("Streaming", 1, "t2"))).contains(List.of(new Ending(NAME, true, "streams")));
        ObjectNode paused = table("Queued", 0, "t1");
        paused.putObject("paused").put("since", "t1");
        assertThat(look(awaited, paused))
                .contains(List.of(new Ending(NAME, false, "waits paused: sluice resume " + NAME)));
    }

    @Test
    void aComparisonIsThroughWhenItsResultIsANewOne() {
        ObjectNode before = verified("verified", "t1");
        Awaited awaited = awaited(Awaited.Kind.VERIFIED, before);

        assertThat(look(awaited, before)).isEmpty();
        assertThat(look(awaited, verified("running", "t2"))).isEmpty();
        ObjectNode differs = verified("differs", "t3");
        differs.withObject("/verification").put("differing", 2).put("rowsCompared", 1_000);
        assertThat(look(awaited, differs))
                .contains(List.of(new Ending(NAME, false, "differs in 2 keys of 1,000 rows")));
    }

    private static Awaited awaited(Awaited.Kind kind, ObjectNode before) {
        return new Awaited(kind, Map.of(NAME, new Table(before)), Map.of(), it -> List.of(NAME));
    }

    private Optional<List<Ending>> look(Awaited awaited, ObjectNode table) {
        board.apply(overview(table), true);
        return awaited.look(board);
    }

    private static ObjectNode overview(ObjectNode... tables) {
        ObjectNode overview = Json.object();
        overview.putObject("pipeline");
        overview.putArray("tables").addAll(List.of(tables));
        return overview;
    }

    static ObjectNode table(String state, long run, String since) {
        return Json.object().put("name", NAME).put("state", state).put("run", run).put("since", since);
    }

    private static ObjectNode verified(String status, String at) {
        ObjectNode table = table("Streaming", 1, "t0");
        table.putObject("verification").put("status", status).put("at", at);
        return table;
    }
}
