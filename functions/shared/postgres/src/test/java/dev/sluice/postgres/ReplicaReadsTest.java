package dev.sluice.postgres;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.domain.KeyType;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableDefinition.KeyColumn;
import dev.sluice.domain.TableName;
import dev.sluice.postgres.DefinitionQuery.ColumnOrder;
import dev.sluice.postgres.DefinitionQuery.Reading;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ReplicaReadsTest {

    @Test
    void aStandbyUnderAnotherVersionOfACollationIsRefusedWhereTheOrderDecides() {
        Reading primary = ordered("icu de  153.120");
        Reading standby = ordered("icu de  153.128");

        assertThatThrownBy(() -> ReplicaReads.requireSameOrders(List.of("k"), primary, standby))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("\"k\"")
                .hasMessageContaining("153.128 at the replica")
                .hasMessageContaining("153.120 at the source");
        assertThatThrownBy(() -> ReplicaReads.requireSameOrders(List.of("k"), primary, ordered(null)))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("unknown version at the replica");
        assertThatCode(() -> ReplicaReads.requireSameOrders(List.of("k"), primary, primary)).doesNotThrowAnyException();
        assertThatCode(() -> ReplicaReads.requireSameOrders(List.of(), primary, standby)).doesNotThrowAnyException();
    }

    @Test
    void aLabelThatTheStandbyHasNotReplayedIsNoOtherOrder() {
        Reading before = labelled("sad,glad");
        Reading now = labelled("sad,so_so,glad");

        assertThatCode(() -> ReplicaReads.requireSameOrders(List.of("k"), now, before)).doesNotThrowAnyException();
        assertThatThrownBy(() -> ReplicaReads.requireSameOrders(List.of("k"), labelled("sad,happy"), before))
                .as("renamed")
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("mood (sad,glad) at the replica")
                .hasMessageContaining("mood (sad,happy) at the source");
        assertThatThrownBy(() -> ReplicaReads.requireSameOrders(List.of("k"), before, now))
                .as("a label that only the standby has")
                .isInstanceOf(RefusedException.class);
        assertThatThrownBy(() -> ReplicaReads.requireSameOrders(List.of("k"), labelled(null), before))
                .as("the primary cannot tell")
                .isInstanceOf(RefusedException.class);
    }

    private static Reading ordered(String collation) {
        return reading(new ColumnOrder(
                Optional.of(KeyType.TEXT), "text", true, false, true, Optional.ofNullable(collation), true,
                Optional.of(""), false));
    }

    private static Reading labelled(String labels) {
        return reading(new ColumnOrder(
                Optional.empty(), "mood", false, false, true, Optional.empty(), true, Optional.ofNullable(labels), false));
    }

    private static Reading reading(ColumnOrder order) {
        List<KeyColumn> key = List.of(new KeyColumn("k", Optional.empty(), Optional.empty()));
        return new Reading(
                new TableDefinition(new TableName("public", "t"), 1, List.of(), key),
                new KeyChoice.Result.Keyed(List.of("k")),
                List.of(),
                Map.of("k", order));
    }
}
