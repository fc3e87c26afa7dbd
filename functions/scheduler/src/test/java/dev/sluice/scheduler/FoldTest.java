package dev.sluice.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.ChunkTask;
import dev.sluice.domain.Command;
import dev.sluice.domain.Event;
import dev.sluice.domain.Fault;
import dev.sluice.domain.KeyBounds;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.PipelineRecord.Rejection;
import dev.sluice.domain.PipelineRecord.SlotTask;
import dev.sluice.domain.Setting;
import dev.sluice.domain.Settings;
import dev.sluice.domain.Step;
import dev.sluice.domain.StepResult;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.Backfilling;
import dev.sluice.domain.TableState.Cancelled;
import dev.sluice.domain.TableState.Completing;
import dev.sluice.domain.TableState.Draining;
import dev.sluice.domain.TableState.Failed;
import dev.sluice.domain.TableState.Leaving;
import dev.sluice.domain.TableState.Outcome;
import dev.sluice.domain.TableState.Phase;
import dev.sluice.domain.TableState.Preparing;
import dev.sluice.domain.TableState.Queued;
import dev.sluice.domain.TableState.Streaming;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Stories of one or more tables, told input by input. */
class FoldTest {

    private static final TableName A = new TableName("public", "a");
    private static final TableName B = new TableName("public", "b");

    @Test
    void aTableGoesFromQueuedToStreaming() {
        // given a table of the source
        var story = Story.withTables(1, "a").add("a");

        // when everything it waits for is answered well
        List<String> states = new ArrayList<>();
        while (!(story.state("a") instanceof Streaming)) {
            states.add(story.kind("a"));
            story.event(story.answers(A).getFirst());
        }

        // then it passes each state once, in order
        assertThat(states.stream().distinct())
                .containsExactly("Preparing", "Backfilling", "Completing", "Draining");
    }

    @Test
    void aPreparationTakesItsStepsInOrder() {
        var story = Story.withTables(1, "a").add("a");

        List<Step> steps = new ArrayList<>();
        while (story.state("a") instanceof Preparing preparing) {
            steps.add(preparing.step());
            story.event(story.answers(A).getFirst());
        }

        assertThat(steps).containsExactly(Step.values());
    }

    @Test
    void theRangesOfARunCoverTheKeySpaceWithoutGapOrOverlap() {
        var story = Story.withTables(1, "a").add("a").untilStreaming("a");

        List<KeyRange> ranges = story.tasksOf("a").stream().map(task -> task.range()).toList();

        assertThat(ranges.getFirst().after()).as("starts at −∞").isEmpty();
        for (int i = 1; i < ranges.size(); i++) {
            assertThat(ranges.get(i).after()).as("chunk %d goes on from the one before", i).isEqualTo(ranges.get(i - 1).upTo());
        }
        assertThat(ranges.getLast().upTo()).as("ends at +∞").isEmpty();
    }

    @Test
    void theRangeAboveTheHighestKeyIsDeletedAsOfTheSnapshotThatFoundIt() {
        var story = Story.withTables(1, "a").add("a").untilStreaming("a");

        assertThat(story.tasksOf("a").stream().filter(task -> task.emptyAsOf().isPresent()))
                .singleElement()
                .satisfies(task -> {
                    assertThat(task.range().toString()).isEqualTo("((100), +∞)");
                    assertThat(task.emptyAsOf()).contains(Given.BOUNDED.snapshot());
                });
    }

    @Test
    void anEmptyTableIsOneChunkThatDeletes() {
        var story = Story.withTables(1, "a");
        story.empty.add(A);

        story.add("a").untilStreaming("a");

        assertThat(story.tasksOf("a"))
                .singleElement()
                .satisfies(task -> {
                    assertThat(task.range()).isEqualTo(KeyRange.ALL);
                    assertThat(task.emptyAsOf()).isPresent();
                });
    }

    @Test
    void aTablesProgressIsCounted() {
        var progress = Story.withTables(1, "a").add("a").untilStreaming("a").record("a").progress();

        assertThat(progress.rowsEstimated()).isEqualTo(500);
        assertThat(progress.chunksCopied()).isEqualTo(11);
        assertThat(progress.rowsCopied()).isEqualTo(110);
        assertThat(progress.copyFinished()).isPresent();
    }

    @Test
    void tablesOfOneCommandStartInItsOrder() {
        var story = Story.withTables(1, "c", "a", "b").add("c", "a", "b");

        assertThat(startOrder(story, 3)).containsExactly("public.c", "public.a", "public.b");
    }

    @Test
    void tablesStartInTheOrderOfTheRequestsNotOfTheAnswers() {
        // given a request that the source has not answered, and a backfill that is asked for meanwhile
        var story = Story.withTables(1, "a", "b", "c").add("a", "b").untilStreaming("a", "b");
        story.add("c").until("c", Preparing.class);
        story.source.add(TableName.parse("d"));
        story.command(new Command.AddTables(List.of("d")));
        story.command(new Command.Backfill(B));

        // when the source answers
        story.answerNextRequest();

        // then the table of the earlier request is first
        story.untilStreaming("c");
        assertThat(story.kind("d")).as("d, asked for first").isEqualTo("Preparing");
        assertThat(story.kind("b")).as("b").isEqualTo("Queued");
    }

