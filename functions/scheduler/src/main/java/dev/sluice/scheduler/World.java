package dev.sluice.scheduler;

import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/** All that the scheduler knows: what the compacted topic holds. */
record World(PipelineRecord pipeline, Map<TableName, TableRecord> tables) {

    World {
        // In the order of their names: the same inputs come to the same, in the same order, in every process.
        tables = Collections.unmodifiableMap(new TreeMap<>(tables));
    }

    static World empty() {
        return new World(PipelineRecord.empty(), Map.of());
    }
}
