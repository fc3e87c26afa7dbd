package dev.sluice.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Command;
import dev.sluice.domain.Event;
import dev.sluice.domain.MissingRows;
import dev.sluice.domain.Pause;
import dev.sluice.domain.PipelineRecord.SlotTask;
import dev.sluice.domain.Setting;
import dev.sluice.domain.Settings;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.Active;
import dev.sluice.domain.TableState.Backfilling;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What a change of settings means for a pipeline that is at work. */
class ChangedSettingsTest {

    private static final TableName A = new TableName("public", "a");
    private static final TableState.ChunkPlan NOTHING_PLANNED = TableState.ChunkPlan.start();

    @Test
    void moreTablesAreLetInAtOnceWhenTheyMay() {
        var story = Story.withTables(1, "a", "b", "c").add("a", "b", "c");
        assertThat(active(story)).isEqualTo(1);

        change(story, Setting.TABLES_AT_ONCE, 2);

        assertThat(active(story)).isEqualTo(2);
    }

    @Test
    void fewerTablesAtOnceStopNoneThatIsUnderWay() {
        var story = Story.withTables(2, "a", "b", "c").add("a", "b", "c");

        change(story, Setting.TABLES_AT_ONCE, 1).untilStreaming("a");

        assertThat(active(story)).as("b goes on, c waits").isEqualTo(1);
        assertThat(story.kind("c")).isEqualTo("Queued");
    }

    @Test
    void aChangeTakenBackLetsTheDefaultHold() {
        var story = Story.withTables(1, "a", "b", "c").add("a", "b", "c");
        change(story, Setting.TABLES_AT_ONCE, 2);
        change(story, Setting.TABLES_AT_ONCE, null);

        story.untilStreaming("a", "b");

        assertThat(active(story)).isEqualTo(1);
        assertThat(story.world.pipeline().settings()).isEqualTo(Settings.NONE);
    }

    @Test
    void moreChunksOfATableAreCopiedAtOnceWhenTheyMay() {
        var story = planned();
        assertThat(story.world.pipeline().slots()).hasSize(2);

        change(story, Setting.CHUNKS_PER_TABLE, 3);
        story.event(story.answers(A).getFirst());

        assertThat(story.world.pipeline().slots()).hasSize(3);
    }

    @Test
    void theNextChunksHaveTheRowsThatTheySay() {
        var story = copying();

        change(story, Setting.CHUNK_ROWS, 700);

        assertThat(Effect.due(story.world, story.limits, story.now))
                .singleElement()
                .isInstanceOfSatisfying(Effect.PlanChunks.class, plan -> assertThat(plan.rows()).isEqualTo(700));
    }

    @Test
    void onlyAnInspectionBeginsAnewForOtherRowsOfAChunk() {
        var story = Story.withTables(1, "a").add("a");
        while (story.state("a") instanceof dev.sluice.domain.TableState.Preparing preparing) {
            List<Effect> before = Effect.due(story.world, story.limits, story.now);
            change(story, Setting.CHUNK_ROWS, 700);
            boolean same = before.equals(Effect.due(story.world, story.limits, story.now));
            assertThat(same).as("%s", preparing.step()).isEqualTo(preparing.step() != dev.sluice.domain.Step.INSPECT);
            change(story, Setting.CHUNK_ROWS, null);
            story.event(story.answers(A).getFirst());
        }
    }

    @Test
    void aChunkCarriesTheSettingsThatItGoesBy() {
        var story = copying();
        change(story, Setting.MISSING_ROWS, "keep");
        change(story, Setting.READ_REPLICA, false);

        story.event(story.answers(A).getFirst());

        Settings settings = story.tasks.getFirst().task().settings();
        assertThat(settings.missingRows()).contains(MissingRows.KEEP);
        assertThat(settings.readReplica()).contains(false);
        assertThat(settings.values()).hasSize(2);
    }

