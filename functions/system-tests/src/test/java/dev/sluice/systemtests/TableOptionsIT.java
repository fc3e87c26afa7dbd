package dev.sluice.systemtests;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Command;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableOptions.SoftDelete;
import dev.sluice.domain.TableState;
import dev.sluice.postgres.DatabaseConfig;
import dev.sluice.postgres.Databases;
import dev.sluice.postgres.DroppedColumns;
import dev.sluice.postgres.TableComparison;
import io.vertx.mutiny.core.Vertx;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/**
 * Choice of columns and rows: a table for each option and one with all of them, written to all the time, with options
 * from settings and from commands, and options that change while the table streams.
 */
class TableOptionsIT {

    private static final int ROWS = 2_000;
    private static final String SALT = "the salt of the system test";
    private static final List<String> NO = List.of();
    private static final String PLAIN = "id, email, phone, secret, active, n, big, twice";
    private static final String HASHED = "encode(sha256(convert_to('" + SALT + "' || email, 'UTF8')), 'hex')";

    private static final String PARTITIONED = "public.every_part";
    private static final String FULL = "public.filtering_full";

    /** What the source and the destination are to give alike, by a table's name. */
    private static final Map<String, String[]> EXPECTED = new LinkedHashMap<>();

    static {
        EXPECTED.put("public.excluding", new String[] {
            "SELECT id, email, active, n, big, twice FROM excluding", "SELECT * FROM excluding"});
        EXPECTED.put("public.including", new String[] {
            "SELECT id, email, active FROM including", "SELECT * FROM including"});
        EXPECTED.put("public.hashing", new String[] {
            "SELECT id, " + HASHED + ", phone, secret, active, n, big, twice FROM hashing", "SELECT * FROM hashing"});
        EXPECTED.put("public.masking", new String[] {
            "SELECT id, email, '-', NULL, active, n, big, twice FROM masking", "SELECT * FROM masking"});
        EXPECTED.put("public.filtering", new String[] {
            "SELECT " + PLAIN + " FROM filtering WHERE active AND n % 10 <> 3", "SELECT * FROM filtering"});
        EXPECTED.put("public.soft_flag", new String[] {
            "SELECT " + PLAIN + " FROM soft_flag", "SELECT " + PLAIN + " FROM soft_flag WHERE NOT gone"});
        EXPECTED.put("public.soft_time", new String[] {
            "SELECT " + PLAIN + " FROM soft_time", "SELECT " + PLAIN + " FROM soft_time WHERE \"Gone at\" IS NULL"});
        EXPECTED.put("public.everything", new String[] {
            "SELECT id, " + HASHED + ", '-', active, n, big, twice FROM everything WHERE active",
            "SELECT id, email, phone, active, n, big, twice FROM everything WHERE NOT gone"});
        EXPECTED.put(PARTITIONED, new String[] {
            "SELECT id, " + HASHED + ", '-', active, n, big, twice FROM every_part WHERE active",
            "SELECT id, email, phone, active, n, big, twice FROM every_part WHERE NOT gone"});
        EXPECTED.put(FULL, new String[] {
            "SELECT id, email, phone, secret, active, n, big FROM filtering_full WHERE active",
            "SELECT * FROM filtering_full"});
    }

    private static TableOptions columns(
            List<String> include, List<String> exclude, List<String> hash, Map<String, Optional<String>> mask) {
        return new TableOptions(NO, include, exclude, hash, mask, Optional.empty(), Optional.empty());
    }

    private static TableOptions where(String condition) {
        return new TableOptions(NO, NO, NO, NO, Map.of(), Optional.of(condition), Optional.empty());
    }

    private static TableOptions softDelete(String column, SoftDelete.Type type) {
        return new TableOptions(
                NO, NO, NO, NO, Map.of(), Optional.empty(), Optional.of(new SoftDelete(column, type)));
    }

