package dev.sluice.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.TableDefinition.Generation;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.postgres.CapturedDefinition.CapturedColumn;
import dev.sluice.postgres.DefinitionChange.CannotFollow;
import dev.sluice.postgres.DefinitionChange.Followed;
import dev.sluice.postgres.DefinitionChange.Step.AddColumn;
import dev.sluice.postgres.DefinitionChange.Step.AllowNull;
import dev.sluice.postgres.DefinitionChange.Step.DropColumn;
import dev.sluice.postgres.DefinitionChange.Step.RenameColumn;
import dev.sluice.postgres.DefinitionChange.Step.WidenType;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What became of a definition, and whether it can be followed: each kind of ALTER TABLE, with and without a rewrite. */
class DefinitionChangeTest {

    private static final TableName TARGET = new TableName("public", "t");
    private static final CapturedColumn ID = column(1, "id", "integer");
    private static final CapturedColumn NAME = column(2, "name", "character varying(10)");
    private static final CapturedColumn NOTE = column(3, "note", "text");

    private static CapturedColumn column(int place, String name, String type) {
        return new CapturedColumn(
                place, name, type, true, Generation.NONE, Optional.empty(), "100/" + place, Optional.empty(),
                Optional.empty(), false);
    }

    private static CapturedDefinition table(String storage, CapturedColumn... columns) {
        return new CapturedDefinition(
                Arrays.toString(columns), Storage.parse(storage), List.of(columns),
                Math.max(3, columns[columns.length - 1].place()), List.of("id"), Map.of());
    }

    private static CapturedDefinition before() {
        return table("1:1", ID, NAME, NOTE);
    }

    /** The column as an ALTER leaves it. */
    private static CapturedColumn altered(CapturedColumn column, UnaryOperator<CapturedColumn> how) {
        CapturedColumn then = how.apply(column);
        return new CapturedColumn(
                then.place(), then.name(), then.type(), then.notNull(), then.generation(), then.collation(),
                "200/" + then.place(), then.defaultId(), then.missing(), then.differs());
    }

    private static CapturedColumn named(CapturedColumn column, String name) {
        return altered(column, c -> new CapturedColumn(
                c.place(), name, c.type(), c.notNull(), c.generation(), c.collation(), c.version(), c.defaultId(),
                c.missing(), c.differs()));
    }

    private static CapturedColumn typed(CapturedColumn column, String type) {
        return altered(column, c -> new CapturedColumn(
                c.place(), c.name(), type, c.notNull(), c.generation(), c.collation(), c.version(), c.defaultId(),
                c.missing(), c.differs()));
    }

    private static CapturedColumn nullable(CapturedColumn column) {
        return altered(column, c -> new CapturedColumn(
                c.place(), c.name(), c.type(), false, c.generation(), c.collation(), c.version(), c.defaultId(),
                c.missing(), c.differs()));
    }

    private static CapturedColumn with(CapturedColumn column, Optional<Long> defaultId, Optional<String> missing) {
        return new CapturedColumn(
                column.place(), column.name(), column.type(), column.notNull(), column.generation(),
                column.collation(), column.version(), defaultId, missing, column.differs());
    }

    private static CapturedColumn generated(CapturedColumn column, long expression) {
        return new CapturedColumn(
                column.place(), column.name(), column.type(), false, Generation.STORED, Optional.empty(),
                column.version(), Optional.of(expression), Optional.empty(), false);
    }

    private static DefinitionChange between(CapturedDefinition before, CapturedDefinition now) {
        return DefinitionChange.between(before, now, TARGET);
    }

    private static void assertFollowed(DefinitionChange change, DefinitionChange.Step... steps) {
        assertThat(change).isEqualTo(new Followed(List.of(steps)));
    }

    private static void assertNotFollowed(DefinitionChange change, String reason) {
        assertThat(change).isInstanceOfSatisfying(CannotFollow.class, cannot -> {
            assertThat(cannot.reason()).contains("definition").contains(reason);
            assertThat(cannot.hint()).contains("send retry");
        });
    }

    @Test
    void nothing() {
        assertFollowed(between(before(), before()));
    }

    @Test
    void newStorageAloneIsHarmless() {
        assertFollowed(between(before(), table("1:2", ID, NAME, NOTE)));
    }

    @Test
    void whatOnlyWritesTheCatalogIsHarmless() {
        assertFollowed(between(before(), table("1:1", ID, altered(NAME, c -> c), altered(NOTE, c -> c))));
    }

    @Test
    void anAlteredColumnAndNewStorageMayBeOtherValuesOfTheSameType() {
        assertNotFollowed(between(before(), table("1:2", ID, NAME, altered(NOTE, c -> c))), "\"note\" was altered");
    }

