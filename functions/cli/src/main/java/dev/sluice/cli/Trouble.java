package dev.sluice.cli;

/** Ends a command with one line on the standard error: what is wrong and what to do. */
class Trouble extends RuntimeException {

    private final int exitCode;

    /** @param exitCode one of {@link ExitCode} */
    Trouble(int exitCode, String message) {
        super(message, null, false, false);
        this.exitCode = exitCode;
    }

    static Trouble failed(String message) {
        return new Trouble(ExitCode.FAILED, message);
    }

    static Trouble usage(String message) {
        return new Trouble(ExitCode.USAGE, message);
    }

    static Trouble notReachable(String message) {
        return new Trouble(ExitCode.NOT_REACHABLE, message);
    }

    static Trouble notAllowed(String message) {
        return new Trouble(ExitCode.NOT_ALLOWED, message);
    }

    int exitCode() {
        return exitCode;
    }
}
