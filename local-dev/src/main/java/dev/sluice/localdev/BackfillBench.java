package dev.sluice.localdev;

import dev.sluice.domain.ChunkTask;
import dev.sluice.domain.Key;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.StepResult;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableState.Outcome;
import dev.sluice.postgres.ChunkCopy;
import dev.sluice.postgres.DatabaseConfig;
import dev.sluice.postgres.Databases;
import dev.sluice.postgres.DroppedColumns;
import dev.sluice.postgres.Ledger;
import dev.sluice.postgres.SchemaMapping;
import dev.sluice.postgres.SourceKeys;
import dev.sluice.postgres.SourceTables;
import dev.sluice.testing.PostgresServer;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.core.Vertx;
import java.io.IOException;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.postgresql.PGConnection;

/** Copies one table by COPY piped into COPY, and by Sluice's chunks, on the same two servers. */
public final class BackfillBench {

    private static final String DATABASE = "bench";
    private static final TableName TABLE = TableName.parse("public.pgbench_accounts");
    private static final String COLUMNS =
            "(aid integer PRIMARY KEY, bid integer, abalance integer, filler character(84))";
    private static final String COPY_OUT = "COPY pgbench_accounts TO STDOUT";
    private static final String COPY_IN = "COPY pgbench_accounts FROM STDIN";
    private static final int CHUNK_ROWS = 50_000;
    private static final int CHUNKS_AT_ONCE = 4;
    private static final int CHUNKS_PLANNED_AT_ONCE = 16;
    private static final int ROUNDS = 2;
    private static final Duration LIMIT = Duration.ofMinutes(5);
    private static final double NANOS = 1e9;

    private final PostgresServer source;
    private final PostgresServer destination;
    private final long rows;
    private final String psql;

    private BackfillBench(PostgresServer source, PostgresServer destination, long rows, String psql) {
        this.source = source;
        this.destination = destination;
        this.rows = rows;
        this.psql = psql;
    }

