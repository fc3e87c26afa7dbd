package dev.sluice.console.act;

import dev.sluice.postgres.SourceTable;
import java.util.List;
import java.util.Optional;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** @param more whether the source has more than are listed: search for them */
@Schema(name = "SourceTables")
public record ListedTables(
        List<Listed> tables,
        @Schema(description = "Whether there are more than these; search for them.") boolean more) {

    /** A table of the source. */
    @Schema(name = "SourceTable")
    public record Listed(
            String name,
            @Schema(implementation = Long.class, description = "As PostgreSQL last counted; left out if it never did.")
                    Optional<Long> rowsEstimated,
            @Schema(description = "With indexes and large values.") long bytes,
            boolean partitioned,
            @Schema(description = "Whether it is added already.") boolean known,
            @Schema(implementation = String.class, description = "Why it cannot be carried, as far as a glance tells.")
                    Optional<String> refused) {

        static Listed of(SourceTable table, boolean known) {
            return new Listed(
                    table.name().toString(), table.rowsEstimated(), table.bytes(), table.partitioned(), known,
                    table.refused());
        }
    }
}
