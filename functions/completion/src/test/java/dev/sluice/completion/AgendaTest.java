package dev.sluice.completion;

import static dev.sluice.completion.Records.name;
import static dev.sluice.completion.Records.table;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Attempt;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.Constraints;
import dev.sluice.domain.TableState.Outcome;
import dev.sluice.messaging.KnownStates;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class AgendaTest {

    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

    private final KnownStates known = new KnownStates();
    private final Agenda agenda = new Agenda(2, known);

    @Test
    void nothingIsTakenBeforeTheTopicIsReadToItsEnd() {
        known.put(completing("a", Attempt.first()));
        assertThat(agenda.take(NOW)).isEmpty();

        known.put(table("a", new TableState.Draining(7, Lsn.ZERO)));
        known.complete();

        assertThat(agenda.take(NOW)).as("the state that was meant to be closed is long past").isEmpty();
    }

    @Test
    void workIsTakenOnceUntilItsAnswerIsFollowedByANewTry() {
        known.complete();
        known.put(completing("a", Attempt.first()));
        List<Work> first = agenda.take(NOW);
        assertThat(first).hasSize(1);
        assertThat(agenda.take(NOW)).as("under way").isEmpty();

        agenda.end(first.get(0), true);
        assertThat(agenda.take(NOW)).as("answered").isEmpty();

        known.put(completing("a", Attempt.first().after(Fault.faulty("r", "h"), NOW).orElseThrow()));
        assertThat(agenda.take(NOW)).as("the next try is not due").isEmpty();
        assertThat(agenda.take(NOW.plusSeconds(1))).extracting(Work::attempt).containsExactly(2);
    }

    @Test
    void workWithoutAnAnswerIsTakenAgain() {
        known.complete();
        known.put(completing("a", Attempt.first()));

        agenda.end(agenda.take(NOW).get(0), false);

        assertThat(agenda.take(NOW)).hasSize(1);
    }

    @Test
    void noMoreThanTheLimitIsUnderWay() {
        known.complete();
        List.of("a", "b", "c").forEach(table -> known.put(completing(table, Attempt.first())));

        List<Work> first = agenda.take(NOW);
        assertThat(first).hasSize(2);
        agenda.end(first.get(0), true);

        assertThat(agenda.take(NOW)).extracting(Work::table).containsExactly(name("c"));
    }

    @Test
    void buildsHaveALimitOfTheirOwnSoThatOnesThatWaitKeepNoRunFromBeingClosed() {
        known.complete();
        List.of("a", "b", "c").forEach(table -> known.put(building(table)));
        List<Work> builds = agenda.take(NOW);
        assertThat(builds).extracting(Work::table).containsExactly(name("a"), name("b"));

        List.of("d", "e", "f").forEach(table -> known.put(completing(table, Attempt.first())));
        assertThat(agenda.take(NOW)).extracting(Work::table).containsExactly(name("d"), name("e"));

        agenda.end(builds.get(0), true);
        assertThat(agenda.take(NOW)).extracting(Work::table).containsExactly(name("c"));
    }

    @Test
    void aRemovedTableIsForgotten() {
        known.complete();
        known.put(completing("a", Attempt.first()));
        known.remove(name("a"));

        assertThat(agenda.take(NOW)).isEmpty();
    }

    @Test
    void whatAnotherProcessMayDoIsNotTaken() {
        known.complete();
        known.put(completing("a", Attempt.first()));
        known.forget();

        assertThat(known.isComplete()).isFalse();
        assertThat(agenda.take(NOW)).isEmpty();
    }

    @Test
    void aPausedTableRestsUntilItGoesOn() {
        known.complete();
        known.put(Records.paused(completing("a", Attempt.first())));
        known.put(Records.paused(building("b")));
        assertThat(agenda.take(NOW)).isEmpty();

        known.put(completing("a", Attempt.first()));
        known.put(building("b"));

        assertThat(agenda.take(NOW)).extracting(Work::table).containsExactly(name("a"), name("b"));
    }

    @Test
    void aPausedPipelineRestsUntilItGoesOn() {
        known.complete();
        known.rest(true);
        known.put(completing("a", Attempt.first()));
        assertThat(agenda.take(NOW)).isEmpty();

        known.rest(false);

        assertThat(agenda.take(NOW)).hasSize(1);
    }

    private static TableRecord building(String table) {
        return table(table, new TableState.Streaming(7, new Constraints.Pending(Attempt.first())));
    }

    private static TableRecord completing(String table, Attempt attempt) {
        return table(table, new TableState.Completing(7, Outcome.CUT_SHORT, 0, attempt));
    }
}
