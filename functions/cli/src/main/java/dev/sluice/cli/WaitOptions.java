package dev.sluice.cli;

import java.time.Duration;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Whether a command ends before what it asked for has. */
final class WaitOptions {

    @Option(names = "--wait", description = "Waits until it is through, showing how it goes; the exit code says how it ended.")
    private boolean wait;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            description = "Waits no longer than this, such as 90s, 15m, 2h; then the exit code is 1.")
    private String timeout;

    boolean isAsked() {
        return wait;
    }

    Optional<Duration> limit() {
        if (timeout != null && !wait) {
            throw Trouble.usage("--timeout is of no use without --wait: give both");
        }
        return Optional.ofNullable(timeout).map(Figures::parse);
    }
}
