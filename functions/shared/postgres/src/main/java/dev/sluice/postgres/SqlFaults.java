package dev.sluice.postgres;

import dev.sluice.domain.Fault;
import dev.sluice.postgres.Ledger.FencedException;
import dev.sluice.postgres.Ledger.IncompleteRunException;
import io.vertx.core.VertxException;
import io.vertx.core.impl.NoStackTraceThrowable;
import io.vertx.pgclient.PgException;
import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/**
 * What a failure at one of the two databases means: whether it is worth trying again, and what a person can do.
 *
 * <p>PostgreSQL's own message is told, with constraint, table and column where it names them. Its DETAIL and CONTEXT
 * are not: they hold rows.
 */
public final class SqlFaults {

    private static final String LOOK_AT_SERVER =
            "Check that the server runs and is reachable, and that its URL in the settings is right; "
                    + "this is tried again by itself.";
    private static final String REPORT = "If this goes on, look at the logs of the function and of the server.";

    private static final String UNREADABLE = "22P02";

    /** A bound on wrappings, should a cause ever be its own. */
    private static final int CAUSES_MAX = 20;

    private SqlFaults() {}

    /** What PostgreSQL said, from whichever client. */
    private record ServerError(
            String state,
            String message,
            Optional<String> schema,
            Optional<String> table,
            Optional<String> column,
            Optional<String> constraint) {

        String where() {
            List<String> parts = new ArrayList<>();
            constraint.ifPresent(name -> parts.add("constraint " + name));
            table.ifPresent(name -> parts.add("table " + schema.map(s -> s + ".").orElse("") + name));
            column.ifPresent(name -> parts.add("column " + name));
            return parts.isEmpty() ? "" : " (" + String.join(", ", parts) + ")";
        }
    }

    /**
     * @param failure from JDBC, the reactive client, or the ledger; wrapped or not
     * @param doing what was being done, as the beginning of a sentence: {@code copying chunk 3 of public.orders}
     */
    public static Fault fault(Throwable failure, String doing) {
        for (Throwable cause : causes(failure)) {
            switch (cause) {
                case FencedException fenced -> {
                    return Fault.refused(
                            "fenced: " + doing + ": " + fenced.getMessage(),
                            "Nothing is to be done if a newer run or another process owns the table. If Kafka's topics "
                                    + "were deleted, the ledger at the destination is of the time before: drop its "
                                    + "schema, then retry.");
                }
                case IncompleteRunException incomplete -> {
                    return Fault.refused(
                            doing + ": " + incomplete.getMessage(),
                            "Backfill the table again; rows of the missing ranges are not at the destination.");
                }
                case RefusedException refused -> {
                    return refused.fault();
                }
                case LaterException later -> {
                    return new Fault(
                            later.fault().kind(),
                            doing + ": " + later.fault().reason(),
                            later.fault().hint());
                }
                case PSQLException sql when sql.getServerErrorMessage() != null -> {
                    return ofServer(serverError(sql), doing);
                }
                case SQLException sql -> {
                    // Without a message of the server: what the driver says, which is of connections mostly.
                    return ofDriver(sql, doing);
                }
                case PgException pg -> {
                    return ofServer(serverError(pg), doing);
                }
                case IOException io -> {
                    return Fault.unavailable(doing + ": " + message(io), LOOK_AT_SERVER);
                }
                case TimeoutException timeout -> {
                    return Fault.unavailable(doing + ": no answer in time", LOOK_AT_SERVER);
                }
                case io.smallrye.mutiny.TimeoutException timeout -> {
                    return Fault.unavailable(doing + ": no answer in time", LOOK_AT_SERVER);
                }
                case VertxException vertx -> {
                    return Fault.unavailable(doing + ": " + message(vertx), LOOK_AT_SERVER);
                }
                case NoStackTraceThrowable pool -> {
                    // How the pool says that no connection became free or could be opened.
                    return Fault.unavailable(doing + ": no connection: " + message(pool), LOOK_AT_SERVER);
                }
                default -> {
                    // The reason may be further down.
                }
            }
        }
        return Fault.faulty(doing + ": " + message(failure), REPORT);
    }

    /** Whether a value is none of its type as the server knows it, as a label that an enumeration lacks. */
    static boolean isUnreadable(Throwable failure) {
        return causes(failure).stream()
                .anyMatch(cause -> cause instanceof PgException pg && UNREADABLE.equals(pg.getSqlState())
                        || cause instanceof SQLException sql && UNREADABLE.equals(sql.getSQLState()));
    }

    private static Fault ofDriver(SQLException failure, String doing) {
        String state = failure.getSQLState();
        boolean connection = state == null || state.startsWith("08") || failure.getCause() instanceof IOException;
        return connection
                ? Fault.unavailable(doing + ": " + message(failure), LOOK_AT_SERVER)
                : ofServer(
                        new ServerError(
                                state,
                                message(failure),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty()),
                        doing);
    }

    private static Fault ofServer(ServerError error, String doing) {
        String reason = doing + ": " + error.message() + error.where() + " [SQLSTATE " + error.state() + "]";
        String hint = hint(error);
        return switch (kind(error.state())) {
            case UNAVAILABLE -> Fault.unavailable(reason, hint);
            case FAULTY -> Fault.faulty(reason, hint);
            case REFUSED -> Fault.refused(reason, hint);
        };
    }

