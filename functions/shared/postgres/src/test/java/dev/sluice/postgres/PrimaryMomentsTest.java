package dev.sluice.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Lsn;
import dev.sluice.domain.PgSnapshot;
import dev.sluice.postgres.PrimaryMoments.Moment;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class PrimaryMomentsTest {

    private final PrimaryMoments moments = new PrimaryMoments();

    @Test
    void theNewestMomentThatIsReachedIsTheOne() {
        add(100, 0);
        add(200, 10);
        add(300, 20);

        assertThat(moments.reached(new Lsn(99), Lsn.ZERO)).isEmpty();
        assertThat(moments.awaited(new Lsn(99))).contains(new Lsn(100));
        assertThat(moments.reached(new Lsn(250), Lsn.ZERO)).map(Moment::lsn).contains(new Lsn(200));
        assertThat(moments.awaited(new Lsn(250))).contains(new Lsn(300));
        assertThat(moments.reached(new Lsn(150), Lsn.ZERO)).as("a slower standby waits for a newer one").isEmpty();
    }

    @Test
    void aMomentBeforeTheBackfillStartedIsTooOld() {
        add(100, 0);

        assertThat(moments.reached(new Lsn(500), new Lsn(101))).isEmpty();
        assertThat(moments.wantsOne(0, new Lsn(101))).isTrue();
        assertThat(moments.wantsOne(0, new Lsn(100))).isFalse();
    }

    @Test
    void aMomentIsWantedWhenTheNewestIsOlderThanASecond() {
        assertThat(moments.wantsOne(0, Lsn.ZERO)).isTrue();
        add(100, 5);

        assertThat(moments.wantsOne(nanos(6), Lsn.ZERO)).isFalse();
        assertThat(moments.wantsOne(nanos(6) + 1, Lsn.ZERO)).isTrue();
    }

    @Test
    void aMomentMuchOlderThanTheNextIsNotUsed() {
        add(100, 0);
        add(200, 61);

        assertThat(moments.reached(new Lsn(150), Lsn.ZERO)).isEmpty();
        assertThat(moments.reached(new Lsn(200), Lsn.ZERO)).map(Moment::lsn).contains(new Lsn(200));
    }

    private void add(long lsn, long seconds) {
        moments.add(new Moment(PgSnapshot.parse("1:1:"), new Lsn(lsn), "", nanos(seconds)));
    }

    private static long nanos(long seconds) {
        return Duration.ofSeconds(seconds).toNanos();
    }
}
