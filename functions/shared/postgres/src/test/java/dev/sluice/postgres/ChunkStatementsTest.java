package dev.sluice.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Key;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.KeyType;
import dev.sluice.domain.MissingRows;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableDefinition.Column;
import dev.sluice.domain.TableDefinition.Generation;
import dev.sluice.domain.TableDefinition.KeyColumn;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.postgres.ChunkStatements.Result;
import dev.sluice.postgres.DefinitionQuery.ColumnOrder;
import dev.sluice.postgres.DefinitionQuery.Reading;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChunkStatementsTest {

    private static final KeyRange RANGE =
            new KeyRange(Optional.of(Key.of("it's \\", "1")), Optional.of(Key.of("z", "-5")));

    @Test
    void theRangeIsARowComparisonInTheOrderOfTheKey() {
        assertThat(possible(table(column("n", "bigint"), column("k", "text"))).read())
                .isEqualTo("COPY (SELECT \"n\", \"k\" FROM ONLY \"public\".\"t\" WHERE "
                        + "(\"k\", \"n\") > (E'it''s \\\\'::text, E'1'::bigint) AND "
                        + "(\"k\", \"n\") <= (E'z'::text, E'-5'::bigint)) TO STDOUT (FORMAT binary)");
    }

    @Test
    void theWholeKeySpaceHasNoCondition() {
        Result result = ChunkStatements.of(KeyRange.ALL, reading(table(column("n", "bigint"), column("k", "text")), true),
                TableOptions.NONE, Optional.empty(),
                reading(table(column("n", "bigint"), column("k", "text")), true), MissingRows.DELETE);

        assertThat(((Result.Possible) result).statements().read()).contains("WHERE true)");
    }

    @Test
    void aCollationIsNamedOnlyWhereTheDestinationsIsAnother() {
        TableDefinition table = table(column("n", "bigint"), column("k", "text"));
        ChunkStatements same = possible(table);
        ChunkStatements other =
                ((Result.Possible) ChunkStatements.of(
                        RANGE, reading(table, true), TableOptions.NONE, Optional.empty(), reading(table, false),
                        MissingRows.DELETE)).statements();

        assertThat(same.anyRow()).doesNotContain("COLLATE");
        assertThat(other.anyRow()).contains("(d.\"k\" COLLATE pg_catalog.\"C\", d.\"n\") >");
        assertThat(other.read()).as("the source's own index is used").doesNotContain("COLLATE");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "bigint | bigint | BINARY",
        "numeric(10,2)[] | numeric(10,2)[] | BINARY",
        "timestamp(3) with time zone | timestamp(3) with time zone | BINARY",
        "integer | bigint | TEXT",
        "character varying(10) | character varying(20) | TEXT",
        "regclass | regclass | TEXT",
        "public.mood | public.mood | TEXT",
        "public.mood[] | public.mood[] | TEXT",
        "xml | xml | TEXT"
    })
    void rowsTravelInBinaryOnlyBetweenTheSameTypes(String atSource, String atDestination, CopyFormat expected) {
        Column target = column("c", atDestination);

        assertThat(CopyFormat.between(List.of(column("c", atSource)), Map.of("c", target))).isEqualTo(expected);
    }

    @Test
    void aKeyThatSortsOtherwiseAtTheDestinationIsRefused() {
        TableDefinition source = table(column("n", "bigint"), column("k", "text"));
        var destination = new Reading(
                table(column("n", "text"), column("k", "text")),
                new KeyChoice.Result.Keyed(List.of("k", "n")),
                List.of(),
                Map.of("n", order(KeyType.TEXT, true), "k", order(KeyType.TEXT, true)));

        Result result = ChunkStatements.of(RANGE, reading(source, true), TableOptions.NONE, Optional.empty(), destination, MissingRows.DELETE);

        assertThat(result).isInstanceOfSatisfying(Result.Impossible.class, impossible -> assertThat(
                        impossible.fault().reason())
                .contains("key column \"n\"", "public.t"));
    }

    private static ChunkStatements possible(TableDefinition table) {
        Result result = ChunkStatements.of(
                RANGE, reading(table, true), TableOptions.NONE, Optional.empty(), reading(table, true), MissingRows.DELETE);
        return ((Result.Possible) result).statements();
    }

    private static Reading reading(TableDefinition table, boolean byCodePoint) {
        return new Reading(
                table,
                new KeyChoice.Result.Keyed(List.of("k", "n")),
                List.of(),
                Map.of("n", order(KeyType.INTEGER, false), "k", order(KeyType.TEXT, byCodePoint)));
    }

    private static ColumnOrder order(KeyType type, boolean byCodePoint) {
        boolean isText = type == KeyType.TEXT;
        return new ColumnOrder(
                Optional.of(type),
                isText ? "text" : "bigint",
                isText,
                byCodePoint,
                true,
                isText ? Optional.of(byCodePoint ? "code point" : "icu de  1") : Optional.empty(),
                true,
                Optional.of(""),
                false);
    }

    private static TableDefinition table(Column... columns) {
        return new TableDefinition(
                TableName.parse("t"),
                1,
                List.of(columns),
                List.of(new KeyColumn("k", KeyType.TEXT), new KeyColumn("n", KeyType.INTEGER)));
    }

    private static Column column(String name, String type) {
        return new Column(name, type, true, Generation.NONE, Optional.empty(), Optional.empty(), "1");
    }
}
