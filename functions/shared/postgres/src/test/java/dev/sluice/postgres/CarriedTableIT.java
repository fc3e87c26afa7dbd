package dev.sluice.postgres;

import static dev.sluice.postgres.OptionsBench.options;
import static dev.sluice.postgres.OptionsBench.remove;
import static dev.sluice.postgres.OptionsBench.softDelete;
import static dev.sluice.postgres.OptionsBench.where;
import static dev.sluice.postgres.OptionsBench.write;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.domain.Fault;
import dev.sluice.domain.Key;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableOptions.SoftDelete;
import dev.sluice.postgres.ChangeBatch.Clear;
import dev.sluice.postgres.ChunkCopy.Answer;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Each option over both paths, a chunk and a change, into a table that Sluice makes. */
class CarriedTableIT {

    private static final List<String> NO = List.of();
    private static final String KEPT = "\0";

    private static OptionsBench bench;

    @BeforeAll
    static void open() {
        bench = new OptionsBench();
    }

    @AfterAll
    static void close() {
        bench.close();
    }

    @Test
    void whatIsExcludedIsNowhereAtTheDestination() throws Exception {
        bench.onSource("CREATE TABLE excluding (secret text, id int PRIMARY KEY, v text, \"Odd \"\"one\" int UNIQUE)");
        bench.onSource("INSERT INTO excluding VALUES ('s', 1, 'a', 1), ('s', 2, 'b', 2)");
        TableOptions options = options(NO, List.of("secret", "Odd \"one"), NO, Map.of());

        bench.backfill("excluding", options);
        bench.onSource("INSERT INTO excluding VALUES ('s', 3, 'c', 3); UPDATE excluding SET v = 'A' WHERE id = 1");
        bench.apply("excluding", write("3", "secret", "s", "id", "3", "v", "c", "Odd \"one", "3"));
        // An update that leaves a large value of a column as it is that is left out: nothing of the row is missing.
        bench.apply("excluding", write("1", "secret", KEPT, "id", "1", "v", "A", "Odd \"one", "1"));

        assertThat(bench.columns("excluding")).isEqualTo("id integer NOT NULL, v text");
        assertThat(bench.rows("SELECT * FROM excluding ORDER BY id")).containsExactly("1|A", "2|b", "3|c");
        assertThat(bench.compare("excluding").isEqual()).isTrue();
        assertThat(TwoDatabases.await(bench.destinations.buildDeferred(TableName.parse("excluding"))))
                .as("the index of a column that is not there is not built")
                .isZero();

        // and what only the comparison could see is seen
        bench.onDestination("UPDATE excluding SET v = 'x' WHERE id = 2");
        assertThat(bench.compare("excluding").told())
                .containsExactly(new TableComparison.Difference(
                        TableComparison.Difference.Kind.DIFFERS, Key.of("2")));
        bench.backfill("excluding", options);
        assertThat(bench.compare("excluding").isEqual()).as("after another backfill").isTrue();
    }

    @Test
    void onlyWhatIsIncludedArrives() throws Exception {
        bench.onSource("CREATE TABLE including (id int PRIMARY KEY, v text, w text, twice int GENERATED ALWAYS AS (id * 2) STORED)");
        bench.onSource("INSERT INTO including VALUES (1, 'a', 'x')");

        bench.backfill("including", options(List.of("id", "v", "twice"), NO, NO, Map.of()));
        bench.onSource("INSERT INTO including VALUES (2, 'b', 'y')");
        bench.apply("including", write("2", "id", "2", "v", "b", "w", "y"));

        assertThat(bench.rows("SELECT * FROM including ORDER BY id")).containsExactly("1|a|2", "2|b|4");
        assertThat(bench.compare("including").isEqual()).isTrue();
    }

