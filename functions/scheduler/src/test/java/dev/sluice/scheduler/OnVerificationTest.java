package dev.sluice.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Command;
import dev.sluice.domain.Event;
import dev.sluice.domain.Fault;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.Constraints;
import dev.sluice.domain.Verification;
import dev.sluice.domain.Verification.Compared;
import dev.sluice.domain.Verification.Ended;
import dev.sluice.domain.Verification.Findings;
import dev.sluice.domain.Verification.Running;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A comparison from its command to its end, and what cuts it off. */
class OnVerificationTest {

    private static final long RUN = 3;
    private static final Findings FOUND = new Findings(100, 2);

    private final Story story = Story.withTables(2);

    @BeforeEach
    void aTableStreams() {
        story.world = new World(story.world.pipeline(), Map.of(Given.TABLE, Records.streamed(
                Records.fresh(
                        Given.TABLE, new TableState.Streaming(RUN, new Constraints.Built(0)), TableOptions.NONE, Given.NOW),
                Optional.of(RUN))));
        story.offset = 40;
    }

    private Verification verification() {
        return table().verification().orElseThrow();
    }

    private TableRecord table() {
        return story.world.tables().get(Given.TABLE);
    }

    private String rejection() {
        return story.world.pipeline().rejections().getLast().reason();
    }

    @Test
    void itIsAskedForRunsAndEnds() {
        story.command(new Command.Verify(Given.TABLE));
        assertThat(verification())
                .isEqualTo(new Verification(40, RUN, story.now, Optional.of("ann"), story.now, new Running(0)));

        story.event(new Event.VerificationMoved(Given.TABLE, RUN, 40, 60));
        assertThat(verification().stage()).isEqualTo(new Running(60));

        story.event(new Event.Verified(Given.TABLE, RUN, 40, FOUND));
        assertThat(verification().stage()).isEqualTo(new Compared(FOUND, false));
        assertThat(table().state()).as("it goes on streaming").isInstanceOf(TableState.Streaming.class);
    }

    @Test
    void oneAtATimeAndAnswersToAnotherAreLate() {
        story.command(new Command.Verify(Given.TABLE)).command(new Command.Verify(Given.TABLE));
        assertThat(rejection()).contains("already");

        story.event(new Event.Verified(Given.TABLE, RUN, 39, FOUND));
        story.event(new Event.Verified(Given.TABLE, RUN - 1, 40, FOUND));
        assertThat(verification().isRunning()).isTrue();
    }

    @Test
    void itIsCancelledAndAskedForAgain() {
        story.command(new Command.Verify(Given.TABLE)).command(new Command.CancelVerification(Given.TABLE));
        assertThat(verification().stage()).isInstanceOf(Ended.class);

        story.event(new Event.Verified(Given.TABLE, RUN, 40, FOUND));
        assertThat(verification().stage()).as("the late answer").isInstanceOf(Ended.class);

        story.command(new Command.Verify(Given.TABLE));
        assertThat(verification().isRunning()).isTrue();
        assertThat(verification().number()).isEqualTo(43);
    }

    @Test
    void itFailsAndTheTableDoesNot() {
        Fault fault = Fault.unavailable("the source is away", "wait");
        story.command(new Command.Verify(Given.TABLE)).event(new Event.VerificationFailed(Given.TABLE, RUN, 40, fault));

        assertThat(verification().stage()).isEqualTo(new Ended(fault));
        assertThat(table().state()).isInstanceOf(TableState.Streaming.class);
    }

    @Test
    void aNewBackfillCutsItOff() {
        story.command(new Command.Verify(Given.TABLE)).command(new Command.Backfill(Given.TABLE));

        assertThat(verification().stage()).isInstanceOf(Ended.class);
    }

    @Test
    void aPauseCutsItOffAndForbidsIt() {
        story.command(new Command.Verify(Given.TABLE)).command(new Command.Pause(Given.TABLE));
        assertThat(verification().stage())
                .isInstanceOfSatisfying(Ended.class, ended -> assertThat(ended.fault().reason()).contains("paused"));

        story.command(new Command.Verify(Given.TABLE));
        assertThat(rejection()).contains("paused");
    }

    @Test
    void aFailureOfTheTableCutsItOff() {
        story.command(new Command.Verify(Given.TABLE))
                .event(new Event.StreamFailed(Given.TABLE, RUN, Fault.refused("no", "way"), false));

        assertThat(verification().stage()).isInstanceOf(Ended.class);
    }

    @Test
    void aResultBecomesStaleWhenANewRunBegins() {
        story.command(new Command.Verify(Given.TABLE)).event(new Event.Verified(Given.TABLE, RUN, 40, FOUND));

        story.command(new Command.Backfill(Given.TABLE));

        assertThat(table().state()).isInstanceOf(TableState.Preparing.class);
        assertThat(verification().stage()).isEqualTo(new Compared(FOUND, true));
    }
}
