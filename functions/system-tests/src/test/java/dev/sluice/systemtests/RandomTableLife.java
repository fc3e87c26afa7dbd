package dev.sluice.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Command;
import dev.sluice.domain.Fault;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.systemtests.RandomAlterations.Alteration;
import dev.sluice.systemtests.RandomAlterations.Reason;
import dev.sluice.systemtests.RandomChanges.Change;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.postgresql.PGConnection;

/**
 * One random table from its creation to its comparison: two transactions at a time that interleave statement by
 * statement, rows that come, change and go, and alterations in between, before, while and after it is backfilled.
 *
 * <p>It must end equal. It may fail on the way only for what was done to it and is documented as not followed, and then
 * what the fault says helps.
 */
final class RandomTableLife {

    static final String SALT = "the salt of random tables";
    private static final Duration LIMIT = Duration.ofMinutes(3);
    private static final int STEPS_MIN = 100;
    private static final int STEPS_STREAMING_MIN = 40;
    private static final int ALTERATIONS_MAX = 7;
    /** How often a table may fail for what was done to it before the test loses patience. */
    private static final int FAILURES_MAX = 12;
    private static final int TOLD_MAX = 250;
    private static final int DIFFERENCES_TOLD_MAX = 10;
    /** Rows that would be twice, without a value or without a partition; and what the other transaction has locked. */
    private static final Set<String> EXPECTED = Set.of("23505", "23502", "23514", "55P03", "40P01");

    private static final String SETTINGS = "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, MDY'; SET IntervalStyle = 'postgres'; "
            + "SET extra_float_digits = 3; SET bytea_output = 'hex'; SET xmlbinary = 'base64'; SET lc_monetary = 'C'; "
            + "SET search_path = pg_catalog";
    private static final Pattern RUN_AT_DESTINATION = Pattern.compile("run (.*?) at the destination.*");

    private final SluiceStack stack;
    private final RandomTable table;
    private final RandomChanges changes;
    private final RandomAlterations alterations;
    private final Random random;
    private final String name;
    private final List<Session> sessions = new ArrayList<>();
    private final Deque<String> told = new ArrayDeque<>();
    private final List<String> faults = new ArrayList<>();
    /** Why it may fail, for what was done to it. */
    private final Set<Reason> mayFailFor = EnumSet.noneOf(Reason.class);
    /** Whether one alteration came before another was followed: what nobody saw of the two stays so until a new backfill. */
    private boolean hurried;
    private int altered;
    private int alterationsWanted;

    RandomTableLife(SluiceStack stack, long seed) {
        this.stack = stack;
        this.table = new RandomTable(seed);
        this.changes = new RandomChanges(table);
        this.alterations = new RandomAlterations(table);
        this.random = RandomTable.of(seed, 4);
        this.name = table.name.toString();
    }

    long seed() {
        return table.seed;
    }

    /** Why it failed on the way, for what was done to it. */
    List<String> faults() {
        return List.copyOf(faults);
    }

    /** All that is known of it, for who looks into its failure. */
    String story() {
        String states = stack.history().stream()
                .filter(record -> record.table().equals(table.name))
                .map(record -> record.state().getClass().getSimpleName() + " " + record.state().run())
                .distinct()
                .collect(Collectors.joining(", "));
        return table + "\n  states: " + states + "\n  now: " + stack.table(name) + "\n  " + String.join("\n  ", told);
    }

    void live() throws Exception {
        try (Session one = new Session(); Session other = new Session()) {
            sessions.addAll(List.of(one, other));
            for (String sql : table.setup()) {
                one.alone(sql);
            }
            int rows = table.rows();
            for (int at = 0; at < rows; at += 100) {
                one.alone(((Change.Sql) changes.insert(Math.min(100, rows - at))).text());
            }
            for (int steps = random.nextInt(30); steps > 0; steps--) {
                step();
            }
            stack.send(new Command.AddTables(
                    List.of(name), Optional.of(table.options).filter(options -> !options.isNone())));
            write();
            finish();
        }
        stack.send(new Command.Remove(table.name));
        SluiceStack.awaitTrue(name + " is removed", LIMIT, () -> stack.table(name).isEmpty());
        stack.onSource("DROP TABLE " + table.name.sql());
        stack.onDestination("DROP TABLE " + table.name.sql());
    }

    private void write() throws SQLException, IOException {
        alterationsWanted = random.nextInt(ALTERATIONS_MAX + 1);
        long deadline = System.nanoTime() + LIMIT.toNanos();
        boolean again = random.nextInt(3) == 0;
        int streaming = 0;
        for (int steps = 0; steps < STEPS_MIN || streaming < STEPS_STREAMING_MIN || altered < alterationsWanted; steps++) {
            step();
            streaming += streams() ? 1 : 0;
            if (altered < alterationsWanted && random.nextInt(12) == 0) {
                alter();
            }
            if (again && streams() && random.nextInt(40) == 0) {
                again = false;
                tell("-- backfill");
                stack.send(new Command.Backfill(table.name));
            }
            recover();
            if (System.nanoTime() > deadline) {
                throw new AssertionError("does not stream within " + LIMIT);
            }
            // A pace, not a wait: as many writers as tables leave the machine to what is tested.
            LockSupport.parkNanos(steps < STEPS_MIN ? 5_000_000 : 50_000_000);
        }
        endTransactions();
    }