    @Test
    void aHashIsTheSameByChunkByChangeAndByHand() throws Exception {
        bench.onSource("CREATE TYPE pair AS (a int, b text)");
        bench.onSource("CREATE TABLE hashing (id int PRIMARY KEY, t text NOT NULL, flag boolean, c char(5), ip inet, "
                + "n numeric, f float8, ts timestamptz, raw bytea, doc json, list int[], p pair, \"Odd \"\"one\" text)");
        bench.onDestination("CREATE TYPE pair AS (a int, b text)");
        Map<String, String> texts = Map.ofEntries(
                Map.entry("t", "größe \uD83D\uDE00 '\\ \t"), Map.entry("flag", "t"), Map.entry("c", "ab   "),
                Map.entry("ip", "10.0.0.1"), Map.entry("n", "1.50"), Map.entry("f", "0.30000000000000004"),
                Map.entry("ts", "2026-01-02 03:04:05.678901+00"), Map.entry("raw", "\\x00ff"),
                Map.entry("doc", "{\"a\": 1,  \"a\": 2}"), Map.entry("list", "{1,NULL}"), Map.entry("p", "(,)"),
                Map.entry("Odd \"one", ""));
        List<String> names = texts.keySet().stream().sorted().toList();
        String columns = String.join(", ", names.stream().map(TableName::quote).toList());
        String literals = String.join(", ", names.stream()
                .map(name -> "E'" + texts.get(name).replace("\\", "\\\\").replace("'", "''") + "'")
                .toList());
        String[] cells = Stream.concat(Stream.of("id", "2"), names.stream().flatMap(name -> Stream.of(name, texts.get(name))))
                .toArray(String[]::new);
        bench.onSource("INSERT INTO hashing (id, " + columns + ") VALUES (1, " + literals + ")");
        bench.onSource("INSERT INTO hashing (id, t) VALUES (3, '')");

        // when one row comes by a chunk and its twin by a change
        bench.backfill("hashing", options(NO, NO, names, Map.of()));
        bench.onSource("INSERT INTO hashing (id, " + columns + ") VALUES (2, " + literals + ")");
        bench.apply("hashing", write("2", cells));

        // then both are what SHA-256 makes of salt and text, and NULL stays NULL
        String expected = String.join("|", names.stream().map(name -> sha256(texts.get(name))).toList());
        assertThat(bench.rows("SELECT " + columns + " FROM hashing WHERE id < 3 ORDER BY id"))
                .containsExactly(expected, expected);
        assertThat(bench.rows("SELECT flag, p, t FROM hashing WHERE id = 3")).containsExactly("∅|∅|" + sha256(""));
        assertThat(bench.columns("hashing")).startsWith("id integer NOT NULL, t text NOT NULL, flag text, c text, ip text");
        assertThat(bench.compare("hashing").isEqual()).isTrue();

        // and a second backfill finds nothing to change; an update that leaves a value leaves its hash
        bench.backfill("hashing", options(NO, NO, names, Map.of()));
        bench.onSource("UPDATE hashing SET flag = false WHERE id = 1");
        bench.apply("hashing", write("1", "id", "1", "flag", "f", "t", KEPT));
        assertThat(bench.compare("hashing").isEqual()).isTrue();
        bench.onDestination("UPDATE hashing SET t = 'x' WHERE id = 1");
        assertThat(bench.compare("hashing").differences()).isOne();
    }

    private static String sha256(String text) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            return HexFormat.of().formatHex(digest.digest((OptionsBench.SALT + text).getBytes(UTF_8)));
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aFunctionWithAnotherSaltOrNoneStopsTheTable() throws Exception {
        bench.onSource("CREATE TABLE salted (id int PRIMARY KEY, t text)");
        TableDefinition definition = bench.prepare("salted", options(NO, NO, List.of("t"), Map.of()));
        TwoDatabases databases = bench.databases;
        var limits = new ChunkCopy.Limits(java.time.Duration.ofSeconds(5), java.time.Duration.ofSeconds(30));
        for (Optional<HashSalt> salt : List.of(Optional.of(new HashSalt("another salt, as long")), Optional.<HashSalt>empty())) {
            var copy = new ChunkCopy(
                    databases.source, databases.destination, databases.pipeline, databases.schemas, limits, salt);
            var apply = new ChangeApply(databases.source, databases.destination, databases.ledger, databases.schemas, salt);
            RunOptions run = TwoDatabases.await(databases.ledger.read(definition.table())).orElseThrow().options();

            assertThat(copy.copy(new dev.sluice.domain.ChunkTask(
                            definition.table(), 2, 0, 1, KeyRange.ALL, definition.fingerprint(),
                            dev.sluice.domain.Lsn.ZERO, Optional.empty())))
                    .isInstanceOf(Answer.Failed.class);
            assertThatThrownBy(() -> TwoDatabases.await(apply.open(definition.table(), run)))
                    .isInstanceOf(RefusedException.class)
                    .hasMessageContaining("salt")
                    .hasMessageNotContaining("another salt, as long");
        }
        assertThatThrownBy(() -> TwoDatabases.await(databases.ledger.openRun(
                        definition.table(), 99, options(NO, NO, List.of("t"), Map.of()))))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("sluice.hash-salt");
    }

    @Test
    void aMaskThatATypeDoesNotReadMakesTheColumnText() throws Exception {
        List<String> types = List.of(
                "regclass", "regcollation", "regconfig", "regnamespace", "regoper", "regoperator", "regproc",
                "regprocedure", "regrole", "regtype", "json", "jsonpath", "aclitem", "int[]", "int4range", "point");
        Map<String, Optional<String>> masks = new LinkedHashMap<>();
        types.forEach(type -> masks.put("of " + type, Optional.of("***")));
        bench.onSource("CREATE TABLE unread (id int PRIMARY KEY, " + types.stream()
                .map(type -> "\"of " + type + "\" " + type)
                .collect(Collectors.joining(", ")) + ")");

        bench.backfill("unread", options(NO, NO, NO, masks));

        assertThat(bench.columns("unread")).isEqualTo("id integer NOT NULL, " + types.stream()
                .map(type -> "of " + type + " text")
                .collect(Collectors.joining(", ")));
    }

