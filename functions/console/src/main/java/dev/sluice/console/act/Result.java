package dev.sluice.console.act;

import java.util.Optional;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/**
 * What became of a command that was sent.
 *
 * @param offset of the command on the topic
 */
@Schema(description = "What became of a command that was sent.")
public record Result(
        @Schema(implementation = String.class, description = "The table, or the pattern of add; left out for the pipeline.")
                Optional<String> table,
        @Schema(description = "Of the command on the topic.") long offset,
        @Schema(enumeration = {"followed", "rejected", "pending"}, description = "pending: the scheduler has not come to it "
                        + "within five seconds; it stays on the topic and will be followed or rejected.")
                String outcome,
        @Schema(implementation = String.class, description = "Why it was rejected, or what it waits for.")
                Optional<String> reason) {

    static Result followed(Optional<String> table, long offset) {
        return new Result(table, offset, "followed", Optional.empty());
    }

    static Result rejected(Optional<String> table, long offset, String reason) {
        return new Result(table, offset, "rejected", Optional.of(reason));
    }

    static Result pending(Optional<String> table, long offset, String reason) {
        return new Result(table, offset, "pending", Optional.of(reason));
    }
}
