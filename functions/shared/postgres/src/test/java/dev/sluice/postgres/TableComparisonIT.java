package dev.sluice.postgres;

import static dev.sluice.postgres.TwoDatabases.await;
import static dev.sluice.postgres.TwoDatabases.table;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.domain.Key;
import dev.sluice.postgres.TableComparison.Difference;
import dev.sluice.postgres.TableComparison.Difference.Kind;
import java.sql.SQLException;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class TableComparisonIT {

    private static TwoDatabases databases;
    private static TableComparison comparison;

    @BeforeAll
    static void open() {
        databases = TwoDatabases.open();
        comparison = new TableComparison(
                databases.source, databases.destination, databases.schemas, databases.pipeline, Optional.empty());
    }

    @AfterAll
    static void close() {
        databases.close();
    }

    private static void atBoth(String sql) throws SQLException {
        databases.atSource(sql);
        databases.atDestination(sql);
    }

    @Test
    void tablesWithTheSameRowsAreEqualInWhateverOrderOfColumns() throws SQLException {
        databases.atSource("CREATE TABLE same (id int PRIMARY KEY, j json, x xml, f float8, n numeric, p point)");
        databases.atDestination("CREATE TABLE same (p point, n numeric, f float8, x xml, j json, id int PRIMARY KEY, e int)");
        atBoth("INSERT INTO same (id, j, x, f, n, p) SELECT i, '{\"a\" :  1}', '<a/>', i / 3.0, 'NaN', '(1,2)' "
                + "FROM generate_series(1, 5000) i");

        var result = await(comparison.compare(table("same")));

        assertThat(result.isEqual()).isTrue();
        assertThat(result.rowsAtSource()).isEqualTo(5_000);
        assertThat(result.rowsAtDestination()).isEqualTo(5_000);
    }

    @Test
    void everyDifferenceIsCountedAndToldByKey() throws SQLException {
        atBoth("CREATE TABLE differ (a text, b int, j json, n numeric, PRIMARY KEY (a, b)); "
                + "INSERT INTO differ SELECT 'k' || i % 3 || E'\\t\\\\é', i, '{}', 1 FROM generate_series(1, 100) i");
        databases.atDestination("DELETE FROM differ WHERE b = 3; UPDATE differ SET j = '{ }' WHERE b = 4; "
                + "UPDATE differ SET n = 1.0 WHERE b = 8; UPDATE differ SET n = NULL WHERE b = 11; "
                + "INSERT INTO differ VALUES ('zz', 1, '{}', 1)");

        var result = await(comparison.compare(table("differ")));

        assertThat(result.isEqual()).isFalse();
        assertThat(result.differences()).isEqualTo(5);
        assertThat(result.told()).containsExactly(
                new Difference(Kind.ONLY_AT_SOURCE, Key.of("k0\t\\é", "3")),
                new Difference(Kind.DIFFERS, Key.of("k1\t\\é", "4")),
                new Difference(Kind.DIFFERS, Key.of("k2\t\\é", "8")),
                new Difference(Kind.DIFFERS, Key.of("k2\t\\é", "11")),
                new Difference(Kind.ONLY_AT_DESTINATION, Key.of("zz", "1")));
    }

    @Test
    void manyDifferencesAreCountedAndOnlyTheFirstTold() throws SQLException {
        atBoth("CREATE TABLE many (id int PRIMARY KEY)");
        databases.atSource("INSERT INTO many SELECT generate_series(1, 1000)");

        var result = await(comparison.compare(table("many")));

        assertThat(result.differences()).isEqualTo(1_000);
        assertThat(result.told()).hasSize(20);
        assertThat(result.rowsAtDestination()).isZero();
    }

    @Test
    void aTableThatTheDestinationLacksIsRefused() throws SQLException {
        databases.atSource("CREATE TABLE here_only (id int PRIMARY KEY)");

        assertThatThrownBy(() -> await(comparison.compare(table("here_only")))).isInstanceOf(RefusedException.class);
    }
}
