package dev.sluice.postgres;

import static dev.sluice.postgres.TwoDatabases.await;
import static dev.sluice.postgres.TwoDatabases.table;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.domain.CaptureIdentity;
import dev.sluice.domain.Fault;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableState.Outcome;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What happens to a partition beside changes of its rows is followed or found, however late one looks (R21). */
class PartitionsIT {

    private static TwoDatabases databases;
    private static SourceTables tables;
    private static SourceCapture capture;
    private static Partitions partitions;

    @BeforeAll
    static void open() throws SQLException {
        databases = TwoDatabases.open();
        tables = new SourceTables(databases.source, databases.pipeline);
        capture = new SourceCapture(databases.source, databases.pipeline);
        partitions = new Partitions(databases.source, databases.destination, databases.pipeline);
        databases.atSource("CREATE PUBLICATION " + databases.pipeline.publication());
        databases.fromSource(
                "SELECT pg_create_logical_replication_slot('" + databases.pipeline.slot() + "', 'pgoutput')");
    }

    @AfterAll
    static void close() throws SQLException {
        databases.atSource("SELECT pg_drop_replication_slot('" + databases.pipeline.slot() + "')");
        databases.close();
    }

    /** Partitions {@code _1} (0 to 9), {@code _2} (10 to 19) with {@code _2a}, both with rows; and the default one. */
    private static TableDefinition made(String name) throws SQLException {
        databases.atSource("""
                CREATE TABLE $t (id int PRIMARY KEY, t text) PARTITION BY RANGE (id);
                CREATE TABLE $t_1 PARTITION OF $t FOR VALUES FROM (0) TO (10);
                CREATE TABLE $t_2 PARTITION OF $t FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (id);
                CREATE TABLE $t_2a PARTITION OF $t_2 FOR VALUES FROM (10) TO (15);
                INSERT INTO $t VALUES (1, 'a'), (11, 'b')
                """.replace("$t", name));
        return await(tables.inspect(table(name)));
    }

    private static Map<TableName, CaptureIdentity> begun(TableDefinition definition, long run) {
        await(databases.ledger.openRun(definition.table(), run));
        CaptureIdentity identity = await(capture.join(definition, List.of(), 1, "topic", "capture"));
        await(partitions.note(definition, run));
        return Map.of(definition.table(), identity);
    }

