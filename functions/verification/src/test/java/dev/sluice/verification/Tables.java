package dev.sluice.verification;

import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableRecord.Progress;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.Constraints;
import dev.sluice.domain.Verification;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Tables that stream and are to be compared, for tests. */
final class Tables {

    static final long RUN = 7;

    private Tables() {}

    static TableName name(String table) {
        return new TableName("public", table);
    }

    static TableRecord streaming(String table, long number, Verification.Stage stage) {
        return new TableRecord(
                name(table), new TableState.Streaming(RUN, new Constraints.Built(0)), Instant.EPOCH, 0, Optional.empty(),
                Optional.of(RUN), Progress.none(), Optional.empty(), TableOptions.NONE, Optional.empty(), Optional.empty(),
                Optional.empty(), List.of(),
                Optional.of(new Verification(number, RUN, Instant.EPOCH, Optional.empty(), Instant.EPOCH, stage)));
    }
}
