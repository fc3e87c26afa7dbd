package dev.sluice.postgres;

import dev.sluice.domain.Key;
import dev.sluice.domain.KeyOrder;
import dev.sluice.domain.KeyType;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableName;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyOut;

/**
 * Compares a table of the source with the destination's, value for value by PostgreSQL's own text. Means something
 * only while neither is written to.
 *
 * <p>Both servers send a hash of each row in the order of the key; the two streams are merged, so that no more than a
 * row of each is in memory, whatever the size of the table. Generated columns are compared too.
 *
 * <p>A table with options is compared as they have it, by the options that the ledger has: only columns and rows that are
 * carried, hashed and masked at the source as they are on the way. Rows that are marked as gone count for nothing.
 */
@Singleton
public class TableComparison {

    private static final int KEYS_TOLD_MAX = 20;
    private static final Duration LOCK_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration TRANSACTION_TIMEOUT = Duration.ofHours(1);

    private final Database source;
    private final Database destination;
    private final SchemaMapping schemas;
    private final String ledgerTables;
    private final Optional<HashSalt> salt;

    @Inject
    public TableComparison(Databases databases, SchemaMapping schemas) {
        this(databases.source(), databases.destination(), schemas, databases.pipeline(), databases.salt());
    }

    TableComparison(
            Database source,
            Database destination,
            SchemaMapping schemas,
            Pipeline pipeline,
            Optional<HashSalt> salt) {
        this.source = source;
        this.destination = destination;
        this.schemas = schemas;
        this.ledgerTables = new TableName(pipeline.ledgerSchema(), "tables").sql();
        this.salt = salt;
    }

    /**
     * What was found.
     *
     * @param differences rows that differ, or that only one side has
     * @param told the first 20 of them
     */
    public record Result(long rowsAtSource, long rowsAtDestination, long differences, List<Difference> told) {

        public Result {
            told = List.copyOf(told);
        }

        public boolean isEqual() {
            return differences == 0;
        }
    }

    public record Difference(Kind kind, Key key) {

        public enum Kind {
            ONLY_AT_SOURCE,
            ONLY_AT_DESTINATION,
            DIFFERS
        }
    }

    /**
     * Compares on a worker thread.
     *
     * @throws RefusedException (in the Uni) if a side lacks the table or one of its columns, it has no usable key, or its
     *     rows are hashed with a salt that is not here
     */
    public Uni<Result> compare(TableName sourceTable) {
        return Uni.createFrom()
                .item(() -> {
                    try {
                        return compareNow(sourceTable);
                    } catch (SQLException e) {
                        throw new IllegalStateException("cannot compare " + sourceTable + ": " + e.getMessage(), e);
                    }
                })
                .runSubscriptionOn(Infrastructure.getDefaultWorkerPool());
    }

    private Result compareNow(TableName sourceTable) throws SQLException {
        TableName target = schemas.atDestination(sourceTable);
        try (Connection there = destination.connectForCopy(LOCK_TIMEOUT, TRANSACTION_TIMEOUT)) {
            RunOptions run = run(there, sourceTable);
            Optional<HashSalt> needed = HashSalt.require(salt, run.options(), run.saltCheck());
            Map<String, String> settings = needed.map(HashSalt::settings).orElse(Map.of());
            try (Connection here = source.connectForCopy(LOCK_TIMEOUT, TRANSACTION_TIMEOUT, settings)) {
                TableDefinition definition = DefinitionQuery.read(here, sourceTable, run.options().key())
                        .map(DefinitionQuery.Reading::definition)
                        .orElseThrow(() -> new RefusedException(
                                "the source has no table " + sourceTable, "check the name"));
                TableDefinition made = DefinitionQuery.read(there, target)
                        .map(DefinitionQuery.Reading::definition)
                        .orElseThrow(() -> new RefusedException(
                                "the destination has no table " + target, "backfill it first"));
                var carried = new CarriedTable(definition, run.options(), needed);
                try (var left = new Rows(here, atSource(carried, made));
                        var right = new Rows(there, atDestination(carried, made))) {
                    return merge(left, right, order(definition));
                }
            }
        }
    }

    /** By which options the destination's rows are written. A destination without a ledger has none. */
    private RunOptions run(Connection there, TableName table) throws SQLException {
        try (var statement = there.prepareStatement("SELECT to_regclass(?) IS NOT NULL")) {
            statement.setString(1, ledgerTables);
            try (var rows = statement.executeQuery()) {
                rows.next();
                if (!rows.getBoolean(1)) {
                    return RunOptions.NONE;
                }
            }
        }
        try (var statement = there.prepareStatement(
                "SELECT options::text, salt_check FROM " + ledgerTables + " WHERE table_name = ?")) {
            statement.setString(1, table.toString());
            try (var rows = statement.executeQuery()) {
                return rows.next()
                        ? new RunOptions(OptionsText.read(rows.getString(1)), Optional.ofNullable(rows.getString(2)))
                        : RunOptions.NONE;
            }
        }
    }

