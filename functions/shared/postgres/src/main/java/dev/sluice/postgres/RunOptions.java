package dev.sluice.postgres;

import dev.sluice.domain.TableOptions;
import java.util.Optional;

/**
 * What the rows of a table are written by, as the ledger has it since the newest run was opened.
 *
 * @param saltCheck of the salt that hashed columns are hashed with; empty if there are none
 */
public record RunOptions(TableOptions options, Optional<String> saltCheck) {

    static final RunOptions NONE = new RunOptions(TableOptions.NONE, Optional.empty());
}
