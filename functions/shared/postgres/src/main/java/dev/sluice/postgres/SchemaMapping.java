package dev.sluice.postgres;

import dev.sluice.domain.TableName;
import java.util.Map;

/** Where a source table stands at the destination: under the same name, in the same schema unless one is mapped. */
public record SchemaMapping(Map<String, String> schemas) {

    public SchemaMapping {
        schemas = Map.copyOf(schemas);
    }

    public TableName atDestination(TableName sourceTable) {
        return new TableName(schemas.getOrDefault(sourceTable.schema(), sourceTable.schema()), sourceTable.name());
    }
}