    @Test
    void whatGoesOnWaitsForItsTurnToo() {
        // given a table that failed while it drained, and another that was asked for before the retry
        var story = Story.withTables(1, "a", "b", "c").add("a").until("a", Draining.class);
        story.event(new Event.StreamFailed(A, story.state("a").run(), Given.REFUSED, false));
        story.add("b", "c");

        // when it is retried
        story.command(new Command.Retry(A));

        // then it is third
        assertThat(startOrder(story, 3)).containsExactly("public.b", "public.c", "public.a");
    }

    @Test
    void noMoreTablesThanTheLimitAreActive() {
        var story = Story.withTables(2, "a", "b", "c").add("a", "b", "c");

        assertThat(List.of(story.kind("a"), story.kind("b"), story.kind("c")))
                .containsExactly("Preparing", "Preparing", "Queued");
    }

    @Test
    void aTableThatFailsMakesRoom() {
        var story = Story.withTables(1, "a", "b").add("a", "b");

        story.event(new Event.StepFailed(A, story.state("a").run(), Step.INSPECT, 1, Given.REFUSED));

        assertThat(story.kind("b")).isEqualTo("Preparing");
    }

    @Test
    void requestsAreAskedAboutOneAtATimeInOrder() {
        var story = Story.withTables(1, "a", "b");
        story.command(new Command.AddTables(List.of("b"))).command(new Command.AddTables(List.of("a")));

        assertThat(Effect.due(story.world, story.limits, story.now))
                .containsExactly(new Effect.MatchTables(0, 1, List.of("b")));
    }

    @Test
    void anAnswerToALaterRequestIsIgnored() {
        var story = Story.withTables(1, "a", "b");
        story.command(new Command.AddTables(List.of("b"))).command(new Command.AddTables(List.of("a")));

        story.event(new Event.TablesMatched(1, List.of(A), List.of()));

        assertThat(story.world.tables()).isEmpty();
        assertThat(story.notes).last().asString().contains("ignored");
    }

    @Test
    void aRequestIsAnsweredOnce() {
        var story = Story.withTables(1, "a").add("a");

        story.event(new Event.TablesMatched(0, List.of(B), List.of()));

        assertThat(story.world.tables()).containsOnlyKeys(A);
    }

    @Test
    void aSourceThatIsAwayIsAskedAgain() {
        var story = Story.withTables(1, "a").command(new Command.AddTables(List.of("a")));

        story.event(new Event.MatchingFailed(0, 1, Fault.unavailable("no source", "start it")));

        assertThat(Effect.due(story.world, story.limits, story.now)).as("at once").isEmpty();
        assertThat(Effect.due(story.world, story.limits, story.now.plusSeconds(1)))
                .as("after a second")
                .containsExactly(new Effect.MatchTables(0, 2, List.of("a")));
    }

    @Test
    void aRequestThatTheSourceRefusesIsRejectedAndTheNextOneIsAsked() {
        var story = Story.withTables(1, "a");
        story.command(new Command.AddTables(List.of("a"))).command(new Command.AddTables(List.of("b")));

        story.event(new Event.MatchingFailed(0, 1, Given.REFUSED));

        assertThat(story.world.pipeline().rejections())
                .containsExactly(new Rejection(2, "add-tables [a]", Given.REFUSED.reason(), Optional.of(0L)));
        assertThat(story.world.pipeline().requests()).extracting(PipelineRecord.Request::offset).containsExactly(1L);
    }

    @Test
    void aLateFailureToAskTheSourceIsIgnored() {
        var story = Story.withTables(1, "a").command(new Command.AddTables(List.of("a")));
        story.event(new Event.MatchingFailed(0, 1, Given.FAULTY));

        story.event(new Event.MatchingFailed(0, 1, Given.FAULTY));

        assertThat(story.world.pipeline().requests().getFirst().attempt().number()).isEqualTo(2);
    }

    @Test
    void aNameThatTheSourceDoesNotHaveStandsAsFailed() {
        var story = Story.withTables(1).add("public.nothing");

        assertThat(story.state("public.nothing"))
                .isInstanceOfSatisfying(Failed.class, failed -> assertThat(failed.fault().reason())
                        .isEqualTo("the source has no table public.nothing"));
    }

    @Test
    void aRetryLooksForTheUnknownTableAgain() {
        var story = Story.withTables(1).add("public.nothing");

        story.command(new Command.Retry(TableName.parse("public.nothing")));

        assertThat(story.kind("public.nothing")).isEqualTo("Preparing");
    }

    @Test
    void aPatternThatMatchesNothingIsRejected() {
        var story = Story.withTables(1).add("nothing_*.x");

        assertThat(story.world.tables()).isEmpty();
        assertThat(story.world.pipeline().rejections())
                .extracting(Rejection::reason)
                .containsExactly("no table of the source matches");
    }

