package dev.sluice.postgres;

import static dev.sluice.postgres.TwoDatabases.await;
import static dev.sluice.postgres.TwoDatabases.table;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.domain.Fault;
import dev.sluice.domain.KeyType;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableDefinition.KeyColumn;
import dev.sluice.testing.PostgresVersion;
import dev.sluice.testing.SharedServers;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SourceTablesIT {

    private static TwoDatabases databases;
    private static SourceTables tables;

    @BeforeAll
    static void open() throws SQLException {
        databases = TwoDatabases.open();
        tables = new SourceTables(databases.source, databases.pipeline);
        databases.atSource("""
                CREATE TABLE fine (a int, "B" text, n int, PRIMARY KEY ("B", a));
                CREATE TABLE fine_full (id int PRIMARY KEY, t text); ALTER TABLE fine_full REPLICA IDENTITY FULL;
                CREATE TABLE fine_by_key (id int PRIMARY KEY);
                ALTER TABLE fine_by_key REPLICA IDENTITY USING INDEX fine_by_key_pkey;
                CREATE VIEW a_view AS SELECT 1 AS id;
                CREATE MATERIALIZED VIEW a_matview AS SELECT 1 AS id;
                CREATE TABLE a_root (id int PRIMARY KEY) PARTITION BY RANGE (id);
                CREATE TABLE a_partition PARTITION OF a_root FOR VALUES FROM (1) TO (10);
                CREATE TABLE a_parent (id int PRIMARY KEY);
                CREATE TABLE a_child (PRIMARY KEY (id)) INHERITS (a_parent);
                CREATE TABLE a_sub_root PARTITION OF a_root FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (id);
                CREATE TABLE a_sub_partition PARTITION OF a_sub_root DEFAULT;
                CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER nowhere FOREIGN DATA WRAPPER nowhere;
                CREATE FOREIGN TABLE a_foreign (id int) SERVER nowhere;
                CREATE SEQUENCE a_sequence; CREATE INDEX an_index ON fine (n); CREATE TYPE a_type AS (x int);
                CREATE TABLE fine_parts (id int PRIMARY KEY) PARTITION BY RANGE (id);
                CREATE TABLE fine_parts_1 PARTITION OF fine_parts FOR VALUES FROM (1) TO (10);
                CREATE UNLOGGED TABLE not_logged (id int PRIMARY KEY);
                CREATE TABLE no_key (id int);
                CREATE TABLE deferrable_key (id int PRIMARY KEY DEFERRABLE);
                CREATE TABLE identity_nothing (id int PRIMARY KEY); ALTER TABLE identity_nothing REPLICA IDENTITY NOTHING;
                CREATE TABLE identity_other (id int PRIMARY KEY, o int NOT NULL);
                CREATE UNIQUE INDEX other ON identity_other (o);
                ALTER TABLE identity_other REPLICA IDENTITY USING INDEX other;
                CREATE TABLE key_of_time (at timestamptz PRIMARY KEY);
                CREATE TABLE key_of_words (w text COLLATE "en-x-icu" PRIMARY KEY);
                CREATE TABLE twins (id int PRIMARY KEY, name text, "Name" text);
                CREATE TABLE "\"\"in quotes\"\"" (id int PRIMARY KEY); CREATE TABLE "it''s" (id int PRIMARY KEY);
                CREATE TABLE "``" (id int PRIMARY KEY); CREATE SCHEMA "x\"\""; CREATE TABLE "x\"\"".ok (id int PRIMARY KEY);
                CREATE TABLE in_quotes (id int PRIMARY KEY, name text, \"\"\"name\"\"\" text);
                CREATE TABLE no_column (); ALTER TABLE no_column REPLICA IDENTITY FULL;
                CREATE TABLE in_apostrophes (id int PRIMARY KEY, "'name'" text);
                CREATE TABLE in_backticks (id int PRIMARY KEY, "`name`" text);
                CREATE TABLE generated_key (id int, d int GENERATED ALWAYS AS (id * 2) STORED PRIMARY KEY);
                CREATE TABLE generated_full (id int PRIMARY KEY, d int GENERATED ALWAYS AS (id * 2) STORED);
                ALTER TABLE generated_full REPLICA IDENTITY FULL;
                CREATE TABLE unreadable (id int PRIMARY KEY, stat pg_mcv_list);
                CREATE DOMAIN inner_type AS gtsvector;
                CREATE TYPE outer_type AS (x int, y inner_type);
                CREATE TABLE unreadable_inside (id int PRIMARY KEY, o outer_type);
                CREATE EXTENSION pg_stat_statements; CREATE TABLE of_extension (id int PRIMARY KEY, s pg_stat_statements);
                CREATE TABLE of_catalog (id int PRIMARY KEY, c pg_am[]);
                CREATE SCHEMA other; CREATE TABLE other.fine (id int PRIMARY KEY);
                CREATE TABLE other."Fine_2" (id int PRIMARY KEY);
                """);
        databases.atSource("CREATE SCHEMA " + databases.pipeline.ledgerSchema() + "; CREATE TABLE "
                + databases.pipeline.ledgerSchema() + ".fine (id int PRIMARY KEY)");
    }

    @AfterAll
    static void close() {
        databases.close();
    }

    @Test
    void aTableIsReadWithItsKeyInTheOrderOfTheKey() {
        TableDefinition definition = await(tables.inspect(table("fine")));

        assertThat(definition.key()).containsExactly(new KeyColumn("B", KeyType.TEXT), new KeyColumn("a", KeyType.INTEGER));
        assertThat(definition.columns()).extracting(TableDefinition.Column::name).containsExactly("a", "B", "n");
    }

    @Test
    void replicaIdentityFullOrByThePrimaryKeyIsFine() {
        assertThat(await(tables.inspect(table("fine_full"))).key()).hasSize(1);
        assertThat(await(tables.inspect(table("fine_by_key"))).key()).hasSize(1);
    }

    @Test
    void aKeyWhoseOrderOnlyTheDatabaseKnowsIsFine() {
        assertThat(await(tables.inspect(table("key_of_time"))).key())
                .containsExactly(new KeyColumn("at", Optional.empty(), Optional.empty()));
        assertThat(await(tables.inspect(table("key_of_words"))).key()).hasSize(1);
    }

    @Test
    void theIndexThatIsTheReplicaIdentityIsTheKeyEvenBesideAPrimaryKey() {
        assertThat(await(tables.inspect(table("identity_other"))).keyColumns()).containsExactly("o");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '^', textBlock = """
            nothing_there     | the source has no table
            a_view            | is a view
            a_matview         | is a materialized view
            a_foreign         | is a foreign table
            a_partition       | is a partition of public.a_root
            a_sub_root        | is a partition of public.a_root
            a_sub_partition   | is a partition of public.a_root
            a_sequence        | is a sequence
            an_index          | is an index
            a_type            | is a composite type
            not_logged        | unlogged
            no_key            | has no primary key, and no other REPLICA IDENTITY
            deferrable_key    | deferrable
            identity_nothing  | REPLICA IDENTITY NOTHING
            twins             | differ only by case
            "\"\"in quotes\"\""  | is misread by change capture
            "it''s"           | is misread by change capture
            "``"              | is misread by change capture
            "x\"\"".ok          | is misread by change capture
            in_quotes         | has quotes around it
            no_column         | has no column to copy
            in_apostrophes    | has quotes around it
            in_backticks      | has quotes around it
            generated_key     | the generated column "d"
            generated_full    | the generated column "d"
            unreadable        | pg_mcv_list
            unreadable_inside | gtsvector
            of_catalog        | differs from one version
            pg_catalog.pg_class | belongs to PostgreSQL
            information_schema.sql_features | belongs to PostgreSQL
            pg_toast.pg_toast_1255 | belongs to PostgreSQL
            of_extension      | differs from one version
            """)
    void aTableThatCannotBeCarriedIsRefused(String name, String reason) {
        RefusedException refused = catchThrowableOfType(
                RefusedException.class, () -> await(tables.inspect(table(name.strip()))));

        assertThat(refused).as("the refusal of %s", name).isNotNull();
        assertThat(refused.fault().kind()).isEqualTo(Fault.Kind.REFUSED);
        assertThat(refused.fault().reason()).contains(reason.strip());
        assertThat(refused.fault().hint()).isNotBlank();
    }

    @Test
    void aTableOfTheLedgerIsRefused() {
        assertThatThrownBy(() -> await(tables.inspect(table(databases.pipeline.ledgerSchema() + ".fine"))))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("belongs to PostgreSQL or to Sluice itself");
    }

    @Test
    void aDatabaseWhoseTextMeansNothingInParticularIsRefused() throws SQLException {
        String name = databases.pipeline.name() + "_ascii";
        databases.atSource("CREATE DATABASE " + name + " TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'"
                + (PostgresVersion.ofTests() == PostgresVersion.NEWEST ? " LOCALE_PROVIDER libc" : ""));
        try (var connection = SharedServers.source().connect(name); var statement = connection.createStatement()) {
            statement.execute("CREATE TABLE fine (id int PRIMARY KEY)");
        }
        try (Database source = databases.sourceNamed(name)) {
            assertThatThrownBy(() -> await(new SourceTables(source, databases.pipeline).inspect(table("fine"))))
                    .isInstanceOf(RefusedException.class)
                    .hasMessageContaining("the source's database has the encoding SQL_ASCII");
        }
    }

    @Test
    void aTemporaryTableIsNotThereForOthersAndRefusedByItsOwnSession() throws SQLException {
        try (var connection = databases.connectToSource(); var statement = connection.createStatement()) {
            statement.execute("CREATE TEMPORARY TABLE passing (id int PRIMARY KEY)");
            String schema = TwoDatabases.first(connection, "SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema()");

            assertThatThrownBy(() -> await(tables.inspect(table("passing")))).hasMessageContaining("has no table");
            assertThatThrownBy(() -> await(tables.inspect(table(schema + ".passing"))))
                    .isInstanceOf(RefusedException.class);
            assertThat(await(tables.match(List.of("*.passing"))).tables()).isEmpty();
        }
    }

    @Test
    void tablesOfAnInheritanceAndPartitionedOnesAreOrdinaryHere() {
        assertThat(await(tables.inspect(table("a_parent"))).isPartitioned()).isFalse();
        assertThat(await(tables.inspect(table("a_child"))).isPartitioned()).isFalse();
        assertThat(await(tables.inspect(table("a_root"))).isPartitioned()).isTrue();
    }

    @Test
    void anUpdateOfATableWithAGeneratedColumnInItsIdentityFailsAtTheSource() throws SQLException {
        // The reason for that refusal: so it is since 18, which any source may become.
        TwoDatabases.assumeNewest();
        databases.atSource("CREATE TABLE why_refused (id int PRIMARY KEY, d int GENERATED ALWAYS AS (id * 2) STORED); "
                + "ALTER TABLE why_refused REPLICA IDENTITY FULL; INSERT INTO why_refused VALUES (1); "
                + "CREATE PUBLICATION why_refused FOR TABLE why_refused");

        assertThatThrownBy(() -> databases.atSource("UPDATE why_refused SET id = 2")).isInstanceOf(SQLException.class);
    }

    @Test
    void missingRightsAreNamedOneByOneWithWhatToRun() throws SQLException {
        String role = "reader_of_" + databases.pipeline.name();
        databases.atSource("CREATE ROLE " + role + " LOGIN; CREATE SCHEMA closed; "
                + "CREATE TABLE closed.t (id int PRIMARY KEY); ALTER TABLE closed.t ENABLE ROW LEVEL SECURITY");
        try (Database asReader = databases.sourceAs(role)) {
            var asReaderTables = new SourceTables(asReader, databases.pipeline);

            String hint = hint(asReaderTables);
            assertThat(hint).contains("GRANT USAGE ON SCHEMA \"closed\" TO \"" + role + "\"");
            databases.atSource("GRANT USAGE ON SCHEMA closed TO " + role);
            assertThat(hint(asReaderTables)).contains("GRANT SELECT ON \"closed\".\"t\"");
            databases.atSource("GRANT SELECT ON closed.t TO " + role);
            assertThat(refusal(asReaderTables)).satisfies(fault -> {
                assertThat(fault.reason()).contains("row-level security hides rows of closed.t from the role \"" + role);
                assertThat(fault.hint()).contains("BYPASSRLS");
            });
            databases.atSource("ALTER TABLE closed.t DISABLE ROW LEVEL SECURITY");
            assertThat(hint(asReaderTables)).contains("GRANT \"postgres\" TO \"" + role + "\"");
            databases.atSource("ALTER TABLE closed.t OWNER TO " + role);
            assertThat(await(asReaderTables.inspect(table("closed.t"))).key()).hasSize(1);
            databases.atSource("ALTER TABLE closed.t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY");
            assertThat(hint(asReaderTables)).contains("BYPASSRLS");
        }
        databases.atSource("DROP SCHEMA closed CASCADE; DROP OWNED BY " + role + "; DROP ROLE " + role);
    }

    private static String hint(SourceTables asReader) {
        return refusal(asReader).hint();
    }

    private static Fault refusal(SourceTables asReader) {
        return catchThrowableOfType(RefusedException.class, () -> await(asReader.inspect(table("closed.t")))).fault();
    }

    @Test
    void rowsAreEstimatedBeforeTheFirstAnalyze() throws SQLException {
        databases.atSource("CREATE TABLE many (id int PRIMARY KEY); INSERT INTO many SELECT generate_series(1, 10000); "
                + "CREATE TABLE none (id int PRIMARY KEY); INSERT INTO fine_parts SELECT generate_series(1, 9)");

        assertThat(await(tables.rowsEstimated(table("fine_parts")))).isPositive();
        assertThat(await(tables.rowsEstimated(table("many")))).isBetween(5_000L, 30_000L);
        assertThat(await(tables.rowsEstimated(table("none")))).isZero();
        assertThat(await(tables.rowsEstimated(table("nothing_there")))).isZero();
    }

    @Test
    void namesAndPatternsMatchInTheOrderOfTheRequest() {
        Matched matched = await(tables.match(List.of("other.*", "fine_*", "*.fine", "a_view")));

        assertThat(matched.tables()).extracting(Object::toString).containsExactly(
                "other.\"Fine_2\"", "other.fine", "public.fine_by_key", "public.fine_full", "public.fine_parts",
                "public.fine", "public.a_view");
        assertThat(matched.unknown()).isEmpty();
    }

    @Test
    void aPatternMatchesOnlyOrdinaryTablesOfTheUser() {
        assertThat(await(tables.match(List.of("*.a_*"))).tables()).extracting(Object::toString)
                .containsExactly("public.a_child", "public.a_parent", "public.a_root");
        assertThat(await(tables.match(List.of("pg_catalog.*", databases.pipeline.ledgerSchema() + ".fine"))).tables())
                .isEmpty();
    }

    @Test
    void whatMatchesNothingOrIsMalformedIsToldAsUnknown() {
        Matched matched = await(tables.match(List.of("nope", "fine_b__key", "Bad Name", "x.y.z*", "other.\"Fine_2\"")));

        assertThat(matched.tables()).extracting(Object::toString).containsExactly("other.\"Fine_2\"");
        assertThat(matched.unknown()).hasSize(4);
        assertThat(matched.unknown().get(0)).isEqualTo("nope");
        assertThat(matched.unknown().get(1)).isEqualTo("fine_b__key");
        assertThat(matched.unknown().get(2)).contains("«Bad Name»", "double-quote");
        assertThat(matched.unknown().get(3)).contains("«x.y.z*»");
    }
}
