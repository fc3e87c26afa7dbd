package dev.sluice.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.TableName;
import dev.sluice.postgres.KeyChoice.Index;
import dev.sluice.postgres.KeyChoice.IndexColumn;
import dev.sluice.postgres.KeyChoice.Result;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class KeyChoiceTest {

    private static final Set<String> NOT_NULL = Set.of("a", "b", "c");
    private static final Index PRIMARY = new Index("p", true, false, true, true, true, columns("b", "a"));
    private static final Index IDENTITY = new Index("i", false, true, true, true, true, columns("c"));
    private static final Index UNIQUE = new Index("u", false, false, true, true, true, columns("c"));
    private static final Index PLAIN = new Index("n", false, false, false, true, true, columns("a"));

    @Test
    void thePrimaryKeyInItsOwnOrder() {
        assertThat(choose("d", PRIMARY, UNIQUE)).isEqualTo(keyed("b", "a"));
        assertThat(choose("f", PRIMARY, UNIQUE)).isEqualTo(keyed("b", "a"));
    }

    @Test
    void theIndexThatIsTheReplicaIdentityForOnlyItsColumnsAreInADelete() {
        assertThat(choose("i", IDENTITY)).isEqualTo(keyed("c"));
        assertThat(choose("i", PRIMARY, IDENTITY)).isEqualTo(keyed("c"));
    }

    @Test
    void aUniqueIndexOverColumnsThatAreNeverNullWhereTheWholeRowIsSent() {
        Index wide = new Index("a wide one", false, false, true, true, true, columns("a", "b"));
        Index other = new Index("t", false, false, true, true, true, columns("b"));

        assertThat(choose("f", PLAIN, wide, UNIQUE, other)).isEqualTo(keyed("b"));
        assertThat(choose("f", UNIQUE)).isEqualTo(keyed("c"));
        assertThat(choose("f", wide)).isEqualTo(keyed("a", "b"));
    }

    @Test
    void withoutAKeyTheWholeRowMustBeSent() {
        Index nullable = new Index("m", false, false, true, true, true, columns("maybe"));
        Index deferrable = new Index("l", false, false, true, false, true, columns("a"));

        assertThat(choose("f", PLAIN, nullable, deferrable)).isEqualTo(new Result.Keyless());
        assertThat(refusal(choose("d", UNIQUE))).contains("has no primary key", "REPLICA IDENTITY FULL");
        assertThat(refusal(choose("n", PRIMARY))).contains("REPLICA IDENTITY NOTHING");
        assertThat(refusal(choose("i", PRIMARY))).contains("an index as REPLICA IDENTITY that is gone");
    }

    @Test
    void aDeferrablePrimaryKeyNamesNoRow() {
        Index deferrable = new Index("p", true, false, true, false, true, columns("a"));

        assertThat(refusal(choose("d", deferrable))).contains("deferrable");
        assertThat(choose("f", deferrable, UNIQUE)).isEqualTo(keyed("c"));
    }

    @Test
    void anIndexInAnotherCollationThanItsColumnsNeedNotNameOneRow() {
        var foreign = List.of(new IndexColumn("c", false, true, false));
        Index unique = new Index("u", false, false, true, true, true, foreign);
        Index identity = new Index("i", false, true, true, true, true, foreign);

        assertThat(choose("f", unique)).isEqualTo(new Result.Keyless());
        assertThat(refusal(named("f", List.of("c"), unique))).contains("no immediate unique index");
        assertThat(refusal(choose("i", identity))).contains("another collation than its columns");
    }

    @Test
    void theUsersColumnsInTheOrderOfTheirIndex() {
        Index both = new Index("x", false, false, true, true, true, columns("c", "b"));

        assertThat(named("f", List.of("b", "c"), PRIMARY, both)).isEqualTo(keyed("c", "b"));
        assertThat(named("d", List.of("a", "b"), PRIMARY)).isEqualTo(keyed("b", "a"));
    }

    @Test
    void theUsersColumnsMustNameARowThatEveryChangeNames() {
        Index nullable = new Index("m", false, false, true, true, true, columns("maybe"));

        assertThat(refusal(named("f", List.of("a"), PRIMARY, PLAIN)))
                .contains("no immediate unique index", "CREATE UNIQUE INDEX CONCURRENTLY ON \"public\".\"t\" (\"a\")");
        assertThat(refusal(named("f", List.of("maybe"), PRIMARY, nullable))).contains("may be NULL", "SET NOT NULL");
        assertThat(refusal(named("d", List.of("c"), PRIMARY, UNIQUE))).contains("a DELETE would not carry them");
        assertThat(refusal(named("n", List.of("c"), PRIMARY, UNIQUE))).contains("REPLICA IDENTITY NOTHING");
    }

    @Test
    void aPartOfTheReplicaIdentityIsNoKeyOfTheUsers() {
        Index part = new Index("x", false, false, true, true, true, columns("a"));

        assertThat(refusal(named("d", List.of("a"), PRIMARY, part))).contains("more columns", "REPLICA IDENTITY FULL");
        assertThat(named("f", List.of("a"), PRIMARY, part)).isEqualTo(keyed("a"));
    }

    private static Result choose(String identity, Index... indexes) {
        return KeyChoice.of(TableName.parse("t"), identity, List.of(indexes), NOT_NULL, Optional.empty());
    }

    private static Result named(String identity, List<String> columns, Index... indexes) {
        return KeyChoice.of(TableName.parse("t"), identity, List.of(indexes), NOT_NULL, Optional.of(columns));
    }

    private static Result keyed(String... columns) {
        return new Result.Keyed(List.of(columns));
    }

    private static String refusal(Result result) {
        assertThat(result).isInstanceOf(Result.Refused.class);
        return ((Result.Refused) result).fault().toString();
    }

    private static List<IndexColumn> columns(String... names) {
        return Stream.of(names).map(name -> new IndexColumn(name, true, false, false)).toList();
    }
}
