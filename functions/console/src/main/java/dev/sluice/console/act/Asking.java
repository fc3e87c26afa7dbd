package dev.sluice.console.act;

import dev.sluice.domain.Command;
import java.util.List;

/**
 * What a request asks for, checked.
 *
 * @param action its name in the request
 * @param commands in the order of the request; one for each table, or a single one
 * @param dryRun whether nothing is to be sent
 */
record Asking(String action, List<Command> commands, boolean dryRun) {

    Asking {
        commands = List.copyOf(commands);
    }
}
