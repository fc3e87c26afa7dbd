package dev.sluice.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.KeyType;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableDefinition.KeyColumn;
import dev.sluice.domain.TableName;
import dev.sluice.postgres.DefinitionQuery.ColumnOrder;
import dev.sluice.postgres.DefinitionQuery.Reading;
import dev.sluice.postgres.KeyAgreement.Result;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class KeyAgreementTest {

    private static final Optional<String> C = Optional.of(KeyAgreement.CODE_POINT);

    @Test
    void whatJavaOrdersRestsOnNothing() {
        assertThat(agreed(of(KeyType.INTEGER, "bigint"), of(KeyType.INTEGER, "integer")))
                .isEqualTo(definition(new KeyColumn("k", KeyType.INTEGER), ""));
        assertThat(agreed(text("code point", true), text("icu de  1", true)))
                .as("the destination compares by code point then")
                .isEqualTo(definition(new KeyColumn("k", KeyType.TEXT), ""));
    }

    @Test
    void aTypeWithoutCollationIsTheDatabases() {
        assertThat(agreed(plain("date", ""), plain("date", "")))
                .isEqualTo(definition(new KeyColumn("k", Optional.empty(), Optional.empty()), ""));
        assertThat(why(plain("date", ""), plain("timestamp without time zone", "")))
                .contains("ordered otherwise at the destination, as timestamp without time zone");
    }

    @Test
    void anEnumNeedsTheSameLabelsInTheSameOrder() {
        assertThat(agreed(plain("mood", "sad,ok"), plain("mood", "sad,ok")).order()).isEqualTo("\"k\" mood (sad,ok)");
        assertThat(why(plain("mood", "sad,ok"), plain("mood", "ok,sad"))).contains("«sad,ok» at the source");
    }

    @Test
    void labelsThatTheDestinationStillIsToGetAreInTheOrderOfTheSource() {
        assertThat(agreed(plain("mood", "sad,\"so so\",ok"), plain("mood", "sad,ok")).order())
                .isEqualTo("\"k\" mood (sad,\"so so\",ok)");
        assertThat(why(plain("mood", "sad,ok"), plain("mood", "sad,\"so so\",ok")))
                .as("a label that only the destination has may be one that was renamed")
                .contains("«sad,ok» at the source");
    }

    @Test
    void theSameCollationOfTheSameVersionIsUsedAsItIs() {
        assertThat(agreed(text("icu de  1", true), text("icu de  1", true)))
                .isEqualTo(definition(new KeyColumn("k", Optional.empty(), Optional.empty()), "\"k\" icu de  1"));
        assertThat(agreed(text("icu de  1", false), text("icu de  1", false)).order())
                .isEqualTo("\"k\" nondeterministic icu de  1");
    }

    @Test
    void anotherVersionLocaleOrAnUnknownOneMeansByCodePoint() {
        for (String other : new String[] {"icu de  2", "icu en  1", "libc de de 1"}) {
            assertThat(agreed(text("icu de  1", true), text(other, true)))
                    .isEqualTo(definition(new KeyColumn("k", Optional.of(KeyType.TEXT), C), "\"k\" code point"));
        }
        assertThat(agreed(text(null, true), text(null, true)).key().get(0).collation()).isEqualTo(C);
    }

    @Test
    void aTextThatIsNoJavaTextIsComparedByCodePointByTheDatabase() {
        TableDefinition definition = agreed(padded("icu de  1"), padded("icu de  2"));

        assertThat(definition.key()).containsExactly(new KeyColumn("k", Optional.empty(), C));
    }

    @Test
    void whatIsEqualAtOneSideOnlyIsUndecided() {
        assertThat(why(text("icu de  1", false), text("icu de  2", false))).contains("does not tell all texts apart");
        assertThat(why(text("code point", true), text("icu de  1", false))).contains("equal at the destination");
    }

    @Test
    void whatHasCollationsInsideIsUndecided() {
        var composite = new ColumnOrder(
                Optional.empty(), "named", false, false, true, Optional.empty(), true, Optional.of(""), true);

        assertThat(why(composite, composite)).contains("parts of its values");
    }

    @Test
    void anUndecidedKeyIsTheDatabasesAllTheSame() {
        Result result = KeyAgreement.of(reading(text("icu de  1", false)), Map.of("k", text("icu de  2", false)));

        assertThat(result.definition().key()).containsExactly(new KeyColumn("k", Optional.empty(), Optional.empty()));
    }

    @Test
    void anIndexServesInTheOrderThatItHas() {
        var ownOnly = index(true, new KeyChoice.IndexColumn("k", true, false, false));
        var byCodePoint = index(true, new KeyChoice.IndexColumn("k", false, true, false));
        var own = List.of(new KeyColumn("k", Optional.empty(), Optional.empty()));
        var code = List.of(new KeyColumn("k", Optional.of(KeyType.TEXT), C));

        assertThat(KeyAgreement.isServed(with(ownOnly), own)).isTrue();
        assertThat(KeyAgreement.isServed(with(ownOnly), code)).isFalse();
        assertThat(KeyAgreement.isServed(with(byCodePoint), code)).isTrue();
        assertThat(KeyAgreement.isServed(with(byCodePoint), own)).isFalse();
        assertThat(KeyAgreement.isServed(with(index(false, new KeyChoice.IndexColumn("k", true, true, false))), own)).isFalse();
    }

    private static TableDefinition agreed(ColumnOrder source, ColumnOrder destination) {
        Result result = KeyAgreement.of(reading(source), Map.of("k", destination));
        assertThat(result).isInstanceOf(Result.Agreed.class);
        return result.definition();
    }

    private static String why(ColumnOrder source, ColumnOrder destination) {
        Result result = KeyAgreement.of(reading(source), Map.of("k", destination));
        assertThat(result).isInstanceOf(Result.Undecided.class);
        return ((Result.Undecided) result).fault().reason();
    }

    private static ColumnOrder of(KeyType type, String name) {
        return new ColumnOrder(
                Optional.of(type), name, false, false, true, Optional.empty(), true, Optional.of(""), false);
    }

    private static ColumnOrder plain(String type, String others) {
        return new ColumnOrder(
                Optional.empty(), type, false, false, true, Optional.empty(), true, Optional.of(others), false);
    }

    private static ColumnOrder text(String collation, boolean deterministic) {
        return new ColumnOrder(
                Optional.of(KeyType.TEXT),
                "text",
                true,
                "code point".equals(collation),
                true,
                Optional.ofNullable(collation),
                deterministic,
                Optional.of(""),
                false);
    }

    private static ColumnOrder padded(String collation) {
        return new ColumnOrder(
                Optional.empty(), "character", true, false, true, Optional.of(collation), true, Optional.of(""), false);
    }

    private static KeyChoice.Index index(boolean walkable, KeyChoice.IndexColumn column) {
        return new KeyChoice.Index("i", false, false, true, true, walkable, List.of(column));
    }

    private static Reading with(KeyChoice.Index index) {
        return new Reading(
                definition(new KeyColumn("k", KeyType.TEXT), ""),
                new KeyChoice.Result.Keyed(List.of("k")),
                List.of(index),
                Map.of());
    }

    private static Reading reading(ColumnOrder order) {
        return new Reading(
                definition(new KeyColumn("k", order.isJavas() ? order.type() : Optional.empty(), Optional.empty()), ""),
                new KeyChoice.Result.Keyed(List.of("k")),
                List.of(),
                Map.of("k", order));
    }

    private static TableDefinition definition(KeyColumn column, String order) {
        return new TableDefinition(TableName.parse("t"), 1, List.of(), List.of(column), false, order);
    }
}
