package dev.sluice.localdev;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testing.Shop;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What a person does first, as that person does it. */
class UpOnceIT {

    private static final long LIMIT_MINUTES = 20;

    @Test
    void theDemoTablesStreamAndAreEqualValueForValue() throws Exception {
        UpProcess up = UpProcess.start("up-once", "--once", "--rows", "20000");
        boolean ended;
        try (up) {
            ended = up.process().waitFor(LIMIT_MINUTES, TimeUnit.MINUTES);
        }

        String printed = up.printed();
        assertThat(ended).as("local-dev/up --once ended within %d minutes:\n%s", LIMIT_MINUTES, printed).isTrue();
        assertThat(up.process().exitValue()).as(printed).isZero();
        assertThat(printed).doesNotContain("Building", "NOT EQUAL");
        assertThat(printed).contains(Shop.TABLES.size() + " of " + Shop.TABLES.size() + " tables are equal value for value");
        for (var table : Shop.TABLES) {
            assertThat(printed.lines()).anyMatch(line -> line.startsWith(table + " ") && line.contains(" equal "));
        }
        for (Part part : Part.values()) {
            assertThat(up.hasEnded(part)).as("%s ended with local-dev/up", part).isTrue();
        }
    }
}