    private static Fault.Kind kind(String state) {
        return switch (state) {
            // Shut down, crashed, not yet started, database dropped; a standby while somebody fails over.
            case "57P01", "57P02", "57P03", "57P04", "57P05", "25006" -> Fault.Kind.UNAVAILABLE;
            // Waited or lasted too long; 55P03 may well be free the next time.
            case "55P03", "57014", "25P03", "25P04" -> Fault.Kind.FAULTY;
            default -> switch (state.substring(0, Math.min(2, state.length()))) {
                // 28 and 3D say that nobody gets in: every table meets that, so none is failed for it at once.
                case "08", "53", "58", "28", "3D" -> Fault.Kind.UNAVAILABLE;
                case "0A", "21", "22", "23", "2B", "3F", "42", "44", "54", "P0" -> Fault.Kind.REFUSED;
                default -> Fault.Kind.FAULTY;
            };
        };
    }

    private static String hint(ServerError error) {
        String constraint = error.constraint().map(name -> " " + name).orElse("");
        String column = error.column().map(name -> " " + name).orElse("");
        return switch (error.state()) {
            case "23505" -> "A unique constraint" + constraint + " of the destination does not fit the rows. Drop it at "
                    + "the destination (it can be built again once the table streams), or correct the rows at the "
                    + "source; then retry.";
            case "23503" -> "A foreign key" + constraint + " at the destination does not fit the rows. Drop it at the "
                    + "destination until the table streams, or backfill the table it refers to first; then retry.";
            case "23514", "23P01" -> "A constraint" + constraint + " of the destination forbids a row that the source "
                    + "has. Drop it at the destination or correct the row at the source; then retry.";
            case "23502" -> "Column" + column + " of the destination is NOT NULL, but the source has no value for it. "
                    + "Drop NOT NULL or give the column a default at the destination; then retry.";
            case "42501" -> "Grant the user what is missing (SELECT at the source; SELECT, INSERT, UPDATE, DELETE and "
                    + "TEMPORARY at the destination; BYPASSRLS where row-level security hides rows); then retry.";
            case "42P01", "3F000" -> "Create what is missing, or backfill the table again; then retry.";
            case "42703" -> "Source and destination do not have the same columns. Add column" + column
                    + " where it is missing; then retry.";
            case "42P10" -> "The destination's table has no primary key or unique constraint on the columns of the "
                    + "source's key. Add it; then retry.";
            case "0A000" -> "The server cannot do this with such a table (row-level security or a view at the "
                    + "destination, for example). Change the table; then retry.";
            case "55P03" -> "Somebody holds a lock on the table for long. Look for it in pg_locks; this is tried again "
                    + "by itself.";
            case "57014", "25P03", "25P04" -> "It took longer than the server allows. Plan smaller chunks, or raise "
                    + "the time limit of transactions; this is tried again by itself.";
            case "53100" -> "The server's disk is full. Make room; this is tried again by itself.";
            case "53300" -> "The server has no connection left. Raise max_connections or lower the number of worker "
                    + "slots; this is tried again by itself.";
            case "25006" -> "The server takes no writes: it is a standby, or set to read-only. Point the URL at the "
                    + "primary; this is tried again by itself.";
            case "28P01", "28000", "3D000" ->
                "Correct user, password or database in the settings, or pg_hba.conf at the server.";
            default -> switch (error.state().substring(0, Math.min(2, error.state().length()))) {
                case "08", "57", "58", "53" -> LOOK_AT_SERVER;
                case "22" -> "A value does not fit the destination's column" + column + ". Give the column the source's "
                        + "type; then retry.";
                case "P0" -> "A trigger or function refuses the row. Change or disable it; then retry.";
                case "40" -> "Another transaction was in the way; this is tried again by itself.";
                case "2B" -> "Other objects of the destination depend on it. Change them; then retry.";
                case "23", "42", "44", "54" -> "Change the table or the settings so that this can work; then retry.";
                default -> REPORT;
            };
        };
    }

    private static ServerError serverError(PSQLException failure) {
        ServerErrorMessage server = failure.getServerErrorMessage();
        return new ServerError(
                Optional.ofNullable(server.getSQLState()).orElse("XX000"),
                String.valueOf(server.getMessage()),
                Optional.ofNullable(server.getSchema()),
                Optional.ofNullable(server.getTable()),
                Optional.ofNullable(server.getColumn()),
                Optional.ofNullable(server.getConstraint()));
    }

    private static ServerError serverError(PgException failure) {
        return new ServerError(
                Optional.ofNullable(failure.getSqlState()).orElse("XX000"),
                String.valueOf(failure.getErrorMessage()),
                Optional.ofNullable(failure.getSchema()),
                Optional.ofNullable(failure.getTable()),
                Optional.ofNullable(failure.getColumn()),
                Optional.ofNullable(failure.getConstraint()));
    }

    private static String message(Throwable failure) {
        return failure.getMessage() == null ? failure.getClass().getSimpleName() : failure.getMessage();
    }

    /** The failure and what caused it, outermost first. */
    private static List<Throwable> causes(Throwable failure) {
        List<Throwable> causes = new ArrayList<>();
        for (Throwable cause = failure; cause != null && causes.size() < CAUSES_MAX; cause = cause.getCause()) {
            causes.add(cause);
        }
        return causes;
    }
}