    @Test
    void choiceOfColumnsAndRowsIsTheSameForBackfillAndChanges() throws Exception {
        try (var stack = SluiceStack.startWithoutFunctions("options", Map.of(
                "sluice.scheduler.chunk-rows", "300",
                "sluice.hash-salt", SALT,
                "sluice.source.tables", "public.excluding,public.every*",
                "sluice.source.options",
                """
                {"public.excluding": {"exclude": ["secret", "phone"]}, "public.every*": {"exclude": ["secret"],
                 "hash": ["email"], "mask": {"phone": "-"}, "where": "active",
                 "softDelete": {"column": "gone", "type": "BOOLEAN"}}}"""))) {
            for (String table : EXPECTED.keySet()) {
                create(stack, table);
            }
            Instant started = now(stack);
            try (var writes = OptionWrites.start(stack, ROWS, List.copyOf(EXPECTED.keySet()))) {
                stack.startFunctions();
                add(stack, "public.including", columns(List.of("id", "email", "active"), NO, NO, Map.of()));
                add(stack, "public.hashing", columns(NO, NO, List.of("email"), Map.of()));
                add(stack, "public.masking", columns(
                        NO, NO, NO, mask("phone", Optional.of("-"), "secret", Optional.empty())));
                add(stack, "public.filtering", where("active"));
                add(stack, FULL, where("active"));
                add(stack, "public.soft_flag", softDelete("gone", SoftDelete.Type.BOOLEAN));
                add(stack, "public.soft_time", softDelete("Gone at", SoftDelete.Type.TIMESTAMPTZ));
                for (String table : EXPECTED.keySet()) {
                    stack.awaitStreaming(table);
                }

                // Another condition, and another backfill of a table that marks rows, while all is written to.
                long filtering = stack.table("public.filtering").orElseThrow().state().run();
                long soft = stack.table("public.soft_flag").orElseThrow().state().run();
                stack.send(new Command.Backfill(
                        TableName.parse("public.filtering"), Optional.of(where("active AND n % 10 <> 3"))));
                stack.send(new Command.Backfill(TableName.parse("public.soft_flag")));
                stack.awaitStreamingAfter("public.filtering", filtering);
                stack.awaitStreamingAfter("public.soft_flag", soft);
                long before = writes.transactions();
                SluiceStack.awaitTrue("writers go on", SluiceStack.LONG, () -> writes.transactions() > before + 300);
            }
            stack.onSource("TRUNCATE soft_flag", OptionWrites.insert("soft_flag", "generate_series(5, 20)"));

            requireEqual(stack);
            requireMarksAtTheTimeOfTheDelete(stack, started);
            requireNoSalt(stack);
            hostileOptionsFailTheirTableOnly(stack);
            anotherSaltIsRefusedUntilItIsTheOldOneAgain(stack);
        }
    }

    private static void create(SluiceStack stack, String table) throws SQLException {
        boolean isPartitioned = table.equals(PARTITIONED);
        stack.onSource("CREATE TABLE " + table + " " + OptionWrites.COLUMNS + (isPartitioned ? " PARTITION BY HASH (id)" : ""));
        for (int i = 0; isPartitioned && i < 2; i++) {
            stack.onSource("CREATE TABLE " + table + "_" + i + " PARTITION OF " + table
                    + " FOR VALUES WITH (MODULUS 2, REMAINDER " + i + ")");
        }
        if (table.equals(FULL)) {
            // With a generated column in it, every update would fail.
            stack.onSource("ALTER TABLE " + table + " DROP COLUMN twice", "ALTER TABLE " + table + " REPLICA IDENTITY FULL");
        }
        stack.onSource(
                "ALTER TABLE " + table + " ALTER COLUMN big SET STORAGE EXTERNAL",
                OptionWrites.insert(table, "generate_series(1, " + ROWS + ")"));
    }

