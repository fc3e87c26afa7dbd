package dev.sluice.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Lsn;
import dev.sluice.domain.PgSnapshot;
import dev.sluice.domain.TableName;
import dev.sluice.postgres.PrimaryMoments.Moment;
import dev.sluice.postgres.PrimaryMoments.Next;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Time is made up here: seconds, in which the primary writes one byte each. */
class PrimaryMomentsTest {

    private static final TableName TABLE = TableName.parse("orders");
    private static final long LAG = 120;

    private final PrimaryMoments moments = new PrimaryMoments();
    private long now = 1_000;

    @Test
    void theNewestMomentThatIsReachedIsTheOne() {
        add(100, 0);
        add(200, 10);
        add(300, 20);

        assertThat(next(20, 99)).isEqualTo(new Next.Wait(new Lsn(100)));
        assertThat(begun(next(20, 250))).contains(new Lsn(200));
        assertThat(next(20, 150)).as("a slower standby waits for a newer one").isEqualTo(new Next.Wait(new Lsn(200)));
        assertThat(begun(next(20, 300))).contains(new Lsn(300));
    }

    @Test
    void momentsThatWereTakenAtTheSameTimeMayComeInAnyOrder() {
        add(200, 0);
        add(100, 0);

        assertThat(begun(next(0, 150))).contains(new Lsn(100));
        assertThat(begun(next(0, 200))).contains(new Lsn(200));
    }

    @Test
    void aMomentBeforeTheBackfillStartedIsTooOld() {
        add(100, 0);

        assertThat(begun(next(0, 500))).contains(new Lsn(100));
        assertThat(moments.next(TABLE, 0, new Lsn(500), new Lsn(101))).isEqualTo(new Next.TakeOne());
    }

    @Test
    void aMomentIsTakenWhenTheNewestIsOlderThanASecond() {
        assertThat(next(0, 500)).isEqualTo(new Next.TakeOne());
        add(100, 5);

        assertThat(begun(next(6, 500))).contains(new Lsn(100));
        assertThat(next(7, 500)).isEqualTo(new Next.TakeOne());
    }

    @Test
    void whileTheStandbyIsBehindAMomentIsTakenWhenTheNewestIsOlderThan15Seconds() {
        add(100, 5);

        assertThat(next(20, 99)).isEqualTo(new Next.Wait(new Lsn(100)));
        assertThat(next(21, 99)).isEqualTo(new Next.TakeOne());
    }

    @Test
    void aMomentMuchOlderThanTheNextIsNotUsed() {
        add(100, 0);
        add(200, 61);

        assertThat(next(61, 150)).isEqualTo(new Next.Wait(new Lsn(200)));
        assertThat(begun(next(61, 200))).contains(new Lsn(200));
    }

    @Test
    void noMoreThanAThousandMomentsAreTakenAndTheOldestStay() {
        long lsn = 1_000;
        long seconds = 0;
        while (lsn < 3_000 && next(seconds, 0).equals(new Next.TakeOne())) {
            add(lsn++, seconds);
            seconds += 16;
        }

        assertThat(lsn).isEqualTo(2_000);
        assertThat(next(seconds, 0)).as("without a bound on how far behind").isEqualTo(new Next.Wait(new Lsn(1_000)));
        assertThat(next(seconds, 1_001)).as("one that was passed makes room").isEqualTo(new Next.TakeOne());
    }

    @Test
    void aTableIsForgottenTenMinutesAfterItsLastMoment() {
        add(100, 0);
        var other = TableName.parse("others");

        moments.add(other, moment(200, 600));
        assertThat(begun(next(0, 500))).as("as of the time of its moment").contains(new Lsn(100));
        moments.add(other, moment(300, 601));
        assertThat(next(0, 500)).as("as of the time of its moment").isEqualTo(new Next.TakeOne());
        assertThat(moments.next(other, nanos(601), new Lsn(500), Lsn.ZERO)).isInstanceOf(Next.Begin.class);
    }

    @Test
    void aTableWhoseFilesChangedIsForgotten() {
        add(100, 0);

        moments.forget(TABLE);

        assertThat(next(0, 500)).isEqualTo(new Next.TakeOne());
    }

    /** A lag that is longer than a moment may be older than the next. */
    @Test
    void behindASteadyLagOnlyTheFirstChunkWaits() {
        for (long seconds : new long[] {1, 2, 20, 44}) {
            long start = now;
            List<Long> waits = new ArrayList<>();
            for (int chunk = 0; chunk < 100; chunk++) {
                waits.add(waited(Long.MAX_VALUE, 0, start));
                now += seconds;
            }

            assertThat(waits.getFirst()).as("chunks of %s s: the first", seconds).isEqualTo(LAG);
            assertThat(waits.subList(1, waits.size())).as("chunks of %s s: the others", seconds).containsOnly(0L);
            now += 1_000;
        }
    }

    /** A chunk that has waited a minute in vain is tried again later, and takes no moment meanwhile. */
    @Test
    void betweenTwoTriesNoTimeIsLost() {
        long start = now;

        assertThat(waited(60, 30, start)).as("seconds of the first chunk").isEqualTo(LAG);
        for (int chunk = 1; chunk < 100; chunk++) {
            now += 2;
            assertThat(waited(60, 30, start)).as("seconds of chunk %s", chunk).isZero();
        }
    }

    /**
     * How long a chunk waits until it begins.
     *
     * @param limit of one try
     * @param pause between two tries
     */
    private long waited(long limit, long pause, long backfillStarted) {
        long started = now;
        long tried = now;
        while (true) {
            switch (moments.next(TABLE, nanos(now), new Lsn(now - LAG), new Lsn(backfillStarted))) {
                case Next.Begin begin -> {
                    assertThat(now - begin.moment().lsn().value()).as("age of the moment").isLessThan(LAG + 60);
                    return now - started;
                }
                case Next.TakeOne() -> add(now, now);
                case Next.Wait wait -> {
                    assertThat(wait.needed().value()).as("not replayed").isGreaterThan(now - LAG);
                    assertThat(now - started).as("waited at all").isLessThan(10 * LAG);
                    now++;
                    if (now - tried >= limit) {
                        now += pause;
                        tried = now;
                    }
                }
            }
        }
    }

    private Next next(long seconds, long replayed) {
        return moments.next(TABLE, nanos(seconds), new Lsn(replayed), Lsn.ZERO);
    }

    private static Optional<Lsn> begun(Next next) {
        return next instanceof Next.Begin begin ? Optional.of(begin.moment().lsn()) : Optional.empty();
    }

    private void add(long lsn, long seconds) {
        moments.add(TABLE, moment(lsn, seconds));
    }

    private static Moment moment(long lsn, long seconds) {
        return new Moment(PgSnapshot.parse("1:1:"), new Lsn(lsn), "", nanos(seconds));
    }

    private static long nanos(long seconds) {
        return Duration.ofSeconds(seconds).toNanos();
    }
}