    @Test
    void aMaskTakesTheColumnsTypeWhereThatReadsIt() throws Exception {
        bench.onSource("CREATE DOMAIN percent AS int CHECK (VALUE BETWEEN 0 AND 100)");
        bench.onDestination("CREATE DOMAIN percent AS int CHECK (VALUE BETWEEN 0 AND 100)");
        bench.onSource("CREATE TABLE masking (id int PRIMARY KEY, fits varchar(5) NOT NULL DEFAULT 'x', "
                + "long varchar(3), n int, amount numeric(10,2), p percent, none text NOT NULL, kept text)");
        bench.onSource("INSERT INTO masking VALUES (1, 'a', 'b', 3, 4, 5, 'f', 'g')");
        Map<String, Optional<String>> masks = Map.of(
                "fits", Optional.of("*'\\*"), "long", Optional.of("****"), "n", Optional.of("none"),
                "amount", Optional.of("0"), "p", Optional.of("101"), "none", Optional.empty());

        bench.backfill("masking", options(NO, NO, NO, masks));
        bench.onSource("INSERT INTO masking VALUES (2, 'a', NULL, 3, 4, 5, 'f', 'g')");
        bench.apply("masking", write(
                "2", "id", "2", "fits", "a", "long", null, "n", "3", "amount", "4.00", "p", "5", "none", KEPT, "kept", "g"));

        assertThat(bench.columns("masking")).isEqualTo("id integer NOT NULL, fits character varying(5) NOT NULL, "
                + "long text, n text, amount numeric(10,2), p text, none text, kept text");
        assertThat(bench.rows("SELECT * FROM masking ORDER BY id"))
                .containsExactly("1|*'\\*|****|none|0.00|101|∅|g", "2|*'\\*|****|none|0.00|101|∅|g");
        assertThat(bench.compare("masking").isEqual()).isTrue();
        bench.backfill("masking", options(NO, NO, NO, masks));
        assertThat(bench.compare("masking").isEqual()).as("into the table that is there").isTrue();
        bench.onDestination("UPDATE masking SET n = '3' WHERE id = 2");
        assertThat(bench.compare("masking").differences()).isOne();

        assertThat(refusal("masking", options(NO, NO, NO, Map.of("amount", Optional.of("nothing")))).getMessage())
                .contains("\"amount\"", "does not read its mask");
    }

    @Test
    void aConditionIsJudgedAlikeByChunkAndByChange() throws Exception {
        bench.onSource("CREATE TYPE state AS ENUM ('open', 'shut')");
        bench.onDestination("CREATE TYPE state AS ENUM ('open', 'shut')");
        bench.onSource("CREATE TABLE filtering (id int PRIMARY KEY, s state, n smallint, note text)");
        bench.onSource("INSERT INTO filtering VALUES (1, 'open', 1, 'a'), (2, 'shut', 1, 'b'), (3, NULL, 1, 'c'), "
                + "(4, 'open', NULL, 'd'), (5, 'open', 4, 'e')");
        TableOptions options = where("s = 'open' AND n / 2 <> 1 OR note LIKE '%(''%'");

        bench.backfill("filtering", options);
        assertThat(bench.rows("SELECT id FROM filtering ORDER BY id")).containsExactly("1", "5");

        // A row begins to fulfil it, one stops, one is new and does not, one is new and does. «n / 2» is of integers.
        String[][] changes = {{"2", "open", "1", "b"}, {"1", "shut", "1", "a"}, {"6", "shut", "1", "f"}, {"7", "open", "5", "g"},
            {"8", "open", "3", "h"}, {"9", null, null, "x('x"}, {"5", null, "4", "e"}};
        for (String[] change : changes) {
            bench.onSource("INSERT INTO filtering VALUES (" + change[0] + ", " + quoted(change[1]) + ", " + change[2] + ", "
                    + quoted(change[3]) + ") ON CONFLICT (id) DO UPDATE SET s = excluded.s, n = excluded.n");
            bench.apply("filtering", write(change[0], "id", change[0], "s", change[1], "n", change[2], "note", change[3]));
        }

        assertThat(bench.rows("SELECT id, s, n, note FROM filtering ORDER BY id"))
                .containsExactly("2|open|1|b", "7|open|5|g", "9|∅|∅|x('x");
        assertThat(bench.compare("filtering").isEqual()).isTrue();

        // and by another backfill, of rows that somebody brought back or altered
        bench.onDestination("INSERT INTO filtering VALUES (1, 'open', 1, 'old'); DELETE FROM filtering WHERE id = 7; "
                + "UPDATE filtering SET note = 'x' WHERE id = 2");
        assertThat(bench.compare("filtering").differences()).isEqualTo(3);
        bench.backfill("filtering", options);
        assertThat(bench.compare("filtering").isEqual()).isTrue();
    }

    private static String quoted(String text) {
        return text == null ? "NULL" : "'" + text.replace("'", "''") + "'";
    }

