package dev.sluice.postgres;

import dev.sluice.domain.Lsn;
import java.util.Optional;

/**
 * The pipeline's replication slot as the source has it.
 *
 * @param exists false if there is none in this database; the rest is empty then
 * @param active whether Debezium is connected to it
 * @param confirmedFlush everything up to here is acknowledged by Kafka
 * @param restart the source keeps its WAL from here on
 * @param plugin the output plugin, {@code pgoutput} for a slot of ours
 * @param walStatus {@code reserved}, {@code extended}, {@code unreserved} or {@code lost}
 * @param retainedBytes WAL that the source keeps for the slot, never negative
 */
public record SlotStatus(
        boolean exists,
        boolean active,
        Optional<Lsn> confirmedFlush,
        Optional<Lsn> restart,
        String plugin,
        String walStatus,
        long retainedBytes) {

    static SlotStatus missing() {
        return new SlotStatus(false, false, Optional.empty(), Optional.empty(), "", "", 0);
    }

    /** Whether the source has thrown away WAL that the slot still needed: changes are lost. */
    public boolean isLost() {
        return walStatus.equals("lost");
    }
}