    @Test
    void newStorageTakesAwayWhatOlderRowsHaveAndIsHarmless() {
        CapturedColumn added = with(column(4, "added", "integer"), Optional.of(7L), Optional.of("5"));
        CapturedColumn filled = with(altered(added, c -> c), Optional.of(7L), Optional.empty());

        assertFollowed(between(table("1:1", ID, added), table("1:2", ID, filled)));
    }

    @Test
    void anAlterOfSuchAColumnSetsItsDefaultAnew() {
        CapturedColumn added = with(column(4, "added", "integer"), Optional.of(7L), Optional.of("5"));
        CapturedColumn altered = with(altered(added, c -> c), Optional.of(8L), Optional.empty());

        assertNotFollowed(between(table("1:1", ID, added), table("1:2", ID, altered)), "\"added\" was altered");
    }

    @Test
    void anAddedColumnComesWithTheValueOfOlderRows() {
        CapturedColumn added = column(4, "added", "integer");
        CapturedColumn filled = with(column(5, "filled", "integer"), Optional.of(7L), Optional.of("5"));

        assertFollowed(
                between(before(), table("1:1", ID, NAME, NOTE, added, filled)),
                new AddColumn("added", Optional.empty()),
                new AddColumn("filled", Optional.of("5")));
    }

    @Test
    void anAddedColumnAndNewStorageMayBeAnyValues() {
        assertNotFollowed(
                between(before(), table("1:2", ID, NAME, NOTE, column(4, "added", "integer"))), "\"added\" was added");
    }

    @Test
    void aTableWithoutPartitionsHasNoRowsThatCouldHaveGotAnything() {
        assertFollowed(
                between(table("", ID), table("", ID, column(4, "added", "integer"))),
                new AddColumn("added", Optional.empty()));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            ''      | 7:7         | the first partition came
            1:1     | 1:1 2:2     | another one came
            1:5 3:3 | 1:5 2:2 3:3 | another one came, beside one that was written anew long ago
            """)
    void aPartitionThatCameIsNotOneThatWasWrittenAnew(String was, String is, String what) {
        assertFollowed(
                between(table(was, ID), table(is, ID, column(4, "added", "integer"))),
                new AddColumn("added", Optional.empty()));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            1:1 2:2 | 1:1 2:9     | one of two was written anew
            1:1     | 1:9 2:2     | and another one came
            ''      | 7:9         | the first one came and was written anew
            1:1     | 1:1 2:9     | another one came and was written anew
            1:1 2:2 | 1:1         | one went
            1:1     | 2:2         | it is another table
            """)
    void aPartitionThatWasWrittenAnewMayHaveAnyValues(String was, String is, String what) {
        assertNotFollowed(
                between(table(was, ID), table(is, ID, column(4, "added", "integer"))), "\"added\" was added");
    }

    @Test
    void valuesThatDifferByPartitionMatterOnlyWhenTheColumnIsAdded() {
        CapturedColumn mixed = new CapturedColumn(
                4, "mixed", "integer", false, Generation.NONE, Optional.empty(), "100/4", Optional.of(7L),
                Optional.of("5"), true);

        assertNotFollowed(between(table("1:1", ID), table("1:1", ID, mixed)), "rows of one partition have another value");
        assertFollowed(
                between(table("1:1", ID, mixed), table("1:1", ID, mixed, column(5, "added", "integer"))),
                new AddColumn("added", Optional.empty()));
    }

    @Test
    void aLedgerOfAnEarlierVersionHasTheFilesAlone() {
        JsonObject kept = table("1:5 2:2", ID).json().put("storage", "5 2");
        kept.getJsonArray("columns").forEach(column -> ((JsonObject) column).remove("differs"));
        CapturedDefinition earlier = CapturedDefinition.of(kept);

        assertFollowed(
                between(earlier, table("1:5 2:2 3:3", ID, column(4, "added", "integer"))),
                new AddColumn("added", Optional.empty()));
        assertNotFollowed(
                between(earlier, table("1:5 2:6", ID, column(4, "added", "integer"))), "\"added\" was added");
    }

    @Test
    void anAddedGeneratedColumnIsComputedByTheDestination() {
        CapturedColumn generated = generated(column(4, "twice", "integer"), 9);

        assertFollowed(
                between(before(), table("1:2", ID, NAME, NOTE, generated)), new AddColumn("twice", Optional.empty()));
    }

    @Test
    void anotherExpressionIsNotFollowed() {
        assertNotFollowed(
                between(
                        table("1:1", ID, generated(NOTE, 9)),
                        table("1:2", ID, altered(generated(NOTE, 9), c -> generated(c, 10)))),
                "expression");
    }

    @Test
    void aColumnThatIsNoLongerGeneratedIsNotFollowed() {
        assertNotFollowed(
                between(table("1:1", ID, generated(NOTE, 9)), table("1:1", ID, altered(NOTE, c -> c))), "expression");
    }