    @Test
    void aTableThatIsKnownIsNotAddedAgain() {
        var story = Story.withTables(1, "a").add("a").untilStreaming("a");

        story.add("a");

        assertThat(story.kind("a")).isEqualTo("Streaming");
        assertThat(story.notes).last().isEqualTo("public.a is known already");
    }

    @Test
    void aCommandAboutAnUnknownTableIsRejected() {
        var story = Story.withTables(1).command(new Command.Cancel(A, false));

        assertThat(story.world.pipeline().rejections())
                .containsExactly(new Rejection(
                        0, "Cancel public.a", "Sluice does not know this table; send add-tables first"));
    }

    @Test
    void anEventAboutAnUnknownTableIsIgnored() {
        var story = Story.withTables(1).event(new Event.TableCaughtUp(A, 3));

        assertThat(story.notes).containsExactly("TableCaughtUp public.a ignored: the table is not known");
        assertThat(story.world.pipeline().rejections()).isEmpty();
    }

    @Test
    void moreRequestsThanTheLimitAreRejected() {
        var story = Story.withTables(1);
        for (int i = 0; i < PipelineRecord.REQUESTS_MAX; i++) {
            story.command(new Command.AddTables(List.of("a")));
        }

        story.command(new Command.AddTables(List.of("a")));

        assertThat(story.world.pipeline().requests()).hasSize(PipelineRecord.REQUESTS_MAX);
        assertThat(story.notes).last().asString().contains("too many requests");
    }

    @Test
    void requestsOfMoreNamesThanTheStateCanHoldAreRejected() {
        var story = Story.withTables(1);
        var huge = new Command.AddTables(Collections.nCopies(1_000, "x".repeat(257)));

        story.command(huge).command(huge);

        assertThat(story.world.pipeline().requests()).hasSize(1);
        assertThat(story.world.pipeline().rejections().getFirst().what()).hasSizeLessThan(510);
    }

    @Test
    void poisonIsRejectedAndWhatFollowsIsRead() {
        var story = Story.withTables(1, "a").poison("no JSON").add("a");

        assertThat(story.world.pipeline().rejections()).containsExactly(new Rejection(0, "unreadable input", "no JSON"));
        assertThat(story.kind("a")).isEqualTo("Preparing");
    }

    @Test
    void theLastTwentyRejectionsAreKept() {
        var story = Story.withTables(1);
        for (int i = 0; i < 30; i++) {
            story.poison("no JSON");
        }

        assertThat(story.world.pipeline().rejections()).extracting(Rejection::offset).containsExactly(
                10L, 11L, 12L, 13L, 14L, 15L, 16L, 17L, 18L, 19L, 20L, 21L, 22L, 23L, 24L, 25L, 26L, 27L, 28L, 29L);
    }

    @Test
    void theNextInputIsTheOneBehindTheLast() {
        var story = Story.withTables(1, "a").poison("no JSON").add("a");

        assertThat(story.world.pipeline().inputOffset()).isEqualTo(3);
    }

    @Test
    void aBatchWithoutInputThatChangesNothingIsEmpty() {
        var story = Story.withTables(1, "a").add("a");

        assertThat(story.after(Duration.ofSeconds(1)).last.isEmpty()).isTrue();
    }

    @Test
    void aBatchNamesWhatItChanged() {
        var story = Story.withTables(2, "a", "b").add("a", "b");

        story.event(new Event.StepDone(A, story.state("a").run(), Step.INSPECT, 1, Given.INSPECTED));

        assertThat(story.last.changed()).containsExactly(A);
    }

    @Test
    void oneBatchComesToTheSameAsManyOfOneInput() {
        // given inputs that were folded one by one
        var many = Story.withTables(1, "a", "b");
        List<Event> events = new ArrayList<>();
        many.command(new Command.AddTables(List.of("a", "b")));
        var first = new Event.TablesMatched(0, List.of(A, B), List.of());
        many.event(first);
        events.add(first);
        for (int i = 0; i < 5; i++) {
            Event next = many.answers(A).getFirst();
            events.add(next);
            many.event(next);
        }

        // when the steps of the one that is let in are folded in one batch
        var one = Story.withTables(1, "a", "b");
        one.command(new Command.AddTables(List.of("a", "b"))).event(first);
        one.fold(fold -> events.stream().skip(1).forEach(event -> fold.event(event, one.offset++, one.now)));

        // then the world is the same
        assertThat(one.world).isEqualTo(many.world);
    }

    @Test
    void aSlotHasOneTaskAtATime() {
        var story = new Story(new Limits(1, 2, 2, 4));
        story.source.add(A);

        story.add("a").until("a", Backfilling.class).event(story.answers(A).getFirst());

        assertThat(story.world.pipeline().slots()).containsOnlyKeys(0, 1);
        assertThat(story.tasks).hasSize(2);
    }

    @Test
    void aSlotIsFreedByItsOwnAnswerOnly() {
        var story = copying();
        SlotTask task = story.world.pipeline().slots().get(0);

        story.event(new Event.ChunkFailed(A, task.run(), task.chunk(), task.attempt() + 1, Given.FAULTY));
        story.event(new Event.ChunkFailed(A, task.run() + 1, task.chunk(), task.attempt(), Given.FAULTY));

        assertThat(story.world.pipeline().slots()).containsEntry(0, task);
    }