    private static String reason(Map<TableName, CaptureIdentity> identities) {
        return await(partitions.broken(identities)).values().stream()
                .map(Fault::reason)
                .findFirst()
                .orElse("");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            made        | CREATE TABLE $t_3 PARTITION OF $t FOR VALUES FROM (20) TO (30); INSERT INTO $t VALUES (21, 'c')
            made_filled | BEGIN; CREATE TABLE $t_3 PARTITION OF $t FOR VALUES FROM (20) TO (30); INSERT INTO $t_3 VALUES (21, 'c'); COMMIT
            made_deep   | CREATE TABLE $t_2b PARTITION OF $t_2 FOR VALUES FROM (15) TO (20); INSERT INTO $t VALUES (16, 'c')
            made_root   | CREATE TABLE $t_3 PARTITION OF $t FOR VALUES FROM (20) TO (30) PARTITION BY RANGE (id); CREATE TABLE $t_3a PARTITION OF $t_3 DEFAULT; INSERT INTO $t VALUES (21, 'c')
            made_safe   | DO $$ BEGIN BEGIN CREATE TABLE $t_3 PARTITION OF $t DEFAULT; EXCEPTION WHEN division_by_zero THEN NULL; END; END $$; INSERT INTO $t VALUES (21, 'c')
            made_later  | CREATE TABLE $t_3 PARTITION OF $t DEFAULT; INSERT INTO $t VALUES (21, 'c'); ALTER TABLE $t ALTER COLUMN t SET STATISTICS 7; VACUUM (FREEZE, ANALYZE) $t_3
            attached    | CREATE TABLE $t_3 (LIKE $t INCLUDING ALL); ALTER TABLE $t ATTACH PARTITION $t_3 FOR VALUES FROM (20) TO (30)
            attached_at_once | BEGIN; CREATE TABLE $t_3 (LIKE $t INCLUDING ALL); ALTER TABLE $t ATTACH PARTITION $t_3 FOR VALUES FROM (20) TO (30); COMMIT
            renamed     | ALTER TABLE $t_1 RENAME TO $t_first
            vacuumed    | VACUUM (FREEZE, ANALYZE) $t; REINDEX TABLE $t
            written     | DELETE FROM $t; VACUUM $t
            indexed     | CREATE INDEX ON $t (t)
            """)
    void whatLosesNothingIsFollowed(String name, String change) throws SQLException {
        TableDefinition definition = made(name.strip());
        var identities = begun(definition, 1);
        assertThat(reason(identities)).as("before the change").isEmpty();

        for (String statement : statements(name, change)) {
            databases.atSource(statement);
        }

        assertThat(reason(identities)).isEmpty();
        // And what is new is known from here on.
        if (name.startsWith("made") || name.startsWith("attached")) {
            String leaf = databases.fromSource("SELECT relid::regclass FROM pg_partition_tree('" + name.strip()
                    + "') WHERE isleaf AND relid::regclass::text ~ '_(2b|3|3a)$'");
            databases.atSource("DROP TABLE " + leaf);
            assertThat(reason(identities)).contains(leaf + " was detached or dropped");
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            detached    | ALTER TABLE $t DETACH PARTITION $t_1                     | $t_1 was detached
            dropped     | DROP TABLE $t_1                                          | $t_1 was detached or dropped
            detached_deep | ALTER TABLE $t DETACH PARTITION $t_2                   | $t_2a was detached
            detached_softly | ALTER TABLE $t DETACH PARTITION $t_1 CONCURRENTLY    | $t_1 was detached
            emptied     | TRUNCATE $t_1                                            | $t_1 was rewritten, by TRUNCATE
            emptied_deep | TRUNCATE $t_2                                           | $t_2a was rewritten
            emptied_all | TRUNCATE $t                                              | every partition was rewritten
            rewritten   | VACUUM (FULL) $t_1                                       | $t_1 was rewritten
            swapped     | ALTER TABLE $t DETACH PARTITION $t_1; ALTER TABLE $t ATTACH PARTITION $t_1 FOR VALUES FROM (0) TO (10) | $t_1 was detached and attached again
            swapped_deep | ALTER TABLE $t DETACH PARTITION $t_2; ALTER TABLE $t ATTACH PARTITION $t_2 FOR VALUES FROM (10) TO (20) | $t_2a was detached and attached again
            filled      | CREATE TABLE $t_3 (LIKE $t INCLUDING ALL); INSERT INTO $t_3 VALUES (21, 'c'); ALTER TABLE $t ATTACH PARTITION $t_3 FOR VALUES FROM (20) TO (30) | $t_3 came with rows
            filled_at_once | BEGIN; CREATE TABLE $t_3 (LIKE $t INCLUDING ALL); INSERT INTO $t_3 VALUES (21, 'c'); ALTER TABLE $t ATTACH PARTITION $t_3 FOR VALUES FROM (20) TO (30); COMMIT | $t_3 came with rows
            filled_deep | CREATE TABLE $t_3 (id int PRIMARY KEY, t text) PARTITION BY RANGE (id); CREATE TABLE $t_3a PARTITION OF $t_3 DEFAULT; INSERT INTO $t_3 VALUES (21, 'c'); ALTER TABLE $t ATTACH PARTITION $t_3 FOR VALUES FROM (20) TO (30) | $t_3a came with rows
            gone_at_once | CREATE TABLE $t_3 PARTITION OF $t DEFAULT; INSERT INTO $t VALUES (21, 'c'); TRUNCATE $t_3 | $t_3 came with rows, or was emptied
            unlogged    | CREATE UNLOGGED TABLE $t_3 PARTITION OF $t DEFAULT       | $t_3 is unlogged
            nameless    | ALTER TABLE $t_1 REPLICA IDENTITY NOTHING                | replica identity of the partition public.nameless_1
            undone      | ALTER PUBLICATION $p SET (publish_via_partition_root = off) | publish_via_partition_root
            """)
    void whatIsNotInTheChangesIsFoundWithTheReason(String name, String change, String reason) throws SQLException {
        TableDefinition definition = made(name.strip());
        var identities = begun(definition, 1);
        assertThat(reason(identities)).as("before the change").isEmpty();

        for (String statement : statements(name, change)) {
            databases.atSource(statement);
        }

        assertThat(reason(identities)).contains(reason.strip().replace("$t", name.strip()));
        // It stays found, and a new run begins with what there is.
        assertThat(reason(identities)).isNotEmpty();
        if (!reason.contains("unlogged") && !reason.contains("identity")) {
            assertThat(reason(begun(await(tables.inspect(definition.table())), 2))).isEmpty();
        }
    }

