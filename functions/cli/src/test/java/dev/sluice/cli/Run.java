package dev.sluice.cli;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.util.HashMap;
import java.util.Map;

/** Runs {@code sluice} within the test, in surroundings of its own. */
final class Run {

    static final Instant NOW = Instant.parse("2026-05-04T10:00:00Z");

    private final Map<String, String> variables = new HashMap<>();
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private OutputStream to = out;
    private String input = "";
    private String terminals = "";
    private int exitCode = -1;

    Run(FakeConsole console, Path home) {
        variables.put("SLUICE_URL", console.url());
        variables.put("HOME", home.toString());
    }

    Run with(String variable, String value) {
        variables.put(variable, value);
        return this;
    }

    /** Somebody sits there and types. */
    Run typing(String input) {
        this.input = input;
        this.terminals = "ie";
        return this;
    }

    Run reading(String input) {
        this.input = input;
        return this;
    }

    /** The output is a terminal. */
    Run onATerminal() {
        terminals += "o";
        variables.put("TERM", "xterm");
        return this;
    }

    Run writingTo(OutputStream stream) {
        to = stream;
        return this;
    }

    Run sluice(String... arguments) {
        exitCode = new Sluice(new Surroundings(
                        variables,
                        new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)),
                        new PrintStream(to, false, StandardCharsets.UTF_8),
                        new PrintStream(err, false, StandardCharsets.UTF_8),
                        terminals,
                        true,
                        Clock.fixed(NOW, ZoneId.of("Europe/Berlin"))))
                .execute(arguments);
        return this;
    }

    int exitCode() {
        return exitCode;
    }

    String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    String err() {
        return err.toString(StandardCharsets.UTF_8);
    }
}