    @Test
    void aChunkThatFailsIsTriedAgainLaterUnderAHigherAttempt() {
        var story = copying();
        SlotTask task = story.world.pipeline().slots().get(0);

        story.event(new Event.ChunkFailed(A, task.run(), task.chunk(), task.attempt(), Given.FAULTY));
        assertThat(story.tasks.stream().filter(it -> it.task().chunk() == task.chunk())).as("at once").hasSize(1);

        story.event(new Event.ChunkCopied(A, task.run(), 1, 1, 10, 100, 1));
        story.after(Duration.ofSeconds(1));
        assertThat(story.tasks.stream().map(Fold.Dispatched::task).filter(it -> it.chunk() == task.chunk()))
                .extracting(it -> it.attempt())
                .containsExactly(1, 2);
    }

    @Test
    void theAnswerOfATableThatIsGoneFreesItsSlot() {
        // given a table that is removed while two of its chunks are in flight
        var story = copying();
        List<SlotTask> inFlight = List.copyOf(story.world.pipeline().slots().values());
        story.command(new Command.Remove(A)).event(story.answers(A).getFirst());

        // when the workers answer
        for (SlotTask task : inFlight) {
            story.event(new Event.ChunkFailed(A, task.run(), task.chunk(), task.attempt(), Given.FAULTY));
        }

        // then their slots are free
        assertThat(story.world.tables()).isEmpty();
        assertThat(story.world.pipeline().slots()).isEmpty();
    }

    @Test
    void olderRunsGetSlotsFirst() {
        var story = new Story(new Limits(2, 1, 1, 4));
        story.source.addAll(List.of(A, B));
        story.add("b").add("a");
        story.until("a", Backfilling.class).until("b", Backfilling.class);

        // when both have chunks, and a slot is free
        story.event(story.answers(A).getFirst());
        SlotTask first = story.world.pipeline().slots().get(0);
        story.event(story.answers(B).getFirst());
        story.event(new Event.ChunkCopied(A, first.run(), first.chunk(), 1, 1, 1, 1));

        assertThat(story.world.pipeline().slots().get(0).table()).isEqualTo(B);
    }

    @Test
    void aCancelOfAFirstBackfillLeavesItIncompleteWithItsQueue() {
        var story = copying().command(new Command.Cancel(A, false));
        assertThat(story.state("a")).isInstanceOfSatisfying(
                Completing.class, closing -> assertThat(closing.outcome()).isEqualTo(Outcome.ABANDONED));

        story.until("a", Cancelled.class);

        assertThat(((Cancelled) story.state("a")).queueing()).isTrue();
    }

    @Test
    void aCancelCanDropTheQueueToo() {
        var story = copying().command(new Command.Cancel(A, true)).until("a", Leaving.class).until("a", Cancelled.class);

        assertThat(story.record("a").captured()).isEmpty();
        assertThat(((Cancelled) story.state("a")).queueing()).isFalse();
    }

    @Test
    void aCancelOfASecondBackfillDrainsAndStreams() {
        var story = copyingAgain().command(new Command.Cancel(A, false));

        story.untilStreaming("a");

        assertThat(story.record("a").streamedRun()).contains(story.state("a").run());
    }

    @Test
    void noChunkGoesOutAfterACancel() {
        var story = copying().command(new Command.Cancel(A, false));
        int before = story.tasks.size();

        story.event(new Event.ChunkCopied(A, story.state("a").run(), 0, 1, 10, 100, 1)).after(Duration.ofMinutes(1));

        assertThat(story.tasks).hasSize(before);
    }

    @Test
    void aCancelledFirstBackfillIsNeverDrainedNotEvenByARetry() {
        // given a cancel that could not be carried out
        var story = copying().command(new Command.Cancel(A, false));
        story.event(new Event.ClosingFailed(
                A, story.state("a").run(), ((Completing) story.state("a")).attempt().number(), Given.REFUSED));
        assertThat(story.kind("a")).isEqualTo("Failed");

        // when it is retried and answered well
        story.command(new Command.Retry(A)).until("a", Cancelled.class);

        // then the cancel is carried out: a part of a table does not stream
        assertThat(story.record("a").streamedRun()).isEmpty();
    }

    @Test
    void aRetriedClosingCountsTheChunksAgain() {
        var story = Story.withTables(1, "a").add("a").until("a", Completing.class);
        var first = (Completing) story.state("a");
        for (int number = first.attempt().number(); story.state("a") instanceof Completing; number++) {
            story.event(new Event.ClosingFailed(A, first.run(), number, Given.FAULTY));
        }

        story.command(new Command.Retry(A));

        assertThat(story.state("a")).isInstanceOfSatisfying(Completing.class, again -> {
            assertThat(again.outcome()).isEqualTo(Outcome.COPIED);
            assertThat(again.chunks()).isEqualTo(11);
        });
    }

