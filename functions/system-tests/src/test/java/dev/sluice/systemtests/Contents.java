package dev.sluice.systemtests;

import dev.sluice.domain.TableName;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/**
 * What two tables hold, compared by a reading of its own: row by row in PostgreSQL's text, sorted by bytes. It shares
 * no code with Sluice.
 */
final class Contents {

    private static final int DIFFERENCES_MAX = 20;
    private static final int FETCH_SIZE = 2_000;

    private Contents() {}

    /** The first rows that only one side has, as text; a row that was altered stands there twice. */
    static List<String> differences(SluiceStack stack, TableName table) throws SQLException {
        return differences(stack, table, table);
    }

    /** As {@link #differences(SluiceStack, TableName)}, for a table with another name at the destination. */
    static List<String> differences(SluiceStack stack, TableName atSource, TableName atDestination)
            throws SQLException {
        return differences(stack, atSource, atDestination, "t");
    }

    /** @param row what is compared of a row, in terms of {@code t} */
    static List<String> differences(SluiceStack stack, TableName atSource, TableName atDestination, String row)
            throws SQLException {
        List<String> differences = new ArrayList<>();
        try (Connection source = open(stack.source());
                Connection destination = open(stack.destination());
                Statement ofSource = streaming(source);
                Statement ofDestination = streaming(destination);
                ResultSet left = ofSource.executeQuery(query(source, atSource, row));
                ResultSet right = ofDestination.executeQuery(query(destination, atDestination, row))) {
            String a = next(left);
            String b = next(right);
            while ((a != null || b != null) && differences.size() < DIFFERENCES_MAX) {
                int order = a == null ? 1 : b == null ? -1 : compareBytes(a, b);
                if (order == 0) {
                    a = next(left);
                    b = next(right);
                } else if (order < 0) {
                    differences.add("only at the source: " + a);
                    a = next(left);
                } else {
                    differences.add("only at the destination: " + b);
                    b = next(right);
                }
            }
        }
        return differences;
    }

    /** The rows of a table itself, without those of tables that inherit from it; a partitioned table has none itself. */
    private static String query(Connection connection, TableName table, String row) throws SQLException {
        try (var kind = connection.prepareStatement("SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass(?)")) {
            kind.setString(1, table.sql());
            try (ResultSet rows = kind.executeQuery()) {
                String only = rows.next() && rows.getBoolean(1) ? "" : "ONLY ";
                return "SELECT (" + row + ")::text COLLATE \"C\" AS row FROM " + only + table.sql() + " t ORDER BY 1";
            }
        }
    }

    private static int compareBytes(String a, String b) {
        return java.util.Arrays.compareUnsigned(
                a.getBytes(java.nio.charset.StandardCharsets.UTF_8), b.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }

    private static Connection open(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("SET TimeZone = 'UTC'; SET extra_float_digits = 3; SET bytea_output = 'hex'; "
                    + "SET IntervalStyle = 'postgres'; SET DateStyle = 'ISO, MDY'");
        }
        connection.setAutoCommit(false);
        return connection;
    }

    private static Statement streaming(Connection connection) throws SQLException {
        Statement statement = connection.createStatement();
        statement.setFetchSize(FETCH_SIZE);
        return statement;
    }

    private static String next(ResultSet rows) throws SQLException {
        return rows.next() ? rows.getString(1) : null;
    }
}