    private void step() throws SQLException, IOException {
        Session session = sessions.get(random.nextInt(sessions.size()));
        session.run(changes.next());
        if (random.nextInt(4) == 0) {
            session.end(random.nextInt(8) > 0);
        }
    }

    private void endTransactions() throws SQLException {
        for (Session session : sessions) {
            session.end(random.nextInt(8) > 0);
        }
    }

    /** What comes before the last alteration is followed looks like one with it, and need not be followed. */
    private void alter() throws SQLException {
        // Waiting and preparing takes long, and must not use up all of them.
        if (begins() && random.nextInt(30) > 0) {
            return;
        }
        boolean isFollowed = isFollowed();
        if (!isFollowed && random.nextInt(8) > 0) {
            return;
        }
        if (isFollowed && !table.isPartitioned() && streams()) {
            mayFailFor.clear();
        }
        endTransactions();
        Alteration alteration = alterations.next();
        altered++;
        mayFailFor.addAll(alteration.mayFailFor());
        hurried |= !isFollowed;
        if (hurried) {
            mayFailFor.addAll(alterations.together());
        }
        for (String sql : alteration.statements()) {
            sessions.getFirst().alone(sql);
        }
    }

    private Optional<TableState> state() {
        return stack.table(name).map(TableRecord::state);
    }

    private boolean streams() {
        return state().filter(TableState.Streaming.class::isInstance).isPresent();
    }

    private Optional<TableState.Failed> failed() {
        return state().filter(TableState.Failed.class::isInstance).map(TableState.Failed.class::cast);
    }

    private boolean begins() {
        return state().isEmpty()
                || state().get() instanceof TableState.Queued queued && !queued.streams()
                || state().get() instanceof TableState.Preparing;
    }

    /**
     * Whether what the ledger has of the table's definition and storage is what the source has now. As long as it has
     * nothing, the preparation finds whatever is done.
     */
    private boolean isFollowed() throws SQLException {
        String columns = "string_agg(concat_ws(' ', %s, %s, %s), ', ' ORDER BY (%s)::int)";
        String storage = table.isPartitioned() ? "''" : "%s";
        Optional<String> atSource = stack.one(stack.source(), "SELECT "
                + storage.formatted("c.oid || ':' || c.relfilenode") + " || "
                + columns.formatted("a.attnum", "a.attname", "concat_ws('/', a.xmin, a.atttypid, a.attnum)", "a.attnum")
                + " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
                + "WHERE c.oid = " + RandomKinds.quote(table.name.sql()) + "::regclass GROUP BY c.oid, c.relfilenode");
        Optional<String> inLedger = stack.one(stack.destination(), "SELECT " + storage.formatted("definition ->> 'storage'")
                + " || (SELECT " + columns.formatted("c ->> 'place'", "c ->> 'name'", "c ->> 'version'", "c ->> 'place'")
                + " FROM jsonb_array_elements(definition -> 'columns') c) FROM " + stack.pipeline.ledgerSchema()
                + ".tables WHERE table_name = " + RandomKinds.quote(name));
        return inLedger.isEmpty() || atSource.equals(inLedger);
    }

    /** Does what the fault says, if the table failed for what was done to it. */
    private void recover() throws SQLException {
        if (failed().isEmpty()) {
            return;
        }
        TableState.Failed failed = failed().get();
        Fault fault = failed.fault();
        tell("-- Failed: " + fault);
        if (fault.kind() != Fault.Kind.REFUSED || mayFailFor.stream().noneMatch(reason -> reason.isOf(fault))) {
            throw new AssertionError("failed without a cause: " + fault + ", where it might have for " + mayFailFor);
        }
        faults.add(fault.reason());
        if (faults.size() > FAILURES_MAX) {
            throw new AssertionError("fails again and again: " + faults);
        }
        Matcher atDestination = RUN_AT_DESTINATION.matcher(fault.hint());
        if (atDestination.matches()) {
            tell("-- at the destination: " + atDestination.group(1));
            stack.onDestination(atDestination.group(1));
        }
        // Where it says to add a column that the source does not have any more, copying anew is the other way out.
        boolean retries = fault.hint().contains("retry") && !fault.hint().contains("…");
        stack.send(retries ? new Command.Retry(table.name) : new Command.Backfill(table.name));
        SluiceStack.awaitTrue(name + " leaves Failed", LIMIT, () -> failed()
                .filter(now -> now.run() == failed.run() && now.fault().equals(fault))
                .isEmpty());
    }

