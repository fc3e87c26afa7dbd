package dev.sluice.cli;

/** What a script sees of the end of a command. The page {@code functions/docs/command-line.md} promises these numbers. */
final class ExitCode {

    /** Done, or as asked. */
    static final int DONE = 0;
    /** Failed, differs, or rejected by the console or the scheduler. */
    static final int FAILED = 1;
    /** The command line itself is wrong, or wants an answer that nobody is there to give. */
    static final int USAGE = 2;
    /** No console answers at the address. */
    static final int NOT_REACHABLE = 3;
    /** Not logged in, or the role does not allow it. */
    static final int NOT_ALLOWED = 4;

    private ExitCode() {
    }
}
