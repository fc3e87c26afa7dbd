package dev.sluice.postgres;

import static dev.sluice.postgres.OptionsBench.options;
import static dev.sluice.postgres.OptionsBench.remove;
import static dev.sluice.postgres.OptionsBench.where;
import static dev.sluice.postgres.OptionsBench.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.domain.Fault;
import dev.sluice.domain.TableOptions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Options of a table that ALTER TABLE changes, or that is partitioned. */
class CarriedTableFollowIT {

    private static final List<String> NO = List.of();

    private static OptionsBench bench;

    @BeforeAll
    static void open() {
        bench = new OptionsBench();
    }

    @AfterAll
    static void close() {
        bench.close();
    }

    /** A table with options and two rows, of which a condition on {@code region} takes the first. */
    private static void made(String name, TableOptions options) throws Exception {
        bench.onSource("CREATE TABLE " + name + " (id int PRIMARY KEY, region text, email varchar(5), note text)");
        bench.onSource("INSERT INTO " + name + " VALUES (1, 'eu', 'e1', 'n1'), (2, 'us', 'e2', 'n2')");
        bench.backfill(name, options);
    }

    private static Fault refusal(String name) {
        RefusedException refused = catchThrowableOfType(RefusedException.class, () -> bench.follow(name));
        assertThat(refused).as("the refusal").isNotNull();
        return refused.fault();
    }

    @Test
    void aColumnThatComesIsCarriedUnlessThoseToIncludeAreNamed() throws Exception {
        Map<String, TableOptions> tables = Map.of(
                "come_include", options(List.of("id", "note"), NO, NO, Map.of()),
                "come_exclude", options(NO, List.of("email"), NO, Map.of()),
                "come_where", where("region = 'eu'"));
        for (String name : tables.keySet()) {
            made(name, tables.get(name));
            bench.onSource("ALTER TABLE " + name + " ADD COLUMN new int DEFAULT 5");
            bench.follow(name);
            bench.onSource("INSERT INTO " + name + " VALUES (3, 'eu', 'e3', 'n3', 6)");
            bench.apply(name, write("3", "id", "3", "region", "eu", "email", "e3", "note", "n3", "new", "6"));
            assertThat(bench.compare(name).isEqual()).as(name).isTrue();
        }

        assertThat(bench.rows("SELECT * FROM come_include ORDER BY id")).containsExactly("1|n1", "2|n2", "3|n3");
        assertThat(bench.rows("SELECT * FROM come_exclude ORDER BY id"))
                .containsExactly("1|eu|n1|5", "2|us|n2|5", "3|eu|n3|6");
        assertThat(bench.rows("SELECT id, new FROM come_where ORDER BY id")).containsExactly("1|5", "3|6");
    }

    @Test
    void aColumnThatIsHashedOrLeftOutOrJudgedMayGetWider() throws Exception {
        Map<String, TableOptions> tables = Map.of(
                "wide_hash", options(NO, List.of("note"), List.of("email"), Map.of()),
                "wide_where", where("email = 'e1' OR email = 'longer than before'"));
        for (String name : tables.keySet()) {
            made(name, tables.get(name));
            bench.onSource("ALTER TABLE " + name + " ALTER COLUMN email TYPE varchar(30)");
            bench.onSource("UPDATE " + name + " SET email = 'longer than before' WHERE id = 2");
            bench.follow(name);
            bench.apply(name, write("2", "id", "2", "region", "us", "email", "longer than before", "note", "n2"));
            assertThat(bench.compare(name).isEqual()).as(name).isTrue();
        }

        assertThat(bench.columns("wide_hash")).isEqualTo("id integer NOT NULL, region text, email text");
        assertThat(bench.columns("wide_where")).contains("email character varying(30)");
        assertThat(bench.rows("SELECT id FROM wide_where ORDER BY id")).containsExactly("1", "2");
    }

    @Test
    void aColumnThatNoOptionNamesMayGo() throws Exception {
        made("goes_exclude", options(NO, List.of("email"), NO, Map.of()));
        made("goes_include", options(List.of("id", "note"), NO, NO, Map.of()));
        bench.onSource("ALTER TABLE goes_exclude DROP COLUMN note");
        bench.onSource("ALTER TABLE goes_include DROP COLUMN email");

        bench.follow("goes_exclude");
        bench.follow("goes_include");

        assertThat(bench.compare("goes_exclude").isEqual()).isTrue();
        assertThat(bench.compare("goes_include").isEqual()).isTrue();
    }

    static Stream<Arguments> obstacles() {
        TableOptions excluding = options(NO, List.of("email"), NO, Map.of());
        TableOptions hashing = options(NO, NO, List.of("email"), Map.of());
        TableOptions masking = options(NO, NO, NO, Map.of("email", Optional.of("-")));
        TableOptions including = options(List.of("id", "email"), NO, NO, Map.of());
        TableOptions condition = where("region = 'eu'");
        return Stream.of(
                Arguments.of("not_excluded", excluding, "DROP COLUMN email", "name a column \"email\"", TableOptions.NONE),
                Arguments.of("not_hashed", hashing, "DROP COLUMN email", "name a column \"email\"", TableOptions.NONE),
                Arguments.of("not_masked", masking, "RENAME COLUMN email TO mail", "name a column \"email\"",
                        options(NO, NO, NO, Map.of("mail", Optional.of("-")))),
                Arguments.of("not_included", including, "RENAME COLUMN email TO mail", "name a column \"email\"",
                        options(List.of("id", "mail"), NO, NO, Map.of())),
                Arguments.of("not_judged", condition, "DROP COLUMN region", "\"region\" does not exist", TableOptions.NONE),
                Arguments.of("not_found", condition, "RENAME COLUMN region TO area", "\"region\" does not exist",
                        where("area = 'eu'")),
                // Another column takes the name that the condition has: it would judge by another value.
                Arguments.of("not_swapped", condition,
                        "RENAME COLUMN region TO area; ALTER TABLE not_swapped RENAME COLUMN note TO region",
                        "the name of another column", where("area = 'eu'")),
                Arguments.of("not_known", condition, "RENAME COLUMN note TO remark", "in columns that its options name",
                        condition));
    }

