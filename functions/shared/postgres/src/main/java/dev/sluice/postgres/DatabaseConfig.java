package dev.sluice.postgres;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.util.Map;
import java.util.Optional;

/** How the two databases are reached. */
@ConfigMapping(prefix = "sluice")
public interface DatabaseConfig {

    /** The name that slot, publication and ledger schema start with: 1 to 31 lower-case letters and digits. */
    @WithDefault("sluice")
    String pipeline();

    /**
     * The secret that columns are hashed with, at least 16 characters; without it no table can have hashed columns. The
     * same for every function. With another one, tables that have such columns are Failed until it is put back, or they
     * are backfilled again. Keep it where passwords are kept: {@code SLUICE_HASH_SALT} in the environment.
     */
    Optional<String> hashSalt();

    Source source();

    Destination destination();

    interface Source {

        /** A libpq URL, {@code postgresql://user:password@host:5432/database}. */
        String url();

        /** Connections to the source at most, without those of chunk copies (one each). */
        @WithDefault("8")
        int connectionsMax();

        Replica replica();
    }

    interface Replica {

        /**
         * A physical standby of the source that the rows of chunks are read from, as a libpq URL like
         * {@code sluice.source.url}; empty: they are read from the source. It takes the load of the backfill's reads
         * off the source. A chunk then waits until the standby has replayed what it needs, so a standby that lags
         * slows the backfill, and the rows that change meanwhile are read from the source once more.
         */
        Optional<String> url();
    }

    interface Destination {

        /** A libpq URL, {@code postgresql://user:password@host:5432/database}. */
        String url();

        /** Connections to the destination at most, without those of chunk copies (one each). */
        @WithDefault("12")
        int connectionsMax();

        /**
         * Which schema a source schema becomes; one that is not named keeps its name. Two may become one, but a table
         * whose name another of them has there already is refused.
         */
        Map<String, String> schemas();

        /**
         * What becomes of a column that is dropped at the source: {@code keep} leaves it with the values that it had, and
         * rows that come later have NULL or its default in it; {@code drop} drops it, too.
         */
        @WithDefault("keep")
        DroppedColumns droppedColumns();
    }
}
