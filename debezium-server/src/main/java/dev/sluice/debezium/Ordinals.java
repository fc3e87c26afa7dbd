package dev.sluice.debezium;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.source.SourceRecord;

/**
 * Numbers the changes of one topic that share a record of the WAL: several rows of one multi-insert do. The header
 * {@link #HEADER} says which a change is, from 1 on; the first has none.
 *
 * <p>A change of a table without a key must be applied exactly once, and commit and LSN alone do not tell two of the same
 * record apart. Counting begins anew at each start, as whole transactions are sent again from their beginning.
 */
final class Ordinals {

    static final String HEADER = "sluice.ordinal";

    /** By topic: the last record of the WAL, and how many changes of it came before. */
    private final Map<String, Last> lasts = new HashMap<>();

    private record Last(long lsn, int count) {}

    void number(List<SourceRecord> records) {
        for (SourceRecord record : records) {
            if (!(record.value() instanceof Struct change)
                    || change.schema().field("source") == null
                    || !(change.get("source") instanceof Struct source)
                    || source.schema().field("lsn") == null
                    || !(source.get("lsn") instanceof Long lsn)) {
                continue;
            }
            Last before = lasts.get(record.topic());
            int ordinal = before != null && before.lsn() == lsn ? before.count() + 1 : 0;
            lasts.put(record.topic(), new Last(lsn, ordinal));
            if (ordinal > 0) {
                record.headers().addInt(HEADER, ordinal);
            }
        }
    }
}
