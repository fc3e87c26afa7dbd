package dev.sluice.localdev;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The comparison that {@code local-dev/bench} prints: few rows, since no time is asserted. */
class BackfillBenchIT {

    private static final long LIMIT_MINUTES = 3;

    @Test
    void bothCopiesAreMadeAndTheProcessEnds(@TempDir Path folder) throws Exception {
        Path output = folder.resolve("bench.log");
        Process bench = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp", System.getProperty("java.class.path"),
                        "-Dsluice.repository=" + Path.of("").toAbsolutePath().getParent(),
                        BackfillBench.class.getName(), folder.resolve("servers").toString(), "1000", "")
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        boolean ended = bench.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES);
        bench.destroyForcibly().waitFor();

        String printed = Files.readString(output);
        assertThat(ended).as("the benchmark ends by itself:\n%s", printed).isTrue();
        assertThat(bench.exitValue()).as(printed).isZero();
        assertThat(printed).contains("1,000 rows").containsPattern("Sluice takes \\d+\\.\\d\\d times as long");
    }
}
