package dev.sluice.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Options of a table: which columns and rows are carried, and how. */
final class OptionsArguments {

    private static final long FILE_BYTES_MAX = 1_000_000;

    @Option(
            names = "--options",
            paramLabel = "JSON",
            description = "Options of the table from now on, such as '{\"exclude\": [\"note\"]}'; @FILE reads them from a file, "
                    + "{} takes them all off.")
    private String options;

    @Option(
            names = "--where",
            paramLabel = "CONDITION",
            description = "Carries only rows that fulfil this condition in SQL; the table's other options stay as they are. An "
                    + "empty text takes it off.")
    private String where;

    boolean isEmpty() {
        return options == null && where == null;
    }

    /** Whether the table's present options matter. */
    boolean addsToPresent() {
        return options == null && where != null;
    }

    /** @param present those that the table has now */
    Optional<ObjectNode> over(JsonNode present) {
        if (isEmpty()) {
            return Optional.empty();
        }
        ObjectNode all = options == null ? Json.object().setAll((ObjectNode) present.deepCopy()) : Json.object(text(), "--options");
        if (where != null && where.isBlank()) {
            all.remove("where");
        } else if (where != null) {
            all.put("where", where);
        }
        return Optional.of(all);
    }

    private String text() {
        if (!options.startsWith("@")) {
            return options;
        }
        Path file = Path.of(options.substring(1));
        try {
            if (Files.size(file) > FILE_BYTES_MAX) {
                throw Trouble.usage(file + " is too large for options of a table");
            }
            return Files.readString(file);
        } catch (IOException e) {
            throw Trouble.usage("the options cannot be read from " + file + ": " + e.getMessage());
        }
    }
}
