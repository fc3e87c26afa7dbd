package dev.sluice.streaming;

import static dev.sluice.streaming.RetainedChunks.Sight.ABSENT;
import static dev.sluice.streaming.RetainedChunks.Sight.CONTAINED;
import static dev.sluice.streaming.RetainedChunks.Sight.UNSURE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.domain.Key;
import dev.sluice.domain.KeyOrder;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.KeyType;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.PgSnapshot;
import dev.sluice.postgres.Ledger.RetainedChunk;
import dev.sluice.postgres.Ledger.RowRead;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RetainedChunksTest {

    private static final KeyOrder ORDER = KeyOrder.of(List.of(KeyType.INTEGER));
    private static final PgSnapshot SEES_BELOW_100 = PgSnapshot.parse("100:100:");
    private static final PgSnapshot SEES_BELOW_200 = PgSnapshot.parse("200:200:");

    @Test
    void aChangeIsContainedWhereTheChunkOfItsKeySawIt() {
        RetainedChunks chunks = of(chunk(1, null, "10", SEES_BELOW_100), chunk(1, "10", null, SEES_BELOW_200));

        assertThat(chunks.sight(Key.of("10"), 99)).isEqualTo(CONTAINED);
        assertThat(chunks.sight(Key.of("10"), 100)).isEqualTo(ABSENT);
        assertThat(chunks.sight(Key.of("11"), 199)).as("the upper end belongs to the chunk below").isEqualTo(CONTAINED);
        assertThat(chunks.sight(Key.of("11"), 200)).isEqualTo(ABSENT);
    }

    @Test
    void aKeyThatNoChunkCoversIsNotContained() {
        RetainedChunks chunks = of(chunk(1, null, "10", SEES_BELOW_100), chunk(1, "20", "30", SEES_BELOW_100));

        assertThat(chunks.sight(Key.of("15"), 1)).isEqualTo(ABSENT);
        assertThat(chunks.sight(Key.of("20"), 1)).isEqualTo(ABSENT);
        assertThat(chunks.sight(Key.of("21"), 1)).isEqualTo(CONTAINED);
        assertThat(chunks.sight(Key.of("31"), 1)).isEqualTo(ABSENT);
    }

    @Test
    void ofTwoReadsOfARowTheLaterOneDecidesWhateverTextTheKeyHad() {
        KeyOrder numeric = KeyOrder.of(List.of(KeyType.NUMERIC));
        var earlier = new RowRead(Key.of("1.0"), SEES_BELOW_100, new Lsn(500));
        var later = new RowRead(Key.of("1.00"), SEES_BELOW_200, new Lsn(600));

        for (List<RowRead> reads : List.of(List.of(earlier, later), List.of(later, earlier))) {
            RetainedChunks chunks = RetainedChunks.of(numeric, List.of(), reads);
            assertThat(chunks.sight(Key.of("1"), 150)).isEqualTo(CONTAINED);
        }
    }

    @Test
    void anyRunThatRetainsItsChunksDecides() {
        RetainedChunks chunks = of(chunk(1, null, "10", SEES_BELOW_200), chunk(2, null, null, SEES_BELOW_100));

        assertThat(chunks.sight(Key.of("5"), 150)).as("the cancelled run saw it").isEqualTo(CONTAINED);
        assertThat(chunks.sight(Key.of("15"), 150)).isEqualTo(ABSENT);
    }

    @Test
    void aChunkOfAStandbyIsSureBelowTheFirstSnapshotAndAboveTheSecond() {
        RetainedChunks chunks = of(
                bracketed(1, null, "10", SEES_BELOW_100, SEES_BELOW_200), chunk(2, "5", "10", SEES_BELOW_200));

        assertThat(chunks.sight(Key.of("1"), 99)).isEqualTo(CONTAINED);
        assertThat(chunks.sight(Key.of("1"), 100)).isEqualTo(UNSURE);
        assertThat(chunks.sight(Key.of("1"), 199)).isEqualTo(UNSURE);
        assertThat(chunks.sight(Key.of("1"), 200)).isEqualTo(ABSENT);
        assertThat(chunks.sight(Key.of("6"), 150)).as("a chunk of the primary is sure").isEqualTo(CONTAINED);
        assertThat(chunks.sight(Key.of("11"), 150)).as("of another range").isEqualTo(ABSENT);
        RowRead read = new RowRead(Key.of("1"), SEES_BELOW_200, new Lsn(500));
        assertThat(chunks.with(List.of(read)).sight(Key.of("1"), 150)).as("after the row was read").isEqualTo(CONTAINED);
        assertThat(chunks.with(List.of(read)).lastRowRead()).contains(new Lsn(500));
        assertThatThrownBy(() -> chunks.unseen(150)).as("a TRUNCATE").hasMessageContaining("truncated");
    }

    @Test
    void thousandsOfChunksFindTheirKey() {
        List<RetainedChunk> chunks = new ArrayList<>();
        for (int i = 0; i < 5_000; i++) {
            chunks.add(chunk(
                    1,
                    i == 0 ? null : Integer.toString(i * 10),
                    i == 4_999 ? null : Integer.toString(i * 10 + 10),
                    PgSnapshot.parse((i + 1) + ":" + (i + 1) + ":")));
        }
        RetainedChunks retained = RetainedChunks.of(ORDER, chunks, List.of());

        for (int i = 0; i < 5_000; i++) {
            Key key = Key.of(Integer.toString(i * 10 + 5));
            assertThat(retained.sight(key, i)).as("chunk %s sees %s", i, i).isEqualTo(CONTAINED);
            assertThat(retained.sight(key, i + 1)).as("chunk %s does not see %s", i, i + 1).isEqualTo(ABSENT);
        }
    }

    @Test
    void aRowReadIsAChunkOfOneRowUntilItIsPassed() {
        var read = new RowRead(Key.of("7"), SEES_BELOW_100, new Lsn(500));
        RetainedChunks chunks = of().with(List.of(read));

        assertThat(chunks.sight(Key.of("7"), 99)).isEqualTo(CONTAINED);
        assertThat(chunks.sight(Key.of("8"), 99)).isEqualTo(ABSENT);
        assertThat(chunks.withoutChunks().sight(Key.of("7"), 99)).isEqualTo(CONTAINED);
        assertThat(chunks.without(new Lsn(500)).sight(Key.of("7"), 99)).as("not passed yet").isEqualTo(CONTAINED);
        assertThat(chunks.without(new Lsn(501)).sight(Key.of("7"), 99)).isEqualTo(ABSENT);
    }

    @Test
    void whatNoChunkSawIsAll() {
        assertThat(of().unseen(5).ranges()).containsExactly(KeyRange.ALL);
        assertThat(of(chunk(1, null, null, SEES_BELOW_100)).unseen(150).ranges()).containsExactly(KeyRange.ALL);
    }

    @Test
    void whatEveryChunkSawIsNothing() {
        assertThat(of(chunk(1, null, "5", SEES_BELOW_100), chunk(1, "5", null, SEES_BELOW_200)).unseen(50).ranges())
                .isEmpty();
    }

    @Test
    void theUnseenRangesAreTheGapsBetweenTheSeenOnes() {
        RetainedChunks chunks = of(
                chunk(1, null, "5", SEES_BELOW_100),
                chunk(1, "5", "10", SEES_BELOW_200),
                chunk(1, "10", "15", SEES_BELOW_100),
                chunk(1, "15", null, SEES_BELOW_200),
                chunk(2, "12", "17", SEES_BELOW_200));

        assertThat(chunks.unseen(150).ranges())
                .containsExactly(
                        new KeyRange(Optional.empty(), Optional.of(Key.of("5"))),
                        new KeyRange(Optional.of(Key.of("10")), Optional.of(Key.of("12"))));
    }

    @Test
    void aRowReadThatSawTheTruncateStays() {
        RetainedChunks chunks = of(chunk(1, null, "5", SEES_BELOW_200))
                .with(List.of(
                        new RowRead(Key.of("3"), SEES_BELOW_200, new Lsn(1)),
                        new RowRead(Key.of("8"), SEES_BELOW_200, new Lsn(1)),
                        new RowRead(Key.of("9"), SEES_BELOW_100, new Lsn(1))));

        assertThat(chunks.unseen(150).except()).containsExactly(Key.of("8"));
    }

    static RetainedChunks of(RetainedChunk... chunks) {
        return RetainedChunks.of(ORDER, List.of(chunks), List.of());
    }

    static RetainedChunk chunk(long run, String after, String upTo, PgSnapshot snapshot) {
        return new RetainedChunk(
                run,
                new KeyRange(Optional.ofNullable(after).map(Key::of), Optional.ofNullable(upTo).map(Key::of)),
                snapshot,
                Optional.empty(),
                "");
    }

    /** One that was read from a standby. */
    static RetainedChunk bracketed(long run, String after, String upTo, PgSnapshot snapshot, PgSnapshot later) {
        return new RetainedChunk(run, chunk(run, after, upTo, snapshot).range(), snapshot, Optional.of(later), "");
    }
}