    @Test
    void aDroppedColumn() {
        assertFollowed(between(before(), table("1:1", ID, NOTE)), new DropColumn("name"));
    }

    @Test
    void aDroppedColumnAndNewStorage() {
        assertFollowed(between(before(), table("1:2", ID, NOTE)), new DropColumn("name"));
    }

    @Test
    void aColumnDroppedAndAddedUnderTheSameNameIsAnother() {
        assertNotFollowed(
                between(before(), table("1:1", ID, NAME, column(4, "note", "text"))), "\"note\" was the name of another");
    }

    @Test
    void aRenamedColumn() {
        assertFollowed(between(before(), table("1:1", ID, NAME, named(NOTE, "remark"))), new RenameColumn("note", "remark"));
    }

    @Test
    void namesThatAreSwapped() {
        assertNotFollowed(
                between(before(), table("1:1", ID, named(NAME, "note"), named(NOTE, "name"))), "the name of another");
    }

    @Test
    void aNameThatTheQueueMayHaveForAnother() {
        CapturedDefinition renamed = table("1:1", ID, NAME, named(NOTE, "remark"));
        CapturedDefinition then = renamed.after(before());

        assertThat(then.past()).containsExactly(Map.entry("note", 3));
        assertNotFollowed(
                between(then, table("1:1", ID, NAME, named(NOTE, "remark"), column(4, "note", "text"))),
                "\"note\" was the name of another");
    }

    @Test
    void aColumnThatCameAndWentUnseenMayHaveHadTheName() {
        String maybe = "\"added\" may have been the name of a column that came and went";
        assertFollowed(between(before(), ofPlaces(4, before())));
        assertNotFollowed(between(before(), table("1:1", ID, NAME, NOTE, column(5, "added", "text"))), maybe);
        assertNotFollowed(between(before(), ofPlaces(5, table("1:1", ID, NAME, NOTE, column(4, "added", "text")))), maybe);
        assertNotFollowed(between(before(), ofPlaces(4, table("1:1", ID, NAME, named(NOTE, "added")))), maybe);
        // One that had gone before the table was known, or while it was.
        assertFollowed(
                between(ofPlaces(4, before()), table("1:1", ID, NAME, NOTE, column(5, "added", "text"))),
                new AddColumn("added", Optional.empty()));
        CapturedDefinition dropped = before().after(table("1:1", ID, NAME, NOTE, column(4, "gone", "text")));
        JsonObject earlier = dropped.json();
        earlier.remove("places");
        assertFollowed(
                between(CapturedDefinition.of(earlier), table("1:1", ID, NAME, NOTE, column(5, "added", "text"))),
                new AddColumn("added", Optional.empty()));
    }

    /** The same, of a table that so many columns were made in. */
    private static CapturedDefinition ofPlaces(int places, CapturedDefinition of) {
        return new CapturedDefinition(of.fingerprint(), of.storage(), of.columns(), places, of.key(), of.past());
    }

    @Test
    void aNameThatComesBackToItsColumn() {
        CapturedDefinition renamed = table("1:1", ID, NAME, named(NOTE, "remark")).after(before());

        assertFollowed(between(renamed, before()), new RenameColumn("remark", "note"));
        assertThat(before().after(renamed).names().past())
                .containsEntry("remark", Optional.of("note"))
                .containsEntry("note", Optional.of("note"));
    }

    @Test
    void nullMayCome() {
        assertFollowed(between(before(), table("1:1", ID, NAME, nullable(NOTE))), new AllowNull("note"));
        assertFollowed(between(table("1:1", ID, nullable(NOTE)), table("1:1", ID, altered(NOTE, c -> c))));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            character varying(10) | character varying(20)
            character varying(10) | character varying
            character varying(10) | text
            character varying     | text
            text                  | character varying
            bit varying(5)        | bit varying(6)
            bit varying(5)        | bit varying
            numeric(10,2)         | numeric(12,2)
            """)
    void typesThatGetWider(String from, String to) {
        CapturedColumn was = column(3, "note", from);

        assertFollowed(
                between(table("1:1", ID, was), table("1:1", ID, typed(was, to))), new WidenType("note", to));
        assertNotFollowed(between(table("1:1", ID, was), table("1:2", ID, typed(was, to))), "written anew");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            character varying(20)    | character varying(10)
            text                     | character varying(10)
            character varying        | character varying(10)
            bit varying              | text
            bit varying(5)           | character varying(5)
            numeric(10,2)            | numeric
            numeric(12,2)            | numeric(10,2)
            numeric(10,2)            | numeric(12,3)
            timestamp(3) without time zone | timestamp without time zone
            integer                  | oid
            cidr                     | inet
            character varying(10)[]  | character varying(20)[]
            """)
    void typesThatAreOthers(String from, String to) {
        CapturedColumn was = column(3, "note", from);

        assertNotFollowed(
                between(table("1:1", ID, was), table("1:1", ID, typed(was, to))), "from " + from + " to " + to);
    }

