package dev.sluice.completion;

import dev.sluice.domain.CaptureIdentity;
import dev.sluice.domain.Pause;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableRecord.Progress;
import dev.sluice.domain.TableState;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** States of tables for tests. */
final class Records {

    private Records() {}

    static TableName name(String table) {
        return new TableName("public", table);
    }

    static TableRecord captured(String table, TableState state, CaptureIdentity identity) {
        return new TableRecord(
                name(table), state, Instant.EPOCH, 0, Optional.of(identity), Optional.empty(), Progress.none(), Optional.empty(),
                TableOptions.NONE, Optional.empty());
    }

    static TableRecord paused(TableRecord table) {
        return new TableRecord(
                table.table(), table.state(), table.stateSince(), table.attempts(), table.captured(), table.streamedRun(),
                table.progress(), table.queue(), table.options(), table.optionsAsked(),
                Optional.of(new Pause(Optional.empty(), Instant.EPOCH)), Optional.empty(), List.of(), Optional.empty());
    }

    static TableRecord table(String table, TableState state) {
        return new TableRecord(
                name(table), state, Instant.EPOCH, 0, Optional.empty(), Optional.empty(), Progress.none(), Optional.empty(),
                TableOptions.NONE, Optional.empty());
    }
}