    /** One by one: some must not be in a transaction. */
    private static String[] statements(String name, String change) {
        String sql = change.strip().replace("$$", "@@").replace("$t", name.strip()).replace("@@", "$$")
                .replace("$p", databases.pipeline.publication());
        return sql.startsWith("BEGIN") || sql.startsWith("DO") ? new String[] {sql} : sql.split("; ");
    }

    @Test
    void aCancelledRunLeavesTheWatchToTheOneBefore() throws SQLException {
        TableDefinition definition = made("cancelled");
        var identities = begun(definition, 1);
        await(databases.ledger.closeRun(definition.table(), 1, Outcome.COPIED, 0));
        databases.atSource("TRUNCATE cancelled_1");
        begun(definition, 2);
        assertThat(reason(identities)).isEmpty();

        await(databases.ledger.closeRun(definition.table(), 2, Outcome.CUT_SHORT, 0));

        assertThat(reason(identities)).contains("cancelled_1 was rewritten");
    }

    @Test
    void partitionsAreNotedOnceForARunThatIsOpen() throws SQLException {
        TableDefinition definition = made("noted");
        var identities = begun(definition, 1);
        databases.atSource("DROP TABLE noted_1");

        // By a scheduler that was thought dead, after chunks were read.
        await(partitions.note(definition, 1));

        assertThat(reason(identities)).contains("noted_1 was detached");
        assertThatThrownBy(() -> await(partitions.note(definition, 7))).isInstanceOf(Ledger.FencedException.class);
    }

    @Test
    void aTableWithoutPartitionsIsCarriedAndItsFirstOneIsFollowed() throws SQLException {
        databases.atSource("CREATE TABLE bare (id int PRIMARY KEY) PARTITION BY HASH (id)");
        var identities = begun(await(tables.inspect(table("bare"))), 1);
        databases.atSource("CREATE TABLE bare_1 PARTITION OF bare FOR VALUES WITH (MODULUS 1, REMAINDER 0)");

        assertThat(reason(identities)).isEmpty();

        databases.atSource("TRUNCATE bare_1");
        assertThat(reason(identities)).contains("rewritten");
    }

    @Test
    void detachingThatWasCutOffCountsAsDetached() throws SQLException {
        TableDefinition definition = made("pending");
        var identities = begun(definition, 1);
        try (Connection reader = databases.connectToSource(); Connection detaching = databases.connectToSource()) {
            reader.setAutoCommit(false);
            reader.createStatement().execute("SELECT FROM pending");
            detaching.createStatement().execute("SET statement_timeout = '1s'");
            assertThatThrownBy(() -> detaching.createStatement().execute(
                            "ALTER TABLE pending DETACH PARTITION pending_1 CONCURRENTLY"))
                    .isInstanceOf(SQLException.class);
            reader.rollback();
        }

        assertThat(reason(identities)).contains("pending_1 was detached or dropped");
    }

    @Test
    void aPartitionThatSomebodyLocksHoldsNothingUp() throws SQLException {
        TableDefinition definition = made("locked");
        databases.atSource("ALTER TABLE locked DETACH PARTITION locked_1; "
                + "ALTER TABLE locked ATTACH PARTITION locked_1 FOR VALUES FROM (0) TO (10)");
        var identities = begun(definition, 1);
        try (Connection locking = databases.connectToSource()) {
            locking.setAutoCommit(false);
            locking.createStatement().execute("LOCK TABLE locked_1 IN ACCESS EXCLUSIVE MODE");

            assertThat(reason(identities)).isEmpty();
            locking.rollback();
        }
    }