    @Test
    void aCancelOfAQueuedTableThatStreamsMeanwhileGoesBackToStreaming() {
        var story = Story.withTables(1, "a", "b").add("a").untilStreaming("a").add("b");
        story.command(new Command.Backfill(A));
        assertThat(story.kind("a")).isEqualTo("Queued");

        story.command(new Command.Cancel(A, false));

        assertThat(story.kind("a")).isEqualTo("Streaming");
    }

    @Test
    void aCancelOfAQueuedTableThatAnOlderRunHoldsClosesARun() {
        // given a second backfill that is under way, so that streaming is held, and is asked for once more
        var story = copyingAgain();
        story.source.add(B);
        story.add("b").command(new Command.Backfill(A));
        assertThat(story.kind("a")).isEqualTo("Queued");

        // when the request is cancelled
        story.command(new Command.Cancel(A, false));

        // then it does not pass for streaming, but waits to be set going again
        assertThat(story.state("a"))
                .isInstanceOfSatisfying(Queued.class, queued -> assertThat(queued.close()).isPresent());
        story.untilStreaming("b").until("a", Completing.class).untilStreaming("a");
    }

    @Test
    void aQueueThatWasStartedAnewIsNotDrainedByACancel() {
        // given a second backfill whose PUBLISH finds that the table had left the publication
        var story = Story.withTables(1, "a").add("a").untilStreaming("a").command(new Command.Backfill(A));
        while (((Preparing) story.state("a")).step() != Step.PUBLISH) {
            story.event(story.answers(A).getFirst());
        }
        var preparing = (Preparing) story.state("a");
        story.event(new Event.StepDone(
                A,
                preparing.run(),
                Step.PUBLISH,
                preparing.attempt().number(),
                new dev.sluice.domain.StepResult.Published(Given.OTHER_IDENTITY)));
        assertThat(((Preparing) story.state("a")).step()).as("the queue starts anew").isEqualTo(Step.QUEUE);

        // when it is cancelled
        story.command(new Command.Cancel(A, false)).until("a", Cancelled.class);

        // then it is incomplete: the queue has a hole
        assertThat(story.record("a").streamedRun()).isEmpty();
    }

    @Test
    void whatWasFoundOfACaptureThatIsReplacedSinceIsIgnored() {
        var story = Story.withTables(1, "a").add("a").until("a", Draining.class);

        story.event(new Event.CaptureBroken(A, story.state("a").run(), Given.OTHER_IDENTITY, Given.REFUSED));

        assertThat(story.state("a")).isInstanceOf(Draining.class);
    }

    @Test
    void aBackfillGoesOnUnderTheDefinitionThatWasFollowed() {
        // given chunks that met a definition that nobody had followed yet
        var story = Story.withTables(1, "a").add("a").until("a", Backfilling.class);
        story.event(story.answers(A).getFirst());
        ChunkTask first = story.tasksOf("a").getFirst();
        assertThat(first.fingerprint()).isEqualTo(Given.IDENTITY.fingerprint());
        var notYet = Fault.unavailable("the definition changed", "it is tried again");
        story.event(new Event.ChunkFailed(A, first.run(), first.chunk(), first.attempt(), notYet));
        int sent = story.tasksOf("a").size();

        // when it is followed
        story.event(new Event.DefinitionFollowed(A, first.run(), Given.IDENTITY, "new"));

        // then they go out at once, as the same table with another definition
        ChunkTask again = story.tasksOf("a").get(sent);
        assertThat(again.chunk()).isEqualTo(first.chunk());
        assertThat(again.attempt()).isEqualTo(first.attempt() + 1);
        assertThat(again.fingerprint()).isEqualTo("new");
        assertThat(story.record("a").captured()).contains(Given.IDENTITY.with("new"));
        story.untilStreaming("a");
    }

    @Test
    void aPreparationThatFindsTheTableAlteredStartsOver() {
        var story = Story.withTables(1, "a").add("a");
        while (((Preparing) story.state("a")).step() != Step.DESTINATION) {
            story.event(story.answers(A).getFirst());
        }
        var preparing = (Preparing) story.state("a");

        story.event(new Event.StepDone(
                A, preparing.run(), Step.DESTINATION, preparing.attempt().number(),
                new dev.sluice.domain.StepResult.DefinitionChanged()));

        assertThat(((Preparing) story.state("a")).step()).isEqualTo(Step.INSPECT);
        story.untilStreaming("a");
    }

    @Test
    void aTableThatWasAlteredBeforeItsNewBackfillIsNotCutShort() {
        // given a new backfill of a table whose definition is another one than was last followed
        var story = Story.withTables(1, "a").add("a").untilStreaming("a");
        story.command(new Command.Backfill(A));
        while (((Preparing) story.state("a")).step() != Step.PUBLISH) {
            story.event(story.answers(A).getFirst());
        }
        var preparing = (Preparing) story.state("a");
        story.event(new Event.StepDone(
                A, preparing.run(), Step.PUBLISH, preparing.attempt().number(),
                new dev.sluice.domain.StepResult.Published(Given.IDENTITY.with("altered"))));

        // when it is cancelled
        story.command(new Command.Cancel(A, false)).until("a", Cancelled.class);

        // then it is incomplete: what the ALTER did to rows that were not copied anew, nobody knows
        assertThat(story.record("a").streamedRun()).isEmpty();
    }

