package dev.sluice.scheduler;

import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import java.util.Map;

/** All that the scheduler knows: what the compacted topic holds. */
record World(PipelineRecord pipeline, Map<TableName, TableRecord> tables) {

    World {
        tables = Map.copyOf(tables);
    }

    static World empty() {
        return new World(PipelineRecord.empty(), Map.of());
    }
}
