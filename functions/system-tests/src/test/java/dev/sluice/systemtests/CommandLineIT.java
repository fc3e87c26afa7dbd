package dev.sluice.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.domain.Setting;
import dev.sluice.domain.TableState;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an operator does with {@code sluice}: the script as a process, against the console of a whole Sluice. */
class CommandLineIT {

    private static final String ODD = "cli.\"Odd Näme\"";
    private static final int ROWS = 5_000;

    @TempDir
    private static Path home;

    private static SluiceStack stack;

    private record Ended(int exitCode, String out, String err) {

        Ended expect(int expected) {
            assertThat(exitCode).as("exit code; output:\n%s\nerrors:\n%s", out, err).isEqualTo(expected);
            return this;
        }

        JsonNode json() throws IOException {
            return new ObjectMapper().readTree(out);
        }
    }

    @BeforeAll
    static void start() throws Exception {
        stack = SluiceStack.start("commandline", Map.of("sluice.scheduler.chunk-rows", "1000"));
        stack.onSource("CREATE SCHEMA cli");
        for (String table : List.of("cli.items", "cli.parts", ODD)) {
            stack.onSource(
                    "CREATE TABLE " + table + " (id int PRIMARY KEY, text text)",
                    "INSERT INTO " + table + " SELECT g, 'row ' || g FROM generate_series(1, " + ROWS + ") g",
                    "ANALYZE " + table);
        }
        sluice("add", "cli.items", ODD, "--yes", "--wait", "--timeout", "3m").expect(0);
    }

    @AfterAll
    static void end() throws Exception {
        stack.close();
    }

    @Test
    void tablesAreFoundListedAndWatched() throws Exception {
        Ended source = sluice("source-tables", "cli.*").expect(0);
        assertThat(source.out()).contains("cli.items", "cli.parts", ODD, "in the pipeline");

        Ended tables = sluice("tables", "cli.items", ODD, "--json").expect(0);
        assertThat(tables.json()).hasSize(2).allMatch(table -> table.get("state").asText().equals("Streaming"));
        assertThat(tables.json().findValuesAsText("name")).containsExactlyInAnyOrder("cli.items", ODD);
        assertThat(sluice("tables", "cli.i*").expect(0).out()).contains("cli.items", "Streaming", "5,000").doesNotContain("Odd");
        assertThat(sluice("table", ODD).expect(0).out()).contains("Streaming", "copied", "integer");
        sluice("watch", "cli.items", ODD, "--until", "streaming", "--timeout", "1m").expect(0);

        JsonNode status = sluice("status", "--json").json();
        assertThat(status.at("/pipeline/name").asText()).isEqualTo(stack.pipeline.name());
    }

    @Test
    void aTableIsBackfilledOnceMoreAndTheWaitSeesItThrough() throws Exception {
        long before = stack.table(ODD).orElseThrow().state().run();

        Ended ended = sluice("backfill", ODD, "--yes", "--wait", "--timeout", "3m").expect(0);

        assertThat(ended.out()).contains(ODD + " streams");
        assertThat(stack.awaitStreaming(ODD).state().run()).isGreaterThan(before);
    }

    @Test
    void whatDiffersIsFoundAndMendedByTheCommandThatIsPrinted() throws Exception {
        sluice("add", "cli.parts", "--yes", "--wait", "--timeout", "3m").expect(0);
        sluice("verify", "cli.parts", "--yes", "--wait", "--timeout", "3m").expect(0);
        stack.onDestination("UPDATE cli.parts SET text = 'other' WHERE id = 17", "DELETE FROM cli.parts WHERE id = 18");

        Ended differs = sluice("verify", "cli.parts", "--yes", "--wait", "--timeout", "3m").expect(1);

        assertThat(differs.err()).contains("differs in 2 keys");
        assertThat(differs.out()).contains("17", "different", "18", "missing at destination");
        List<String> mend = differs.out().lines().filter(line -> line.startsWith("sluice backfill ")).toList();
        assertThat(mend).as("commands that mend it").isNotEmpty();
        for (String command : mend) {
            run("sh", "-c", "'" + script() + "'" + command.substring("sluice".length()) + " --yes --wait --timeout 3m").expect(0);
        }
        sluice("verify", "cli.parts", "--yes", "--wait", "--timeout", "3m").expect(0);
        stack.assertEqual("cli.parts");
    }