    /** The writers have ended: what was altered last may still make it fail. */
    private void finish() throws SQLException {
        long deadline = System.nanoTime() + LIMIT.toNanos();
        List<String> differences = List.of("never compared");
        while (!differences.isEmpty()) {
            recover();
            Optional<TableState> before = state();
            if (System.nanoTime() > deadline) {
                throw new AssertionError("not equal and streaming within " + LIMIT + ": " + differences);
            }
            if (!streams() || !isFollowed() || isPending(before)) {
                LockSupport.parkNanos(50_000_000);
                continue;
            }
            awaitApplied();
            if (streams() && isFollowed() && state().equals(before)) {
                differences = differences();
                if (!differences.isEmpty() && !table.isPartitioned()) {
                    throw new AssertionError("not equal:\n    " + String.join("\n    ", differences));
                }
            }
        }
        assertThat(((TableState.Streaming) state().orElseThrow()).constraints())
                .as("what was put off until the end")
                .isInstanceOf(TableState.Constraints.Built.class);
    }

    private static boolean isPending(Optional<TableState> state) {
        return state.filter(it -> it instanceof TableState.Streaming streaming
                        && streaming.constraints() instanceof TableState.Constraints.Pending)
                .isPresent();
    }

    /** Unless it fails meanwhile. */
    private void awaitApplied() throws SQLException {
        try {
            stack.awaitQueueApplied(name);
        } catch (AssertionError e) {
            if (streams()) {
                throw e;
            }
        }
    }

    private List<String> differences() throws SQLException {
        String query = "SELECT left(row, 300) || ' ' || md5(row), count(*) FROM (SELECT ROW(%s)::text AS row FROM "
                + table.name.sql() + " WHERE %s) of_row GROUP BY 1";
        Map<String, Long> source = rows(stack.source(), query.formatted(
                table.expected(SALT), table.options.where().map(where -> "(" + where + ")").orElse("true")));
        Map<String, Long> destination =
                rows(stack.destination(), query.formatted(table.carried(), table.notMarked()));
        List<String> differences = new ArrayList<>();
        List<String> alone = new ArrayList<>();
        source.forEach((row, count) -> {
            if (!count.equals(destination.get(row))) {
                differences.add("source has " + count + ", destination " + destination.getOrDefault(row, 0L) + ": " + row);
            }
        });
        destination.forEach((row, count) -> {
            if (!source.containsKey(row)) {
                alone.add("destination alone has " + count + ": " + row);
            }
        });
        // Sorted, so that a row and what it became stand at the same place of both lists.
        return Stream.of(differences, alone)
                .flatMap(list -> list.stream().sorted().limit(DIFFERENCES_TOLD_MAX))
                .toList();
    }

    private static Map<String, Long> rows(Connection opened, String query) throws SQLException {
        Map<String, Long> rows = new HashMap<>();
        try (Connection connection = opened; Statement statement = connection.createStatement()) {
            statement.execute(SETTINGS);
            try (ResultSet result = statement.executeQuery(query)) {
                while (result.next()) {
                    rows.put(result.getString(1), result.getLong(2));
                }
            }
        }
        return rows;
    }

    private void tell(String what) {
        told.add(what.length() > 600 ? what.substring(0, 600) + " …" : what);
        if (told.size() > TOLD_MAX) {
            told.removeFirst();
        }
    }

    /** A connection that writes to the table. */
    private final class Session implements AutoCloseable {

        private final Connection connection = stack.source();
        private final Statement statement = connection.createStatement();
        private final int number = sessions.size();

        Session() throws SQLException {
            statement.execute("SET TimeZone = 'UTC'");
        }

        void run(Change change) throws SQLException, IOException {
            if (connection.getAutoCommit()) {
                connection.setAutoCommit(false);
                statement.execute("SET LOCAL lock_timeout = '50ms'");
            }
            statement.execute("SAVEPOINT before");
            try {
                switch (change) {
                    case Change.Sql sql -> execute(sql.text());
                    case Change.Copy copy -> copy(copy);
                }
            } catch (SQLException e) {
                if (!EXPECTED.contains(e.getSQLState())) {
                    throw e;
                }
                tell("-- " + e.getMessage());
                statement.execute("ROLLBACK TO before");
            }
        }

        private void copy(Change.Copy copy) throws SQLException, IOException {
            tell(number + ": COPY " + copy.into() + " FROM " + copy.select());
            var rows = new StringWriter();
            var copying = connection.unwrap(PGConnection.class).getCopyAPI();
            copying.copyOut("COPY (" + copy.select() + ") TO STDOUT", rows);
            copying.copyIn("COPY " + copy.into() + " FROM STDIN", new StringReader(rows.toString()));
        }

        void end(boolean commits) throws SQLException {
            if (!connection.getAutoCommit()) {
                tell(number + (commits ? ": COMMIT" : ": ROLLBACK"));
                if (commits) {
                    connection.commit();
                } else {
                    connection.rollback();
                }
                connection.setAutoCommit(true);
            }
        }

        void alone(String sql) throws SQLException {
            end(true);
            execute(sql);
        }

        private void execute(String sql) throws SQLException {
            tell(number + ": " + sql);
            try {
                statement.execute(sql);
            } catch (SQLException e) {
                throw new SQLException(e.getMessage() + "\n  in: " + sql, e.getSQLState(), e);
            }
        }

        @Override
        public void close() throws SQLException {
            connection.close();
        }
    }
}