    private static Map<String, Optional<String>> mask(
            String one, Optional<String> text, String other, Optional<String> otherText) {
        Map<String, Optional<String>> masks = new LinkedHashMap<>();
        masks.put(one, text);
        masks.put(other, otherText);
        return masks;
    }

    private static void add(SluiceStack stack, String table, TableOptions options) {
        stack.send(new Command.AddTables(List.of(table), Optional.of(options)));
    }

    private static void requireEqual(SluiceStack stack) throws SQLException {
        stack.awaitQueueApplied(EXPECTED.keySet().toArray(String[]::new));
        var vertx = Vertx.vertx();
        var databases = new Databases(new Config(stack), vertx);
        var comparison = new TableComparison(databases, databases.schemas());
        try {
            for (Map.Entry<String, String[]> expected : EXPECTED.entrySet()) {
                String name = expected.getKey();
                List<String> source = rows(stack.source(), expected.getValue()[0]);
                List<String> destination = rows(stack.destination(), expected.getValue()[1]);
                assertThat(destination).as("rows of %s", name).isEqualTo(source).isNotEmpty();

                TableComparison.Result result =
                        comparison.compare(TableName.parse(name)).await().atMost(SluiceStack.LONG);
                assertThat(result.told()).as("differences of %s", name).isEmpty();
                assertThat(result.rowsAtDestination()).as("rows compared of %s", name).isEqualTo(source.size());
            }
        } finally {
            vertx.closeAndAwait();
        }
    }