    private static String atSource(CarriedTable carried, TableDefinition made) {
        Map<String, String> masked = carried.maskedTypes(made);
        return query(
                carried,
                column -> masked.containsKey(column)
                        ? "(" + carried.read(column, "t.") + ")::" + masked.get(column)
                        : carried.read(column, "t."),
                RowsOf.table(carried.source()),
                carried.condition());
    }

    private static String atDestination(CarriedTable carried, TableDefinition made) {
        return query(
                carried,
                column -> "t." + TableName.quote(column),
                RowsOf.table(made),
                carried.softDelete().map(mark -> mark.isLive("t.")).orElse("true"));
    }

    /** Where only the database knows the key's order, and without a key, that of the text does. */
    private static KeyOrder order(TableDefinition definition) {
        return TableDefinition.order(definition.key())
                .filter(order -> !definition.key().isEmpty())
                .orElseGet(() -> KeyOrder.of(
                        Collections.nCopies(Math.max(1, definition.key().size()), KeyType.TEXT)));
    }

    /**
     * One line a row: a hash of all of its values, then the key, or the hash again where there is none. What orders text
     * differs between servers, "C" not.
     */
    private static String query(CarriedTable carried, UnaryOperator<String> value, String rows, String condition) {
        TableDefinition definition = carried.source();
        String row = definition.columns().stream()
                .map(TableDefinition.Column::name)
                .filter(carried::isCarried)
                .map(value)
                .collect(Collectors.joining(", "));
        String hash = "md5(ROW(" + row + ")::text)";
        boolean byText = TableDefinition.order(definition.key()).isEmpty();
        String key = definition.keyColumns().isEmpty()
                ? hash
                : definition.keyColumns().stream()
                        .map(name -> text(name, byText))
                        .collect(Collectors.joining(", "));
        // By the alias: a bare name would be that of the text beside it.
        String order = definition.keyColumns().isEmpty()
                ? hash + " COLLATE pg_catalog.\"C\""
                : definition.key().stream()
                        .map(column -> byText || column.type().equals(Optional.of(KeyType.TEXT))
                                ? (byText ? text(column.name(), true) : "t." + TableName.quote(column.name()))
                                        + " COLLATE pg_catalog.\"C\""
                                : "t." + TableName.quote(column.name()))
                        .collect(Collectors.joining(", "));
        return "COPY (SELECT " + hash + ", " + key + " FROM " + rows + " t WHERE " + condition + " ORDER BY " + order + ") TO STDOUT";
    }

    /** A cast takes the blanks from a char(n), and what is compared as text must be told as that text. */
    private static String text(String column, boolean exact) {
        String name = "t." + TableName.quote(column);
        return exact ? "pg_catalog.format('%s', " + name + ")" : name + "::text";
    }

    private static Result merge(Rows left, Rows right, KeyOrder order) throws SQLException {
        long differences = 0;
        List<Difference> told = new ArrayList<>();
        left.next();
        right.next();
        while (left.hasRow() || right.hasRow()) {
            if (left.hasRow() && right.hasRow() && Arrays.equals(left.line, right.line)) {
                left.next();
                right.next();
                continue;
            }
            int side = !left.hasRow() ? 1 : !right.hasRow() ? -1 : order.compare(left.key(), right.key());
            differences++;
            Difference.Kind kind = side < 0
                    ? Difference.Kind.ONLY_AT_SOURCE
                    : side > 0 ? Difference.Kind.ONLY_AT_DESTINATION : Difference.Kind.DIFFERS;
            if (told.size() < KEYS_TOLD_MAX) {
                told.add(new Difference(kind, side > 0 ? right.key() : left.key()));
            }
            if (side <= 0) {
                left.next();
            }
            if (side >= 0) {
                right.next();
            }
        }
        return new Result(left.count, right.count, differences, told);
    }

    /** The lines that a server sends, one at a time. */
    private static final class Rows implements AutoCloseable {

        private final CopyOut copy;
        private byte[] line;
        private long count;

        Rows(Connection connection, String query) throws SQLException {
            copy = connection.unwrap(PGConnection.class).getCopyAPI().copyOut(query);
        }

        void next() throws SQLException {
            line = copy.readFromCopy();
            if (line != null) {
                count++;
            }
        }

        boolean hasRow() {
            return line != null;
        }

        Key key() {
            String[] fields = new String(line, 0, line.length - 1, StandardCharsets.UTF_8).split("\t", -1);
            List<String> values = new ArrayList<>();
            for (int i = 1; i < fields.length; i++) {
                values.add(unescape(fields[i]));
            }
            return new Key(values);
        }

        private static String unescape(String field) {
            if (field.indexOf('\\') < 0) {
                return field;
            }
            var text = new StringBuilder();
            for (int i = 0; i < field.length(); i++) {
                char c = field.charAt(i);
                if (c == '\\') {
                    c = field.charAt(++i);
                    int control = "bfnrtv".indexOf(c);
                    text.append(control < 0 ? c : "\b\f\n\r\t\u000b".charAt(control));
                } else {
                    text.append(c);
                }
            }
            return text.toString();
        }

        @Override
        public void close() throws SQLException {
            if (copy.isActive()) {
                copy.cancelCopy();
            }
        }
    }
}
