package dev.sluice.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Fault;
import dev.sluice.domain.TableName;
import dev.sluice.postgres.Partition.Trace;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PartitionTest {

    private static final Trace JANUARY = new Trace(TableName.parse("january"), "700", 16400);
    private static final Trace FEBRUARY = new Trace(TableName.parse("february"), "700>720", 16410);
    private static final Map<Long, Trace> KNOWN = Map.of(1L, JANUARY, 2L, FEBRUARY);

    private static Partition partition(long oid, Trace trace, boolean isClean) {
        return new Partition(oid, trace, isClean, Optional.empty());
    }

    private static String reason(Partition... now) {
        return Partition.difference(KNOWN, List.of(now)).map(Fault::reason).orElse("");
    }

    @Test
    void whatIsKnownIsNotAskedWhetherItIsClean() {
        assertThat(reason(partition(1, JANUARY, false), partition(2, FEBRUARY, false))).isEmpty();
    }

    @Test
    void aRenamedPartitionIsTheSame() {
        var renamed = new Trace(TableName.parse("winter"), "700", 16400);

        assertThat(reason(partition(1, renamed, false), partition(2, FEBRUARY, true))).isEmpty();
    }

    @Test
    void aCleanNewPartitionIsFollowed() {
        var march = new Trace(TableName.parse("march"), "800", 16420);
        List<Partition> now =
                List.of(partition(1, JANUARY, false), partition(2, FEBRUARY, false), partition(3, march, true));

        assertThat(Partition.difference(KNOWN, now)).isEmpty();
        assertThat(Partition.added(KNOWN, now)).isEqualTo(Map.of(3L, march));
    }

    @Test
    void everyOtherDifferenceIsToldWithTheNameOfThePartition() {
        var march = new Trace(TableName.parse("march"), "800", 16420);
        var again = new Trace(JANUARY.name(), "801", JANUARY.file());
        var higherAgain = new Trace(FEBRUARY.name(), "701>720", FEBRUARY.file());
        var rewritten = new Trace(JANUARY.name(), JANUARY.attached(), 16500);

        assertThat(reason(partition(1, JANUARY, true))).contains("february", "detached or dropped");
        assertThat(reason(partition(1, JANUARY, true), partition(2, FEBRUARY, true), partition(3, march, false)))
                .contains("march", "came with rows");
        assertThat(reason(partition(1, again, true), partition(2, FEBRUARY, true))).contains("january", "attached again");
        assertThat(reason(partition(1, JANUARY, true), partition(2, higherAgain, true)))
                .contains("february", "attached again");
        assertThat(reason(partition(1, rewritten, true), partition(2, FEBRUARY, true)))
                .contains("january", "TRUNCATE");
        var unfit = new Partition(2, FEBRUARY, true, Optional.of(Fault.refused("february is unlogged", "log it")));
        assertThat(reason(partition(1, JANUARY, true), unfit)).contains("unlogged");
    }
}
