package dev.sluice.postgres;

import static dev.sluice.postgres.TwoDatabases.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.domain.Lsn;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableState.Outcome;
import dev.sluice.postgres.Ledger.RetainedChunk;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Who may open, close and go on, as the ledger decides it. */
class LedgerIT {

    private static TwoDatabases databases;

    @BeforeAll
    static void open() {
        databases = TwoDatabases.open();
    }

    @AfterAll
    static void close() {
        databases.close();
    }

    private static Ledger ledger() {
        return databases.ledger;
    }

    @Test
    void aRunStartsItsQueueOnceHoweverOftenItIsTold() {
        TableName table = TableName.parse("public.queued");
        await(ledger().openRun(table, 5));
        await(ledger().startQueueAt(table, 5, "topic", 100));

        // A process that was thought dead, with the end of the queue as it is by now.
        await(ledger().startQueueAt(table, 5, "topic", 250));

        assertThat(await(ledger().read(table)).orElseThrow().position()).contains(100L);
        await(ledger().startQueueAt(table, 5, "another topic", 0));
        assertThat(await(ledger().read(table)).orElseThrow().position()).contains(0L);
        await(ledger().openRun(table, 6));
        await(ledger().startQueueAt(table, 6, "another topic", 300));
        assertThat(await(ledger().read(table)).orElseThrow().position()).contains(300L);
        assertThatThrownBy(() -> await(ledger().startQueueAt(table, 5, "topic", 1)))
                .isInstanceOf(Ledger.FencedException.class);
    }

    @Test
    void anOlderRunCannotOpenAndAClosedOneNotAgain() {
        TableName table = TableName.parse("public.fenced");
        await(ledger().openRun(table, 7));
        await(ledger().openRun(table, 7));

        assertThatThrownBy(() -> await(ledger().openRun(table, 6))).isInstanceOf(Ledger.FencedException.class);
        await(ledger().closeRun(table, 7, Outcome.CUT_SHORT, 0));
        assertThatThrownBy(() -> await(ledger().openRun(table, 7))).isInstanceOf(Ledger.FencedException.class);
    }

    @Test
    void aRunIsClosedAsCopiedOnlyIfItsChunksCoverTheKeySpace() throws SQLException {
        TableName table = TableName.parse("public.gaps");
        String ledgerSchema = databases.pipeline.ledgerSchema();
        await(ledger().openRun(table, 8));
        databases.atDestination("INSERT INTO " + ledgerSchema + ".chunks (table_name, run, chunk, after_key, up_to_key, "
                + "rows, source_snapshot) VALUES ('public.gaps', 8, 0, NULL, '{10}', 10, '1:1:'), "
                + "('public.gaps', 8, 2, '{20}', NULL, 0, '1:1:')");

        assertThatThrownBy(() -> await(ledger().closeRun(table, 8, Outcome.COPIED, 3)))
                .isInstanceOf(Ledger.IncompleteRunException.class);
        databases.atDestination("INSERT INTO " + ledgerSchema + ".chunks (table_name, run, chunk, after_key, up_to_key, "
                + "rows, source_snapshot) VALUES ('public.gaps', 8, 1, '{11}', '{20}', 10, '1:1:')");
        assertThatThrownBy(() -> await(ledger().closeRun(table, 8, Outcome.COPIED, 3)))
                .as("a gap between 10 and 11")
                .isInstanceOf(Ledger.IncompleteRunException.class);
        databases.atDestination("UPDATE " + ledgerSchema + ".chunks SET after_key = '{10}' WHERE chunk = 1 AND run = 8");
        assertThatThrownBy(() -> await(ledger().closeRun(table, 8, Outcome.COPIED, 4)))
                .as("one chunk more was planned")
                .isInstanceOf(Ledger.IncompleteRunException.class);

        await(ledger().closeRun(table, 8, Outcome.COPIED, 3));
        assertThat(await(ledger().setWatermark(table, 8, new Lsn(77)))).isEqualTo(new Lsn(77));
        assertThat(await(ledger().setWatermark(table, 8, new Lsn(99)))).as("the first holds").isEqualTo(new Lsn(77));
        assertThat(await(ledger().retainedChunks(table))).hasSize(3);
    }

