package dev.sluice.postgres;

import java.sql.SQLException;
import org.postgresql.copy.CopyIn;
import org.postgresql.copy.CopyManager;
import org.postgresql.copy.CopyOut;

/**
 * Passes what one server's COPY writes on to another server's COPY, as bytes. Holds one buffer, and one row while it
 * is larger than that. The slower side sets the pace.
 */
final class CopyPipe {

    private static final int BUFFER_BYTES = 64 * 1024;

    private CopyPipe() {}

    /**
     * @param read rows that the source's server says it sent
     * @param written rows that the destination's server says it took
     */
    record Passed(long read, long written, long bytes) {}

    /** Blocks until all is written. When it throws, both connections are in the middle of a COPY: close them. */
    static Passed pass(CopyManager source, String copyTo, CopyManager destination, String copyFrom)
            throws SQLException {
        CopyOut rows = source.copyOut(copyTo);
        CopyIn into = destination.copyIn(copyFrom);
        byte[] buffer = new byte[BUFFER_BYTES];
        int filled = 0;
        long bytes = 0;
        byte[] row;
        while ((row = rows.readFromCopy()) != null) {
            bytes += row.length;
            if (filled + row.length > buffer.length) {
                into.writeToCopy(buffer, 0, filled);
                filled = 0;
            }
            if (row.length > buffer.length) {
                into.writeToCopy(row, 0, row.length);
            } else {
                System.arraycopy(row, 0, buffer, filled, row.length);
                filled += row.length;
            }
        }
        if (filled > 0) {
            into.writeToCopy(buffer, 0, filled);
        }
        return new Passed(rows.getHandledRowCount(), into.endCopy(), bytes);
    }
}
