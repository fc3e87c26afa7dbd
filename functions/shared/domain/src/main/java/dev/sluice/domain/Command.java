package dev.sluice.domain;

import java.util.List;
import java.util.Optional;

/** What somebody asks for. Any producer may send one; each is checked when it is read. */
public sealed interface Command {

    /**
     * Add tables and backfill them.
     *
     * @param tables names, or patterns with {@code *} for any characters: {@code public.*}; 1 to 1,000
     * @param options for each of them. A table that is known already keeps its own: only a backfill changes them
     */
    record AddTables(List<String> tables, Optional<TableOptions> options) implements Command {

        /** Two identifiers of 63 bytes, each byte a quote that is doubled, their own quotes, and the dot. */
        private static final int NAME_LENGTH_MAX = 257;

        public AddTables {
            if (tables.stream().anyMatch(name -> name == null || name.isBlank() || name.length() > NAME_LENGTH_MAX)) {
                throw new IllegalArgumentException(
                        "add-tables names tables or patterns of 1 to " + NAME_LENGTH_MAX + " characters each");
            }
            tables = List.copyOf(tables);
            if (tables.isEmpty() || tables.size() > 1_000) {
                throw new IllegalArgumentException("add-tables names 1 to 1,000 tables or patterns, this one "
                        + tables.size());
            }
        }

        public AddTables(List<String> tables) {
            this(tables, Optional.empty());
        }
    }

    /** A command about one table that is known already. */
    sealed interface OfTable extends Command {
        TableName table();
    }

    /**
     * Copy the table once more (or at last).
     *
     * @param options from this backfill on; empty: as before
     * @param keys only rows with these, of a table that streams; empty: all rows. Not together with
     *     {@code options}, which have to hold for all rows
     */
    record Backfill(TableName table, Optional<TableOptions> options, Optional<KeyBounds> keys) implements OfTable {

        public Backfill {
            if (options.isPresent() && keys.isPresent()) {
                throw new IllegalArgumentException("a backfill has «options» or «keys», not both: other options have to "
                        + "hold for all rows");
            }
        }

        public Backfill(TableName table, Optional<TableOptions> options) {
            this(table, options, Optional.empty());
        }

        public Backfill(TableName table) {
            this(table, Optional.empty(), Optional.empty());
        }
    }

    /**
     * Stop the backfill. A table that streamed before drains and streams again; one on its first backfill stays
     * incomplete.
     *
     * @param dropQueue for a first backfill: whether its changes stop queueing, too
     */
    record Cancel(TableName table, boolean dropQueue) implements OfTable {}

    /** Try again what failed. */
    record Retry(TableName table) implements OfTable {}

    /** Forget the table: no capture, no queue. The rows at the destination stay. */
    record Remove(TableName table) implements OfTable {}

    /** Compare the table's rows with the source's, while it streams. */
    record Verify(TableName table) implements OfTable {}

    /** Stop comparing. */
    record CancelVerification(TableName table) implements OfTable {}

    /** Let the table rest: what is under way is finished, and nothing new begins until it is resumed. */
    record Pause(TableName table) implements OfTable {}

    /** Let a paused table go on. */
    record Resume(TableName table) implements OfTable {}

    /** Make the table the next that has its turn. */
    record ToFront(TableName table) implements OfTable {}

    /** Let all tables rest: nothing is written to the destination. */
    record PausePipeline() implements Command {}

    /** Let the pipeline go on. Tables that were paused themselves stay so. */
    record ResumePipeline() implements Command {}

    /** Change settings of the pipeline, all that are named or none. */
    record ChangeSettings(Settings.Change settings) implements Command {}
}