    @Test
    void aTypeOfAnotherNameIsTheSameType() {
        CapturedColumn was = column(3, "note", "public.mood");
        CapturedColumn is = new CapturedColumn(
                3, "note", "public.temper", true, Generation.NONE, Optional.empty(), was.version(), Optional.empty(),
                Optional.empty(), false);

        assertFollowed(between(table("1:1", ID, was), table("1:1", ID, is)));
    }

    @Test
    void anotherKey() {
        List<CapturedDefinition> others = new ArrayList<>();
        others.add(new CapturedDefinition("f", Storage.parse("1:1"), before().columns(), 3, List.of("name"), Map.of()));
        others.add(new CapturedDefinition("f", Storage.parse("1:1"), before().columns(), 3, List.of("id", "name"), Map.of()));
        others.add(new CapturedDefinition("f", Storage.parse("1:1"), before().columns(), 3, List.of(), Map.of()));

        others.forEach(other -> assertNotFollowed(between(before(), other), "the key"));
    }

    @Test
    void aRenamedKeyColumnComesWithTheStatement() {
        var renamed = new CapturedDefinition(
                "f", Storage.parse("1:1"), List.of(named(ID, "key id"), NAME, NOTE), 3, List.of("key id"), Map.of());

        assertThat(between(before(), renamed)).isInstanceOfSatisfying(CannotFollow.class, cannot -> assertThat(cannot.hint())
                .contains("ALTER TABLE \"public\".\"t\" RENAME COLUMN \"id\" TO \"key id\""));
    }

    @Test
    void anotherCollationOfTheKeyIsAnotherOrder() {
        CapturedColumn text = column(1, "id", "text");
        CapturedColumn collated = altered(text, c -> new CapturedColumn(
                c.place(), c.name(), c.type(), c.notNull(), c.generation(), Optional.of("pg_catalog.\"C\""),
                c.version(), c.defaultId(), c.missing(), c.differs()));

        assertNotFollowed(between(table("1:1", text), table("1:1", collated)), "collation");
    }

    @Test
    void columnsThatAreNotCarriedDoNotMatter() {
        CapturedDefinition now = table(
                "1:1", ID, typed(NAME, "character varying(20)"), column(4, "added", "integer"));
        var change = between(before(), now);

        assertFollowed(change.under(options(List.of("id", "name"), List.of(), List.of())),
                new WidenType("name", "character varying(20)"));
        assertFollowed(change.under(options(List.of(), List.of("added"), List.of())),
                new DropColumn("note"), new WidenType("name", "character varying(20)"));
        assertFollowed(change.under(options(List.of(), List.of(), List.of("name"))),
                new DropColumn("note"), new AddColumn("added", Optional.empty()));
    }

    @Test
    void columnsThatTheOptionsNameNeitherComeNorGo() {
        CapturedDefinition dropped = table("1:1", ID, NAME);
        CapturedDefinition renamed = table("1:1", ID, NAME, named(NOTE, "remark"));
        CapturedDefinition added = table("1:1", ID, NAME, NOTE, column(4, "secret", "text"));
        TableOptions condition = new TableOptions(
                List.of(), List.of(), List.of(), List.of(), Map.of(), Optional.of("note IS NULL"), Optional.empty());

        for (DefinitionChange change : List.of(
                between(before(), dropped).under(options(List.of(), List.of("note"), List.of())),
                between(before(), renamed).under(options(List.of("id", "note"), List.of(), List.of())),
                between(before(), renamed).under(options(List.of(), List.of("remark"), List.of())),
                between(before(), added).under(options(List.of(), List.of(), List.of("secret"))),
                between(before(), dropped).under(condition),
                between(before(), renamed).under(condition))) {
            assertThat(change).isInstanceOfSatisfying(
                    CannotFollow.class, cannot -> assertThat(cannot.reason()).contains("options name"));
        }
    }

    private static TableOptions options(List<String> include, List<String> exclude, List<String> hash) {
        return new TableOptions(List.of(), include, exclude, hash, Map.of(), Optional.empty(), Optional.empty());
    }

    @Test
    void whatTheLedgerKeepsIsReadAsItWasWritten() {
        CapturedDefinition kept = new CapturedDefinition(
                "f", Storage.parse("16400:16400 16390:70000"),
                List.of(ID, with(nullable(NOTE), Optional.of(1L << 31), Optional.of("a\"b\\\n'é")), generated(NAME, 4)),
                8, List.of("id"), Map.of("old \"name\"", 7));

        assertThat(CapturedDefinition.of(kept.json())).isEqualTo(kept);
    }
}
