package dev.sluice.cli;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** How large the terminal is. Asked again now and then, as it may be resized. */
final class TerminalSize {

    private static final long ASKED_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final int SIZE_MAX = 1_000;

    private int rows = 24;
    private int columns = 80;
    private long askedAt;
    private boolean asked;

    int rows() {
        ask();
        return rows;
    }

    int columns() {
        ask();
        return columns;
    }

    private void ask() {
        if (asked && System.nanoTime() - askedAt < ASKED_NANOS) {
            return;
        }
        asked = true;
        askedAt = System.nanoTime();
        try {
            Process stty = new ProcessBuilder("stty", "size")
                    .redirectInput(new File("/dev/tty"))
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            String answer = new String(stty.getInputStream().readNBytes(100), StandardCharsets.US_ASCII).strip();
            stty.waitFor(1, TimeUnit.SECONDS);
            stty.destroy();
            if (answer.matches("[1-9][0-9]{0,4} [1-9][0-9]{0,4}")) {
                String[] parts = answer.split(" ");
                rows = Math.min(SIZE_MAX, Integer.parseInt(parts[0]));
                columns = Math.min(SIZE_MAX, Integer.parseInt(parts[1]));
            }
        } catch (IOException e) {
            // No stty, or no terminal of its own: the usual size.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
