package dev.sluice.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Attempt;
import dev.sluice.domain.Command;
import dev.sluice.domain.Key;
import dev.sluice.domain.Pause;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.Step;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class EffectTest {

    private static final Limits LIMITS = new Limits(2, 4, 2, 5);

    @Test
    void theStepThatIsDueIsPrepared() {
        assertThat(due(Given.again(Given.preparing(Step.BARRIER))))
                .singleElement()
                .isInstanceOfSatisfying(Effect.Prepare.class, prepare -> {
                    assertThat(prepare.step()).isEqualTo(Step.BARRIER);
                    assertThat(prepare.attempt()).isEqualTo(Given.ATTEMPT);
                    assertThat(prepare.captured()).contains(Given.IDENTITY);
                    assertThat(prepare.options()).isEqualTo(TableOptions.NONE);
                });
    }

    @Test
    void nothingIsDueBeforeItsTime() {
        Attempt later = Given.attempt().after(Given.FAULTY, Given.NOW).orElseThrow();

        assertThat(due(Given.first(Given.preparing(Step.BARRIER, later)))).isEmpty();
        assertThat(due(Given.first(new TableState.Leaving(Given.RUN, true, later)))).isEmpty();
        assertThat(due(Given.first(Given.backfilling(later, Given.attempt())))).isEmpty();
    }

    @Test
    void nothingBeginsForATableThatRestsOrInAPipelineThatDoes() {
        var pause = Optional.of(new Pause(Optional.of("ann"), Given.BEFORE));
        var goingOn = Optional.of(new Pause(Optional.of("ann"), Given.BEFORE, Optional.of(15L)));
        for (TableRecord table : List.of(
                Given.again(Given.preparing(Step.BARRIER)), Given.first(Given.backfilling()))) {
            assertThat(due(table)).isNotEmpty();
            assertThat(due(Records.paused(table, pause))).isEmpty();
            assertThat(due(Records.paused(table, goingOn))).as("it has no place yet").isEmpty();

            var fold = new Fold(world(table), LIMITS);
            fold.command(new Command.PausePipeline(), Optional.empty(), 20, Given.NOW);
            assertThat(Effect.due(fold.finish(Given.NOW).world(), LIMITS, Given.NOW)).isEmpty();
        }
    }

    @Test
    void oneThatWaitsIsTheSameEffectStill() {
        TableRecord waits = Given.first(Given.preparing(Step.BARRIER));
        Turn.Becomes told = (Turn.Becomes) OnEvent.decide(waits, Given.events().get("StepWaiting BARRIER"), Given.NOW);

        assertThat(due(told.next())).isEqualTo(due(waits));
    }

    @Test
    void anEffectIsTheSameWhileChunksGoOutAndComeBack() {
        // given a table of which planning is due
        TableRecord copying = Given.first(Given.backfilling());

        // when a chunk is copied meanwhile
        Turn.Becomes further = (Turn.Becomes) OnEvent.decide(copying, Given.events().get("ChunkCopied"), Given.NOW);

        // then the planning under way is the one that is wanted still
        assertThat(due(further.next())).isEqualTo(due(copying)).isNotEmpty();
    }

    @Test
    void planningGoesOnFromWhereItStands() {
        assertThat(due(Given.first(Given.backfilling())))
                .containsExactly(new Effect.PlanChunks(
                        Given.TABLE, TableOptions.NONE, Given.RUN, Given.ATTEMPT, "f", Optional.of(Key.of("30")), Key.of("100"), 3,
                        50_000));
    }

    @Test
    void aCompletePlanIsNotGoneOnWith() {
        assertThat(due(Given.first(Given.lastChunk()))).isEmpty();
    }

    @Test
    void neverMoreChunksWaitThanTheLimitSays() {
        for (int ahead = 1; ahead <= 64; ahead++) {
            var limits = new Limits(1, 1, 1, ahead);
            for (int waiting = 0; waiting <= ahead; waiting++) {
                int planned = Effect.due(world(Given.first(withWaiting(waiting))), limits, Given.NOW).stream()
                        .mapToInt(effect -> ((Effect.PlanChunks) effect).chunks())
                        .sum();
                assertThat(waiting + planned).as("%d ahead, %d wait", ahead, waiting).isLessThanOrEqualTo(ahead);
            }
        }
    }

    @Test
    void planningStartsWheneverNothingWaits() {
        for (int ahead = 1; ahead <= 64; ahead++) {
            assertThat(Effect.due(world(Given.first(withWaiting(0))), new Limits(1, 1, 1, ahead), Given.NOW))
                    .as("%d ahead", ahead)
                    .hasSize(1);
        }
    }

    @Test
    void statesThatWaitForOthersHaveNoEffect() {
        for (String name : List.of(
                "queued", "completing COPIED", "draining", "streaming", "streaming, built", "cancelled", "failed copying")) {
            assertThat(due(Given.tables().get(name))).as(name).isEmpty();
        }
    }

    @Test
    void whatLeavesIsTakenOut() {
        assertThat(due(Given.tables().get("removing")))
                .singleElement()
                .isInstanceOfSatisfying(Effect.Leave.class, leave -> assertThat(leave.toBeRemoved()).isTrue());
    }

    private static TableState.Backfilling withWaiting(int waiting) {
        var open = IntStream.range(0, waiting)
                .mapToObj(chunk -> new TableState.OpenChunk(
                        chunk, dev.sluice.domain.KeyRange.ALL, Attempt.first(), false, false))
                .toList();
        return new TableState.Backfilling(
                Given.RUN,
                Given.INSPECTED,
                Given.BOUNDED,
                new TableState.ChunkPlan(waiting, Optional.of(Key.of("30")), false, Attempt.first(), open, 0, 0, 0));
    }

    private static List<Effect> due(TableRecord table) {
        return Effect.due(world(table), LIMITS, Given.NOW);
    }

    private static World world(TableRecord table) {
        return new World(PipelineRecord.empty(), Map.of(table.table(), table));
    }
}
