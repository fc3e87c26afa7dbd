package dev.sluice.domain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PgSnapshotTest {

    private static final long EPOCH = 1L << 32;

    @ParameterizedTest
    @CsvSource({
        "99, true", "100, false", "101, true", "102, false", "103, true", "104, true", "105, false", "1000, false"
    })
    void aTransactionIsSeenWhenItWasOver(long transaction, boolean seen) {
        assertThat(PgSnapshot.parse("100:105:102,100").sees(transaction)).isEqualTo(seen);
    }

    @Test
    void withNothingInProgressAllBelowTheNextIdIsSeen() {
        PgSnapshot snapshot = PgSnapshot.parse("7:7:");

        assertThat(snapshot.sees(6)).as("6").isTrue();
        assertThat(snapshot.sees(7)).as("7, not yet given out").isFalse();
    }

    @Test
    void nearTheWrapTheNearestEpochCounts() {
        // given a snapshot just after the 32 bits began anew
        PgSnapshot snapshot = PgSnapshot.parse((EPOCH - 2) + ":" + (EPOCH + 5) + ":" + (EPOCH - 2) + "," + (EPOCH + 3));

        assertThat(snapshot.sees32(0xfffffffdL)).as("before xmin, in the epoch before").isTrue();
        assertThat(snapshot.sees32(0xfffffffeL)).as("in progress, in the epoch before").isFalse();
        assertThat(snapshot.sees32(0xffffffffL)).as("over, in the epoch before").isTrue();
        assertThat(snapshot.sees32(2)).as("over, in this epoch").isTrue();
        assertThat(snapshot.sees32(3)).as("in progress, in this epoch").isFalse();
        assertThat(snapshot.sees32(5)).as("later").isFalse();
    }

    @Test
    void justBeforeTheWrapALaterTransactionIsNotTakenForAnAncientOne() {
        PgSnapshot snapshot = PgSnapshot.parse((EPOCH - 5) + ":" + (EPOCH - 5) + ":");

        assertThat(snapshot.sees32(3)).as("it began after the wrap, so after the snapshot").isFalse();
    }

    @Test
    void inALateEpochThe32BitsMeanTheSame() {
        long base = 5 * EPOCH + 1_000;
        PgSnapshot snapshot = PgSnapshot.parse(base + ":" + (base + 10) + ":" + base);

        assertThat(snapshot.sees32(999)).as("before").isTrue();
        assertThat(snapshot.sees32(1_000)).as("in progress").isFalse();
        assertThat(snapshot.sees32(1_001)).as("over").isTrue();
        assertThat(snapshot.sees32(1_010)).as("later").isFalse();
    }

    @Test
    void halfTheIdsLieOnEachSide() {
        PgSnapshot snapshot = PgSnapshot.parse(EPOCH * 2 + ":" + EPOCH * 2 + ":");

        assertThat(snapshot.sees32(0x80000000L)).as("2^31 before").isTrue();
        assertThat(snapshot.sees32(0x7fffffffL)).as("2^31 - 1 later").isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", "1:2", "1:2:3:4", "a:2:", "1:2:x", "1:2:,", "1:2:3,", "1:2:,3", "-1:2:", "2:1:", "1:99999999999999999999:",
        " 1:2:", "1:2:3, 4", "+1:2:"
    })
    void whatIsNoSnapshotIsRefused(String text) {
        assertThatThrownBy(() -> PgSnapshot.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("is not a pg_snapshot");
    }

    @Test
    void textAndSnapshotAreInverse() {
        assertThat(PgSnapshot.parse("10:20:11,15").toString()).isEqualTo("10:20:11,15");
    }

    @Test
    void thousandsOfTransactionsInProgressAreRead() {
        String many = LongStream.range(0, 100_000).mapToObj(Long::toString).collect(Collectors.joining(","));

        assertThat(PgSnapshot.parse("0:100000:" + many).sees(99_999)).isFalse();
    }

    @Test
    void equalSnapshotsAreEqual() {
        assertThat(PgSnapshot.parse("1:9:5,3")).isEqualTo(PgSnapshot.parse("1:9:3,5"));
    }
}
