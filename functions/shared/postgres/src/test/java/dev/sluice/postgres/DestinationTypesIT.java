package dev.sluice.postgres;

import static dev.sluice.postgres.TwoDatabases.await;
import static dev.sluice.postgres.TwoDatabases.table;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.domain.Change.Cell;
import dev.sluice.domain.ChunkTask;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Key;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableState.Outcome;
import dev.sluice.postgres.ChangeBatch.Rows;
import dev.sluice.postgres.ChangeBatch.Write;
import dev.sluice.postgres.Ledger.Applying;
import dev.sluice.postgres.Ledger.Progress;
import dev.sluice.testing.PostgresVersion;
import dev.sluice.testing.TypeMatrix;
import io.smallrye.mutiny.Uni;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DestinationTypesIT {

    private static TwoDatabases databases;
    private static SourceTables sources;
    private static DestinationTables destinations;

    @BeforeAll
    static void open() {
        databases = TwoDatabases.open();
        sources = new SourceTables(databases.source, databases.pipeline);
        destinations = new DestinationTables(
                databases.source, databases.destination, databases.schemas, databases.pipeline);
    }

    @AfterAll
    static void close() {
        databases.close();
    }

    private static TableDefinition prepare(String name) {
        TableDefinition definition = await(sources.inspect(table(name)));
        await(databases.ledger.openRun(definition.table(), 1));
        await(destinations.prepare(definition, TableOptions.NONE));
        return definition;
    }

    private static Fault refusal(String name) {
        RefusedException refused = catchThrowableOfType(RefusedException.class, () -> prepare(name));
        assertThat(refused).as("the refusal of %s", name).isNotNull();
        return refused.fault();
    }

    @Test
    void everyTypeOfTheSourcesOwnIsMadeWithWhatItIsMadeOf() throws SQLException {
        for (String statement : TypeMatrix.setup()) {
            databases.atSource(statement);
        }
        for (String statement : TypeMatrix.extensions()) {
            databases.atDestination(statement);
        }
        List<String> types = TypeMatrix.entries(PostgresVersion.ofTests()).stream()
                .map(TypeMatrix.Entry::type)
                .filter(type -> type.contains("\""))
                .toList();
        var columns = new StringBuilder("id int PRIMARY KEY");
        for (int i = 0; i < types.size(); i++) {
            columns.append(", c").append(i).append(' ').append(types.get(i));
        }
        databases.atSource("CREATE TABLE of_own_types (" + columns + ")");

        TableDefinition definition = prepare("of_own_types");

        List<String> names = definition.columns().stream().map(TableDefinition.Column::type).toList();
        List<UserType> atSource = types(databases.source, names);
        assertThat(types(databases.destination, names)).isEqualTo(atSource);
        assertThat(atSource).hasSizeGreaterThan(25);
        await(destinations.prepare(definition, TableOptions.NONE));
    }

    private static List<UserType> types(Database database, List<String> names) {
        return await(database.withConnection(connection -> UserTypes.read(connection, names))).stream()
                .map(UserTypes.Used::type)
                .toList();
    }

    @Test
    void manyTablesMayNeedTheSameNewTypesAtOnce() throws SQLException {
        for (int round = 0; round < 5; round++) {
            databases.atSource("CREATE SCHEMA many" + round + "; CREATE TYPE many" + round + ".mood AS ENUM ('a', 'b'); "
                    + "CREATE DOMAIN many" + round + ".moods AS many" + round + ".mood[]");
            List<Uni<Void>> preparations = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                TableName name = table("many" + round + ".t" + i);
                databases.atSource("CREATE TABLE " + name.sql() + " (id int PRIMARY KEY, m many" + round + ".moods)");
                await(databases.ledger.openRun(name, 1));
                preparations.add(destinations.prepare(await(sources.inspect(name)), TableOptions.NONE));
            }

            await(Uni.join().all(preparations).andFailFast());
        }
    }

    @Test
    void aTypeKeepsItsSchemaWhereTheTableIsMappedToAnother() throws SQLException {
        databases.atSource("CREATE SCHEMA mapped; CREATE TYPE mapped.mood AS ENUM ('a'); "
                + "CREATE TABLE mapped.moody (id int PRIMARY KEY, m mapped.mood DEFAULT 'a')");

        prepare("mapped.moody");

        assertThat(databases.fromDestination("SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef "
                        + "WHERE adrelid = 'elsewhere.moody'::regclass"))
                .isEqualTo("'a'::mapped.mood");
    }

    @Test
    void anExtensionHasToBeThere() throws SQLException {
        // Another test has it in another schema.
        databases.atDestination("DROP EXTENSION IF EXISTS tablefunc CASCADE");
        databases.atSource("DROP EXTENSION IF EXISTS tablefunc CASCADE; "
                + "CREATE SCHEMA tools; CREATE EXTENSION tablefunc SCHEMA tools; "
                + "CREATE TABLE books (id int PRIMARY KEY, no tools.tablefunc_crosstab_2[])");

        Fault fault = refusal("books");

        assertThat(fault.reason()).contains("tools.tablefunc_crosstab_2", "\"no\" of public.books", "extension tablefunc");
        assertThat(fault.hint()).contains("CREATE EXTENSION IF NOT EXISTS tablefunc SCHEMA \"tools\"");
        assertThat(databases.fromDestination("SELECT to_regclass('public.books')")).isNull();
        databases.atDestination("CREATE SCHEMA tools; CREATE EXTENSION IF NOT EXISTS tablefunc SCHEMA \"tools\"");
        prepare("books");

        databases.atSource("DROP EXTENSION tablefunc CASCADE");
        databases.atDestination("DROP EXTENSION tablefunc CASCADE");
    }

    @Test
    void theRowsOfAnotherTableAreATypeOnceThatTableIsThere() throws SQLException {
        databases.atSource("CREATE TABLE inner_table (id int PRIMARY KEY, v text); "
                + "CREATE TABLE outer_table (id int PRIMARY KEY, r inner_table)");

        assertThat(refusal("outer_table").hint()).contains("backfill that table first");
        prepare("inner_table");
        prepare("outer_table");
    }

    @Test
    void whatTheDestinationDoesNotTakeIsToldWithTheStatement() throws SQLException {
        databases.atSource("CREATE FUNCTION is_fine(int) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT true'; "
                + "CREATE DOMAIN fine_int AS int CONSTRAINT fine CHECK (is_fine(VALUE)); "
                + "CREATE TABLE fine_ints (id int PRIMARY KEY, v fine_int)");

        Fault fault = refusal("fine_ints");

        assertThat(fault.reason()).contains("public.fine_int", "\"v\"", "is_fine");
        assertThat(fault.hint()).contains("CREATE DOMAIN public.fine_int AS integer CONSTRAINT fine CHECK");
    }

    @Test
    void aCheckThatOldValuesMayViolateIsLeftOut() throws SQLException {
        databases.atSource("CREATE DOMAIN lax AS int; CREATE TABLE laxes (id int PRIMARY KEY, v lax); "
                + "INSERT INTO laxes VALUES (1, -1); ALTER DOMAIN lax ADD CONSTRAINT later CHECK (VALUE > 0) NOT VALID");

        prepare("laxes");

        databases.atDestination("INSERT INTO laxes VALUES (1, -1)");
    }

    @Test
    void aTableOfTheUsersWithAnotherTypeNeedsNone() throws SQLException {
        databases.atSource("CREATE TYPE only_there AS ENUM ('a'); CREATE TABLE as_text (id int PRIMARY KEY, v only_there)");
        databases.atDestination("CREATE TABLE as_text (id int PRIMARY KEY, v text)");

        prepare("as_text");

        assertThat(databases.fromDestination("SELECT to_regtype('public.only_there')")).isNull();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            d_order | TYPE d_order AS ENUM ('a', 'b') | TYPE d_order AS ENUM ('b', 'a') | another order
            d_lacks | TYPE d_lacks AS ENUM ('x', 'a', 'b') | TYPE d_lacks AS ENUM ('a') | lacks E'x', E'b'
            d_base | DOMAIN d_base AS numeric(5,2) | DOMAIN d_base AS numeric(5,1) | over numeric(5,1) at the dest
            d_null | DOMAIN d_null AS int | DOMAIN d_null AS int NOT NULL | is NOT NULL at the destination only
            d_fields | TYPE d_fields AS (a int, b text) | TYPE d_fields AS (a int, b int) | is (a integer, b text) at the source
            d_order2 | TYPE d_order2 AS (a int, b int) | TYPE d_order2 AS (b int, a int) | is (a integer, b integer) at the source
            d_range | TYPE d_range AS RANGE (SUBTYPE = int) | TYPE d_range AS RANGE (SUBTYPE = bigint) | of bigint at the destination
            d_kind | TYPE d_kind AS ENUM ('a') | DOMAIN d_kind AS text | another kind of type
            """)
    void aTypeOfTheSameNameThatIsAnotherIsRefused(String name, String source, String destination, String reason)
            throws SQLException {
        databases.atSource("CREATE " + source + "; CREATE TABLE t_" + name + " (id int PRIMARY KEY, v " + name + "[])");
        databases.atDestination("CREATE " + destination);

        Fault missing = refusal("t_" + name);
        databases.atDestination("CREATE TABLE t_" + name + " (id int PRIMARY KEY, v " + name + "[])");
        Fault there = refusal("t_" + name);

        assertThat(missing.reason()).contains("public." + name, "the column \"v\" of public.t_" + name, reason);
        assertThat(missing.hint()).endsWith("then retry");
        assertThat(there).isEqualTo(missing);
    }

    @Test
    void aLabelThatAnEnumerationOfTheUsersLacksIsAddedByTheHint() throws SQLException {
        databases.atSource("CREATE TYPE theirs AS ENUM ('first', 'it''s', 'last'); "
                + "CREATE TABLE of_theirs (id int PRIMARY KEY, v theirs)");
        databases.atDestination("CREATE TYPE theirs AS ENUM ('it''s', 'extra_less')");
        databases.atDestination("ALTER TYPE theirs RENAME VALUE 'extra_less' TO 'last'");

        String hint = refusal("of_theirs").hint();
        databases.atDestination(hint.substring("run ".length(), hint.indexOf(" there, then retry")));

        prepare("of_theirs");
        assertThat(labels("theirs")).isEqualTo("first,it's,last");
    }

    @Test
    void labelsThatAreAddedLaterAreFollowedWhereSluiceMadeTheEnumeration() throws SQLException {
        databases.atSource("CREATE TYPE growing AS ENUM ('m'); CREATE DOMAIN growings AS growing[]; "
                + "CREATE TABLE grown (id int PRIMARY KEY, v growing, vs growings)");
        TableDefinition definition = prepare("grown");

        databases.atSource("ALTER TYPE growing ADD VALUE 'a' BEFORE 'm'; ALTER TYPE growing ADD VALUE 'z'");
        prepare("grown");
        assertThat(labels("growing")).as("at the next backfill").isEqualTo("a,m,z");

        databases.atSource("ALTER TYPE growing ADD VALUE 'n' AFTER 'm'");
        apply(definition, "n");
        assertThat(databases.fromDestination("SELECT concat(v, vs) FROM grown")).as("by a change").isEqualTo("n{n}");
        assertThat(labels("growing")).isEqualTo("a,m,n,z");

        databases.atSource("ALTER TYPE growing ADD VALUE 'o' AFTER 'n'");
        databases.atSource("INSERT INTO grown VALUES (2, 'o', '{o}')");
        ChunkCopy.Answer answer = copy(definition);
        assertThat(answer).as("by a chunk").isInstanceOf(ChunkCopy.Answer.Copied.class);
        assertThat(databases.fromDestination("SELECT concat(v, vs) FROM grown")).isEqualTo("o{o}");
    }

    @Test
    void aLabelThatMayHaveBeenRenamedIsNotAddedAsAnother() throws SQLException {
        databases.atSource("CREATE TYPE renamed AS ENUM ('a', 'b'); CREATE TABLE of_renamed (id int PRIMARY KEY, "
                + "v renamed, vs renamed[])");
        TableDefinition definition = prepare("of_renamed");
        databases.atSource("ALTER TYPE renamed RENAME VALUE 'b' TO 'c'");

        RefusedException refused = catchThrowableOfType(RefusedException.class, () -> apply(definition, "c"));

        assertThat(refused.fault().hint()).contains("RENAME VALUE E'b' TO E'c'");
        assertThat(labels("renamed")).isEqualTo("a,b");
    }

    @Test
    void aValueThatIsNoLabelIsToldAsItWas() throws SQLException {
        databases.atSource("CREATE TYPE small_one AS ENUM ('a'); CREATE TABLE of_small (id int PRIMARY KEY, "
                + "v small_one, vs small_one[])");
        TableDefinition definition = prepare("of_small");

        assertThat(catchThrowableOfType(Exception.class, () -> apply(definition, "never a label")))
                .hasMessageContaining("invalid input value for enum");
    }

    private static String labels(String type) throws SQLException {
        return databases.fromDestination(
                "SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = '" + type
                        + "'::regtype");
    }

    /** Applies one change with a row of a label, in a run that is closed. */
    private static void apply(TableDefinition definition, String label) {
        TableName table = definition.table();
        await(databases.ledger.openRun(table, 2));
        await(databases.ledger.startQueueAt(table, 2, "topic", 0));
        await(databases.ledger.closeRun(table, 2, Outcome.CUT_SHORT, 0));
        var apply = new ChangeApply(databases.source, databases.destination, databases.ledger, databases.schemas);
        var write = new Write(Key.of("1"), Map.of(
                "id", new Cell.Text("1"), "v", new Cell.Text(label), "vs", new Cell.Text("{\"" + label + "\"}")));
        var batch = new ChangeBatch(
                table, 2, Applying.DRAINING, 0, new Progress(1, Optional.empty()),
                List.of(new Rows(List.of(), List.of(write), List.of(write))));
        await(apply.open(table, RunOptions.NONE).chain(opened -> apply.apply(batch, opened)));
    }

    private static ChunkCopy.Answer copy(TableDefinition definition) {
        await(databases.ledger.openRun(definition.table(), 3));
        var limits = new ChunkCopy.Limits(Duration.ofSeconds(5), Duration.ofSeconds(30));
        var chunks = new ChunkCopy(
                databases.source, databases.destination, databases.pipeline, databases.schemas, limits);
        return chunks.copy(new ChunkTask(
                definition.table(), 3, 0, 1, KeyRange.ALL, definition.fingerprint(), Lsn.ZERO, Optional.empty()));
    }
}
