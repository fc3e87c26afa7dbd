package dev.sluice.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Attempt;
import dev.sluice.domain.Event.ChunkCopied;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.Setting;
import dev.sluice.domain.Settings;
import dev.sluice.domain.TableState.ChunkPlan;
import dev.sluice.domain.TableState.OpenChunk;
import dev.sluice.domain.TableState.Speed;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChunkRowsTest {

    private static final Limits LIMITS = new Limits(1, 1, 1, 4).under(Settings.NONE.with(Setting.CHUNK_SECONDS, 10));

    @ParameterizedTest
    @CsvSource({
        // planned last, rows and time of those copied, planned next
        "1000, 4000, 40000, 1000", "1000, 4000, 30000, 1333", "1000, 4000, 1, 2000", "1000, 4000, 4000000, 500",
        "40000, 40000, 1, 50000", "150, 4000, 4000000, 100", "1000, 0, 0, 1000"
    })
    void rowsFollowWhatTheChunksBeforeTook(int rows, long copied, long millis, int next) {
        assertThat(ChunkRows.next(LIMITS, plan(new Speed(rows, copied, millis, 9, 9)))).isEqualTo(next);
    }

    @Test
    void theFirstChunksAreSmall() {
        assertThat(ChunkRows.next(LIMITS, ChunkPlan.start())).isEqualTo(5_000);
        assertThat(ChunkRows.next(LIMITS.under(Settings.NONE.with(Setting.CHUNK_ROWS, 200)), ChunkPlan.start()))
                .isEqualTo(100);
    }

    @Test
    void withoutATimeAChunkHasAllTheRowsThatItMay() {
        assertThat(ChunkRows.next(new Limits(1, 1, 1, 4), plan(new Speed(100, 100, 100, 0, 0)))).isEqualTo(50_000);
    }

    @Test
    void onlyAPlanningChangesWhatTheNextOneGoesBy() {
        Speed speed = ChunkRows.planned(Optional.empty(), 5_000);
        speed = ChunkRows.copied(speed, List.of(open(1, Optional.of(5_000))), copied(1, 100, 2_000));
        assertThat(speed).isEqualTo(new Speed(5_000, 0, 0, 5_000, 2_000));

        speed = ChunkRows.planned(Optional.of(speed), 6_000);
        assertThat(speed).isEqualTo(new Speed(6_000, 5_000, 2_000, 0, 0));

        assertThat(ChunkRows.planned(Optional.of(speed), 7_000)).as("none came back").isEqualTo(new Speed(7_000, 5_000, 2_000, 0, 0));
    }

    @Test
    void whatTellsNothingIsNotCounted() {
        var speed = new Speed(5_000, 0, 0, 0, 0);

        assertThat(ChunkRows.copied(speed, List.of(open(1, Optional.of(5_000))), copied(1, 0, 5))).as("found copied").isEqualTo(speed);
        assertThat(ChunkRows.copied(speed, List.of(open(1, Optional.empty())), copied(1, 100, 5))).as("not noted").isEqualTo(speed);
    }

    private static ChunkPlan plan(Speed speed) {
        return new ChunkPlan(
                0, Optional.empty(), false, Attempt.first(), List.of(), 0, 0, 0, Optional.of(speed));
    }

    private static OpenChunk open(int chunk, Optional<Integer> rows) {
        return new OpenChunk(chunk, KeyRange.ALL, Attempt.first(), true, false, rows);
    }

    /** Far fewer rows than planned for: a condition leaves most of them out. */
    private static ChunkCopied copied(int chunk, long bytes, long millis) {
        return new ChunkCopied(Given.TABLE, Given.RUN, chunk, 1, 3, bytes, millis);
    }
}
