package dev.sluice.console.act;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** The form of a request for an action, for the document of the API. It is read by {@link ActionReader}. */
@Schema(name = "Action")
public record ActionRequest(
        @Schema(required = true, description = "What to do.",
                        enumeration = {"add", "backfill", "cancel", "retry", "remove", "verify", "cancel-verification",
                            "pause", "resume", "to-front", "pause-pipeline", "resume-pipeline"})
                String action,
        @Schema(minItems = 1, maxItems = 1_000, description = "Names as in SQL, public.orders or \"Sales\".\"Items\"; add "
                        + "takes patterns with * for any characters, too. Left out for an action on the pipeline.")
                List<String> tables,
        @Schema(defaultValue = "false", description = "Only say what would happen; nothing is sent.") boolean dryRun,
        @Schema(implementation = Map.class, description = "For add and backfill: which columns and rows are carried, and "
                        + "how: any of key, include, exclude, hash, mask, where, softDelete. Not together with keys.")
                Optional<Map<String, Object>> options,
        @Schema(implementation = Keys.class, description = "For backfill of a table that streams: only rows with these keys.")
                Optional<Keys> keys,
        @Schema(defaultValue = "false", description = "For cancel of a first backfill: its changes stop queueing, too.")
                boolean dropQueue) {

    /** The ends of a range of keys, both included. */
    public record Keys(
            @Schema(description = "The text of each key column of the first row; left out: from the beginning.")
                    List<String> from,
            @Schema(description = "The text of each key column of the last row; left out: to the end.")
                    List<String> to) {}
}
