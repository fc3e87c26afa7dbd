package dev.sluice.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Fault;
import dev.sluice.domain.Fault.Kind;
import io.vertx.pgclient.PgException;
import io.vertx.sqlclient.ClosedConnectionException;
import java.net.ConnectException;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.postgresql.util.PSQLException;
import org.postgresql.util.PSQLState;
import org.postgresql.util.ServerErrorMessage;

class SqlFaultsTest {

    @ParameterizedTest
    @CsvSource({
        "08006, UNAVAILABLE", "57P01, UNAVAILABLE", "57P03, UNAVAILABLE", "53300, UNAVAILABLE", "53100, UNAVAILABLE",
        "25006, UNAVAILABLE", "28P01, UNAVAILABLE", "58030, UNAVAILABLE",
        "40001, FAULTY", "40P01, FAULTY", "55P03, FAULTY", "57014, FAULTY", "25P04, FAULTY", "XX000, FAULTY",
        "23505, REFUSED", "22003, REFUSED", "42703, REFUSED", "42501, REFUSED", "0A000, REFUSED", "P0001, REFUSED"
    })
    void theStateDecidesTheKindForBothClients(String state, Kind kind) {
        assertThat(SqlFaults.fault(jdbc("SERROR\0C" + state + "\0Mit broke\0\0"), "copying").kind())
                .as("JDBC, %s", state)
                .isEqualTo(kind);
        assertThat(SqlFaults.fault(new PgException("it broke", "ERROR", state, null), "copying").kind())
                .as("reactive, %s", state)
                .isEqualTo(kind);
    }

    @Test
    void constraintTableAndColumnAreNamedAndRowsAreNot() {
        Fault fault = SqlFaults.fault(
                jdbc("SERROR\0C23505\0Mduplicate key value violates unique constraint \"orders_no_key\"\0"
                        + "DKey (no)=(4711) already exists.\0WCOPY orders, line 3\0spublic\0torders\0northers_no_key\0\0"),
                "copying chunk 3 of public.orders");

        assertThat(fault.reason())
                .startsWith("copying chunk 3 of public.orders: duplicate key value")
                .contains("table public.orders", "SQLSTATE 23505")
                .doesNotContain("4711", "line 3");
        assertThat(fault.hint()).contains("unique constraint", "retry");
    }

    @Test
    void aWrappedFailureIsFound() {
        var wrapped = new CompletionException(new IllegalStateException(new ConnectException("Connection refused")));

        assertThat(SqlFaults.fault(wrapped, "closing run 5").kind()).isEqualTo(Kind.UNAVAILABLE);
    }

    @Test
    void aConnectionThatEndsIsUnavailable() {
        assertThat(SqlFaults.fault(ClosedConnectionException.INSTANCE, "closing").kind()).isEqualTo(Kind.UNAVAILABLE);
        assertThat(SqlFaults.fault(
                                new PSQLException("An I/O error occurred", PSQLState.CONNECTION_FAILURE), "copying")
                        .kind())
                .isEqualTo(Kind.UNAVAILABLE);
    }

    @Test
    void theLedgersRefusalsAreFinal() {
        Fault fenced = SqlFaults.fault(new Ledger.FencedException("the run is CANCELLED"), "copying chunk 1");
        Fault incomplete = SqlFaults.fault(new Ledger.IncompleteRunException("2 of 3 chunks"), "closing run 5");

        assertThat(fenced.kind()).isEqualTo(Kind.REFUSED);
        assertThat(fenced.reason()).startsWith("fenced: ");
        assertThat(incomplete.kind()).isEqualTo(Kind.REFUSED);
    }

    @Test
    void aDefectOfOurOwnIsFaulty() {
        assertThat(SqlFaults.fault(new NullPointerException(), "copying").reason())
                .isEqualTo("copying: NullPointerException");
    }

    private static PSQLException jdbc(String wire) {
        return new PSQLException(new ServerErrorMessage(wire));
    }
}
