package dev.sluice.console.act;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.console.Json;
import dev.sluice.console.Problem;
import dev.sluice.console.ProblemException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;

/** The body of a request, within its bounds. */
final class Body {

    private static final int BYTES_MAX = 1024 * 1024;
    private static final int DEPTH_MAX = 10;

    private Body() {}

    /** @throws ProblemException if it is not a JSON object, is too long or too deep */
    static ObjectNode read(InputStream body) throws IOException {
        byte[] bytes = body.readNBytes(BYTES_MAX + 1);
        if (bytes.length > BYTES_MAX) {
            throw new ProblemException(Problem.of(413, "The request has more than 1 MiB; send less at once."));
        }
        try {
            JsonNode read = Json.mapper().readTree(bytes);
            if (!(read instanceof ObjectNode object)) {
                throw new ProblemException(Problem.of(400, "Send a JSON object."));
            }
            requireShallow(object, DEPTH_MAX);
            return object;
        } catch (JsonProcessingException e) {
            int line = Optional.ofNullable(e.getLocation()).map(at -> at.getLineNr()).orElse(1);
            int column = Optional.ofNullable(e.getLocation()).map(at -> at.getColumnNr()).orElse(1);
            throw new ProblemException(Problem.of(400, "The request is not JSON, or names a field twice, at line " + line
                    + ", column " + column + "."));
        }
    }

    private static void requireShallow(JsonNode node, int left) {
        if (left == 0) {
            throw new ProblemException(Problem.of(400, "The request nests more than " + DEPTH_MAX + " levels."));
        }
        for (JsonNode child : node) {
            if (child.isContainerNode()) {
                requireShallow(child, left - 1);
            }
        }
    }
}
