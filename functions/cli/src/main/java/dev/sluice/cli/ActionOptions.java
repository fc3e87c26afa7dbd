package dev.sluice.cli;

import picocli.CommandLine.Option;

/** How careful an action is. */
final class ActionOptions {

    @Option(names = {"-y", "--yes"}, description = "Does it without asking.")
    private boolean yes;

    @Option(names = "--dry-run", description = "Says what would happen, and does nothing.")
    private boolean dryRun;

    boolean yes() {
        return yes;
    }

    boolean dryRun() {
        return dryRun;
    }
}