    @Test
    void settingsAreChangedAndABadValueIsRefusedAtItsName() throws Exception {
        assertThat(sluice("settings", "set", "chunkRows=7").expect(1).err()).contains("chunkRows", "100");
        sluice("settings", "set", "chunkRows=2000", "missingRows=keep").expect(0);
        SluiceStack.awaitTrue("the settings are kept", SluiceStack.LONG, () ->
                stack.pipelineRecord().settings().value(Setting.CHUNK_ROWS).equals(Optional.of(2_000)));
        assertThat(sluice("settings").expect(0).out()).contains("2,000", "keep", "changed");

        sluice("settings", "reset", "chunkRows", "missingRows").expect(0);
        SluiceStack.awaitTrue("the settings are taken back", SluiceStack.LONG, () ->
                stack.pipelineRecord().settings().value(Setting.CHUNK_ROWS).isEmpty());
    }

    @Test
    void aTableIsPausedAndResumedAndTheWholePipelineToo() throws Exception {
        sluice("pause", "cli.items", "--yes").expect(0);
        assertThat(sluice("tables", "--state", "paused").expect(0).out()).contains("cli.items");
        sluice("resume", "cli.items", "--yes").expect(0);
        SluiceStack.awaitTrue("it goes on", SluiceStack.LONG, () -> stack.table("cli.items").orElseThrow().pause().isEmpty());

        sluice("pause", "--pipeline", "--yes").expect(0);
        assertThat(sluice("status").out()).contains("paused since");
        sluice("resume", "--pipeline", "--yes").expect(0);
        SluiceStack.awaitTrue("all goes on", SluiceStack.LONG, () -> stack.pipelineRecord().pause().isEmpty());
    }

    @Test
    void whatFailsIsSaidWithItsReasonAndIsRemovedOnlyAfterAYes() throws Exception {
        Ended failed = sluice("add", "cli.none", "--yes", "--wait", "--timeout", "3m").expect(1);
        assertThat(failed.err()).startsWith("sluice: cli.none").contains("the source has no table");
        assertThat(stack.table("cli.none").orElseThrow().state()).isInstanceOf(TableState.Failed.class);

        assertThat(sluice("remove", "cli.none").expect(2).err()).contains("cli.none", "--yes");
        assertThat(stack.table("cli.none")).as("the table that nobody said yes about").isPresent();
        sluice("remove", "cli.none", "--yes").expect(0);
        SluiceStack.awaitTrue("it is gone", SluiceStack.LONG, () -> stack.table("cli.none").isEmpty());
    }

    @Test
    void theExitCodeSaysWhatWentWrong() throws Exception {
        assertThat(sluice("table", "cli.unknown").expect(1).err()).startsWith("sluice: ").hasLineCount(1);
        assertThat(sluice("cancel", "cli.items").expect(1).err()).contains("cli.items", "nothing was done");
        assertThat(sluice("cancel", "cli.items", "--yes").expect(1).err()).contains("rejected");
        sluice("backfill", "cli.items", "--dry-run").expect(0);
        sluice("frobnicate").expect(2);
        assertThat(sluice("tables", "--url", "http://127.0.0.1:1").expect(3).err()).contains("cannot reach the console");
    }

    private static Ended sluice(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(script().toString()));
        command.addAll(List.of(arguments));
        return run(command.toArray(String[]::new));
    }

    private static Ended run(String... command) throws IOException, InterruptedException {
        Path out = Files.createTempFile(home, "out", "");
        Path err = Files.createTempFile(home, "err", "");
        var builder = new ProcessBuilder(command)
                .redirectInput(new File("/dev/null"))
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().put("HOME", home.toString());
        builder.environment().put("SLUICE_URL", "http://127.0.0.1:" + stack.functions().httpPort());
        List.of("XDG_STATE_HOME", "XDG_CACHE_HOME", "SLUICE_TOKEN").forEach(builder.environment()::remove);
        Process process = builder.start();
        if (!process.waitFor(5, TimeUnit.MINUTES)) {
            process.destroyForcibly();
            throw new AssertionError("does not end: " + List.of(command) + "\n" + Files.readString(out) + Files.readString(err));
        }
        return new Ended(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    private static Path script() {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.exists(folder.resolve("functions/cli/bin/sluice"))) {
            folder = folder.getParent();
        }
        return folder.resolve("functions/cli/bin/sluice");
    }
}