    @Test
    void aTableThatWaitsToDrainFailsWhenCaptureBreaks() {
        var story = Story.withTables(1, "a", "b").add("a").until("a", Draining.class);
        story.event(new Event.StreamFailed(A, story.state("a").run(), Given.REFUSED, false)).add("b");
        story.command(new Command.Retry(A));

        story.event(new Event.CaptureBroken(
                A, story.state("a").run(), story.record("a").captured().orElseThrow(), Given.REFUSED));

        assertThat(story.state("a"))
                .isInstanceOfSatisfying(Failed.class, failed -> assertThat(failed.phase()).isEqualTo(Phase.CAPTURE));
    }

    @Test
    void aShortQueueMayBeDrainedBeforeTheRunIsKnownToBeClosed() {
        var story = Story.withTables(1, "a").add("a").until("a", Completing.class);
        var closing = (Completing) story.state("a");

        story.event(new Event.TableCaughtUp(A, closing.run()));
        story.event(new Event.RunClosed(A, closing.run(), closing.attempt().number(), Optional.of(Given.LSN)));

        assertThat(story.kind("a")).isEqualTo("Streaming");
    }

    @Test
    void aLostQueueNeedsANewBackfill() {
        var story = Story.withTables(1, "a").add("a").untilStreaming("a");
        story.event(new Event.StreamFailed(A, story.state("a").run(), Given.REFUSED, true));

        story.command(new Command.Retry(A));

        assertThat(story.kind("a")).isEqualTo("Preparing");
    }

    @Test
    void aDrainThatFailedGoesOnWithoutCopying() {
        var story = Story.withTables(1, "a").add("a").until("a", Draining.class);
        long run = story.state("a").run();
        story.event(new Event.StreamFailed(A, run, Given.REFUSED, false));

        story.command(new Command.Retry(A)).untilStreaming("a");

        assertThat(story.state("a").run()).isEqualTo(run);
    }

    @Test
    void aRunIsNeverUsedTwiceEvenAfterARemove() {
        var story = Story.withTables(1, "a").add("a").untilStreaming("a");
        long first = story.state("a").run();
        story.command(new Command.Remove(A)).event(story.answers(A).getFirst());
        assertThat(story.world.tables()).isEmpty();
        assertThat(story.last.forgotten()).containsExactly(A);

        story.add("a");

        assertThat(story.state("a").run()).isGreaterThan(first);
    }

    @Test
    void aTableThatIsForgottenAndAddedInOneBatchIsWritten() {
        var story = Story.withTables(1, "a").add("a").command(new Command.Remove(A));
        story.command(new Command.AddTables(List.of("a")));
        var left = (Event.TableLeft) story.answers(A).getFirst();

        story.fold(fold -> {
            fold.event(left, story.offset++, story.now);
            fold.event(new Event.TablesMatched(3, List.of(A), List.of()), story.offset++, story.now);
        });

        assertThat(story.last.changed()).containsExactly(A);
        assertThat(story.last.forgotten()).isEmpty();
    }

    /** A table on its first backfill, with chunks in flight. */
    private static Story copying() {
        var story = Story.withTables(1, "a").add("a").until("a", Backfilling.class);
        return story.event(story.answers(A).getFirst());
    }

    /** A table that streamed, on its second backfill. */
    private static Story copyingAgain() {
        var story = Story.withTables(1, "a").add("a").untilStreaming("a");
        story.command(new Command.Backfill(A)).until("a", Backfilling.class);
        return story.event(story.answers(A).getFirst());
    }

    /** Which tables become active, one after another. */
    private static List<String> startOrder(Story story, int count) {
        List<String> started = new ArrayList<>();
        while (started.size() < count) {
            String active = story.world.tables().values().stream()
                    .filter(table -> table.state() instanceof TableState.Active)
                    .map(table -> table.table().toString())
                    .findFirst()
                    .orElseThrow();
            started.add(active);
            story.untilStreaming(active);
        }
        return started;
    }

    @Test
    void aKnownTableKeepsItsOptionsUntilABackfillChangesThem() {
        var story = Story.withTables(1, "a").add("a").untilStreaming("a");

        // when the table is added once more, with other options
        story.command(new Command.AddTables(List.of("a"), Optional.of(Given.OPTIONS))).answerNextRequest();

        // then nothing changes, and a person is told what to do
        assertThat(story.record("a").options()).isEqualTo(TableOptions.NONE);
        assertThat(story.kind("a")).isEqualTo("Streaming");
        assertThat(story.world.pipeline().rejections())
                .singleElement()
                .satisfies(rejection -> assertThat(rejection.reason()).contains("send backfill"));

        // and a backfill takes them
        story.command(new Command.Backfill(A, Optional.of(Given.OPTIONS)));
        assertThat(story.record("a").options()).isEqualTo(Given.OPTIONS);
        story.command(new Command.AddTables(List.of("a"), Optional.of(Given.OPTIONS))).answerNextRequest();
        assertThat(story.world.pipeline().rejections()).hasSize(1);
    }