    @Test
    void underALimitOneChunkGoesOutAtATimeAndTheNextWhenItIsPaidFor() {
        // given a limit of 2 rows a second, and chunks of 10 rows
        var story = copying();
        change(story, Setting.ROWS_PER_SECOND, 2);
        story.event(story.answers(A).getFirst());
        assertThat(story.tasks).hasSize(1);

        // when it comes back, it has turned out to be worth five seconds
        answerAll(story);
        assertThat(story.tasks).as("at once").hasSize(1);
        story.after(Duration.ofMillis(4_999));
        assertThat(story.tasks).as("too early").hasSize(1);
        story.after(Duration.ofMillis(1));
        assertThat(story.tasks).hasSize(2);
    }

    @Test
    void aChunkCostsWhatItWasPlannedForAndNothingWhenItFails() {
        // given chunks that are planned for 500 rows, of which the first had 10
        var story = copying();
        change(story, Setting.ROWS_PER_SECOND, 100);
        story.event(story.answers(A).getFirst());
        answerAll(story);
        assertThat(story.tasks).hasSize(1);

        story.after(Duration.ofSeconds(1));
        assertThat(story.tasks).hasSize(2);
        assertThat(story.world.pipeline().pace().orElseThrow().notBefore()).isEqualTo(story.now.plusSeconds(5));

        var task = story.tasks.getLast().task();
        story.event(new Event.ChunkFailed(A, task.run(), task.chunk(), task.attempt(), Given.FAULTY));

        assertThat(story.world.pipeline().pace().orElseThrow().notBefore())
                .as("nobody waits for what was not copied")
                .isEqualTo(story.now);
    }

    @Test
    void manyWorkersTogetherKeepTheLimitOverTime() {
        var story = copying();
        change(story, Setting.ROWS_PER_SECOND, 2);
        story.event(story.answers(A).getFirst());
        Instant began = story.now;

        // Each chunk comes back a second after it went out.
        while (story.state("a") instanceof Backfilling) {
            story.after(Duration.ofSeconds(1));
            story.answers(A).stream().filter(Event.ChunksPlanned.class::isInstance).forEach(story::event);
            answerAll(story);
        }

        // The first of ten chunks goes at once, the tenth when nine are paid for; the last has no rows.
        assertThat(Duration.between(began, story.now)).isBetween(Duration.ofSeconds(45), Duration.ofSeconds(56));
        assertThat(story.record("a").progress().rowsCopied()).isEqualTo(110);
    }

    @Test
    void withoutALimitNothingIsRemembered() {
        var story = copying();
        change(story, Setting.ROWS_PER_SECOND, 2);
        story.event(story.answers(A).getFirst());
        assertThat(story.world.pipeline().pace()).isPresent();

        change(story, Setting.ROWS_PER_SECOND, null);

        assertThat(story.world.pipeline().pace()).isEmpty();
        assertThat(story.tasks).as("as many as may at once").hasSize(2);
    }

    @Test
    void chunksAreNoLargerThanFiveSecondsOfTheLimit() {
        var limits = new Limits(1, 1, 1, 1);

        assertThat(ChunkRows.next(limits, NOTHING_PLANNED)).isEqualTo(50_000);
        assertThat(ChunkRows.next(limits.under(Settings.NONE.with(Setting.ROWS_PER_SECOND, 1_000)), NOTHING_PLANNED)).isEqualTo(5_000);
        assertThat(ChunkRows.next(limits.under(Settings.NONE.with(Setting.ROWS_PER_SECOND, 1)), NOTHING_PLANNED)).isEqualTo(100);
        assertThat(ChunkRows.next(limits.under(Settings.NONE.with(Setting.ROWS_PER_SECOND, 100_000_000)), NOTHING_PLANNED)).isEqualTo(50_000);
    }

    @Test
    void noChunkGoesOutWhileTheSourceIsBusyAndThoseUnderWayAreCounted() {
        var story = planned();
        change(story, Setting.SOURCE_SESSIONS_MAX, 10);

        story.event(new Event.SourceMeasured(11, 0, Optional.empty()));
        assertThat(story.world.pipeline().resting()).get().asString().contains("11 sessions");
        answerAll(story);
        story.event(story.answers(A).getFirst());
        assertThat(story.tasks).as("chunks wait, and slots are free").hasSize(2);
        assertThat(story.record("a").progress().chunksCopied()).isEqualTo(2);

        story.event(new Event.SourceMeasured(8, 0, Optional.empty()));
        assertThat(story.world.pipeline().resting()).isEmpty();
        assertThat(story.tasks).hasSize(4);
    }

