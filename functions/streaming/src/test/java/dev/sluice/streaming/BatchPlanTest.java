package dev.sluice.streaming;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.domain.Change;
import dev.sluice.domain.Change.Cell;
import dev.sluice.domain.Change.Delete;
import dev.sluice.domain.Change.Origin;
import dev.sluice.domain.Change.Truncate;
import dev.sluice.domain.Change.Upsert;
import dev.sluice.domain.Key;
import dev.sluice.domain.KeyOrder;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.KeyType;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.Mark;
import dev.sluice.domain.PgSnapshot;
import dev.sluice.postgres.ChangeBatch.Clear;
import dev.sluice.postgres.ChangeBatch.Counts;
import dev.sluice.postgres.ChangeBatch.Move;
import dev.sluice.postgres.ChangeBatch.Remove;
import dev.sluice.postgres.ChangeBatch.Reread;
import dev.sluice.postgres.ChangeBatch.Rows;
import dev.sluice.postgres.ChangeBatch.Write;
import dev.sluice.postgres.Ledger.Progress;
import dev.sluice.streaming.BatchPlan.Queued;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BatchPlanTest {

    private static final Progress START = new Progress(10, Optional.empty());
    private static final RetainedChunks NO_CHUNKS = RetainedChunksTest.of();
    /** Saw transactions below 100 in keys up to 5, below 200 above. */
    private static final RetainedChunks CHUNKS = RetainedChunksTest.of(
            RetainedChunksTest.chunk(1, null, "5", PgSnapshot.parse("100:100:")),
            RetainedChunksTest.chunk(1, "5", null, PgSnapshot.parse("200:200:")));

    /** Keys up to 5 were read at a standby between transactions 100 and 200; those above saw transactions below 100. */
    private static final RetainedChunks BRACKETED = RetainedChunksTest.of(
            RetainedChunksTest.bracketed(1, null, "5", PgSnapshot.parse("100:100:"), PgSnapshot.parse("200:200:")),
            RetainedChunksTest.chunk(1, "5", null, PgSnapshot.parse("100:100:")));

    @Test
    void aChangeBelowTheMarkIsSkippedAndAnEqualOneIsApplied() {
        Progress from = new Progress(10, Optional.of(mark(100, 120)));

        BatchPlan plan = plan(
                from,
                NO_CHUNKS,
                upsert(origin(100, 119, 1), "1", "v", "older in the transaction"),
                upsert(origin(90, 130, 1), "2", "v", "an older transaction with a higher LSN"),
                upsert(origin(100, 120, 1), "3", "v", "equal"));

        assertThat(plan.passed()).isEqualTo(2);
        assertThat(rows(plan).writes()).extracting(Write::key).containsExactly(Key.of("3"));
        assertThat(plan.reached()).isEqualTo(new Progress(13, Optional.of(mark(100, 120))));
    }

    @Test
    void theMarkRisesWithinABatchSoThatDuplicatesInItAreSkipped() {
        BatchPlan plan = plan(
                START,
                NO_CHUNKS,
                upsert(origin(100, 101, 1), "1", "v", "a"),
                upsert(origin(200, 201, 2), "1", "v", "b"),
                upsert(origin(100, 101, 1), "1", "v", "a"),
                upsert(origin(200, 201, 2), "1", "v", "b"));

        assertThat(plan.passed()).isEqualTo(1);
        assertThat(rows(plan).writes()).containsExactly(write("1", row("1", "v", "b")));
        assertThat(plan.reached().mark()).contains(mark(200, 201));
    }

    @Test
    void aSkippedChangeMovesTheMarkToo() {
        BatchPlan plan = plan(START, CHUNKS, upsert(origin(100, 101, 50), "1", "v", "contained"));

        assertThat(plan.steps()).isEmpty();
        assertThat(plan.contained()).isEqualTo(1);
        assertThat(plan.reached()).isEqualTo(new Progress(11, Optional.of(mark(100, 101))));
    }

    @Test
    void anUnknownCommitIsTakenOnlyWhileThereIsNoMark() {
        var unknown = upsert(new Origin(Optional.empty(), new Lsn(5), 1), "1", "v", "a");

        assertThat(plan(START, NO_CHUNKS, unknown).reached()).isEqualTo(new Progress(11, Optional.empty()));
        assertThatThrownBy(() -> plan(new Progress(10, Optional.of(mark(1, 1))), NO_CHUNKS, unknown))
                .isInstanceOf(BatchPlan.UnplaceableException.class)
                .hasMessageContaining("offset 10");
        assertThat(plan(START, NO_CHUNKS, upsert(origin(100, 101, 1), "1", "v", "a"), unknown).consumed())
                .as("what comes before it is applied")
                .isEqualTo(1);
    }

    @Test
    void aKeyComesToItsLastChange() {
        BatchPlan plan = plan(
                START,
                NO_CHUNKS,
                upsert(origin(1, 2, 1), "1", "v", "a"),
                upsert(origin(1, 3, 1), "2", "v", "a"),
                delete(origin(1, 4, 1), "1"),
                upsert(origin(1, 5, 1), "2", "v", "b"),
                delete(origin(1, 6, 1), "3"),
                upsert(origin(1, 7, 1), "3", "v", "new"));

        Rows rows = rows(plan);
        assertThat(rows.deletes()).containsExactly(Key.of("1"), Key.of("3"));
        assertThat(rows.writes())
                .containsExactly(write("2", row("2", "v", "b")), write("3", row("3", "v", "new")));
        assertThat(rows.inOrder()).as("the history, for the case that the set violates something").hasSize(6);
        assertThat(rows.inOrder().get(2)).isEqualTo(new Remove(Key.of("1")));
    }

    @Test
    void rowsWithoutAKeyAreCountedAndEachChangeOnlyOnce() {
        Map<String, Cell> a = row("1", "v", "a");
        Map<String, Cell> b = row("1", "v", "b");
        Progress from = new Progress(10, Optional.of(new Mark(new Lsn(1), new Lsn(2), 1)));

        BatchPlan plan = plan(
                from,
                NO_CHUNKS,
                replaced(1, 2, 0, null, a),
                replaced(1, 2, 1, null, a),
                replaced(1, 2, 2, null, a),
                replaced(1, 3, 0, null, a),
                replaced(1, 4, 0, a, b),
                replaced(1, 5, 0, b, null),
                replaced(1, 6, 0, b, null));

        assertThat(plan.passed()).as("an equal mark is passed, one of the same record is not").isEqualTo(2);
        assertThat(plan.steps()).containsExactly(new Counts(List.of(new Counts.Count(a, 1), new Counts.Count(b, -1))));
        assertThat(plan.reached().mark()).contains(new Mark(new Lsn(1), new Lsn(6), 0));
    }

    @Test
    void rowsWithoutAKeyOfBeforeAndAfterAnAlterKeepTheirOrder() {
        Map<String, Cell> before = Map.of("v", new Cell.Text("a"));
        Map<String, Cell> after = Map.of("v", new Cell.Text("a"), "added", Cell.NULL);

        BatchPlan plan = plan(START, NO_CHUNKS, replaced(1, 2, 0, null, before), replaced(3, 4, 0, after, null));

        assertThat(plan.steps())
                .as("what is deleted is the row that was inserted")
                .containsExactly(
                        new Counts(List.of(new Counts.Count(before, 1))),
                        new Counts(List.of(new Counts.Count(after, -1))));
    }

    @Test
    void aChangeWithoutAKeyIsContainedWhereTheWholeTableWasReadAfterIt() {
        RetainedChunks whole = RetainedChunksTest.of(
                RetainedChunksTest.chunk(1, null, null, PgSnapshot.parse("100:100:")));
        Map<String, Cell> a = row("1", "v", "a");

        BatchPlan plan = plan(
                START,
                whole,
                new Change.Replaced(new Origin(Optional.of(new Lsn(1)), new Lsn(2), 99), Optional.empty(), Optional.of(a)),
                new Change.Replaced(new Origin(Optional.of(new Lsn(3)), new Lsn(4), 100), Optional.of(a), Optional.empty()));

        assertThat(plan.contained()).isEqualTo(1);
        assertThat(plan.steps()).containsExactly(new Counts(List.of(new Counts.Count(a, -1))));
    }

    private static Change.Replaced replaced(
            long commit, long lsn, int ordinal, Map<String, Cell> before, Map<String, Cell> after) {
        return new Change.Replaced(
                new Origin(Optional.of(new Lsn(commit)), new Lsn(lsn), 1, ordinal),
                Optional.ofNullable(before),
                Optional.ofNullable(after));
    }

    @Test
    void aKeyChangeInOneRecordIsOneInTwo() {
        Map<String, Cell> row = row("2", "v", "a");
        var change = new Change.KeyChange(origin(1, 2, 1), Key.of("1"), Key.of("2"), row);

        assertThat(rows(plan(START, NO_CHUNKS, change)).deletes()).containsExactly(Key.of("1"));
        assertThat(rows(plan(START, NO_CHUNKS, change)).writes()).extracting(Write::key).containsExactly(Key.of("2"));
        assertThat(plan(new Progress(10, Optional.of(mark(1, 2))), NO_CHUNKS, change).passed())
                .as("moved once: an equal mark is passed")
                .isEqualTo(1);
    }

    @Test
    void aPlaceholderKeepsTheEarlierValueOfTheBatch() {
        BatchPlan plan = plan(
                START,
                NO_CHUNKS,
                upsert(origin(1, 2, 1), "1", "big", "large", "n", "1"),
                partial(origin(1, 3, 1), "1", row("1", "n", "2"), "big"),
                partial(origin(1, 4, 1), "2", row("2", "n", "2"), "big"),
                partial(origin(1, 5, 1), "2", row("2", "n", "3"), "big"));

        assertThat(rows(plan).writes())
                .containsExactly(
                        write("1", row("1", "big", "large", "n", "2")),
                        write("2", unchanged(row("2", "n", "3"), "big")));
    }

    @Test
    void aLaterValueTakesThePlaceOfAPlaceholder() {
        BatchPlan plan = plan(
                START,
                NO_CHUNKS,
                partial(origin(1, 2, 1), "1", row("1", "n", "2"), "big"),
                upsert(origin(1, 3, 1), "1", "n", "3", "big", "new"));

        assertThat(rows(plan).writes()).containsExactly(write("1", row("1", "n", "3", "big", "new")));
    }

    @Test
    void anUpdateWithAPlaceholderNeverInsertsAfterADelete() {
        BatchPlan plan = plan(
                START,
                NO_CHUNKS,
                delete(origin(1, 2, 1), "1"),
                partial(origin(1, 3, 1), "1", row("1", "n", "2"), "big"));

        assertThat(rows(plan).deletes()).containsExactly(Key.of("1"));
        assertThat(rows(plan).writes()).isEmpty();
    }

    @Test
    void aKeyChangeWithAllValuesIsADeleteAndAWrite() {
        BatchPlan plan = plan(
                START, NO_CHUNKS, movedAway(origin(1, 2, 1), "1", "2"), movedHere(origin(1, 2, 1), "1", row("2", "v", "a")));

        assertThat(rows(plan).deletes()).containsExactly(Key.of("1"));
        assertThat(rows(plan).writes()).containsExactly(write("2", row("2", "v", "a")));
    }

    @Test
    void aKeyChangeWithAPlaceholderMovesTheRowBetweenTheSets() {
        Map<String, Cell> row = unchanged(row("2", "v", "a"), "big");

        BatchPlan plan = plan(
                START,
                NO_CHUNKS,
                upsert(origin(1, 1, 1), "1", "v", "a"),
                movedAway(origin(1, 2, 1), "1", "2"),
                movedHere(origin(1, 2, 1), "1", row),
                delete(origin(1, 3, 1), "9"));

        assertThat(plan.steps()).hasSize(3);
        assertThat(plan.steps().get(1))
                .isEqualTo(new Move(
                        Optional.of(Key.of("1")), Key.of("2"), row, 1, new Progress(13, Optional.of(mark(1, 2)))));
    }

    @Test
    void theTwoSidesOfAKeyChangeAreContainedEachByItsOwnKey() {
        Map<String, Cell> whole = row("7", "v", "a");
        Map<String, Cell> placeholder = unchanged(row("7", "v", "a"), "big");

        // Key 7 was read after transaction 150, key 1 before it.
        BatchPlan gone =
                plan(START, CHUNKS, movedAway(origin(1, 2, 150), "1", "7"), movedHere(origin(1, 2, 150), "1", placeholder));
        assertThat(rows(gone).deletes()).as("only the old key is left to do").containsExactly(Key.of("1"));
        assertThat(rows(gone).writes()).isEmpty();

        BatchPlan written =
                plan(START, CHUNKS, movedAway(origin(1, 2, 150), "7", "1"), movedHere(origin(1, 2, 150), "7", row("1", "v", "a")));
        assertThat(rows(written).deletes()).as("a row under the old key is a newer one").isEmpty();
        assertThat(rows(written).writes()).extracting(Write::key).containsExactly(Key.of("1"));

        Map<String, Cell> back = unchanged(row("1", "v", "a"), "big");
        BatchPlan read = plan(START, CHUNKS, movedAway(origin(1, 2, 150), "7", "1"), movedHere(origin(1, 2, 150), "7", back));
        assertThat(read.steps())
                .containsExactly(new Move(
                        Optional.empty(), Key.of("1"), back, 150, new Progress(12, Optional.of(mark(1, 2)))));

        BatchPlan both = plan(START, CHUNKS, movedAway(origin(1, 2, 50), "1", "7"), movedHere(origin(1, 2, 50), "1", whole));
        assertThat(both.steps()).isEmpty();
        assertThat(both.contained()).isEqualTo(2);
    }

    @Test
    void aBatchNeverEndsInsideAKeyChange() {
        BatchPlan plan = plan(
                START, NO_CHUNKS, upsert(origin(1, 1, 1), "5", "v", "a"), movedAway(origin(1, 2, 1), "1", "2"));

        assertThat(plan.consumed()).isEqualTo(1);
        assertThat(plan.reached()).isEqualTo(new Progress(11, Optional.of(mark(1, 1))));
        assertThat(plan(START, NO_CHUNKS, movedAway(origin(1, 2, 1), "1", "2")).consumed()).isZero();
    }

    @Test
    void halfAKeyChangeIsNotPassedSinceItIsSentAgainWhole() {
        BatchPlan plan = plan(
                new Progress(10, Optional.of(mark(1, 1))),
                NO_CHUNKS,
                movedAway(origin(1, 2, 1), "1", "2"),
                upsert(origin(1, 1, 1), "5", "v", "a"),
                movedAway(origin(1, 2, 1), "1", "2"),
                movedHere(origin(1, 2, 1), "1", row("2", "v", "a")));

        assertThat(plan.consumed()).isEqualTo(4);
        assertThat(rows(plan).deletes()).containsExactly(Key.of("1"));
        assertThat(rows(plan).writes()).extracting(Write::key).containsExactly(Key.of("5"), Key.of("2"));
    }

    @Test
    void aKeyChangeThatIsSentAgainIsPassedAtAnEqualMark() {
        BatchPlan plan = plan(
                new Progress(10, Optional.of(mark(1, 2))),
                NO_CHUNKS,
                movedAway(origin(1, 2, 1), "1", "2"),
                movedHere(origin(1, 2, 1), "1", unchanged(row("2", "v", "a"), "big")));

        assertThat(plan.steps()).as("moving twice would read the row from the source").isEmpty();
        assertThat(plan.passed()).isEqualTo(2);
        assertThat(plan.consumed()).isEqualTo(2);
    }

    @Test
    void aTruncateEmptiesWhatItsChunksDidNotSee() {
        BatchPlan plan = plan(
                START,
                CHUNKS,
                upsert(origin(1, 1, 140), "1", "v", "a"),
                new Truncate(origin(1, 2, 150)),
                upsert(origin(1, 3, 160), "1", "v", "b"));

        assertThat(plan.steps()).hasSize(3);
        assertThat(plan.steps().get(1))
                .isEqualTo(new Clear(
                        List.of(new KeyRange(Optional.empty(), Optional.of(Key.of("5")))), List.of()));
        assertThat(plan(START, CHUNKS, new Truncate(origin(1, 2, 50))).steps()).isEmpty();
        assertThat(plan(START, NO_CHUNKS, new Truncate(origin(1, 2, 50))).steps())
                .containsExactly(new Clear(List.of(KeyRange.ALL), List.of()));
    }

    @Test
    void aTruncateStandsOrFallsWithTheRowsOfItsTransaction() {
        Change[] transaction = {
            upsert(origin(1, 1, 150), "1", "v", "before it"),
            new Truncate(origin(1, 2, 150)),
            upsert(origin(1, 3, 150), "9", "v", "after it")
        };

        assertThat(plan(START, NO_CHUNKS, transaction).steps()).satisfiesExactly(
                before -> assertThat(((Rows) before).writes()).extracting(Write::key).containsExactly(Key.of("1")),
                cleared -> assertThat(cleared).isEqualTo(new Clear(List.of(KeyRange.ALL), List.of())),
                after -> assertThat(((Rows) after).writes()).extracting(Write::key).containsExactly(Key.of("9")));
        // Seen above 5, not below: what came after it there is in the chunk.
        BatchPlan half = plan(START, CHUNKS, transaction);
        assertThat(half.steps()).satisfiesExactly(
                before -> assertThat(((Rows) before).writes()).extracting(Write::key).containsExactly(Key.of("1")),
                cleared -> assertThat(cleared).isEqualTo(new Clear(
                        List.of(new KeyRange(Optional.empty(), Optional.of(Key.of("5")))), List.of())));
        assertThat(half.contained()).isEqualTo(1);
        RetainedChunks later = RetainedChunksTest.of(
                RetainedChunksTest.chunk(1, null, null, PgSnapshot.parse("200:200:")));
        assertThat(plan(START, later, transaction).steps()).isEmpty();
    }

    @Test
    void ofTwoTruncatesWhatCameAfterTheLastStays() {
        BatchPlan plan = plan(
                START,
                NO_CHUNKS,
                new Truncate(origin(1, 2, 150)),
                upsert(origin(2, 3, 151), "1", "v", "between"),
                new Truncate(origin(3, 4, 152)),
                upsert(origin(4, 5, 153), "2", "v", "after"));

        assertThat(plan.steps()).hasSize(4);
        assertThat(plan.steps().get(2)).isEqualTo(new Clear(List.of(KeyRange.ALL), List.of()));
        assertThat(((Rows) plan.steps().get(3)).writes()).extracting(Write::key).containsExactly(Key.of("2"));
    }

    @Test
    void aTruncateThatIsSentAgainAfterLaterRowsIsPassed() {
        BatchPlan plan = plan(
                new Progress(10, Optional.of(mark(4, 5))),
                NO_CHUNKS,
                new Truncate(origin(3, 4, 152)),
                upsert(origin(4, 5, 153), "2", "v", "after"));

        assertThat(plan.passed()).isEqualTo(1);
        assertThat(rows(plan).writes()).extracting(Write::key).containsExactly(Key.of("2"));
    }

    @Test
    void ofATableWithAConditionAChangeThatLeavesValuesStandsOnItsOwn() {
        Map<String, Cell> row = unchanged(row("1", "v", "b"), "big");
        Change[] changes = {
            upsert(origin(1, 1, 1), "1", "v", "a"),
            new Upsert(origin(1, 2, 1), Key.of("1"), row, Optional.empty()),
            upsert(origin(1, 3, 1), "2", "v", "a")
        };

        // The row may not be at the destination and have to be there now: it is looked for when its turn comes.
        BatchPlan filtered = BatchPlan.of(queued(START, changes), START, NO_CHUNKS, true);
        assertThat(filtered.steps()).hasSize(3);
        assertThat(filtered.steps().get(1))
                .isEqualTo(new Move(
                        Optional.of(Key.of("1")), Key.of("1"), row, 1, new Progress(12, Optional.of(mark(1, 2))), 1));

        assertThat(plan(START, NO_CHUNKS, changes).steps()).hasSize(1);
    }

    @Test
    void whatIsTakenAwayHasItsTime() {
        Change[] changes = {
            upsert(origin(1, 1, 1), "1", "v", "a"),
            delete(origin(1, 2, 1), "2"),
            movedAway(origin(1, 3, 1), "3", "4"),
            movedHere(origin(1, 3, 1), "3", row("4", "v", "a")),
            new Truncate(origin(1, 4, 1))
        };

        BatchPlan plan = BatchPlan.of(queued(START, changes), START, NO_CHUNKS, false);

        assertThat(((Rows) plan.steps().get(0)).inOrder())
                .containsExactly(
                        new Write(Key.of("1"), row("1", "v", "a"), 0),
                        new Remove(Key.of("2"), 1),
                        new Remove(Key.of("3"), 3),
                        new Write(Key.of("4"), row("4", "v", "a"), 3));
        assertThat(plan.steps().get(1)).isEqualTo(new Clear(List.of(KeyRange.ALL), List.of(), 4));
    }


    @Test
    void rowsWhoseChunkMayHaveAChangeAreReadAfterTheBatch() {
        BatchPlan plan = plan(
                START,
                BRACKETED,
                upsert(origin(1, 1, 99), "1", "v", "contained"),
                upsert(origin(1, 2, 150), "1", "v", "unsure"),
                delete(origin(1, 3, 151), "2"),
                upsert(origin(1, 4, 150), "7", "v", "of another chunk"),
                upsert(origin(1, 5, 250), "1", "v", "later, but of a row that is read"),
                upsert(origin(1, 6, 251), "3", "v", "later"));

        assertThat(plan.contained()).isEqualTo(1);
        assertThat(plan.steps()).hasSize(2);
        assertThat(((Rows) plan.steps().get(0)).writes())
                .containsExactly(write("7", row("7", "v", "of another chunk")), write("3", row("3", "v", "later")));
        assertThat(plan.steps().get(1))
                .as("the reading must have seen every change that it stands for")
                .isEqualTo(reread(Set.of(150L, 151L, 250L), "1", "2"));
        assertThat(plan.reached()).isEqualTo(new Progress(16, Optional.of(mark(1, 6))));
    }

    @Test
    void aKeyChangeIsReadOnTheSideThatNobodyIsSureOf() {
        Map<String, Cell> toUnsure = unchanged(row("1", "v", "a"), "big");
        BatchPlan into = plan(
                START, BRACKETED, movedAway(origin(1, 2, 150), "7", "1"), movedHere(origin(1, 2, 150), "7", toUnsure));
        assertThat(((Rows) into.steps().get(0)).deletes()).containsExactly(Key.of("7"));
        assertThat(into.steps().get(1)).isEqualTo(reread(Set.of(150L), "1"));

        BatchPlan whole = plan(
                START,
                BRACKETED,
                movedAway(origin(1, 2, 150), "1", "7"),
                movedHere(origin(1, 2, 150), "1", row("7", "v", "a")));
        assertThat(((Rows) whole.steps().get(0)).writes()).containsExactly(write("7", row("7", "v", "a")));
        assertThat(whole.steps().get(1)).isEqualTo(reread(Set.of(150L), "1"));

        Map<String, Cell> fromUnsure = unchanged(row("7", "v", "a"), "big");
        BatchPlan both = plan(
                START, BRACKETED, movedAway(origin(1, 2, 150), "1", "7"), movedHere(origin(1, 2, 150), "1", fromUnsure));
        assertThat(both.steps())
                .as("the value that the change leaves may stand under either key")
                .containsExactly(reread(Set.of(150L), "1", "7"));
    }

    @Test
    void whatMayEndABatchEarlyOrClearsRowsDoesNotFollowAReading() {
        Map<String, Cell> row = unchanged(row("8", "v", "a"), "big");
        BatchPlan moved = plan(
                START,
                BRACKETED,
                upsert(origin(1, 1, 150), "1", "v", "unsure"),
                movedAway(origin(1, 2, 250), "7", "8"),
                movedHere(origin(1, 2, 250), "7", row));
        assertThat(moved.consumed()).isEqualTo(1);
        assertThat(moved.reached()).isEqualTo(new Progress(11, Optional.of(mark(1, 1))));

        BatchPlan truncated =
                plan(START, BRACKETED, upsert(origin(1, 1, 150), "1", "v", "unsure"), new Truncate(origin(1, 2, 250)));
        assertThat(truncated.consumed()).isEqualTo(1);

        BatchPlan before =
                plan(START, BRACKETED, new Truncate(origin(1, 1, 250)), upsert(origin(2, 2, 150), "1", "v", "unsure"));
        assertThat(before.steps()).hasSize(2);
        assertThat(before.steps().get(1)).isInstanceOf(Reread.class);
    }

    @Test
    void aRowThatIsReadHasTheTimeOfItsLastChange() {
        Change[] changes = {
            delete(origin(1, 1, 150), "1"), upsert(origin(1, 2, 151), "2", "v", "a"), delete(origin(1, 3, 250), "1")
        };

        BatchPlan plan = BatchPlan.of(queued(START, changes), START, BRACKETED, false);

        assertThat(plan.steps())
                .containsExactly(new Reread(
                        List.of(new Remove(Key.of("1"), 2), new Remove(Key.of("2"), 1)), Set.of(150L, 151L, 250L)));
    }

    @Test
    void keysThatAreEqualAreOneRowToRead() {
        KeyOrder numeric = KeyOrder.of(List.of(KeyType.NUMERIC));
        var chunk = RetainedChunksTest.bracketed(
                1, null, null, PgSnapshot.parse("100:100:"), PgSnapshot.parse("200:200:"));
        RetainedChunks chunks = RetainedChunks.of(numeric, List.of(chunk), List.of());

        BatchPlan plan = plan(
                START,
                chunks,
                upsert(origin(1, 1, 150), "1.0", "v", "unsure"),
                upsert(origin(1, 2, 250), "1.00", "v", "later, of the row that is read"));

        assertThat(plan.steps()).containsExactly(reread(Set.of(150L, 250L), "1.0"));
    }

    @Test
    void aBatchEndsWithTheHundredthRowToRead() {
        var chunk = RetainedChunksTest.bracketed(
                1, null, null, PgSnapshot.parse("100:100:"), PgSnapshot.parse("200:200:"));
        RetainedChunks chunks =
                RetainedChunks.of(KeyOrder.of(List.of(KeyType.INTEGER)), List.of(chunk), List.of());
        Change[] changes = IntStream.range(0, 300)
                .mapToObj(i -> upsert(origin(1, i + 1, 150), Integer.toString(i / 2), "v", "unsure"))
                .toArray(Change[]::new);

        BatchPlan plan = BatchPlan.of(queued(START, changes), START, chunks, false);

        assertThat(plan.consumed()).as("two changes of each, but for the last").isEqualTo(199);
        assertThat(((Reread) plan.steps().getFirst()).rows()).hasSize(100);
        assertThat(plan.reached().position()).isEqualTo(START.position() + 199);
    }

    @Test
    void ofATableWithAConditionARowIsReadOnceHoweverItsChangesLeaveValues() {
        Map<String, Cell> row = unchanged(row("1", "v", "b"), "big");
        Change[] changes = {
            new Upsert(origin(1, 1, 150), Key.of("1"), row, Optional.empty()),
            new Upsert(origin(1, 2, 250), Key.of("1"), row, Optional.empty()),
            new Upsert(origin(1, 3, 250), Key.of("2"), unchanged(row("2", "v", "b"), "big"), Optional.empty())
        };

        BatchPlan plan = BatchPlan.of(queued(START, changes), START, BRACKETED, true);

        assertThat(plan.steps()).containsExactly(
                new Reread(List.of(new Remove(Key.of("1"), 1)), Set.of(150L, 250L)));
        assertThat(plan.consumed()).as("the next may end its batch early").isEqualTo(2);
    }

    @Test
    void aKeyChangeInOneRecordIsReadOnTheSideThatNobodyIsSureOf() {
        var change = new Change.KeyChange(origin(1, 2, 150), Key.of("1"), Key.of("7"), row("7", "v", "a"));

        BatchPlan plan = plan(START, BRACKETED, change);

        assertThat(((Rows) plan.steps().get(0)).writes()).containsExactly(write("7", row("7", "v", "a")));
        assertThat(plan.steps().get(1)).isEqualTo(reread(Set.of(150L), "1"));
    }

    @Test
    void withoutAKeyNothingMayBeUnsure() {
        RetainedChunks chunks = RetainedChunksTest.of(RetainedChunksTest.bracketed(
                1, null, null, PgSnapshot.parse("100:100:"), PgSnapshot.parse("200:200:")));

        assertThatThrownBy(() -> plan(
                        START,
                        chunks,
                        new Change.Replaced(origin(1, 1, 150), Optional.empty(), Optional.of(row("1", "v", "a")))))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("without a key");
    }

    private static BatchPlan plan(Progress from, RetainedChunks chunks, Change... changes) {
        List<Queued> queued = queued(from, changes).stream()
                .map(change -> new Queued(change.offset(), change.change(), 0))
                .toList();
        return BatchPlan.of(queued, from, chunks, false);
    }

    /** Each a millisecond after the one before. */
    private static List<Queued> queued(Progress from, Change... changes) {
        List<Queued> queued = new ArrayList<>();
        for (int i = 0; i < changes.length; i++) {
            queued.add(new Queued(from.position() + i, changes[i], i));
        }
        return queued;
    }

    private static Reread reread(Set<Long> transactions, String... keys) {
        return new Reread(Arrays.stream(keys).map(key -> new Remove(Key.of(key))).toList(), transactions);
    }

    private static Rows rows(BatchPlan plan) {
        assertThat(plan.steps()).hasSize(1);
        return (Rows) plan.steps().get(0);
    }

    private static Mark mark(long commitBefore, long lsn) {
        return new Mark(new Lsn(commitBefore), new Lsn(lsn));
    }

    private static Origin origin(long commitBefore, long lsn, long transaction) {
        return new Origin(Optional.of(new Lsn(commitBefore)), new Lsn(lsn), transaction);
    }

    private static Upsert upsert(Origin origin, String id, String... cells) {
        return new Upsert(origin, Key.of(id), row(id, cells), Optional.empty());
    }

    private static Upsert partial(Origin origin, String id, Map<String, Cell> row, String... unchanged) {
        return new Upsert(origin, Key.of(id), unchanged(row, unchanged), Optional.empty());
    }

    private static Delete delete(Origin origin, String id) {
        return new Delete(origin, Key.of(id), Optional.empty());
    }

    private static Delete movedAway(Origin origin, String from, String to) {
        return new Delete(origin, Key.of(from), Optional.of(Key.of(to)));
    }

    private static Upsert movedHere(Origin origin, String from, Map<String, Cell> row) {
        return new Upsert(origin, Key.of(((Cell.Text) row.get("id")).text()), row, Optional.of(Key.of(from)));
    }

    private static Write write(String id, Map<String, Cell> row) {
        return new Write(Key.of(id), row);
    }

    private static Map<String, Cell> row(String id, String... cells) {
        Map<String, Cell> row = new LinkedHashMap<>();
        row.put("id", new Cell.Text(id));
        for (int i = 0; i < cells.length; i += 2) {
            row.put(cells[i], new Cell.Text(cells[i + 1]));
        }
        return row;
    }

    private static Map<String, Cell> unchanged(Map<String, Cell> row, String... columns) {
        for (String column : columns) {
            row.put(column, Cell.UNCHANGED);
        }
        return row;
    }
}