    @Test
    void addingWithoutOptionsSaysNothingAboutThem() {
        var story = Story.withTables(1, "a");
        story.command(new Command.AddTables(List.of("a"), Optional.of(Given.OPTIONS))).answerNextRequest();

        story.add("a");

        assertThat(story.record("a").options()).isEqualTo(Given.OPTIONS);
        assertThat(story.world.pipeline().rejections()).isEmpty();
    }

    @Test
    void optionsReachEachTableOfARequestAndWhatIsDoneForIt() {
        var story = Story.withTables(2, "a", "b");
        story.command(new Command.AddTables(List.of("a", "b", "gone"), Optional.of(Given.OPTIONS))).answerNextRequest();

        for (String name : List.of("a", "b", "gone")) {
            assertThat(story.record(name).options()).as(name).isEqualTo(Given.OPTIONS);
        }
        assertThat(Effect.due(story.world, story.limits, story.now))
                .hasSize(2)
                .allSatisfy(effect -> assertThat(((Effect.Prepare) effect).options()).isEqualTo(Given.OPTIONS));
    }

    @Test
    void anOptionThatHasBegunLeavesNothingComplete() {
        // given a table that streams, and a backfill with other options that is under way
        var story = Story.withTables(1, "a").add("a").untilStreaming("a");
        story.command(new Command.Backfill(A, Optional.of(Given.OPTIONS))).until("a", Backfilling.class);

        // when it is cancelled, with some of the rows by the old options and some by the new
        story.command(new Command.Cancel(A, false));

        // then the table does not pass for complete
        story.until("a", TableState.Cancelled.class);
        assertThat(story.record("a").options()).isEqualTo(Given.OPTIONS);
    }

    @Test
    void anOptionThatWaitsForItsTurnIsTakenBackByACancel() {
        var story = Story.withTables(1, "a", "b").add("a").untilStreaming("a").add("b");
        story.command(new Command.Backfill(A, Optional.of(Given.OPTIONS)));
        assertThat(story.kind("a")).isEqualTo("Queued");

        story.command(new Command.Cancel(A, false));

        assertThat(story.kind("a")).isEqualTo("Streaming");
        story.untilStreaming("b").command(new Command.Backfill(A));
        assertThat(story.record("a").options()).isEqualTo(TableOptions.NONE);
        assertThat(story.record("a").streamedRun()).as("complete after the run before").isPresent();
    }

    @Test
    void requestsWhoseOptionsAreTooLongTogetherAreRejected() {
        var huge = new TableOptions(
                List.of(), List.of(), IntStream.range(0, 1_500).mapToObj(i -> "x".repeat(57) + (10_000 + i)).toList(),
                List.of(), Map.of(), Optional.empty(), Optional.empty());
        var story = Story.withTables(1, "a");

        for (int i = 0; i < 4; i++) {
            story.command(new Command.AddTables(List.of("a"), Optional.of(huge)));
        }

        assertThat(story.world.pipeline().requests()).hasSize(3);
        assertThat(story.world.pipeline().rejections()).hasSize(1);
    }

    @Test
    void whileThePipelineRestsNoTableHasItsTurn() {
        var story = Story.withTables(1, "a").command(new Command.PausePipeline()).add("a");
        assertThat(story.kind("a")).isEqualTo("Queued");

        story.command(new Command.ResumePipeline());

        assertThat(story.kind("a")).isEqualTo("Preparing");
    }

    @Test
    void aPipelineIsPausedAndResumedOnce() {
        var story = Story.withTables(1, "a").command(new Command.PausePipeline()).command(new Command.PausePipeline());
        assertThat(story.world.pipeline().rejections()).extracting(PipelineRecord.Rejection::reason)
                .containsExactly("the pipeline is paused already");

        story.command(new Command.ResumePipeline()).command(new Command.ResumePipeline());

        assertThat(story.world.pipeline().pause()).isEmpty();
        assertThat(story.world.pipeline().rejections()).extracting(PipelineRecord.Rejection::reason)
                .containsExactly("the pipeline is paused already", "the pipeline is not paused");
    }

    @Test
    void theLastThatIsPutToTheFrontIsTheFirstThatHasItsTurn() {
        var story = Story.withTables(1, "a", "b", "c", "d").add("a", "b", "c", "d");
        story.command(new Command.ToFront(TableName.parse("c"))).command(new Command.ToFront(TableName.parse("d")));

        story.untilStreaming("a");
        assertThat(List.of(story.kind("b"), story.kind("c"), story.kind("d")))
                .containsExactly("Queued", "Queued", "Preparing");
        story.untilStreaming("d");
        assertThat(List.of(story.kind("b"), story.kind("c"))).containsExactly("Queued", "Preparing");
    }