    @Test
    void whoeverTakesTheSettingBackEndsTheRest() {
        var story = planned();
        change(story, Setting.SOURCE_SESSIONS_MAX, 10);
        change(story, Setting.REPLICA_LAG_SECONDS_MAX, 10);
        story.event(new Event.SourceMeasured(11, 0, Optional.empty()));

        change(story, Setting.REPLICA_LAG_SECONDS_MAX, null);
        assertThat(story.world.pipeline().resting()).isPresent();
        change(story, Setting.SOURCE_SESSIONS_MAX, null);

        assertThat(story.world.pipeline().resting()).isEmpty();
    }

    @Test
    void tablesJoinAsOneThatIsAddedDoes() {
        var story = Story.withTables(1, "a", "b");
        change(story, Setting.JOIN_PATTERNS, List.of("public.*", "!public.b"));

        story.event(new Event.TablesJoined(List.of(A, new TableName("public", "b"))));
        assertThat(story.kind("a")).isEqualTo("Preparing");
        assertThat(story.kind("b")).as("excluded meanwhile").isEqualTo("none");
        TableState before = story.state("a");
        story.event(new Event.TablesJoined(List.of(A)));

        assertThat(story.state("a")).as("told twice").isEqualTo(before);
    }

    @Test
    void aTableThatWouldJoinAgainIsNotRemoved() {
        var story = Story.withTables(1, "a").add("a");
        change(story, Setting.JOIN_PATTERNS, List.of("public.*"));

        story.command(new Command.Remove(A));
        assertThat(story.kind("a")).isEqualTo("Preparing");
        assertThat(story.world.pipeline().rejections().getLast().reason())
                .contains("it would join again", "«!public.a»", "change-settings");

        change(story, Setting.JOIN_PATTERNS, List.of("public.*", "!public.a"));
        story.command(new Command.Remove(A));
        assertThat(story.kind("a")).isEqualTo("Leaving");
    }

    @Test
    void aTableThatIsAddedWaitsForSomebodyWhereItIsNotBackfilledByItself() {
        var story = Story.withTables(2, "a", "b");
        change(story, Setting.BACKFILL_ON_ADD, false);
        change(story, Setting.JOIN_PATTERNS, List.of("b"));

        story.add("a").event(new Event.TablesJoined(List.of(new TableName("public", "b"))));

        assertThat(List.of(story.kind("a"), story.kind("b"))).containsOnly("Queued");
        assertThat(story.record("a").pause()).get().extracting(Pause::by).isEqualTo(Optional.of("ann"));
        assertThat(story.record("b").pause()).isPresent();
        story.command(new Command.Resume(A)).command(new Command.Backfill(new TableName("public", "b")));
        assertThat(List.of(story.kind("a"), story.kind("b"))).containsOnly("Preparing");
    }

    private static void answerAll(Story story) {
        for (SlotTask task : List.copyOf(story.world.pipeline().slots().values())) {
            story.event(new Event.ChunkCopied(task.table(), task.run(), task.chunk(), task.attempt(), 10, 100, 5));
        }
    }

    static Story change(Story story, Setting setting, Object value) {
        return story.command(
                new Command.ChangeSettings(new Settings.Change(Map.of(setting, Optional.ofNullable(value)))));
    }

    /** Table a is backfilled, and nothing of it is planned. */
    private static Story copying() {
        return Story.withTables(1, "a").add("a").until("a", Backfilling.class);
    }

    private static Story planned() {
        var story = copying();
        return story.event(story.answers(A).getFirst());
    }

    private static long active(Story story) {
        return story.world.tables().values().stream()
                .filter(table -> table.state() instanceof Active)
                .count();
    }
}
