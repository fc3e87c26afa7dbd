package dev.sluice.localdev;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** {@code local-dev/up} as a person runs it, but on free ports and with a data folder of its own. */
final class UpProcess implements AutoCloseable {

    private static final Path LOCAL_DEV = Path.of("").toAbsolutePath();

    private final Path data;
    private final Path output;
    private final Process process;

    private UpProcess(Path data, Path output, Process process) {
        this.data = data;
        this.output = output;
        this.process = process;
    }

    /** @param name of its data folder under {@code target} */
    static UpProcess start(String name, String... options) throws IOException {
        Path data = LOCAL_DEV.resolve("target").resolve(name);
        Files.createDirectories(data.getParent());
        Path output = data.resolveSibling(name + ".log");
        List<String> command = Stream.concat(Stream.of(LOCAL_DEV.resolve("up").toString()), Stream.of(options)).toList();
        var builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.environment().putAll(Map.of(
                "SLUICE_LOCAL_DATA", data.toString(),
                "SLUICE_SOURCE_PORT", "0",
                "SLUICE_DESTINATION_PORT", "0",
                "SLUICE_KAFKA_PORT", "0",
                "SLUICE_CAPTURE_HTTP_PORT", "0",
                "SLUICE_FUNCTIONS_HTTP_PORT", "0"));
        return new UpProcess(data, output, builder.start());
    }

    Process process() {
        return process;
    }

    String printed() throws IOException {
        return Files.readString(output);
    }

    /** Whether the part has ended, and in order. */
    boolean hasEnded(Part part) {
        return Files.notExists(data.resolve(part + "/server.pid"));
    }

    /** What a shell in the root of the repository comes to. */
    record Outcome(int exitCode, String printed) {}

    /** Runs a script of bash beside it, as in another terminal. */
    Outcome shell(String script) throws IOException, InterruptedException {
        Path printed = Files.createTempFile(output.getParent(), "shell", ".log");
        var builder = new ProcessBuilder("bash", "-c", "set -euo pipefail\n" + script)
                .directory(LOCAL_DEV.getParent().toFile())
                .redirectErrorStream(true)
                .redirectOutput(printed.toFile());
        builder.environment().putAll(Map.of(
                "SLUICE_LOCAL_DATA", data.toString(),
                "PATH", Path.of(System.getProperty("java.home"), "bin") + ":" + System.getenv("PATH")));
        Process shell = builder.start();
        if (!shell.waitFor(2, TimeUnit.MINUTES)) {
            shell.destroyForcibly();
            throw new AssertionError("not within two minutes: " + script + "\n" + Files.readString(printed));
        }
        return new Outcome(shell.exitValue(), Files.readString(printed));
    }

    /** It ends what it started. */
    @Override
    public void close() throws InterruptedException {
        process.destroy();
        process.waitFor(1, TimeUnit.MINUTES);
    }
}