    @Test
    void aBadIdentityOfALaterPartitionMakesTheApplicationsUpdateFail() throws SQLException {
        TableDefinition definition = made("later");
        begun(definition, 1);

        // One made by PARTITION OF has the default identity, whatever the partitioned table has.
        databases.atSource("ALTER TABLE later REPLICA IDENTITY NOTHING; CREATE TABLE later_3 PARTITION OF later DEFAULT; "
                + "INSERT INTO later VALUES (21, 'c'); UPDATE later SET t = 'd' WHERE id IN (1, 21)");
        databases.atSource("ALTER TABLE later_3 REPLICA IDENTITY NOTHING");

        assertThatThrownBy(() -> databases.atSource("UPDATE later SET t = 'e' WHERE id = 21"))
                .hasMessageContaining("does not have a replica identity");
    }

    @Test
    void aPartitionThatCannotBeCapturedRefusesTheTable() throws SQLException {
        databases.atSource("CREATE TABLE unfit (id int PRIMARY KEY) PARTITION BY RANGE (id); "
                + "CREATE UNLOGGED TABLE unfit_1 PARTITION OF unfit FOR VALUES FROM (0) TO (10); "
                + "CREATE TABLE nameless_root (id int PRIMARY KEY) PARTITION BY RANGE (id); "
                + "CREATE TABLE nameless_leaf PARTITION OF nameless_root DEFAULT; "
                + "ALTER TABLE nameless_leaf REPLICA IDENTITY NOTHING");

        assertThatThrownBy(() -> await(tables.inspect(table("unfit"))))
                .isInstanceOf(RefusedException.class).hasMessageContaining("unfit_1 is unlogged");
        assertThatThrownBy(() -> await(tables.inspect(table("nameless_root"))))
                .isInstanceOf(RefusedException.class).hasMessageContaining("nameless_leaf");
    }