    @ParameterizedTest
    @MethodSource("obstacles")
    void aColumnThatTheOptionsNeedAndThatGoesFailsTheTableWithWhatToDo(
            String name, TableOptions options, String change, String reason, TableOptions then) throws Exception {
        made(name, options);
        String columns = bench.columns(name);
        for (String statement : ("ALTER TABLE " + name + " " + change).split("; ")) {
            bench.onSource(statement);
        }

        Fault fault = refusal(name);

        assertThat(fault.reason()).contains(reason);
        assertThat(fault.hint()).containsAnyOf("send backfill with", "send retry");
        assertThat(bench.columns(name)).as("nothing is touched").isEqualTo(columns);
        // It has a column that the new options hide, or hides one that they do not.
        bench.onDestination("DROP TABLE " + name);
        bench.backfill(name, then);
        assertThat(bench.compare(name).isEqual()).isTrue();
    }

    @Test
    void optionsHoldForEveryPartition() throws Exception {
        bench.onSource("""
                CREATE TABLE parted (id int PRIMARY KEY, region text, email text, note text) PARTITION BY RANGE (id);
                CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
                CREATE TABLE parted_2 (note text, gone int, email text, region text, id int NOT NULL);
                ALTER TABLE parted_2 DROP COLUMN gone;
                ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES FROM (10) TO (20);
                INSERT INTO parted SELECT i, CASE i % 3 WHEN 0 THEN 'eu' WHEN 1 THEN 'us' END, 'e' || i, 'n'
                  FROM generate_series(1, 19) i
                """);
        var options = new TableOptions(
                NO, NO, List.of("note"), List.of("email"), Map.of(), Optional.of("region = 'eu'"), Optional.empty());
        bench.backfill("parted", options);
        assertThat(bench.rows("SELECT id FROM parted ORDER BY id")).containsExactly("3", "6", "9", "12", "15", "18");
        assertThat(bench.columns("parted")).isEqualTo("id integer NOT NULL, region text, email text");
        assertThat(bench.compare("parted").isEqual()).isTrue();

        // Into a partition that is new, out of the condition and into it, and from one partition to the other.
        bench.onSource("CREATE TABLE parted_3 PARTITION OF parted FOR VALUES FROM (20) TO (30); "
                + "INSERT INTO parted VALUES (21, 'eu', 'e21', 'n'), (22, 'us', 'e22', 'n'); "
                + "UPDATE parted SET region = 'us' WHERE id = 3; UPDATE parted SET region = 'eu' WHERE id = 11; "
                + "UPDATE parted SET id = 26 WHERE id = 6");
        bench.apply("parted", write("21", "id", "21", "region", "eu", "email", "e21", "note", "n"));
        bench.apply("parted", write("22", "id", "22", "region", "us", "email", "e22", "note", "n"));
        bench.apply("parted", write("3", "id", "3", "region", "us", "email", "e3", "note", "n"));
        bench.apply("parted", write("11", "id", "11", "region", "eu", "email", "e11", "note", "n"));
        bench.apply("parted", remove("6", 0));
        bench.apply("parted", write("26", "id", "26", "region", "eu", "email", "e6", "note", "n"));
        assertThat(bench.compare("parted").isEqual()).isTrue();

        // And of the columns that came with an ALTER while there were partitions of several ages.
        bench.onSource("ALTER TABLE parted ADD COLUMN added int DEFAULT 7");
        bench.follow("parted");
        assertThat(bench.compare("parted").isEqual()).isTrue();
        assertThat(bench.rows("SELECT DISTINCT added FROM parted")).containsExactly("7");
        bench.backfill("parted", options);
        assertThat(bench.compare("parted").isEqual()).as("after another backfill").isTrue();
    }

    @Test
    void aKeyThatTheUserNamesIsFollowedThroughAnAlter() throws Exception {
        bench.onSource("CREATE TABLE named_follow (a int PRIMARY KEY, b int NOT NULL UNIQUE, v text)");
        bench.onSource("ALTER TABLE named_follow REPLICA IDENTITY FULL");
        bench.onSource("INSERT INTO named_follow VALUES (1, 10, 'x')");
        bench.backfill("named_follow", new TableOptions(
                List.of("b"), NO, NO, NO, Map.of(), Optional.empty(), Optional.empty()));
        bench.onSource("ALTER TABLE named_follow ADD COLUMN c int DEFAULT 3");

        bench.follow("named_follow");

        assertThat(bench.rows("SELECT a, b, v, c FROM named_follow")).containsExactly("1|10|x|3");
        bench.onSource("ALTER TABLE named_follow RENAME COLUMN b TO bb");
        assertThat(refusal("named_follow").reason()).contains("(\"b\") that are named as its key");
    }
}
