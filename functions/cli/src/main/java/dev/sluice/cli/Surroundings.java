package dev.sluice.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.Map;

/**
 * What a command finds around it.
 *
 * @param variables of the environment
 * @param terminals which of the three are terminals, as the start script finds out: {@code i}, {@code o}, {@code e}
 * @param unicode whether the terminal shows more than ASCII
 * @param clock gives the zone, too
 */
record Surroundings(
        Map<String, String> variables,
        InputStream in,
        PrintStream out,
        PrintStream err,
        String terminals,
        boolean unicode,
        Clock clock) {

    /** Those of this process. Java alone cannot tell whether only one of its streams is a terminal: the script says it. */
    static Surroundings ofProcess() {
        return new Surroundings(
                System.getenv(),
                System.in,
                stream(FileDescriptor.out),
                stream(FileDescriptor.err),
                System.getProperty("sluice.terminals", ""),
                Boolean.parseBoolean(System.getProperty("sluice.unicode", "true")),
                Clock.systemDefaultZone());
    }

    private static PrintStream stream(FileDescriptor descriptor) {
        return new PrintStream(new java.io.BufferedOutputStream(new FileOutputStream(descriptor), 8_192), false, StandardCharsets.UTF_8);
    }

    /** The variable, or the empty text. */
    String variable(String name) {
        return variables.getOrDefault(name, "");
    }

    /** Whether somebody can be asked. */
    boolean canAsk() {
        return terminals.contains("i") && terminals.contains("e");
    }

    boolean outIsTerminal() {
        return terminals.contains("o");
    }

    /** Whether lines can be drawn over. */
    boolean canRedraw() {
        return outIsTerminal() && !variable("TERM").isEmpty() && !variable("TERM").equals("dumb");
    }

    boolean colours() {
        return canRedraw() && variable("NO_COLOR").isEmpty();
    }
}
