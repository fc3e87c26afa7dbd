package dev.sluice.console.view;

import dev.sluice.console.act.Consequence;
import dev.sluice.domain.Command;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.messaging.Messages;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Which commands would be followed for a table as it stands: the likeliest first, by their names on the topic. */
final class PossibleActions {

    private static final List<Function<TableName, Command.OfTable>> COMMANDS = List.of(
            Command.Resume::new,
            Command.Retry::new,
            Command.Backfill::new,
            table -> new Command.Cancel(table, false),
            // Where that alone is left to cancel.
            table -> new Command.Cancel(table, true),
            Command.Pause::new,
            Command.ToFront::new,
            Command.Verify::new,
            Command.CancelVerification::new,
            Command.Remove::new);

    private PossibleActions() {}

    static List<String> of(TableRecord table, PipelineRecord pipeline) {
        return COMMANDS.stream()
                .map(command -> command.apply(table.table()))
                .filter(command -> Consequence.of(command, Optional.of(table), pipeline).possible())
                .map(Messages::name)
                .distinct()
                .toList();
    }
}
