package dev.sluice.postgres;

import static dev.sluice.postgres.TwoDatabases.await;
import static dev.sluice.postgres.TwoDatabases.table;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.domain.CaptureIdentity;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableName;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SourceCaptureIT {

    private static TwoDatabases databases;
    private static SourceTables tables;
    private static SourceCapture capture;

    @BeforeAll
    static void open() throws SQLException {
        databases = TwoDatabases.open();
        tables = new SourceTables(databases.source, databases.pipeline);
        capture = new SourceCapture(databases.source, databases.pipeline);
        databases.atSource("CREATE PUBLICATION " + databases.pipeline.publication());
        createSlot(databases.pipeline.slot());
    }

    @AfterAll
    static void close() throws SQLException {
        databases.atSource("SELECT pg_drop_replication_slot('" + databases.pipeline.slot() + "')");
        databases.close();
    }

    private static void createSlot(String name) throws SQLException {
        databases.fromSource("SELECT pg_create_logical_replication_slot('" + name + "', 'pgoutput')");
    }

    private static TableDefinition made(String name) throws SQLException {
        databases.atSource("CREATE TABLE " + name + " (id int PRIMARY KEY, t text)");
        return await(tables.inspect(table(name)));
    }

    private static CaptureIdentity join(TableDefinition definition, long epoch) {
        return await(capture.join(definition, List.of(), epoch, "topic", "capture"));
    }

    private static String published() throws SQLException {
        return databases.fromSource("SELECT string_agg(tablename, ',' ORDER BY tablename) FROM pg_publication_tables "
                + "WHERE pubname = '" + databases.pipeline.publication() + "'");
    }

    private static String systemIdentifier() throws SQLException {
        return databases.fromSource("SELECT system_identifier::text FROM pg_control_system()");
    }

    @Test
    void aProbeRisesAndTheSlotStandsBeforeItUntilItIsConsumed() throws SQLException {
        Lsn first = await(capture.probe());
        Lsn second = await(capture.heartbeat());
        SlotStatus slot = await(capture.slot());

        assertThat(second).isGreaterThan(first);
        assertThat(slot.exists()).isTrue();
        assertThat(slot.active()).isFalse();
        assertThat(slot.plugin()).isEqualTo("pgoutput");
        assertThat(slot.walStatus()).isEqualTo("reserved");
        assertThat(slot.retainedBytes()).isPositive();
        assertThat(await(capture.confirmedFlush())).isLessThan(first).isEqualTo(slot.confirmedFlush().orElseThrow());
        assertThat(systemIdentifier()).matches("\\d+");
    }

    @Test
    void aMissingSlotIsToldAndRefused() {
        var other = new SourceCapture(databases.source, new Pipeline("nobody"));

        assertThat(await(other.slot()).exists()).isFalse();
        assertThatThrownBy(() -> await(other.confirmedFlush())).isInstanceOf(RefusedException.class);
    }

    @Test
    void theBarrierWaitsForATransactionThatTookItsIdBetweenAlterAndCommit() throws SQLException {
        TableDefinition definition = made("between");
        try (Connection altering = databases.connectToSource(); Connection writer = databases.connectToSource()) {
            altering.setAutoCommit(false);
            altering.createStatement().execute("ALTER PUBLICATION " + databases.pipeline.publication() + " ADD TABLE between");
            writer.setAutoCommit(false);
            // Does not wait for the ALTER, and decodes by the publication as it was.
            writer.createStatement().execute("INSERT INTO between VALUES (1)");
            altering.commit();

            long barrier = await(capture.barrierTransaction());
            BarrierStatus held = await(capture.barrierStatus(barrier));
            writer.createStatement().execute("INSERT INTO between VALUES (2)");
            databases.atSource("INSERT INTO between VALUES (3)");
            writer.commit();
            BarrierStatus passed = await(capture.barrierStatus(barrier));

            assertThat(held.passed()).isFalse();
            assertThat(held.transactions()).isEqualTo(1);
            assertThat(held.oldest().orElseThrow()).contains("process ", "database test_", "open for ");
            assertThat(passed).isEqualTo(new BarrierStatus(true, 0, Optional.empty()));
        }
        await(capture.leave(definition.table(), OptionalLong.empty(), 1));
    }

    @Test
    void theBarrierWaitsForPreparedTransactionsAndNotForLaterOnes() throws SQLException {
        made("prepared_before");
        databases.atSource("BEGIN; INSERT INTO prepared_before VALUES (1); PREPARE TRANSACTION 'left over'");
        long barrier = await(capture.barrierTransaction());
        BarrierStatus held = await(capture.barrierStatus(barrier));
        try (Connection later = databases.connectToSource()) {
            later.setAutoCommit(false);
            later.createStatement().execute("INSERT INTO prepared_before VALUES (2)");
            databases.atSource("COMMIT PREPARED 'left over'");

            assertThat(held.passed()).isFalse();
            assertThat(held.oldest().orElseThrow()).contains("prepared transaction «left over»", "ROLLBACK PREPARED");
            assertThat(await(capture.barrierStatus(barrier)).passed()).isTrue();
            later.rollback();
        }
    }

    @Test
    void joiningWaitsForNoWriterAndNoWriterWaitsForIt() throws SQLException {
        TableDefinition definition = made("busy");
        try (Connection writer = databases.connectToSource()) {
            writer.setAutoCommit(false);
            writer.createStatement().execute("INSERT INTO busy VALUES (1)");

            join(definition, 1);
            databases.atSource("SET lock_timeout = '1s'; INSERT INTO busy VALUES (2)");
            writer.commit();
        }
        assertThat(published()).contains("busy");
        await(capture.leave(definition.table(), OptionalLong.of(definition.oid()), 1));
        assertThat(published()).isNull();
    }

    @Test
    void joiningAndLeavingTwiceChangesNothing() throws SQLException {
        TableDefinition definition = made("twice");

        CaptureIdentity first = join(definition, 1);
        CaptureIdentity second = join(definition, 1);
        await(capture.leave(definition.table(), OptionalLong.empty(), 1));
        await(capture.leave(definition.table(), OptionalLong.empty(), 1));

        assertThat(second).isEqualTo(first);
        assertThat(first.tableOid()).isEqualTo(definition.oid());
        assertThat(first.fingerprint()).isEqualTo(definition.fingerprint());
        assertThat(first.systemIdentifier()).isEqualTo(systemIdentifier());
    }

    @Test
    void aZombieChangesNothingEvenAfterANewLeaderFoundTheTableInAlready() throws SQLException {
        TableDefinition definition = made("fenced");
        var own = new SourceCapture(databases.source, new Pipeline("fencing"));
        databases.atSource("CREATE PUBLICATION fencing_publication");

        await(own.join(definition, List.of(), 7, "topic", "capture"));
        await(own.join(definition, List.of(), 8, "topic", "capture"));

        assertThatThrownBy(() -> await(own.leave(definition.table(), OptionalLong.empty(), 7)))
                .isInstanceOf(Ledger.FencedException.class)
                .hasMessageContaining("epoch 8 was here");
        assertThatThrownBy(() -> await(own.join(definition, List.of(), 7, "topic", "capture"))).isInstanceOf(Ledger.FencedException.class);
        assertThat(databases.fromSource("SELECT count(*) FROM pg_publication_tables WHERE pubname = 'fencing_publication'"))
                .isEqualTo("1");
    }

    @Test
    void aMissingPublicationIsRefusedWithWhatToDo() throws SQLException {
        TableDefinition definition = made("homeless");
        var own = new SourceCapture(databases.source, new Pipeline("absent"));

        assertThatThrownBy(() -> await(own.join(definition, List.of(), 1, "topic", "capture")))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("absent_publication")
                .hasMessageContaining("Debezium Server")
                .satisfies(failure ->
                        assertThat(SqlFaults.fault(failure, "joining").kind()).isEqualTo(Fault.Kind.REFUSED));
        await(own.leave(definition.table(), OptionalLong.empty(), 1));
    }

    @Test
    void aTableThatIsLockedForLongIsTriedAgainLater() throws SQLException {
        TableDefinition definition = made("vacuumed");
        try (Connection vacuum = databases.connectToSource()) {
            vacuum.setAutoCommit(false);
            vacuum.createStatement().execute("LOCK TABLE vacuumed IN SHARE UPDATE EXCLUSIVE MODE");

            assertThatThrownBy(() -> join(definition, 1)).satisfies(failure -> assertThat(
                            SqlFaults.fault(failure, "joining").kind())
                    .isEqualTo(Fault.Kind.FAULTY));
        }
    }

    @Test
    void aMemberWithARowFilterIsMadeWhole() throws SQLException {
        TwoDatabases.assumeNewest();
        TableDefinition definition = made("filtered");
        databases.atSource(
                "ALTER PUBLICATION " + databases.pipeline.publication() + " ADD TABLE filtered (id) WHERE (id > 5)");

        join(definition, 1);

        assertThat(databases.fromSource("SELECT count(*) FROM pg_publication_rel WHERE prrelid = 'filtered'::regclass "
                + "AND prqual IS NULL AND prattrs IS NULL")).isEqualTo("1");
        await(capture.leave(definition.table(), OptionalLong.empty(), 1));
    }

    @Test
    void aRenamedTableLeavesByItsOid() throws SQLException {
        TableDefinition definition = made("old_name");
        join(definition, 1);
        databases.atSource("ALTER TABLE old_name RENAME TO new_name; CREATE TABLE old_name (id int PRIMARY KEY)");

        await(capture.leave(definition.table(), OptionalLong.of(definition.oid()), 1));

        assertThat(databases.fromSource(
                        "SELECT count(*) FROM pg_publication_rel WHERE prrelid = " + definition.oid()))
                .isEqualTo("0");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            renamed    | ALTER TABLE renamed RENAME TO renamed_away           | is called public.renamed_away
            dropped    | DROP TABLE dropped; CREATE TABLE dropped (id int PRIMARY KEY, t text) | was dropped
            taken_out  | ALTER PUBLICATION $p DROP TABLE taken_out            | took the table out
            rejoined   | ALTER PUBLICATION $p DROP TABLE rejoined; ALTER PUBLICATION $p ADD TABLE rejoined | added it again
            cut_down   | ALTER PUBLICATION $p SET TABLE cut_down WHERE (id > 5) | row filter
            nameless   | ALTER TABLE nameless REPLICA IDENTITY NOTHING        | replica identity
            keyless    | ALTER TABLE keyless DROP CONSTRAINT keyless_pkey     | replica identity
            forgetful  | ALTER PUBLICATION $p DROP TABLE forgetful; ALTER TABLE forgetful SET UNLOGGED | logged table
            """)
    void captureThatBrokeIsToldWithTheReason(String name, String change, String reason) throws SQLException {
        if (reason.contains("row filter")) {
            TwoDatabases.assumeNewest();
        }
        TableDefinition definition = made(name.strip());
        TableDefinition other = made(name.strip() + "_beside");
        var own = new SourceCapture(databases.source, databases.pipeline);
        databases.atSource("DROP PUBLICATION " + databases.pipeline.publication() + "; CREATE PUBLICATION "
                + databases.pipeline.publication());
        Map<TableName, CaptureIdentity> identities = new LinkedHashMap<>();
        identities.put(definition.table(), join(definition, 1));
        identities.put(other.table(), join(other, 1));
        Map<TableName, Fault> before = await(own.look(identities)).broken();

        databases.atSource(change.replace("$p", databases.pipeline.publication()));
        if (!reason.contains("row filter")) {
            // SET TABLE leaves only what it names; nothing else touches the neighbour.
            assertThat(await(own.look(identities)).broken()).containsOnlyKeys(definition.table());
        }

        assertThat(before).as("before the change").isEmpty();
        assertThat(await(own.look(identities)).broken().get(definition.table()).reason()).contains(reason.strip());
        assertThat(await(capture.look(identities)).broken().get(definition.table()).kind()).isEqualTo(Fault.Kind.REFUSED);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            retyped    | ALTER TABLE retyped ALTER COLUMN t TYPE text USING upper(t)
            widened    | ALTER TABLE widened ADD COLUMN n int
            unlimited  | ALTER TABLE unlimited ALTER COLUMN t DROP NOT NULL
            """)
    void anAlteredTableIsFoundUntilItsDefinitionIsFollowed(String name, String change) throws SQLException {
        TableDefinition definition = made(name.strip());
        TableDefinition other = made(name.strip() + "_beside");
        databases.atSource("ALTER TABLE " + name.strip() + " ALTER COLUMN t SET NOT NULL");
        definition = await(tables.inspect(definition.table()));
        var own = new SourceCapture(databases.source, databases.pipeline);
        Map<TableName, CaptureIdentity> identities = new LinkedHashMap<>();
        identities.put(definition.table(), join(definition, 1));
        identities.put(other.table(), join(other, 1));
        CaptureFindings first = await(own.look(identities));
        CaptureFindings quiet = await(own.look(identities, first.touched()));

        databases.atSource(change);
        CaptureFindings found = await(own.look(identities, first.touched()));
        CaptureFindings again = await(own.look(identities, first.touched()));

        assertThat(first.touched()).as("what the ledger has of them may be old").containsOnlyKeys(
                definition.table(), other.table());
        assertThat(quiet).isEqualTo(CaptureFindings.NONE);
        assertThat(found.redefined()).containsExactly(definition.table());
        assertThat(found.broken()).isEmpty();
        assertThat(again.redefined()).containsExactly(definition.table());
    }

    @Test
    void newStorageIsFoundUntilItIsTakenCareOf() throws SQLException {
        TableDefinition definition = made("stored");
        var own = new SourceCapture(databases.source, databases.pipeline);
        Map<TableName, CaptureIdentity> identities = Map.of(definition.table(), join(definition, 1));
        CaptureFindings first = await(own.look(identities));

        databases.atSource("VACUUM FULL stored");

        CaptureFindings found = await(own.look(identities, first.touched()));
        assertThat(found.touched()).containsOnlyKeys(definition.table());
        assertThat(await(own.look(identities, first.touched())))
                .as("whoever looked in between")
                .isEqualTo(found);
        assertThat(await(own.look(identities, found.touched()))).isEqualTo(CaptureFindings.NONE);
    }

    @Test
    void whatBreaksEveryTableIsToldOfEach() throws SQLException {
        TableDefinition definition = made("bystander");
        var own = new SourceCapture(databases.source, new Pipeline("everytable"));
        databases.atSource("CREATE PUBLICATION everytable_publication");
        createSlot("everytable_slot");
        Map<TableName, CaptureIdentity> identities =
                Map.of(definition.table(), await(own.join(definition, List.of(), 1, "topic", "capture")));
        assertThat(await(own.look(identities)).broken()).isEmpty();

        databases.atSource("ALTER PUBLICATION everytable_publication SET (publish = 'insert, update')");
        assertThat(await(own.look(identities)).broken().get(definition.table()).reason()).contains("leaves out");
        databases.atSource("ALTER PUBLICATION everytable_publication SET (publish = 'insert, update, delete, truncate'); "
                + "SELECT pg_drop_replication_slot('everytable_slot')");
        assertThat(await(own.look(identities)).broken().get(definition.table()).reason()).contains("no replication slot");
    }

    @Test
    void aThousandTablesAreCheckedQuickly() throws SQLException {
        databases.atSource("CREATE SCHEMA many; DO $$ BEGIN FOR i IN 1..1000 LOOP EXECUTE format("
                + "'CREATE TABLE many.t%s (id int PRIMARY KEY, a text, b int, c numeric)', i); END LOOP; END $$; "
                + "CREATE PUBLICATION thousand_publication");
        createSlot("thousand_slot");
        var own = new SourceCapture(databases.source, new Pipeline("thousand"));
        Map<TableName, CaptureIdentity> identities = new LinkedHashMap<>();
        databases.atSource("DO $$ BEGIN FOR i IN 1..1000 LOOP EXECUTE format("
                + "'ALTER PUBLICATION thousand_publication ADD TABLE many.t%s', i); END LOOP; END $$");
        String system = systemIdentifier();
        var members = await(databases.source.pool()
                .query("SELECT prrelid::regclass::text, oid::int8 FROM pg_publication_rel WHERE prpubid = "
                        + "(SELECT oid FROM pg_publication WHERE pubname = 'thousand_publication')")
                .execute());
        for (var member : members) {
            TableName name = table(member.getString(0));
            TableDefinition definition = await(databases.source.pool()
                            .withConnection(connection -> DefinitionQuery.read(connection, name)))
                    .orElseThrow()
                    .definition();
            identities.put(name, new CaptureIdentity(
                    definition.oid(), definition.fingerprint(), member.getLong(1), system, "topic", "capture"));
        }
        assertThat(identities).hasSize(1_000);
        CaptureFindings first = await(own.look(identities));
        assertThat(first.broken()).isEmpty();

        long start = System.nanoTime();
        assertThat(await(own.look(identities, first.touched()))).isEqualTo(CaptureFindings.NONE);
        long millis = (System.nanoTime() - start) / 1_000_000;
        databases.atSource("SELECT pg_drop_replication_slot('thousand_slot')");

        assertThat(millis).as("milliseconds for the second check of 1,000 tables").isLessThan(3_000);
    }
}
