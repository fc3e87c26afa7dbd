package dev.sluice.verification;

import dev.sluice.postgres.TableVerification.Limits;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;
import java.util.OptionalLong;

/** How gently tables are compared. */
@ConfigMapping(prefix = "sluice.verification")
public interface VerificationConfig {

    /**
     * Tables that are compared at once, 1 to 16; the others wait. Each takes one session of the source and one of the
     * destination.
     */
    @WithDefault("1")
    int tablesAtOnce();

    /**
     * Rows that one statement of a database sums up, 100 to 10,000,000. More make fewer statements, each of which keeps
     * its snapshot for longer; fewer make more of the table equal at the first look while it is written to.
     */
    @WithDefault("20000")
    int rangeRows();

    /** Rows a second that are read from the source for one table at most; empty: as fast as one session reads. */
    OptionalLong rowsPerSecond();

    /**
     * How often a key is looked at that differs and is written to, 2 to 100, before it counts as unsettled. Each look
     * waits until the stream has passed.
     */
    @WithDefault("6")
    int looksMax();

    /**
     * How long a look waits for transactions of the source that write and began before it. Without their end no
     * difference is certain.
     */
    @WithDefault("30s")
    Duration transactionsWait();

    /** How long the destination may take to apply what the source had, before the comparison is given up. */
    @WithDefault("10m")
    Duration streamWait();

    /** The most that one statement may take. A table without a key is read by one. */
    @WithDefault("30m")
    Duration statementTimeout();

    /** @throws IllegalArgumentException if a setting is out of bounds; the message says which */
    default Limits limits() {
        return new Limits(rangeRows(), rowsPerSecond(), looksMax(), transactionsWait(), statementTimeout());
    }
}