    /** Each partitioned table with one partition that has a replica identity of its own, and whether that is refused. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            keyless_own    | (id int, t text)                        | REPLICA IDENTITY FULL         | ADD PRIMARY KEY (id)                          | FULL
            keyless_index  | (id int NOT NULL, t text)               | REPLICA IDENTITY FULL         | ADD CONSTRAINT $l_u UNIQUE (id); ALTER TABLE $l REPLICA IDENTITY USING INDEX $l_u | FULL
            keyless_full   | (id int, t text)                        | REPLICA IDENTITY FULL         | REPLICA IDENTITY FULL                         |
            unique_own     | (id int NOT NULL UNIQUE, o int NOT NULL) | REPLICA IDENTITY FULL        | ADD PRIMARY KEY (o)                           | FULL
            unique_full    | (id int NOT NULL UNIQUE, o int NOT NULL) | REPLICA IDENTITY FULL        | REPLICA IDENTITY FULL                         |
            key_full       | (id int PRIMARY KEY, t text)            | REPLICA IDENTITY FULL         | ALTER COLUMN t SET STATISTICS 5               |
            key_both       | (id int PRIMARY KEY, t text)            | REPLICA IDENTITY DEFAULT      | REPLICA IDENTITY FULL                         |
            key_other      | (id int PRIMARY KEY, o int NOT NULL)    | REPLICA IDENTITY DEFAULT      | ADD CONSTRAINT $l_u UNIQUE (o); ALTER TABLE $l REPLICA IDENTITY USING INDEX $l_u | DEFAULT
            index_own      | (id int PRIMARY KEY, o int NOT NULL, CONSTRAINT $t_u UNIQUE (o, id)) | REPLICA IDENTITY USING INDEX $t_u | ALTER COLUMN o SET STATISTICS 5 | USING INDEX
            index_full     | (id int PRIMARY KEY, o int NOT NULL, CONSTRAINT $t_u UNIQUE (o, id)) | REPLICA IDENTITY USING INDEX $t_u | REPLICA IDENTITY FULL |
            """)
    void aPartitionMustNameItsRowsAsThePartitionedTableDoes(
            String name, String columns, String ofTable, String ofPartition, String fitting) throws SQLException {
        String leaf = name + "_1";
        String create = ("CREATE TABLE $t " + columns + " PARTITION BY RANGE (id); ALTER TABLE $t " + ofTable)
                .replace("$t", name);
        String partition = ("CREATE TABLE $l PARTITION OF $t DEFAULT; ALTER TABLE $l " + ofPartition)
                .replace("$l", leaf)
                .replace("$t", name);
        databases.atSource(create);
        TableDefinition empty = await(tables.inspect(table(name)));
        var identities = begun(empty, 1);
        assertThat(reason(identities)).isEmpty();
        databases.atSource(partition);

        if (fitting == null) {
            assertThat(reason(identities)).isEmpty();
            assertThat(await(tables.inspect(table(name)))).isEqualTo(empty);
            return;
        }
        // Of one that comes later, and of one that is there before the table joins.
        assertThat(reason(identities)).contains("the replica identity of the partition public." + leaf);
        RefusedException refused =
                catchThrowableOfType(RefusedException.class, () -> await(tables.inspect(table(name))));
        assertThat(refused.fault().reason()).contains("the replica identity of the partition public." + leaf);
        assertThat(refused.fault().hint()).contains("REPLICA IDENTITY " + fitting);
        databases.atSource(refused.fault().hint().replaceAll("^run (.*) at the source.*", "$1"));
        assertThat(await(tables.inspect(table(name)))).isEqualTo(empty);
        assertThat(reason(identities)).isEmpty();
    }

    @Test
    void aPartitionMustNameItsRowsByTheColumnsThatTheUserNames() throws SQLException {
        databases.atSource("CREATE TABLE by_user (id int PRIMARY KEY, o int NOT NULL, UNIQUE (o, id)) "
                + "PARTITION BY RANGE (id); ALTER TABLE by_user REPLICA IDENTITY FULL; "
                + "CREATE TABLE by_user_1 PARTITION OF by_user DEFAULT");
        var named = new TableOptions(
                List.of("id", "o"), List.of(), List.of(), List.of(), Map.of(), Optional.empty(), Optional.empty());

        RefusedException refused =
                catchThrowableOfType(RefusedException.class, () -> await(tables.inspect(table("by_user"), named)));

        assertThat(refused.fault().hint()).contains("\"by_user_1\" REPLICA IDENTITY FULL");
        databases.atSource("ALTER TABLE by_user_1 REPLICA IDENTITY FULL");
        TableDefinition definition = await(tables.inspect(table("by_user"), named));
        await(databases.ledger.openRun(definition.table(), 1));
        CaptureIdentity identity = await(capture.join(definition, named.key(), 1, "topic", "capture"));
        await(partitions.note(definition, 1));
        assertThat(reason(Map.of(definition.table(), identity))).isEmpty();
        databases.atSource("ALTER TABLE by_user_1 REPLICA IDENTITY DEFAULT");
        assertThat(reason(Map.of(definition.table(), identity))).contains("by_user_1 does not name its rows");
    }

    @Test
    void anOrdinaryTableThatBecomesAPartitionIsFound() throws SQLException {
        made("taker");
        databases.atSource("CREATE TABLE taken (LIKE taker INCLUDING ALL)");
        TableDefinition definition = await(tables.inspect(table("taken")));
        CaptureIdentity identity = await(capture.join(definition, List.of(), 1, "topic", "capture"));
        assertThat(await(capture.look(Map.of(definition.table(), identity))).broken()).isEmpty();

        databases.atSource("ALTER TABLE taker ATTACH PARTITION taken DEFAULT");

        assertThat(await(capture.look(Map.of(definition.table(), identity)))
                        .broken()
                        .get(definition.table())
                        .reason())
                .contains("is a partition of another one now");
        assertThatThrownBy(() -> await(tables.inspect(table("taker"))))
                .isInstanceOf(RefusedException.class).hasMessageContaining("taken is in the publication by itself");
        databases.atSource("ALTER TABLE taker DETACH PARTITION taken");
        await(capture.leave(definition.table(), OptionalLong.empty(), 1));
    }
}
