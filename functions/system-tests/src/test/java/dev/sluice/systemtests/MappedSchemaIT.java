package dev.sluice.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Command;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.domain.TableState.Constraints;
import java.sql.SQLException;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Tables that stand in another schema at the destination; among them one whose unique values move between rows while
 * it is copied (R14). Dropped columns are dropped there, too.
 */
class MappedSchemaIT {

    private static final Predicate<TableRecord> UNDER_WAY = table ->
            table.state() instanceof TableState.Backfilling backfilling
                    && backfilling.plan().chunksCopied() > 2;

    private static SluiceStack stack;

    @BeforeAll
    static void start() throws Exception {
        stack = SluiceStack.start(
                "mapped",
                Map.of(
                        "sluice.destination.schemas.shop", "mirror",
                        "sluice.destination.schemas.\"Old Shop\"", "The Archive",
                        "sluice.destination.dropped-columns", "drop",
                        "sluice.scheduler.watch-interval", "1s",
                        "sluice.scheduler.chunk-rows", "200",
                        "sluice.scheduler.chunks-per-table", "1"));
        stack.onSource("CREATE SCHEMA shop", "CREATE SCHEMA \"Old Shop\"", "CREATE SCHEMA mirror");
    }

    @AfterAll
    static void stop() throws Exception {
        stack.close();
    }

    @Test
    void everyKindOfChangeArrivesInTheOtherSchemaAndASecondBackfillMendsIt() throws Exception {
        String source = "\"Old Shop\".\"Order Lines\"";
        String destination = "\"The Archive\".\"Order Lines\"";
        stack.onSource(
                "CREATE TABLE " + source + " (line int, ref text, note text CHECK (note <> ''), big text, "
                        + "PRIMARY KEY (ref, line))",
                "ALTER TABLE " + source + " ALTER COLUMN big SET STORAGE EXTERNAL",
                "CREATE INDEX \"Old Notes\" ON " + source + " (note)",
                "INSERT INTO " + source + " SELECT g, 'ref ' || g % 10, 'n' || g, repeat('x', 5000) "
                        + "FROM generate_series(1, 1000) g");

        stack.add(source);
        awaitConstraints(source);
        stack.onSource(
                "INSERT INTO " + source + " VALUES (2000, 'new', 'n', 'b')",
                "UPDATE " + source + " SET note = 'changed' WHERE line % 3 = 0",
                // The large value stays as it is: the change does not carry it.
                "UPDATE " + source + " SET line = line + 5000 WHERE line % 7 = 0",
                "DELETE FROM " + source + " WHERE line % 5 = 0");
        assertEqual(source, destination);
        assertThat(stack.one(stack.destination(), "SELECT to_regclass('\"The Archive\".\"Old Notes\"')::text"))
                .as("the index that was built at the end")
                .isPresent();

        stack.onDestination(
                "UPDATE " + destination + " SET note = 'by hand' WHERE line % 2 = 0",
                "DELETE FROM " + destination + " WHERE line % 11 = 0",
                "INSERT INTO " + destination + " VALUES (-1, 'a stray', 'n', NULL)");
        long run = stack.table(source).orElseThrow().state().run();
        stack.send(new Command.Backfill(TableName.parse(source)));
        stack.awaitStreamingAfter(source, run);
        assertEqual(source, destination);

        stack.onSource("TRUNCATE " + source, "INSERT INTO " + source + " VALUES (1, 'after', 'n', NULL)");
        assertEqual(source, destination);
        assertThat(stack.one(stack.destination(), "SELECT to_regnamespace('\"Old Shop\"')::text"))
                .as("the source's schema at the destination")
                .isEmpty();
    }

