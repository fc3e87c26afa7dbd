package dev.sluice.postgres;

import dev.sluice.domain.Fault;
import java.sql.Connection;
import java.sql.SQLException;

/** Whether a replica is a standby of the source: of the same system, and on the timeline that the source is on. */
final class StandbyIdentity {

    static final String HINT =
            "Point sluice.source.replica.url at a physical standby of the server of sluice.source.url, or set it empty "
                    + "to read from the primary.";

    private static final String OF_PRIMARY = """
            SELECT system_identifier::text,
                   ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int
              FROM pg_control_system()
            """;

    /** The timeline of what is received; of the last restart point where that is not shown or there is no receiver. */
    private static final String OF_STANDBY = """
            SELECT pg_is_in_recovery(), system_identifier::text,
                   coalesce((SELECT received_tli FROM pg_stat_wal_receiver),
                            (SELECT timeline_id FROM pg_control_checkpoint()))
              FROM pg_control_system()
            """;

    private StandbyIdentity() {}

    /**
     * @throws RefusedException if it is no standby, or one of another server
     * @throws LaterException if it is on another timeline
     */
    static void require(Connection primary, Connection standby) throws SQLException {
        String system;
        int timeline;
        try (var statement = primary.createStatement(); var row = statement.executeQuery(OF_PRIMARY)) {
            row.next();
            system = row.getString(1);
            timeline = row.getInt(2);
        }
        try (var statement = standby.createStatement(); var row = statement.executeQuery(OF_STANDBY)) {
            row.next();
            if (!row.getBoolean(1)) {
                throw new RefusedException("the replica is no standby", HINT);
            }
            if (!row.getString(2).equals(system)) {
                throw new RefusedException("the replica is a standby of another server than the source", HINT);
            }
            if (row.getInt(3) != timeline) {
                // After a failover it may follow later, or follow the old primary for ever.
                throw new LaterException(Fault.unavailable(
                        "the replica is on timeline " + row.getInt(3) + ", the primary on " + timeline,
                        "After a failover, let the replica follow the new primary; CHECKPOINT at both shows that it "
                                + "does. This is tried again by itself."));
            }
        }
    }
}