    @Test
    void aPartIsClosedIfItsChunksHaveNoGapAndLeavesEarlierOnesAsTheyAre() throws SQLException {
        TableName table = TableName.parse("public.part");
        await(ledger().openRun(table, 40));
        await(ledger().startQueueAt(table, 40, "topic", 1));
        chunk("public.part", 40, "whole");
        await(ledger().closeRun(table, 40, Outcome.CUT_SHORT, 0));
        await(ledger().openRun(table, 41));
        databases.atDestination("INSERT INTO " + databases.pipeline.ledgerSchema() + ".chunks (table_name, run, chunk, "
                + "after_key, up_to_key, rows, source_snapshot, key_order) VALUES "
                + "('public.part', 41, 0, '{10}', '{20}', 10, '1:1:', 'part'), "
                + "('public.part', 41, 1, '{21}', '{30}', 10, '1:1:', 'part')");

        assertThatThrownBy(() -> await(ledger().closeRun(table, 41, Outcome.COPIED, 2)))
                .as("no part")
                .isInstanceOf(Ledger.IncompleteRunException.class);
        assertThatThrownBy(() -> await(ledger().closeRun(table, 41, Outcome.COPIED, 2, true)))
                .as("a gap between 20 and 21")
                .isInstanceOf(Ledger.IncompleteRunException.class);
        databases.atDestination("UPDATE " + databases.pipeline.ledgerSchema()
                + ".chunks SET after_key = '{20}' WHERE chunk = 1 AND run = 41");
        assertThatThrownBy(() -> await(ledger().closeRun(table, 41, Outcome.COPIED, 3, true)))
                .as("one chunk more was planned")
                .isInstanceOf(Ledger.IncompleteRunException.class);
        await(ledger().closeRun(table, 41, Outcome.COPIED, 2, true));

        assertThat(await(ledger().retainedChunks(table))).extracting(RetainedChunk::order)
                .containsExactly("whole", "part", "part");
    }

    @Test
    void onlyARunThatIsCompleteTakesThePlaceOfTheChunksOfEarlierOnes() throws SQLException {
        TableName table = TableName.parse("public.again");
        await(ledger().openRun(table, 30));
        await(ledger().startQueueAt(table, 30, "topic", 1));
        chunk("public.again", 30, "old");
        await(ledger().openRun(table, 31));
        chunk("public.again", 31, "new");
        // when it is cancelled, the destination has rows as the first of them read it
        await(ledger().closeRun(table, 31, Outcome.CUT_SHORT, 0));
        assertThat(await(ledger().retainedChunks(table))).extracting(RetainedChunk::run).containsExactly(30L, 31L);

        // when the next is complete, it has read them all again
        await(ledger().openRun(table, 32));
        chunk("public.again", 32, "newer");
        assertThat(await(ledger().retainedChunks(table))).hasSize(3);
        await(ledger().closeRun(table, 32, Outcome.COPIED, 1));

        assertThat(await(ledger().retainedChunks(table))).extracting(RetainedChunk::order).containsExactly("newer");
    }

    private static void chunk(String table, long run, String order) throws SQLException {
        databases.atDestination("INSERT INTO " + databases.pipeline.ledgerSchema()
                + ".chunks (table_name, run, chunk, rows, source_snapshot, key_order) VALUES ('" + table + "', " + run
                + ", 0, 1, '1:1:', '" + order + "')");
    }

    @Test
    void onlyWhoStandsWhereTheLedgerStandsMayCallTheTableCaughtUp() {
        TableName table = TableName.parse("public.caught");
        await(ledger().openRun(table, 9));
        await(ledger().startQueueAt(table, 9, "topic", 40));
        await(ledger().closeRun(table, 9, Outcome.CUT_SHORT, 0));

        assertThatThrownBy(() -> await(ledger().caughtUp(table, 9, 41))).isInstanceOf(Ledger.FencedException.class);
        assertThatThrownBy(() -> await(ledger().caughtUp(table, 8, 40))).isInstanceOf(Ledger.FencedException.class);
        await(ledger().caughtUp(table, 9, 40));
        assertThat(await(ledger().read(table)).map(Ledger.Entry::applying)).isEqualTo(Optional.of(Ledger.Applying.STREAMING));
    }

    @Test
    void theOptionsAreThoseOfTheNewestRunThatWasOpened() {
        TableName table = TableName.parse("public.optional");
        var some = new TableOptions(
                List.of("id"), List.of(), List.of("note"), List.of(), Map.of("a", Optional.empty()), Optional.of("n > 1"),
                Optional.empty());
        await(ledger().openRun(table, 20, some));
        assertThat(await(ledger().read(table)).map(entry -> entry.options().options())).contains(some);

        // when a run is closed that never was opened
        await(ledger().closeRun(table, 21, Outcome.CUT_SHORT, 0));

        // then they are those by which the rows are written still, until the next is opened
        assertThat(await(ledger().read(table)).map(entry -> entry.options().options())).contains(some);
        await(ledger().openRun(table, 22, TableOptions.NONE));
        assertThat(await(ledger().read(table)).map(entry -> entry.options().options())).contains(TableOptions.NONE);
    }

    @Test
    void aLedgerOfAnEarlierVersionGetsItsOptions() throws SQLException {
        TableName table = TableName.parse("public.early");
        await(ledger().openRun(table, 30));
        databases.atDestination("ALTER TABLE " + databases.pipeline.ledgerSchema() + ".tables DROP COLUMN options");

        await(ledger().create());

        assertThat(await(ledger().read(table)).map(entry -> entry.options().options())).contains(TableOptions.NONE);
    }

    @Test
    void aReleaseForgetsTheTableUnlessANewerRunIsKnown() {
        TableName table = TableName.parse("public.released");
        await(ledger().openRun(table, 10));

        await(ledger().release(table, 9));
        assertThat(await(ledger().read(table))).isPresent();
        await(ledger().release(table, 10));
        assertThat(await(ledger().read(table))).isEmpty();
    }
}