    private static List<String> rows(Connection opened, String query) throws SQLException {
        try (Connection connection = opened; Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            List<String> texts = new ArrayList<>();
            while (rows.next()) {
                var row = new StringBuilder();
                for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++) {
                    row.append(rows.getString(i)).append('|');
                }
                texts.add(row.toString());
            }
            texts.sort(null);
            return texts;
        }
    }

    private static void requireMarksAtTheTimeOfTheDelete(SluiceStack stack, Instant started) throws SQLException {
        assertThat(rows(stack.destination(), "SELECT count(*) > 0 FROM soft_flag WHERE gone")).containsExactly("t|");
        assertThat(rows(stack.destination(), "SELECT count(*) > 0 FROM soft_time WHERE \"Gone at\" < '" + started + "'"))
                .containsExactly("f|");
        Instant before = now(stack);
        stack.onSource("DELETE FROM soft_time WHERE id = (SELECT min(id) FROM soft_time)");
        Instant after = now(stack);
        stack.awaitQueueApplied("public.soft_time");
        Instant marked = Instant.parse(stack.one(stack.destination(), "SELECT to_char(max(\"Gone at\") AT TIME ZONE 'UTC', "
                + "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') FROM soft_time").orElseThrow());
        // As captured, in milliseconds.
        assertThat(marked).isBetween(before.minusMillis(1), after);
    }

    private static Instant now(SluiceStack stack) throws SQLException {
        return Instant.parse(stack.one(stack.source(), "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', "
                + "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')").orElseThrow());
    }

    private static void requireNoSalt(SluiceStack stack) throws Exception {
        String hex = HexFormat.of().formatHex(SALT.getBytes(UTF_8));
        for (Path log : List.of(
                stack.sourceServer.logFile(), stack.destinationServer.logFile(), stack.functions().logFile())) {
            String text = Files.readString(log);
            // The test's own query is not logged.
            assertThat(text.contains(SALT) || text.contains(hex)).as("the salt in " + log).isFalse();
        }
        String ledger = String.join("\n", rows(
                stack.destination(), "SELECT t::text FROM " + stack.pipeline.ledgerSchema() + ".tables t"));
        assertThat(ledger).doesNotContain(SALT).doesNotContain(hex);
        assertThat(stack.history().toString()).doesNotContain(SALT).doesNotContain(hex);
    }

    /** Rows hashed with two salts would not be told apart later. */
    private static void anotherSaltIsRefusedUntilItIsTheOldOneAgain(SluiceStack stack) throws SQLException {
        stack.restartFunctions(Map.of("sluice.hash-salt", "quite another salt"));
        stack.onSource("UPDATE hashing SET email = 'new@' || id", "UPDATE excluding SET email = 'new@' || id");

        assertThat(stack.awaitFailed("public.hashing").fault().reason()).contains("hashed with another salt");
        stack.awaitQueueApplied("public.excluding");
        assertThat(stack.one(stack.destination(), "SELECT count(*) FROM hashing WHERE email = encode(sha256(convert_to("
                        + "'quite another salt' || 'new@' || id, 'UTF8')), 'hex')"))
                .as("rows hashed with the other salt")
                .contains("0");

        stack.restartFunctions(Map.of());
        stack.send(new Command.Retry(TableName.parse("public.hashing")));
        stack.awaitTrueState("public.hashing", TableState.Streaming.class::isInstance);
        requireEqual(stack);
    }

    /** What cannot be followed is refused with the reason, before a row is copied; other options then help. */
    private static void hostileOptionsFailTheirTableOnly(SluiceStack stack) throws SQLException {
        stack.onSource("CREATE TABLE hostile " + OptionWrites.COLUMNS, OptionWrites.insert("hostile", "generate_series(1, 9)"));
        add(stack, "public.hostile", columns(NO, List.of("id"), NO, Map.of()));
        assertThat(stack.awaitFailed("public.hostile").fault().reason()).contains("the key column \"id\"", "left out");

        stack.sendRaw("{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/me\",\"type\":\"dev.sluice.command.backfill\","
                + "\"data\":{\"table\":\"public.hostile\",\"options\":{\"where\":\"true) ; DROP TABLE hostile; --\"}}}");
        SluiceStack.awaitTrue("the command is rejected", SluiceStack.LONG, () -> stack.pipelineRecord().rejections().stream()
                .anyMatch(rejection -> rejection.reason().contains("«where» is not a condition to be followed")));

        var table = TableName.parse("public.hostile");
        for (String condition : List.of("n > random()", "n IN (SELECT n FROM public.hostile)", "n > 1, true")) {
            long run = stack.table("public.hostile").orElseThrow().state().run();
            stack.send(new Command.Backfill(table, Optional.of(where(condition))));
            stack.awaitTrueState("public.hostile", state -> state.run() > run
                    && state instanceof TableState.Failed failed
                    && failed.fault().reason().contains("«where»"));
        }
        assertThat(stack.one(stack.destination(), "SELECT to_regclass('public.hostile')::text")).isEmpty();

        long run = stack.table("public.hostile").orElseThrow().state().run();
        stack.send(new Command.Backfill(table, Optional.of(where("n > 3"))));
        stack.awaitTrueState("public.hostile", state -> state.run() > run
                && state instanceof TableState.Streaming);
        assertThat(stack.one(stack.destination(), "SELECT count(*)::text FROM hostile")).contains("6");
    }

    private record Config(SluiceStack stack) implements DatabaseConfig {

        @Override
        public String pipeline() {
            return stack.pipeline.name();
        }

        @Override
        public Optional<String> hashSalt() {
            return Optional.of(SALT);
        }

        @Override
        public Source source() {
            return new At(stack.sourceServer.url(stack.sourceDatabase));
        }

        @Override
        public Destination destination() {
            return new At(stack.destinationServer.url(stack.destinationDatabase));
        }
    }

    private record At(String url) implements DatabaseConfig.Source, DatabaseConfig.Destination {

        @Override
        public int connectionsMax() {
            return 2;
        }

        @Override
        public DatabaseConfig.Replica replica() {
            return Optional::empty;
        }

        @Override
        public Map<String, String> schemas() {
            return Map.of();
        }

        @Override
        public DroppedColumns droppedColumns() {
            return DroppedColumns.KEEP;
        }
    }
}