    @Test
    void uniqueValuesThatChangePlacesBetweenChunksArriveAndTheirIndexesAreBuiltAtTheEnd() throws Exception {
        stack.onSource(
                "CREATE TABLE shop.places (id int PRIMARY KEY, place text CONSTRAINT one_each UNIQUE, tag text)",
                "CREATE UNIQUE INDEX tags ON shop.places (lower(tag))",
                "INSERT INTO shop.places SELECT g, 'place ' || g, 'tag ' || g FROM generate_series(1, 8000) g");

        stack.add("shop.places");
        stack.await("shop.places", SluiceStack.LONG, UNDER_WAY);
        changePlaces(1, 8_000);
        assertThat(stack.one(stack.destination(), "SELECT id FROM mirror.places WHERE id = 8000"))
                .as("the last row, which must be copied after the first has lost its values to it")
                .isEmpty();

        awaitConstraints("shop.places");
        assertEqual("shop.places", "mirror.places");
        assertBuilt();

        // The same while it streams, with the indexes in place.
        changePlaces(2, 7_999);
        assertEqual("shop.places", "mirror.places");

        // And during a second backfill, for which they have to go.
        long run = stack.table("shop.places").orElseThrow().state().run();
        stack.send(new Command.Backfill(TableName.parse("shop.places")));
        stack.await("shop.places", SluiceStack.LONG, table -> UNDER_WAY.test(table) && table.state().run() > run);
        changePlaces(3, 7_998);
        stack.awaitStreamingAfter("shop.places", run);
        awaitConstraints("shop.places");
        assertEqual("shop.places", "mirror.places");
        assertBuilt();
    }

    @Test
    void aColumnThatIsDroppedIsDroppedThereTooIfTheSettingSaysSo() throws Exception {
        stack.onSource(
                "CREATE TABLE shop.slim (id int PRIMARY KEY, gone text, note text)",
                "INSERT INTO shop.slim SELECT g, 'gone', 'note' FROM generate_series(1, 100) g");
        stack.add("shop.slim");
        stack.awaitStreaming("shop.slim");

        stack.onSource(
                "UPDATE shop.slim SET gone = 'to go' WHERE id < 50",
                "ALTER TABLE shop.slim DROP COLUMN gone",
                "UPDATE shop.slim SET note = 'after it' WHERE id > 25",
                "INSERT INTO shop.slim VALUES (101, 'new')");

        SluiceStack.awaitTrue("the column is dropped", SluiceStack.LONG, () -> columnsOf("mirror.slim")
                .equals(Optional.of("id, note")));
        assertEqual("shop.slim", "mirror.slim");
    }

    private static Optional<String> columnsOf(String table) {
        try {
            return stack.one(
                    stack.destination(),
                    "SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = '" + table
                            + "'::regclass AND attnum > 0 AND NOT attisdropped");
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aTableWhosePlaceAtTheDestinationAnotherHasIsRefusedAndTheOtherGoesOn() throws Exception {
        stack.onSource(
                "CREATE TABLE shop.both (id int PRIMARY KEY)",
                "INSERT INTO shop.both VALUES (1)",
                "CREATE TABLE mirror.both (id int PRIMARY KEY)",
                "INSERT INTO mirror.both VALUES (2)");
        stack.add("shop.both");
        stack.awaitStreaming("shop.both");

        stack.add("mirror.both");

        TableState.Failed failed = stack.awaitFailed("mirror.both");
        assertThat(failed.fault().reason()).contains("mirror.both", "shop.both");
        stack.onSource("INSERT INTO shop.both VALUES (3)", "INSERT INTO mirror.both VALUES (4)");
        assertEqual("shop.both", "mirror.both");
    }

    /** Two rows swap their unique values, by way of a third, as a non-deferrable constraint demands. */
    private static void changePlaces(int one, int other) throws SQLException {
        String update = "UPDATE shop.places SET place = 'place %2$s', tag = 'Tag %2$s' WHERE id = %1$s";
        stack.onSource(
                "BEGIN",
                update.formatted(one, "none"),
                update.formatted(other, one),
                update.formatted(one, other),
                "COMMIT");
    }

    private static void assertBuilt() throws SQLException {
        assertThat(stack.one(
                        stack.destination(),
                        "SELECT string_agg(i.relname, ', ' ORDER BY i.relname) FROM pg_index x "
                                + "JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = 'mirror.places'::regclass "
                                + "AND x.indisunique AND x.indisvalid AND NOT x.indisprimary"))
                .as("unique indexes at the destination")
                .contains("one_each, tags");
    }

    private static void awaitConstraints(String table) {
        TableRecord streaming = stack.await(
                table,
                SluiceStack.LONG,
                record -> record.state() instanceof TableState.Streaming state
                        && !(state.constraints() instanceof Constraints.Pending));
        assertThat(((TableState.Streaming) streaming.state()).constraints()).isInstanceOf(Constraints.Built.class);
    }

    private static void assertEqual(String source, String destination) throws SQLException {
        stack.awaitQueueApplied(source);
        assertThat(Contents.differences(stack, TableName.parse(source), TableName.parse(destination)))
                .as("rows that differ between %s at the source and %s at the destination", source, destination)
                .isEmpty();
    }
}