    @Test
    void aRowThatBeginsToFulfilTheConditionIsHadWhole() throws Exception {
        bench.onSource("CREATE TABLE toasted (id int PRIMARY KEY, ok boolean, big text, n int, secret text)");
        bench.onSource("INSERT INTO toasted VALUES (1, false, 'one', 1, 's'), (2, true, 'two', 1, 's'), "
                + "(3, false, 'three', 1, 's'), (4, false, 'four', 1, 's')");
        TableOptions options = new TableOptions(
                NO, NO, NO, List.of("secret"), Map.of(), Optional.of("ok AND big <> 'x'"), Optional.empty());
        bench.backfill("toasted", options);
        assertThat(bench.rows("SELECT id FROM toasted")).containsExactly("2");

        // Of row 1 only what changed is captured: what is missing comes from the source, and with it what it saw.
        bench.onSource("UPDATE toasted SET ok = true, n = 2 WHERE id = 1; UPDATE toasted SET n = 3 WHERE id = 1");
        var applied = bench.apply("toasted", bench.move("1", "1", "id", "1", "ok", "t", "big", KEPT, "n", "2", "secret", KEPT));
        assertThat(applied.rowReads()).singleElement().satisfies(read -> assertThat(read.key()).isEqualTo(Key.of("1")));
        assertThat(bench.rows("SELECT id, ok, big, n, secret FROM toasted WHERE id = 1"))
                .containsExactly("1|t|one|3|" + sha256("s"));

        // Row 2 stays, with what it had; then it stops to fulfil the condition.
        bench.onSource("UPDATE toasted SET n = 5 WHERE id = 2");
        applied = bench.apply("toasted", bench.move("2", "2", "id", "2", "ok", "t", "big", KEPT, "n", "5", "secret", KEPT));
        assertThat(applied.rowReads()).as("it was there").isEmpty();
        assertThat(bench.rows("SELECT big, n FROM toasted WHERE id = 2")).containsExactly("two|5");
        bench.onSource("UPDATE toasted SET ok = NULL WHERE id = 2");
        bench.apply("toasted", bench.move("2", "2", "id", "2", "ok", null, "big", KEPT, "n", "5", "secret", KEPT));

        // Row 3 is not there and by its source is not to be.
        bench.onSource("UPDATE toasted SET n = 9 WHERE id = 3");
        bench.apply("toasted", bench.move("3", "3", "id", "3", "ok", "f", "big", KEPT, "n", "9", "secret", KEPT));

        // Row 4 gets another key and begins to fulfil the condition; then row 1 gets another key and stops.
        bench.onSource("UPDATE toasted SET id = 40, ok = true WHERE id = 4");
        bench.apply("toasted", bench.move("4", "40", "id", "40", "ok", "t", "big", KEPT, "n", "1", "secret", KEPT));
        bench.onSource("UPDATE toasted SET id = 10, ok = false WHERE id = 1");
        bench.apply("toasted", bench.move("1", "10", "id", "10", "ok", "f", "big", KEPT, "n", "3", "secret", KEPT));

        assertThat(bench.rows("SELECT id, big FROM toasted")).containsExactly("40|four");
        assertThat(bench.compare("toasted").isEqual()).isTrue();
    }

    @Test
    void aChangeWithoutAColumnOfTheConditionIsRefused() throws Exception {
        bench.onSource("CREATE TABLE lacking (id int PRIMARY KEY, \"Ok \"\"?\" boolean, v text)");
        bench.onSource("INSERT INTO lacking VALUES (1, true, 'v')");
        bench.backfill("lacking", where("v <> '\"' AND \"Ok \"\"?\""));

        // It is not known whether the row is to be there: it must not go in silence.
        for (ChangeBatch.Step step : List.of(write("1", "id", "1", "v", "w"), bench.move("1", "1", "id", "1", "v", KEPT))) {
            assertThatThrownBy(() -> bench.apply("lacking", step))
                    .isInstanceOf(RefusedException.class)
                    .hasMessageContaining("is without the column \"Ok \"\"?\"");
        }
        assertThat(bench.rows("SELECT v FROM lacking")).containsExactly("v");
    }