    /** @param arguments a folder for the servers, the number of rows, and psql's path or nothing */
    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        // The servers' own defaults, fsync included: what is compared is a whole copy that lasts.
        Map<String, String> settings = Map.of("max_wal_size", "4GB");
        try (var source = PostgresServer.start(folder.resolve("source"), 0, settings);
                var destination = PostgresServer.start(folder.resolve("destination"), 0, settings)) {
            new BackfillBench(source, destination, Long.parseLong(arguments[1]), arguments.length > 2 ? arguments[2] : "")
                    .run();
        }
        // The reactive streams' own timers would keep the process for good.
        System.exit(0);
    }

    private void run() throws Exception {
        source.createDatabase(DATABASE);
        destination.createDatabase(DATABASE);
        execute(source, "CREATE TABLE pgbench_accounts " + COLUMNS);
        execute(source, "INSERT INTO pgbench_accounts SELECT i, (i - 1) / 100000 + 1, 0, '' FROM generate_series(1, "
                + rows + ") i");
        execute(source, "VACUUM (FREEZE, ANALYZE) pgbench_accounts");
        String pipeName = psql.isEmpty() ? "JDBC COPY | JDBC COPY (no psql here)" : "psql COPY | psql COPY";
        String sluiceName = "Sluice, " + CHUNKS_AT_ONCE + " chunks at once";
        double pipe = Double.MAX_VALUE;
        double sluice = Double.MAX_VALUE;
        System.out.printf("%,d rows%n", rows);
        try (var copies = new Chunks(source, destination)) {
            for (int round = 1; round <= ROUNDS; round++) {
                pipe = Math.min(pipe, measure(pipeName, psql.isEmpty() ? this::pipeOfDriver : this::pipeOfPsql));
                int run = round;
                sluice = Math.min(sluice, measure(sluiceName, () -> copies.copyAll(run)));
            }
        }
        System.out.printf("Sluice takes %.2f times as long%n", sluice / pipe);
    }

    private interface Copy {
        void run() throws Exception;
    }

    /** @return seconds */
    private double measure(String name, Copy copy) throws Exception {
        execute(destination, "DROP TABLE IF EXISTS pgbench_accounts");
        execute(destination, "CREATE TABLE pgbench_accounts " + COLUMNS);
        execute(destination, "CHECKPOINT");
        long start = System.nanoTime();
        copy.run();
        double seconds = (System.nanoTime() - start) / NANOS;
        try (Connection connection = destination.connect(DATABASE);
                var statement = connection.createStatement();
                var count = statement.executeQuery("SELECT count(*) FROM pgbench_accounts")) {
            count.next();
            if (count.getLong(1) != rows) {
                throw new IllegalStateException(name + " copied " + count.getLong(1) + " of " + rows + " rows");
            }
        }
        System.out.printf("%-40s %8.2f s  %,12.0f rows/s%n", name, seconds, rows / seconds);
        return seconds;
    }

    private void pipeOfPsql() throws IOException, InterruptedException {
        var out = new ProcessBuilder(psql, "-X", "-q", "-c", COPY_OUT, source.url(DATABASE))
                .redirectError(ProcessBuilder.Redirect.INHERIT);
        var in = new ProcessBuilder(psql, "-X", "-q", "-c", COPY_IN, destination.url(DATABASE))
                .redirectOutput(ProcessBuilder.Redirect.INHERIT)
                .redirectError(ProcessBuilder.Redirect.INHERIT);
        for (Process process : ProcessBuilder.startPipeline(List.of(out, in))) {
            if (process.waitFor() != 0) {
                throw new IllegalStateException("psql ended with code " + process.exitValue());
            }
        }
    }

    private void pipeOfDriver() throws Exception {
        try (Connection from = source.connect(DATABASE);
                Connection to = destination.connect(DATABASE);
                var output = new PipedOutputStream();
                var input = new PipedInputStream(output, 1 << 20);
                ExecutorService reader = Executors.newSingleThreadExecutor()) {
            Future<?> read = reader.submit(() -> {
                try (output) {
                    return from.unwrap(PGConnection.class).getCopyAPI().copyOut(COPY_OUT, output);
                }
            });
            to.unwrap(PGConnection.class).getCopyAPI().copyIn(COPY_IN, input, 1 << 16);
            read.get();
        }
    }

    private static void execute(PostgresServer server, String sql) throws SQLException {
        try (Connection connection = server.connect(DATABASE);
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** What scheduler, chunk-workers and completion do with a table, without the messages between them. */
    private static final class Chunks implements AutoCloseable {

        private final Vertx vertx = Vertx.vertx();
        private final Pipeline pipeline = new Pipeline("bench");
        private final Databases databases;
        private final Ledger ledger;
        private final ChunkCopy chunkCopy;

        Chunks(PostgresServer source, PostgresServer destination) {
            databases = new Databases(config(source, destination), vertx);
            ledger = new Ledger(databases, pipeline);
            await(ledger.create());
            chunkCopy = new ChunkCopy(
                    databases, pipeline, new SchemaMapping(Map.of()), new ChunkCopy.Limits(LIMIT, LIMIT));
        }

        void copyAll(long run) throws InterruptedException, ExecutionException {
            TableDefinition definition = await(new SourceTables(databases, pipeline).inspect(TABLE));
            await(ledger.openRun(TABLE, run));
            var keys = new SourceKeys(databases);
            StepResult.Bounded bounded = await(keys.bounds(definition, false));
            Key highest = bounded.highest().orElseThrow();
            try (ExecutorService workers = Executors.newFixedThreadPool(CHUNKS_AT_ONCE)) {
                List<Future<ChunkCopy.Answer>> answers = new ArrayList<>();
                Optional<Key> after = Optional.empty();
                boolean complete = false;
                while (!complete) {
                    var planned = await(keys.plan(definition, after, highest, CHUNKS_PLANNED_AT_ONCE, CHUNK_ROWS));
                    for (Key boundary : planned.boundaries()) {
                        KeyRange range = new KeyRange(after, Optional.of(boundary));
                        answers.add(submit(workers, task(definition, run, answers.size(), range, bounded, false)));
                        after = Optional.of(boundary);
                    }
                    complete = planned.complete();
                }
                KeyRange above = new KeyRange(after, Optional.empty());
                answers.add(submit(workers, task(definition, run, answers.size(), above, bounded, true)));
                for (Future<ChunkCopy.Answer> answer : answers) {
                    if (answer.get() instanceof ChunkCopy.Answer.Failed failed) {
                        throw new IllegalStateException(failed.fault().reason());
                    }
                }
                await(ledger.closeRun(TABLE, run, Outcome.COPIED, answers.size()));
            }
        }

        private Future<ChunkCopy.Answer> submit(ExecutorService workers, ChunkTask task) {
            Callable<ChunkCopy.Answer> copy = () -> chunkCopy.copy(task);
            return workers.submit(copy);
        }

        private static ChunkTask task(
                TableDefinition definition,
                long run,
                int chunk,
                KeyRange range,
                StepResult.Bounded bounded,
                boolean aboveHighest) {
            return new ChunkTask(
                    TABLE,
                    run,
                    chunk,
                    1,
                    range,
                    definition.fingerprint(),
                    bounded.primary(),
                    aboveHighest ? Optional.of(bounded.snapshot()) : Optional.empty());
        }

        private static <T> T await(Uni<T> work) {
            return work.await().atMost(LIMIT);
        }

        @Override
        public void close() {
            databases.source().close();
            databases.destination().close();
            vertx.closeAndAwait();
        }

        private static DatabaseConfig config(PostgresServer source, PostgresServer destination) {
            return new DatabaseConfig() {
                @Override
                public String pipeline() {
                    return "bench";
                }

                @Override
                public Optional<String> hashSalt() {
                    return Optional.empty();
                }

                @Override
                public Source source() {
                    return new Source() {
                        @Override
                        public String url() {
                            return source.url(DATABASE);
                        }

                        @Override
                        public int connectionsMax() {
                            return 2;
                        }

                        @Override
                        public Replica replica() {
                            return Optional::empty;
                        }
                    };
                }

                @Override
                public Destination destination() {
                    return new Destination() {
                        @Override
                        public String url() {
                            return destination.url(DATABASE);
                        }

                        @Override
                        public int connectionsMax() {
                            return 2;
                        }

                        @Override
                        public Map<String, String> schemas() {
                            return Map.of();
                        }

                        @Override
                        public DroppedColumns droppedColumns() {
                            return DroppedColumns.KEEP;
                        }
                    };
                }
            };
        }
    }
}