    @Test
    void aPartIsCopiedFromItsFirstKeyToItsLastAndNoFurther() {
        var story = streamed().command(part("25", "48")).untilStreaming("a");

        assertThat(story.tasksOf("a")).extracting(task -> task.range().toString())
                .containsExactly("((24), (34)]", "((34), (44)]", "((44), (48)]");
        assertThat(story.record("a").part()).contains(bounds("25", "48"));
        assertThat(story.record("a").progress().rowsEstimated()).as("nobody knows before").isZero();
    }

    @Test
    void aPartWithoutAnEndReachesToTheEndOfTheKeySpaceAndOneWithoutABeginningToTheOther() {
        assertThat(ranges(part("95", null))).containsExactly("((94), (100)]", "((100), +∞)");
        assertThat(ranges(part("500", null))).as("behind every row").containsExactly("((100), +∞)");
        assertThat(ranges(part(null, "15"))).containsExactly("(-∞, (10)]", "((10), (15)]");
        assertThat(ranges(part("500", "600"))).as("where the source has no row").containsExactly(
                IntStream.range(10, 60).mapToObj(n -> "((" + n * 10 + "), (" + (n + 1) * 10 + ")]").toArray(String[]::new));
    }

    private List<String> ranges(Command.Backfill part) {
        return streamed().command(part).untilStreaming("a").tasksOf("a").stream()
                .map(task -> task.range().toString())
                .toList();
    }

    @Test
    void theNextBackfillIsOfAllRowsAgain() {
        var story = streamed().command(part("25", "48")).untilStreaming("a");
        story.tasks.clear();

        story.command(new Command.Backfill(A)).untilStreaming("a");

        assertThat(story.record("a").part()).isEmpty();
        assertThat(story.tasksOf("a").getLast().range().toString()).isEqualTo("((100), +∞)");
        assertThat(story.tasksOf("a").getFirst().range().after()).isEmpty();
    }

    @Test
    void aPartThatFailedIsRetriedAsAPart() {
        var story = streamed().command(part("25", "48")).until("a", Backfilling.class);
        story.event(story.answers(A).getFirst());
        var task = story.tasksOf("a").getLast();
        story.event(new Event.ChunkFailed(A, task.run(), task.chunk(), task.attempt(), Given.REFUSED));
        assertThat(story.kind("a")).isEqualTo("Failed");
        story.tasks.clear();

        story.command(new Command.Retry(A)).untilStreaming("a");

        assertThat(story.tasksOf("a")).extracting(it -> it.range().toString())
                .containsExactly("((24), (34)]", "((34), (44)]", "((44), (48)]");
    }

    @Test
    void aTableThatLostItsQueueMeanwhileIsCopiedWhole() {
        var story = streamed().command(part("25", "48")).until("a", Preparing.class);
        while (((Preparing) story.state("a")).step() != Step.QUEUE) {
            story.event(story.answers(A).getFirst());
        }
        Preparing queue = (Preparing) story.state("a");
        story.event(new Event.StepDone(
                A, queue.run(), Step.QUEUE, queue.attempt().number(), new StepResult.QueueHasHole()));
        story.untilStreaming("a");

        assertThat(story.record("a").part()).isEmpty();
        assertThat(story.tasksOf("a").getFirst().range().after()).isEmpty();
        assertThat(story.tasksOf("a").getLast().range().upTo()).isEmpty();
    }

    private static Story streamed() {
        var story = Story.withTables(1, "a").add("a").untilStreaming("a");
        story.tasks.clear();
        return story;
    }

    private static Command.Backfill part(String from, String to) {
        return new Command.Backfill(A, Optional.empty(), Optional.of(bounds(from, to)));
    }

    private static KeyBounds bounds(String from, String to) {
        return new KeyBounds(Optional.ofNullable(from).map(List::of), Optional.ofNullable(to).map(List::of));
    }

    @Test
    void aPausedTableThatIsCancelledOnceMoreTakesNoPlaceThatAnotherHas() {
        var story = Story.withTables(1, "a", "b").add("a", "b").until("a", Backfilling.class);
        story.command(new Command.Cancel(A, false)).command(new Command.Pause(A));
        assertThat(story.kind("b")).isEqualTo("Preparing");

        story.command(new Command.Cancel(A, true));

        assertThat(story.world.tables().values()).filteredOn(TableRecord::isActive).hasSize(1);
        story.untilStreaming("b").until("a", Cancelled.class);
    }

    @Test
    void aTableThatJoinsByPatternDoesNotOvertakeARequestThatHasOptionsForIt() {
        var story = Story.withTables(1, "a");
        story.command(new Command.ChangeSettings(new Settings.Change(
                Map.of(Setting.JOIN_PATTERNS, Optional.of(List.of("*.*"))))));
        story.command(new Command.AddTables(List.of("a"), Optional.of(Given.OPTIONS)));

        story.event(new Event.TablesJoined(List.of(A)));
        assertThat(story.world.tables()).isEmpty();
        story.answerNextRequest();

        assertThat(story.record("a").options()).isEqualTo(Given.OPTIONS);
        assertThat(story.world.pipeline().rejections()).isEmpty();
    }
}
