package dev.sluice.systemtests;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.testing.FunctionsServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.List;
import java.util.stream.StreamSupport;

/** What the console says of the whole pipeline at this moment, as its API gives it. */
record ConsoleOverview(JsonNode json) {

    static ConsoleOverview of(FunctionsServer console) {
        try {
            var overview = URI.create("http://127.0.0.1:" + console.httpPort() + "/api/v1/overview");
            return new ConsoleOverview(new ObjectMapper().readTree(overview.toURL()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Whether the health has a check with this status. */
    boolean finds(String check, String status) {
        return StreamSupport.stream(json.at("/health/checks").spliterator(), false)
                .anyMatch(it -> it.path("name").asText().equals(check) && it.path("status").asText().equals(status));
    }

    List<String> tables() {
        return json.path("tables").findValuesAsText("name");
    }
}
