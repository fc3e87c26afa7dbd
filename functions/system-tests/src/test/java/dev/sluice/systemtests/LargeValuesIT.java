package dev.sluice.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.TableState;
import java.sql.SQLException;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * Values of tens of megabytes through the whole of Sluice, its functions with a heap of 512 MiB; what is too large for a
 * record stops its own table only; and values that are stored out of line, which an update does not carry, stay.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class LargeValuesIT {

    /** Fifty million characters that hardly compress. */
    private static final String LARGE = "(SELECT string_agg(md5(i::text || %d), '') FROM generate_series(1, 1562500) i)";
    /** The same number of bytes in characters of three. */
    private static final String LARGE_OF_OTHER_LETTERS = "repeat('象', 16666666)";
    /** For which Java takes two bytes a character, all through: the worst there is. */
    private static final String LARGE_AND_MIXED =
            "(SELECT string_agg(md5(i::text), '') || '🐘' FROM generate_series(1, 1562500) i)";
    private static final String EVERY_CHARACTER = "(SELECT string_agg(chr(i), '') FROM generate_series(1, 1114111) i "
            + "WHERE i NOT BETWEEN 55296 AND 57343)";

    private static SluiceStack stack;
    private static long debezium;
    private static long functions;

    @BeforeAll
    static void start() throws Exception {
        stack = SluiceStack.start("large", Map.of());
        debezium = stack.debezium().pid();
        functions = stack.functions().pid();
        stack.onSource(
                "CREATE TABLE bystander (id int PRIMARY KEY, v text)",
                "CREATE TABLE large (id int PRIMARY KEY, small text, big text)",
                "ALTER TABLE large ALTER COLUMN big SET STORAGE EXTERNAL",
                "INSERT INTO large SELECT i, 'small ' || i, 'not so big ' || i FROM generate_series(1, 300) i",
                "INSERT INTO large VALUES (1000, 'before', " + LARGE.formatted(1) + ")",
                "INSERT INTO large VALUES (1001, 'every character', " + EVERY_CHARACTER + ")",
                "CREATE TABLE too_large (id int PRIMARY KEY, small int, data bytea)",
                "INSERT INTO too_large SELECT 1, 1, decode(" + LARGE.formatted(2) + " || " + LARGE.formatted(3)
                        + ", 'hex')",
                "CREATE TABLE too_wide (id int PRIMARY KEY, a text, b text)",
                "CREATE TABLE full_with_key (id int PRIMARY KEY, small text, big text)",
                "CREATE TABLE full_without (id int, small text, big text)",
                "ALTER TABLE full_with_key REPLICA IDENTITY FULL",
                "ALTER TABLE full_without REPLICA IDENTITY FULL",
                "INSERT INTO full_with_key VALUES (1, 'before', " + LARGE.formatted(10) + ")",
                "INSERT INTO full_without SELECT * FROM full_with_key");
        stack.add("public.bystander", "public.large", "public.too_large", "public.too_wide", "public.full_with_key",
                "public.full_without");
    }

    @AfterAll
    static void stop() throws Exception {
        stack.close();
    }

    @Test
    @Order(1)
    void aTextOfFiftyMegabytesArrivesByBackfillAndByEachChange() throws SQLException {
        stack.awaitStreaming("public.large");
        assertSame("large", "big");

        stack.onSource(
                "UPDATE large SET small = 'changed' WHERE id < 100",
                "INSERT INTO large VALUES (2000, 'inserted', " + LARGE.formatted(4) + ")",
                "UPDATE large SET small = 'again' WHERE id < 50",
                "UPDATE large SET big = " + LARGE.formatted(5) + " WHERE id = 1000",
                "UPDATE large SET big = " + LARGE_OF_OTHER_LETTERS + " WHERE id = 1",
                "UPDATE large SET big = " + EVERY_CHARACTER + " WHERE id = 2",
                "UPDATE large SET big = " + LARGE_AND_MIXED + " WHERE id = 4",
                "DELETE FROM large WHERE id = 1001");
        stack.awaitQueueApplied("public.large");
        assertSame("large", "big");
        // In one transaction, so at once, and hardly anything of Kafka's: as a fetch, many fit together.
        stack.onSource("INSERT INTO large SELECT 4000 + i, 'many', repeat(md5(i::text), 1562500) "
                + "FROM generate_series(1, 8) i");
        stack.awaitQueueApplied("public.large");
        assertSame("large", "big");
        stack.onSource("DELETE FROM large WHERE id IN (1, 4, 2000) OR id > 4000");
        stack.awaitQueueApplied("public.large");
        assertSame("large", "big");
    }

    @Test
    @Order(2)
    void whatAnUpdateLeavesAloneStaysAlsoWhenTheKeyChanges() throws SQLException {
        stack.onSource(
                "UPDATE large SET small = 'kept' WHERE id IN (1000, 3)",
                "UPDATE large SET id = 3000 WHERE id = 1000",
                "UPDATE large SET id = 3001, small = 'moved' WHERE id = 2");
        stack.awaitQueueApplied("public.large");
        assertSame("large", "big");

        // Somebody takes rows away at the destination: what does not carry the large value must not make half a row.
        stack.onDestination("DELETE FROM large WHERE id IN (3000, 3001)");
        stack.onSource(
                "UPDATE large SET small = 'not half a row' WHERE id = 3000",
                "UPDATE large SET id = 3002 WHERE id = 3001");
        stack.awaitQueueApplied("public.large");
        assertThat(stack.one(stack.destination(), "SELECT string_agg(id::text, ',') FROM large WHERE id >= 3000"))
                .as("an update of a row that is not there inserts nothing; a move reads the row from the source")
                .contains("3002");
        assertThat(stack.one(stack.destination(), "SELECT md5(big) FROM large WHERE id = 3002"))
                .isEqualTo(stack.one(stack.source(), "SELECT md5(big) FROM large WHERE id = 3002"));
    }

    @Test
    @Order(3)
    void aChangeThatIsTooLargeForARecordStopsItsOwnTableOnly() throws SQLException {
        stack.awaitStreaming("public.too_large");
        stack.awaitStreaming("public.too_wide");
        stack.awaitStreaming("public.bystander");
        stack.onSource("UPDATE too_large SET small = 2");
        stack.awaitQueueApplied("public.too_large");
        assertSame("too_large", "data::text");

        stack.onSource(
                "UPDATE too_large SET data = decode(" + LARGE.formatted(6) + " || " + LARGE.formatted(7) + ", 'hex')",
                "INSERT INTO too_wide VALUES (1, " + LARGE.formatted(8) + ", " + LARGE.formatted(9) + ")",
                "INSERT INTO bystander VALUES (1, 'goes on')");

        TableState.Failed tooLarge = stack.awaitFailed("public.too_large");
        TableState.Failed tooWide = stack.awaitFailed("public.too_wide");
        assertThat(tooLarge.fault().reason()).contains("column data", "100000002 characters", "larger than the");
        assertThat(tooWide.fault().reason()).contains("column a", "50000000 characters");
        stack.awaitQueueApplied("public.bystander");
        assertSame("bystander", "v");
        assertThat(stack.debezium().pid()).as("capture went on without an end").isEqualTo(debezium);
        assertThat(stack.functions().pid()).as("the functions went on without an end").isEqualTo(functions);
        assertThat(stack.functions().isLive()).isTrue();
    }

    @Test
    @Order(4)
    void anOldRowThatDoesNotFitBesideTheNewOneIsNeededOnlyWithoutAKey() throws SQLException {
        stack.awaitStreaming("public.full_with_key");
        stack.onSource("UPDATE full_with_key SET big = " + LARGE.formatted(11));
        stack.awaitQueueApplied("public.full_with_key");
        assertSame("full_with_key", "big");
        stack.onSource("UPDATE full_with_key SET id = 2, big = " + LARGE.formatted(12));
        stack.awaitQueueApplied("public.full_with_key");
        assertSame("full_with_key", "big");

        stack.awaitStreaming("public.full_without");
        stack.onSource("INSERT INTO full_without VALUES (2, 'fits alone', " + LARGE.formatted(13) + ")",
                "DELETE FROM full_without WHERE id = 1");
        stack.awaitQueueApplied("public.full_without");
        assertSame("full_without", "big");
        // The row as it was has what the update leaves alone.
        stack.onSource("UPDATE full_without SET small = 'changed'");
        assertThat(stack.awaitFailed("public.full_without").fault().reason())
                .contains("column big", "50000000 characters", "larger than the");
    }

    private static void assertSame(String table, String large) throws SQLException {
        String rows = "SELECT md5(string_agg(concat_ws('|', id, length(" + large + "), md5(" + large + "), "
                + (table.equals("bystander") ? "v" : "small") + "), E'\\n' ORDER BY id)) FROM " + table;
        assertThat(stack.one(stack.destination(), rows))
                .as("rows of %s", table)
                .isEqualTo(stack.one(stack.source(), rows));
    }
}
