package dev.sluice.debezium;

import io.debezium.DebeziumException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;
import org.postgresql.replication.LogSequenceNumber;

/**
 * A replication slot as the source describes it now.
 *
 * @param confirmedFlushLsn the LSN up to which the source need not send again
 * @param walStatus {@code lost} when the source has removed WAL that the slot needs
 * @param database the one it decodes
 */
record Slot(String name, long confirmedFlushLsn, String walStatus, String database) {

    static Optional<Slot> find(Connection connection, String name) throws SQLException {
        try (var query = connection.prepareStatement(
                "SELECT confirmed_flush_lsn, wal_status, database FROM pg_catalog.pg_replication_slots "
                        + "WHERE slot_name = ?")) {
            query.setString(1, name);
            try (var rows = query.executeQuery()) {
                if (!rows.next()) {
                    return Optional.empty();
                }
                String confirmed = rows.getString(1);
                if (confirmed == null) {
                    throw new DebeziumException("replication slot " + name + " is not a finished logical slot: its "
                            + "creation still runs, or it is a physical one");
                }
                return Optional.of(new Slot(name, LogSequenceNumber.valueOf(confirmed).asLong(), rows.getString(2),
                        rows.getString(3)));
            }
        }
    }

    /** @throws DebeziumException if the slot cannot send everything after this LSN */
    void requireHolds(long lsn) {
        if ("lost".equals(walStatus)) {
            throw new DebeziumException("replication slot " + name + " has lost WAL that it needs (see "
                    + "max_slot_wal_keep_size at the source): drop it, prepare anew, and backfill every table again");
        }
        if (Long.compareUnsigned(confirmedFlushLsn, lsn) > 0) {
            throw new DebeziumException("replication slot " + name + " stands at " + text(confirmedFlushLsn)
                    + ", past the stored offset " + text(lsn) + ": it was made anew or moved by somebody else, and "
                    + "the changes in between are lost. Drop it, prepare anew, and backfill every table again");
        }
    }

    static String text(long lsn) {
        return LogSequenceNumber.valueOf(lsn).asString();
    }
}