    @Test
    void whatTheChangeSaysIsNotToBeThereIsNotAskedOfTheSource() throws Exception {
        bench.onSource("CREATE TABLE unasked (id int PRIMARY KEY, ok boolean, big text)");
        bench.onSource("INSERT INTO unasked VALUES (1, false, 'one')");
        bench.backfill("unasked", where("ok"));

        var applied = bench.apply("unasked", bench.move("1", "1", "id", "1", "ok", "f", "big", KEPT));

        assertThat(applied.rowReads()).isEmpty();
        assertThat(bench.rows("SELECT * FROM unasked")).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(SoftDelete.Type.class)
    void aRowThatIsGoneIsMarked(SoftDelete.Type type) throws Exception {
        boolean timed = type == SoftDelete.Type.TIMESTAMPTZ;
        String table = timed ? "soft_time" : "soft_flag";
        String at = timed ? "2026-01-02 03:04:05.678+00" : "t";
        String none = timed ? "∅" : "f";
        bench.onSource("CREATE TABLE " + table + " (id int PRIMARY KEY, v text UNIQUE, big text)");
        bench.onSource("INSERT INTO " + table + " SELECT i, 'v' || i, 'b' || i FROM generate_series(1, 6) i");
        TableOptions options = softDelete(type);
        bench.backfill(table, options);
        assertThat(bench.columns(table)).endsWith(timed ? "gone timestamp with time zone" : "gone boolean NOT NULL");
        long millis = java.time.Instant.parse("2026-01-02T03:04:05.678Z").toEpochMilli();

        // a delete marks, a second one changes nothing, and another row may take what was unique
        bench.onSource("DELETE FROM " + table + " WHERE id IN (1, 2)");
        bench.apply(table, remove("1", millis));
        bench.apply(table, remove("1", millis + 5_000));
        bench.apply(table, remove("2", millis));
        assertThat(bench.rows("SELECT * FROM " + table + " WHERE id = 1")).containsExactly("1|v1|b1|" + at);
        assertThat(TwoDatabases.await(bench.destinations.buildDeferred(TableName.parse(table)))).isOne();
        bench.onSource("INSERT INTO " + table + " VALUES (7, 'v1', 'b')");
        bench.apply(table, write("7", "id", "7", "v", "v1", "big", "b"));
        assertThat(bench.compare(table).isEqual()).isTrue();

        // an update of a row that is not there does not touch the marked one
        bench.apply(table, write("2", "id", "2", "v", "late", "big", KEPT));
        assertThat(bench.rows("SELECT * FROM " + table + " WHERE id = 2")).containsExactly("2|v2|b2|" + at);

        // an insert of the same key takes the mark off
        bench.onSource("INSERT INTO " + table + " VALUES (2, 'again', 'b')");
        bench.apply(table, write("2", "id", "2", "v", "again", "big", "b"));
        assertThat(bench.rows("SELECT * FROM " + table + " WHERE id = 2")).containsExactly("2|again|b|" + none);

        // a row that gets another key leaves a marked one behind
        bench.onSource("UPDATE " + table + " SET id = 30 WHERE id = 3");
        bench.apply(table, bench.move("3", "30", "id", "30", "v", "v3", "big", KEPT));
        assertThat(bench.rows("SELECT id, v, big, gone IS DISTINCT FROM " + (timed ? "NULL" : "false") + " FROM " + table
                        + " WHERE id IN (3, 30) ORDER BY id"))
                .containsExactly("3|v3|b3|t", "30|v3|b3|f");
        assertThat(bench.compare(table).isEqual()).isTrue();

        // a second backfill marks what is missing at the source and takes marks off that are wrong
        bench.onSource("DELETE FROM " + table + " WHERE id = 4");
        bench.onDestination("UPDATE " + table + " SET gone = " + (timed ? "now()" : "true") + " WHERE id = 5");
        assertThat(bench.compare(table).differences()).isEqualTo(2);
        bench.backfill(table, options);
        assertThat(bench.compare(table).isEqual()).isTrue();
        assertThat(bench.rows("SELECT id FROM " + table + " WHERE gone IS NOT DISTINCT FROM " + (timed ? "NULL" : "false")
                        + " ORDER BY id"))
                .containsExactly("2", "5", "6", "7", "30");
        assertThat(bench.rows("SELECT gone FROM " + table + " WHERE id = 1")).as("marked long ago").containsExactly(at);

        // and so does a TRUNCATE
        bench.onSource("TRUNCATE " + table);
        bench.apply(table, new Clear(List.of(KeyRange.ALL), List.of(), millis));
        assertThat(bench.rows("SELECT count(*) FROM " + table)).containsExactly("8");
        assertThat(bench.compare(table)).satisfies(result -> {
            assertThat(result.isEqual()).isTrue();
            assertThat(result.rowsAtDestination()).isZero();
        });
    }

    @Test
    void aColumnThatNobodyMayUpdateIsReplacedAndItsRowMarkedStill() throws Exception {
        bench.onSource("CREATE TABLE fixed (k int PRIMARY KEY, no bigint GENERATED ALWAYS AS IDENTITY, v text, ok boolean)");
        bench.onSource("INSERT INTO fixed (k, v, ok) VALUES (1, 'a', true), (2, 'b', true), (3, 'c', false)");
        var options = new TableOptions(
                NO, NO, NO, NO, Map.of(), Optional.of("ok"), Optional.of(new SoftDelete("gone", SoftDelete.Type.BOOLEAN)));
        bench.backfill("fixed", options);

        // Row 1 is another one now, row 2 is not to be there any more and then is again, row 3 begins to be.
        bench.onSource("DELETE FROM fixed; INSERT INTO fixed (k, v, ok) VALUES (1, 'x', true), (2, 'y', true), (3, 'z', true)");
        bench.apply("fixed", write("1", "k", "1", "no", "4", "v", "x", "ok", "t"));
        bench.apply("fixed", write("2", "k", "2", "no", "2", "v", "b", "ok", "f"));
        assertThat(bench.rows("SELECT * FROM fixed WHERE k = 2")).containsExactly("2|2|b|t|t");
        bench.apply("fixed", write("2", "k", "2", "no", "5", "v", "y", "ok", "t"));
        bench.apply("fixed", write("3", "k", "3", "no", "6", "v", "z", "ok", "t"));
        assertThat(bench.rows("SELECT * FROM fixed ORDER BY k")).containsExactly("1|4|x|t|f", "2|5|y|t|f", "3|6|z|t|f");
        assertThat(bench.compare("fixed").isEqual()).isTrue();

        bench.onSource("DELETE FROM fixed WHERE k = 1; UPDATE fixed SET no = DEFAULT WHERE k = 2");
        bench.onDestination("UPDATE fixed SET gone = true WHERE k = 3");
        bench.backfill("fixed", options);
        assertThat(bench.rows("SELECT * FROM fixed ORDER BY k")).containsExactly("1|4|x|t|t", "2|7|y|t|f", "3|6|z|t|f");
    }

    @Test
    void aKeyThatBecomesAnEqualOneOfAnotherTextIsNoOtherRow() throws Exception {
        bench.onSource("CREATE TABLE same_row (k numeric PRIMARY KEY, v text, big text)");
        bench.onSource("INSERT INTO same_row VALUES (1.0, '1', 'large'), (2, '1', 'large')");
        bench.backfill("same_row", softDelete(SoftDelete.Type.BOOLEAN));

        bench.apply("same_row", bench.move("1.0", "1.00", "k", "1.00", "v", "2", "big", KEPT));
        bench.apply("same_row", bench.move("2", "3", "k", "3", "v", "2", "big", KEPT));

        assertThat(bench.rows("SELECT k, v, big, gone FROM same_row ORDER BY k"))
                .containsExactly("1.00|2|large|f", "2|1|large|t", "3|2|large|f");
    }

    @Test
    void allOptionsGoTogether() throws Exception {
        bench.onSource("CREATE TABLE whole (a int, b int, email text, phone text, note text, active boolean, big text, "
                + "PRIMARY KEY (b, a))");
        bench.onSource("INSERT INTO whole SELECT i, i % 3, 'e' || i, 'p' || i, 'n', i % 2 = 0, 'b' || i FROM generate_series(1, 9) i");
        var options = new TableOptions(
                NO, NO, List.of("note"), List.of("email"), Map.of("phone", Optional.of("-")), Optional.of("active"),
                Optional.of(new SoftDelete("gone", SoftDelete.Type.BOOLEAN)));
        bench.backfill("whole", options);
        assertThat(bench.rows("SELECT b, a, email, phone, active, big, gone FROM whole ORDER BY a LIMIT 1"))
                .containsExactly("2|2|" + sha256("e2") + "|-|t|b2|f");

        bench.onSource("UPDATE whole SET active = NOT active, note = 'x'");
        for (int i = 1; i <= 9; i++) {
            Key key = Key.of(Integer.toString(i % 3), Integer.toString(i));
            bench.apply("whole", new ChangeBatch.Move(
                    Optional.of(key), key,
                    OptionsBench.row("a", "" + i, "b", "" + i % 3, "email", "e" + i, "phone", "p", "note", "x", "active",
                            i % 2 == 0 ? "f" : "t", "big", KEPT),
                    OptionsBench.SEEN, bench.move("1", "1").reached(), 0));
        }

        assertThat(bench.compare("whole").isEqual()).isTrue();
        assertThat(bench.rows("SELECT gone, count(*), min(big), min(email) FROM whole GROUP BY 1 ORDER BY 1"))
                .containsExactly("f|5|b1|" + Stream.of(1, 3, 5, 7, 9).map(i -> sha256("e" + i)).sorted().findFirst().get(),
                        "t|4|b2|" + Stream.of(2, 4, 6, 8).map(i -> sha256("e" + i)).sorted().findFirst().get());
        assertThat(bench.columns("whole")).doesNotContain("note");
    }

    @Test
    void aRowThatIsReadAnewIsCarriedAsAnyOther() throws Exception {
        bench.onSource("CREATE TABLE anew (id int PRIMARY KEY, email text, phone text, note text, active boolean)");
        bench.onSource("INSERT INTO anew SELECT i, 'e' || i, 'p' || i, 'n', i <> 3 FROM generate_series(1, 5) i");
        bench.backfill("anew", new TableOptions(
                NO, NO, List.of("note"), List.of("email"), Map.of("phone", Optional.of("-")), Optional.of("active"),
                Optional.of(new SoftDelete("gone", SoftDelete.Type.TIMESTAMPTZ))));
        bench.onSource("UPDATE anew SET active = id <> 2, email = 'new' WHERE id IN (1, 2, 3); DELETE FROM anew WHERE id = 4");

        bench.apply("anew", new ChangeBatch.Reread(
                List.of(
                        new ChangeBatch.Remove(Key.of("1"), 1_000), new ChangeBatch.Remove(Key.of("2"), 2_000),
                        new ChangeBatch.Remove(Key.of("3"), 3_000), new ChangeBatch.Remove(Key.of("4"), 4_000),
                        new ChangeBatch.Remove(Key.of("6"), 6_000)),
                java.util.Set.of(OptionsBench.SEEN)));

        assertThat(bench.compare("anew").isEqual()).isTrue();
        assertThat(bench.rows("SELECT id, email, phone, active, extract(epoch FROM gone)::int FROM anew ORDER BY id"))
                .containsExactly(
                        "1|" + sha256("new") + "|-|t|∅",
                        "2|" + sha256("e2") + "|-|t|2",
                        "3|" + sha256("new") + "|-|t|∅",
                        "4|" + sha256("e4") + "|-|t|4",
                        "5|" + sha256("e5") + "|-|t|∅");
        assertThat(bench.columns("anew")).doesNotContain("note");
    }

    static Stream<Arguments> misfits() {
        List<String> one = List.of("v");
        return Stream.of(
                Arguments.of(options(NO, List.of("nothing"), NO, Map.of()), "name a column \"nothing\""),
                Arguments.of(options(NO, List.of("V"), NO, Map.of()), "name a column \"V\""),
                Arguments.of(options(NO, NO, List.of("ctid"), Map.of()), "name a column \"ctid\""),
                Arguments.of(options(NO, List.of("id"), NO, Map.of()), "key column \"id\" of public.misfits is left out"),
                Arguments.of(options(one, NO, NO, Map.of()), "add it to include"),
                Arguments.of(options(NO, NO, List.of("id"), Map.of()), "ranges need its order"),
                Arguments.of(options(NO, NO, NO, Map.of("id", Optional.empty())), "ranges need its order"),
                Arguments.of(options(NO, List.of("n"), NO, Map.of()), "\"twice\" of public.misfits is computed from \"n\""),
                Arguments.of(options(NO, NO, List.of("n"), Map.of()), "exclude \"twice\" too"),
                Arguments.of(options(NO, NO, List.of("twice"), Map.of()), "\"twice\" of public.misfits is generated"),
                Arguments.of(
                        new TableOptions(NO, NO, NO, NO, Map.of(), Optional.empty(),
                                Optional.of(new SoftDelete("v", SoftDelete.Type.BOOLEAN))),
                        "\"v\" is a column of public.misfits at the source"));
    }

    @ParameterizedTest
    @MethodSource("misfits")
    void optionsThatDoNotFitTheTableAreRefusedBeforeAnythingIsDone(TableOptions options, String message) throws Exception {
        bench.onSource("CREATE TABLE IF NOT EXISTS misfits (id int PRIMARY KEY, v text, n int, "
                + "twice int GENERATED ALWAYS AS (n * 2) STORED)");

        assertThatThrownBy(() -> bench.inspect("misfits", options))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining(message);
    }

    @Test
    void whatTheDestinationRefusesUnderANamedKeyIsNotTakenForAChangeOfTheDefinition() throws Exception {
        bench.onSource("CREATE TABLE named_refused (a int PRIMARY KEY, b int NOT NULL UNIQUE)");
        bench.onSource("ALTER TABLE named_refused REPLICA IDENTITY FULL");
        bench.onSource("INSERT INTO named_refused VALUES (1, 1)");
        var named = new TableOptions(List.of("b"), NO, NO, NO, Map.of(), Optional.empty(), Optional.empty());
        TableDefinition definition = bench.prepare("named_refused", named);
        bench.onDestination("ALTER TABLE named_refused ADD CHECK (a < 0)");

        assertThat(bench.tryCopy(definition, KeyRange.ALL)).isInstanceOfSatisfying(Answer.Failed.class, failed -> {
            assertThat(failed.fault().kind()).isEqualTo(Fault.Kind.REFUSED);
            assertThat(failed.fault().reason()).contains("check constraint");
        });
    }

    @Test
    void withoutAKeyRowsAreNeitherChosenNorMarked() throws Exception {
        bench.onSource("CREATE TABLE keyless_options (v text)");
        bench.onSource("ALTER TABLE keyless_options REPLICA IDENTITY FULL");

        assertThat(bench.inspect("keyless_options", options(NO, NO, List.of("v"), Map.of())).key()).isEmpty();
        for (TableOptions refused : List.of(
                where("v = 'x'"),
                new TableOptions(NO, NO, NO, NO, Map.of(), Optional.empty(),
                        Optional.of(new SoftDelete("gone", SoftDelete.Type.BOOLEAN))))) {
            assertThatThrownBy(() -> bench.inspect("keyless_options", refused))
                    .isInstanceOf(RefusedException.class)
                    .hasMessageContaining("has no key");
        }
    }

    static Stream<Arguments> conditions() {
        return Stream.of(
                Arguments.of("n", "must be type boolean"),
                Arguments.of("n >", "syntax error"),
                Arguments.of("nothing > 1", "\"nothing\" does not exist"),
                Arguments.of("secret = 'x'", "\"secret\" does not exist"),
                Arguments.of("masked = 'x'", "\"masked\" does not exist"),
                Arguments.of("hashed = 'x'", "\"hashed\" does not exist"),
                Arguments.of("twice = 2", "\"twice\" does not exist"),
                Arguments.of("xmin = '1'", "\"xmin\" does not exist"),
                Arguments.of("conditions IS NOT NULL", "\"conditions\" does not exist"),
                Arguments.of("sluice_row IS NOT NULL", "cannot be followed"),
                Arguments.of("sluice_condition IS NOT NULL", "cannot be followed"),
                Arguments.of("at > now()", "must be marked IMMUTABLE"),
                Arguments.of("at > CURRENT_TIMESTAMP", "must be marked IMMUTABLE"),
                Arguments.of("random() < 0.5", "must be marked IMMUTABLE"),
                Arguments.of("v = CURRENT_USER", "must be marked IMMUTABLE"),
                Arguments.of("at::date > '2020-01-01'", "must be marked IMMUTABLE"),
                Arguments.of("at > 'now'", "stands for the moment"),
                Arguments.of("at > ' Yesterday '", "stands for the moment"),
                Arguments.of("(SELECT true)", "cannot use subquery"),
                Arguments.of("EXISTS (SELECT FROM conditions)", "cannot be followed"),
                Arguments.of("n IN (SELECT n FROM public.conditions)", "cannot use subquery"),
                Arguments.of("count(*) > 1", "aggregate"),
                Arguments.of("row_number() OVER () > 1", "window"),
                Arguments.of("generate_series(1, 2) > 1", "cannot be followed"),
                Arguments.of("public.own(n)", "public.own(integer) is neither PostgreSQL's nor an extension's"),
                Arguments.of("own(n)", "does not exist"),
                Arguments.of("v < 'm' COLLATE public.other", "orders otherwise at the source"),
                Arguments.of("true UNION SELECT true", "syntax error"),
                Arguments.of("true, false", "cannot be followed"));
    }

    @ParameterizedTest
    @MethodSource("conditions")
    void aConditionThatIsNotTheSameEverywhereAndAlwaysIsRefused(String condition, String message) throws Exception {
        String function = "CREATE OR REPLACE FUNCTION public.own(int) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT $1 > 0'";
        bench.onSource(function);
        bench.onDestination(function);
        bench.onSource("CREATE COLLATION IF NOT EXISTS public.other (provider = icu, locale = 'de')");
        bench.onDestination("CREATE COLLATION IF NOT EXISTS public.other (provider = icu, locale = 'sv')");
        bench.onSource("CREATE TABLE IF NOT EXISTS conditions (id int PRIMARY KEY, v text, n int, at timestamptz, "
                + "secret text, masked text, hashed text, twice int GENERATED ALWAYS AS (n * 2) STORED)");
        var options = new TableOptions(
                NO, NO, List.of("secret"), List.of("hashed"), Map.of("masked", Optional.empty()), Optional.of(condition),
                Optional.empty());

        assertThat(refusal("conditions", options).getMessage()).contains("«where»", message);
    }

    @ParameterizedTest
    @org.junit.jupiter.params.provider.ValueSource(strings = {
        "v = 'now' OR v = 'today'",
        "v < 'm' COLLATE \"C\" AND length(v) > 1",
        "n BETWEEN 1 AND 5 OR n IS NULL",
        "at < '2026-01-01' AND NOT (n = ANY ('{1,2}'))",
        "(v, n) > ('a', 1)"
    })
    void aConditionThatIsIsTaken(String condition) throws Exception {
        bench.onSource("CREATE TABLE IF NOT EXISTS taken (id int PRIMARY KEY, v text, n int, at timestamptz)");
        bench.onSource("INSERT INTO taken VALUES (1, 'now', 3, '2020-01-01'), (2, 'z', 1, NULL) ON CONFLICT DO NOTHING");

        bench.backfill("taken", where(condition));

        assertThat(bench.compare("taken").isEqual()).isTrue();
    }

    @Test
    void aDestinationThatHoldsWhatIsLeftOutIsRefused() throws Exception {
        bench.onSource("CREATE TABLE holding (id int PRIMARY KEY, secret text, mail varchar(10))");
        bench.onDestination("CREATE TABLE holding (id int PRIMARY KEY, secret text, mail varchar(10), gone int)");

        assertThat(refusal("holding", options(NO, List.of("secret"), NO, Map.of())).getMessage())
                .contains("DROP COLUMN \"secret\"");
        assertThat(refusal("holding", options(NO, NO, List.of("mail"), Map.of())).getMessage())
                .contains("ALTER COLUMN \"mail\" TYPE text");
        assertThat(refusal("holding", softDelete(SoftDelete.Type.BOOLEAN)).getMessage())
                .contains("\"gone\"", "has type integer, not boolean");
    }

    private static RefusedException refusal(String table, TableOptions options) {
        return catchThrowableOfType(RefusedException.class, () -> bench.prepare(table, options));
    }

    @Test
    void theSaltIsInNoLogOfStatements() throws Exception {
        bench.onSource("CREATE TABLE quiet (id int PRIMARY KEY, t text)");
        bench.onSource("INSERT INTO quiet VALUES (1, 'x')");
        String source = bench.databases.fromSource("SELECT current_database()");
        bench.onSource("ALTER DATABASE " + source + " SET log_statement = 'all'");
        bench.onSource("ALTER DATABASE " + source + " SET log_min_duration_statement = 0");
        try {
            bench.backfill("quiet", options(NO, NO, List.of("t"), Map.of()));
        } finally {
            bench.onSource("ALTER DATABASE " + source + " RESET ALL");
        }

        String log = java.nio.file.Files.readString(dev.sluice.testing.SharedServers.source().logFile());
        assertThat(log.contains("FROM ONLY \"public\".\"quiet\"")).as("the chunk's read is logged").isTrue();
        assertThat(log.contains(OptionsBench.SALT)).isFalse();
        assertThat(log.contains(HexFormat.of().formatHex(OptionsBench.SALT.getBytes(UTF_8)))).isFalse();
    }
}
