package dev.sluice.localdev;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testing.Shop;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What a person does first, as that person does it. */
class UpOnceIT {

    private static final long LIMIT_MINUTES = 20;

    @Test
    void theDemoTablesStreamAndAreEqualValueForValue() throws Exception {
        Path local = Path.of("").toAbsolutePath();
        Path data = local.resolve("target/up-once");
        Files.createDirectories(data.getParent());
        Path output = data.resolveSibling("up-once.log");
        var builder = new ProcessBuilder(local.resolve("up").toString(), "--once", "--rows", "20000")
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment().putAll(Map.of(
                "SLUICE_LOCAL_DATA", data.toString(),
                "SLUICE_SOURCE_PORT", "0",
                "SLUICE_DESTINATION_PORT", "0",
                "SLUICE_KAFKA_PORT", "0",
                "SLUICE_CAPTURE_HTTP_PORT", "0",
                "SLUICE_FUNCTIONS_HTTP_PORT", "0"));

        Process up = builder.start();
        boolean ended;
        try {
            ended = up.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES);
        } finally {
            // It ends what it started.
            up.destroy();
            up.waitFor(1, TimeUnit.MINUTES);
        }

        String printed = Files.readString(output);
        assertThat(ended).as("local-dev/up --once ended within %d minutes:\n%s", LIMIT_MINUTES, printed).isTrue();
        assertThat(up.exitValue()).as(printed).isZero();
        assertThat(printed).doesNotContain("Building", "NOT EQUAL");
        assertThat(printed).contains(Shop.TABLES.size() + " of " + Shop.TABLES.size() + " tables are equal value for value");
        for (var table : Shop.TABLES) {
            assertThat(printed.lines()).anyMatch(line -> line.startsWith(table + " ") && line.contains(" equal "));
        }
        for (Part part : Part.values()) {
            assertThat(data.resolve(part + "/server.pid")).as("%s ended with local-dev/up", part).doesNotExist();
        }
    }
}
