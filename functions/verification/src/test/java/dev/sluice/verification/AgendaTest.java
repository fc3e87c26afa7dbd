package dev.sluice.verification;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.domain.Fault;
import dev.sluice.domain.Verification;
import dev.sluice.messaging.KnownStates;
import dev.sluice.verification.Agenda.Wanted;
import org.junit.jupiter.api.Test;

class AgendaTest {

    private static final Wanted A = new Wanted(Tables.name("a"), Tables.RUN, 5);
    private static final Wanted B = new Wanted(Tables.name("b"), Tables.RUN, 4);

    private final KnownStates known = new KnownStates();
    private final Agenda agenda = new Agenda(1, known);

    private void read(String table, long number, Verification.Stage stage) {
        known.put(Tables.streaming(table, number, stage));
    }

    @Test
    void nothingIsDueBeforeTheTopicIsRead() {
        read("a", 5, new Verification.Running(0));
        assertThat(agenda.take()).isEmpty();

        known.complete();
        assertThat(agenda.take()).containsExactly(A);
        assertThat(agenda.take()).as("it is under way").isEmpty();
    }

    @Test
    void whoAskedFirstIsFirstAndTheOthersWait() {
        known.complete();
        read("a", 5, new Verification.Running(0));
        read("b", 4, new Verification.Running(0));

        assertThat(agenda.take()).containsExactly(B);
        assertThat(agenda.take()).isEmpty();
        agenda.end(B, true);
        assertThat(agenda.take()).as("b is answered, and not begun again").containsExactly(A);
    }

    @Test
    void whileThePipelineRestsNothingIsComparedAndWhatWasBeginsAgainAfterwards() {
        known.complete();
        read("a", 5, new Verification.Running(0));
        agenda.take();

        known.rest(true);
        assertThat(agenda.unwanted()).containsExactly(A);
        agenda.end(A, false);
        assertThat(agenda.take()).isEmpty();
        known.rest(false);

        assertThat(agenda.take()).containsExactly(A);
    }

    @Test
    void whatWasNotAnsweredIsBegunAgain() {
        known.complete();
        read("a", 5, new Verification.Running(0));
        agenda.take();

        agenda.end(A, false);

        assertThat(agenda.take()).containsExactly(A);
    }

    @Test
    void whatIsNotAskedForAnyMoreIsUnwanted() {
        known.complete();
        read("a", 5, new Verification.Running(0));
        agenda.take();
        assertThat(agenda.unwanted()).isEmpty();

        read("a", 5, new Verification.Running(70));
        assertThat(agenda.unwanted()).as("its own progress").isEmpty();

        read("a", 5, new Verification.Ended(Fault.refused("cancelled", "again")));
        assertThat(agenda.unwanted()).containsExactly(A);
    }

    @Test
    void allIsUnwantedWhenAnotherProcessHasTheTopicOrTheTableIsGone() {
        known.complete();
        read("a", 5, new Verification.Running(0));
        agenda.take();

        known.remove(A.table());
        assertThat(agenda.unwanted()).containsExactly(A);
        read("a", 5, new Verification.Running(0));
        known.forget();
        assertThat(agenda.unwanted()).containsExactly(A);
    }

    @Test
    void aLaterOneOfTheTableWaitsUntilTheFirstHasEnded() {
        var two = new Agenda(2, known);
        known.complete();
        known.put(Tables.streaming("a", 5, new Verification.Running(0)));
        two.take();
        known.put(Tables.streaming("a", 9, new Verification.Running(0)));

        assertThat(two.take()).isEmpty();
        assertThat(two.unwanted()).containsExactly(A);
        two.end(A, false);
        assertThat(two.take()).containsExactly(new Wanted(A.table(), Tables.RUN, 9));
    }

    @Test
    void theBoundIsChecked() {
        assertThatThrownBy(() -> new Agenda(0, known)).hasMessageContaining("sluice.verification.tables-at-once");
    }
}
