package dev.sluice.scheduler;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.smallrye.config.WithName;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Settings of the scheduler. */
@ConfigMapping(prefix = "sluice")
public interface SchedulerConfig {

    Source source();

    Scheduler scheduler();

    @WithName("chunk-worker")
    ChunkWorker chunkWorker();

    interface Source {

        /**
         * Tables to add at start, names or patterns with {@code *}: {@code public.orders,sales.*}. Each that is not
         * known yet is backfilled. A table that was removed comes back at the next start as long as it stands here.
         */
        Optional<List<String>> tables();

        /**
         * Options of these tables, as one JSON object: {@code {"public.orders": {"exclude": ["note"]}}}. Each name stands
         * in {@code sluice.source.tables} exactly as here; its options are those of the command {@code add-tables}. A
         * name counts before a pattern that stands behind it. They hold for tables that are not known yet: for one that
         * is, the command {@code backfill} changes them.
         */
        Optional<String> options();
    }

    /** The first three hold as long as the command change-settings says nothing else. */
    interface Scheduler {

        /** Tables between Queued and Streaming at once, 1 to 1,000. More share the same worker slots. */
        @WithDefault("10")
        int concurrency();

        /** Chunks of one table in flight at once, 1 to 256. More copy one table faster and leave less for others. */
        @WithDefault("4")
        int chunksPerTable();

        /**
         * Rows of a chunk, 100 to 10,000,000. More cost less overhead a row; a failed chunk repeats more, and a
         * transaction at the source lasts longer.
         */
        @WithDefault("50000")
        int chunkRows();

        /** Chunks of a table that are planned before a worker slot is free for them, 1 to 64. */
        @WithDefault("8")
        int chunksAhead();

        /**
         * How long the preparation of a table waits for transactions that are older than its capture. Then the table is
         * Failed, and says who is in the way. Meanwhile it keeps one of the places between Queued and Streaming.
         */
        @WithDefault("1h")
        Duration barrierLimit();

        /** How often capture of all tables is checked (R20). */
        @WithDefault("5s")
        Duration watchInterval();

        /**
         * How often a logical message is written into the source's WAL, so that the slot moves while only tables are
         * written that nobody captures.
         */
        @WithDefault("5s")
        Duration heartbeatInterval();
    }

    interface ChunkWorker {

        /** Worker slots of all chunk-workers together, 1 to 256: chunks that are copied at once. */
        @WithDefault("4")
        int slots();
    }
}
