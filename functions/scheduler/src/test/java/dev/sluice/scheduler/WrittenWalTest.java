package dev.sluice.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Lsn;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class WrittenWalTest {

    private static final Lsn EARLY = Lsn.parse("0/10");
    private static final Lsn LATER = Lsn.parse("0/20");
    private static final Lsn LAST = Lsn.parse("1/0");

    @Test
    void aStandbyIsAsFarBehindAsTheFirstLookThatSawMore() {
        var wal = new WrittenWal();
        wal.written(EARLY, Given.NOW);
        wal.written(LATER, Given.NOW.plusSeconds(5));
        wal.written(LATER, Given.NOW.plusSeconds(10));
        wal.written(LAST, Given.NOW.plusSeconds(15));

        assertThat(wal.lag(EARLY, Given.NOW.plusSeconds(15))).isEqualTo(Duration.ofSeconds(10));
        assertThat(wal.lag(LATER, Given.NOW.plusSeconds(15))).isEqualTo(Duration.ZERO);
        assertThat(wal.lag(LATER, Given.NOW.plusSeconds(20))).isEqualTo(Duration.ofSeconds(5));
        assertThat(wal.lag(LAST, Given.NOW.plusSeconds(99))).isEqualTo(Duration.ZERO);
    }

    @Test
    void whatWasWrittenBeforeTheFirstLookIsNotKnown() {
        assertThat(new WrittenWal().lag(EARLY, Given.NOW)).isEqualTo(Duration.ZERO);
    }

    @Test
    void onlySoManyLooksAreKept() {
        var wal = new WrittenWal();
        for (int i = 1; i <= 20_001; i++) {
            wal.written(new Lsn(i), Given.NOW.plusSeconds(i));
        }

        assertThat(wal.lag(Lsn.ZERO, Given.NOW.plusSeconds(20_001))).isEqualTo(Duration.ofSeconds(19_999));
    }
}
