package dev.sluice.debezium;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import org.apache.kafka.connect.storage.OffsetStorageReader;

/**
 * Reads every stored offset as the end of the last whole transaction before it.
 *
 * <p>Debezium up to 3.6 loses committed changes when it starts from an offset that lies inside a transaction or
 * shares its LSN with the next change. So {@code lsn_proc}, which says how far inside, is not handed on: the whole
 * transaction is sent again, and who applies it drops what it has passed. What Debezium confirms to the slot is read
 * here too, so the slot never moves past what a start would need.
 */
final class TransactionEndOffsets implements OffsetStorageReader {

    static final String LSN = "lsn";
    static final String LSN_COMMIT = "lsn_commit";

    private final OffsetStorageReader stored;
    private volatile Long storedCommitLsn;

    TransactionEndOffsets(OffsetStorageReader stored) {
        this.stored = stored;
    }

    /** The LSN of the offset that was read last, if one was stored. */
    OptionalLong storedCommitLsn() {
        Long lsn = storedCommitLsn;
        return lsn == null ? OptionalLong.empty() : OptionalLong.of(lsn);
    }

    @Override
    public <T> Map<String, Object> offset(Map<String, T> partition) {
        return transactionEnd(stored.offset(partition));
    }

    @Override
    public <T> Map<Map<String, T>, Map<String, Object>> offsets(Collection<Map<String, T>> partitions) {
        Map<Map<String, T>, Map<String, Object>> offsets = new HashMap<>();
        stored.offsets(partitions).forEach((partition, offset) -> offsets.put(partition, transactionEnd(offset)));
        return offsets;
    }

    private Map<String, Object> transactionEnd(Map<String, Object> offset) {
        if (offset == null || !(offset.get(LSN_COMMIT) instanceof Number commit)) {
            return null;
        }
        storedCommitLsn = commit.longValue();
        // A new map, mutable as Debezium's own: it also reads other keys, and finds none.
        Map<String, Object> end = new HashMap<>();
        end.put(LSN, commit.longValue());
        end.put(LSN_COMMIT, commit.longValue());
        return end;
    }
}
