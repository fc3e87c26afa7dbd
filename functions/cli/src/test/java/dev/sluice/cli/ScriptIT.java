package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The start script and the archive, as the build has put them together, as processes. */
@Timeout(120)
class ScriptIT {

    private static final Path BUILT = Path.of("target/sluice/bin/sluice").toAbsolutePath();

    @TempDir
    private Path folder;

    private final FakeConsole console = new FakeConsole();
    private final Map<String, String> variables = new HashMap<>();

    private record Ended(int exitCode, String out, String err) {
    }

    @BeforeEach
    void surroundings() {
        variables.put("PATH", System.getenv("PATH"));
        variables.put("JAVA_HOME", System.getProperty("java.home"));
        variables.put("HOME", folder.resolve("home").toString());
        variables.put("SLUICE_URL", console.url());
    }

    @AfterEach
    void close() {
        console.close();
    }

    @Test
    void argumentsAndExitCodesPassThroughWhateverTheLocale() throws Exception {
        console.answer("GET /tables/%22Gr%C3%B6%C3%9Fe%20%E8%A1%A8%22.%22a%24%28b%29%22", 200, "{\"name\":\"x\"}");
        variables.put("LC_ALL", "C");

        Ended ended = run(BUILT.toString(), "table", "\"Größe 表\".\"a$(b)\"", "--json");

        assertThat(ended).isEqualTo(new Ended(0, "{\"name\":\"x\"}\n", ""));
        assertThat(run(BUILT.toString(), "frobnicate").exitCode()).isEqualTo(2);
    }

    @Test
    void theSecondRunReadsTheClassesThatTheFirstOneKept() throws Exception {
        console.answer("GET /tables", 200, "[]");

        run(BUILT.toString(), "--help");
        Path cache = folder.resolve("home/.cache/sluice");
        assertThat(cache).isEmptyDirectory();
        assertThat(run(BUILT.toString(), "tables", "--json")).isEqualTo(new Ended(0, "[]\n", ""));

        List<Path> kept;
        try (Stream<Path> files = Files.list(cache)) {
            kept = files.toList();
        }
        assertThat(kept).hasSize(1);
        var time = Files.getLastModifiedTime(kept.getFirst());
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(cache))).isEqualTo("rwx------");
        assertThat(run(BUILT.toString(), "tables", "--json")).isEqualTo(new Ended(0, "[]\n", ""));
        assertThat(Files.getLastModifiedTime(kept.getFirst())).as("time of the archive that fits").isEqualTo(time);
        Files.writeString(kept.getFirst(), "no archive");
        assertThat(run(BUILT.toString(), "tables", "--json")).isEqualTo(new Ended(0, "[]\n", ""));
        variables.remove("HOME");
        assertThat(run(BUILT.toString(), "tables", "--json").exitCode()).isZero();
    }

    @Test
    void aReaderThatHasHadEnoughIsNoFailure() throws Exception {
        String table = "{\"name\":\"public.orders\",\"state\":\"Streaming\"}";
        console.answer("GET /tables", 200, "[" + (table + ",").repeat(20_000) + table + "]");

        Ended ended = run("sh", "-c", "{ '" + BUILT + "' tables; echo \"exit code $?\" >&2; } | head -n 1");

        assertThat(ended.out()).startsWith("TABLE").hasLineCount(1);
        assertThat(ended.err()).isEqualTo("exit code 0\n");
    }

    @Test
    void theArchiveRunsFromAnywhereAndFindsAJavaThatIsNewEnough() throws Exception {
        console.answer("GET /tables", 200, "[]");
        File[] archives = new File("target").listFiles((dir, name) -> name.matches("sluice-[^/]*\\.tar\\.gz"));
        assertThat(archives).hasSize(1);
        assertThat(run("tar", "xzf", archives[0].getAbsolutePath(), "-C", folder.toString()).exitCode()).isZero();
        String unpacked = archives[0].getName().replace(".tar.gz", "");
        Path link = Files.createSymbolicLink(folder.resolve("sluice"), Path.of(unpacked, "bin/sluice"));
        Path old = Files.createDirectories(folder.resolve("old/bin"));
        Path oldJava = Files.writeString(old.resolve("java"), "#!/bin/sh\nexit 99\n");
        Files.setPosixFilePermissions(oldJava, PosixFilePermissions.fromString("rwx------"));
        Files.writeString(folder.resolve("old/release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"17.0.9\"\n");
        variables.put("JAVA_HOME", folder.resolve("old").toString());
        variables.put("PATH", System.getProperty("java.home") + "/bin:" + System.getenv("PATH"));

        assertThat(run(link.toString(), "tables", "--json")).isEqualTo(new Ended(0, "[]\n", ""));
    }

    private Ended run(String... command) throws IOException, InterruptedException {
        Path out = Files.createTempFile(folder, "out", "");
        Path err = Files.createTempFile(folder, "err", "");
        var builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectInput(new File("/dev/null"))
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().clear();
        builder.environment().putAll(variables);
        Process process = builder.start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("ends in time: %s", List.of(command)).isTrue();
        return new Ended(process.exitValue(), Files.readString(out), Files.readString(err));
    }
}
