package dev.sluice.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableName;
import dev.sluice.testing.PostgresServer;
import dev.sluice.testing.PostgresVersion;
import dev.sluice.testing.SharedServers;
import dev.sluice.testing.TypeMatrix;
import io.vertx.mutiny.core.Vertx;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** No type of PostgreSQL is forgotten: each that a column may have is in the matrix, or refused. */
class EveryTypeIT {

    /** Languages whose interpreter a machine may lack, and how they see the types of others: they bring no types. */
    private static final String OF_LANGUAGES = "(\\w+_)?pl(perl|python|tcl)[0-9]?u?";

    @ParameterizedTest
    @EnumSource(PostgresVersion.class)
    void everyTypeThatAColumnMayHaveIsInTheMatrixOrRefused(PostgresVersion version) throws Exception {
        PostgresServer server = version == PostgresVersion.NEWEST
                ? SharedServers.source()
                : PostgresServer.start(SharedServers.folder("every-type"), version, 0, SharedServers.FAST_POSTGRES);
        String database = SharedServers.freshDatabase(server);
        Vertx vertx = Vertx.vertx();
        Set<String> carried = new HashSet<>();
        Set<String> refused = new HashSet<>();
        List<String> notCreated;
        List<String> forgotten = new ArrayList<>();
        try (Connection connection = server.connect(database);
                Statement sql = connection.createStatement();
                Database source = Database.open(vertx, server.url(database), "test", "sluice", 2)) {
            for (String statement : TypeMatrix.setup()) {
                sql.execute(statement);
            }
            notCreated = createEveryExtension(sql);
            Set<Long> matrix = new HashSet<>();
            for (TypeMatrix.Entry entry : TypeMatrix.entries(version)) {
                try (var found = sql.executeQuery("SELECT '" + entry.type().replace("'", "''") + "'::regtype::oid")) {
                    found.next();
                    matrix.add(found.getLong(1));
                }
            }
            var tables = new SourceTables(source, new Pipeline("types"));
            for (Map.Entry<Long, String> type : columnTypes(sql).entrySet()) {
                Throwable failure = catchThrowable(() -> tables.inspect(new TableName("public", "t" + type.getKey()))
                        .await()
                        .atMost(Database.ANSWER_LIMIT));
                if (matrix.contains(type.getKey()) && failure == null) {
                    carried.add(type.getValue());
                } else if (!matrix.contains(type.getKey())
                        && failure instanceof RefusedException refusal && refusal.fault().reason().contains("\"v\"")) {
                    refused.add(type.getValue());
                } else {
                    forgotten.add(type.getValue() + ": " + failure);
                }
            }
        } finally {
            vertx.closeAndAwait();
            if (version != PostgresVersion.NEWEST) {
                server.close();
            }
        }

        assertThat(notCreated).as("extensions that cannot be created").allMatch(name -> name.matches(OF_LANGUAGES));
        assertThat(forgotten).as("types that are in TypeMatrix and refused by SourceTables, or neither").isEmpty();
        assertThat(carried).contains("integer", "integer[]", "\"Odd Schema\".hstore[]", "tstzmultirange");
        assertThat(refused).contains("pg_mcv_list", "pg_node_tree", "gbtreekey8", "gtrgm[]", "pg_class", "pg_stat_statements");
        boolean readsEveryByte = version.major() >= 16;
        assertThat(readsEveryByte ? carried : refused)
                .contains("\"char\"", "\"char\"[]", "\"Odd Schema\".bytes", "\"Odd Schema\".bytes[]");
    }

    /** Every one that comes with the server. @return those that cannot be */
    private static List<String> createEveryExtension(Statement sql) throws SQLException {
        List<String> names = new ArrayList<>();
        try (var all = sql.executeQuery("SELECT name FROM pg_available_extensions ORDER BY name")) {
            while (all.next()) {
                names.add(all.getString(1));
            }
        }
        List<String> notCreated = new ArrayList<>();
        for (String name : names) {
            try {
                sql.execute("CREATE EXTENSION IF NOT EXISTS " + TableName.quote(name) + " CASCADE");
            } catch (SQLException e) {
                notCreated.add(name);
            }
        }
        return notCreated;
    }

    /** Those with which a table could be made, each with its table. */
    private static Map<Long, String> columnTypes(Statement sql) throws SQLException {
        Map<Long, String> types = new LinkedHashMap<>();
        try (var all = sql.executeQuery("SELECT t.oid, format_type(t.oid, NULL), n.nspname, t.typname FROM pg_type t "
                + "JOIN pg_namespace n ON n.oid = t.typnamespace "
                + "WHERE t.typtype <> 'p' AND n.nspname <> 'pg_toast' ORDER BY 1")) {
            Map<Long, String> candidates = new LinkedHashMap<>();
            Map<Long, String> names = new LinkedHashMap<>();
            while (all.next()) {
                candidates.put(all.getLong(1), all.getString(2));
                names.put(all.getLong(1), TableName.quote(all.getString(3)) + "." + TableName.quote(all.getString(4)));
            }
            for (Map.Entry<Long, String> candidate : candidates.entrySet()) {
                try {
                    sql.execute("CREATE TABLE t" + candidate.getKey() + " (id int PRIMARY KEY, v "
                            + names.get(candidate.getKey()) + ")");
                    types.put(candidate.getKey(), candidate.getValue());
                } catch (SQLException e) {
                    assertThat(e.getSQLState()).as("why no column has type %s: %s", candidate.getValue(), e.getMessage())
                            .isIn("42P16", "42704");
                }
            }
        }
        return types;
    }
}
