package dev.sluice.localdev;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.Pipeline;
import dev.sluice.domain.Step;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableState;
import dev.sluice.domain.Verification;
import dev.sluice.localdev.UpProcess.Outcome;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;

/** A user's own tables: what {@code local-dev/up --empty}, {@code local-dev/env} and the page of commands promise. */
class UpEmptyIT {

    private static final Duration LIMIT = Duration.ofMinutes(3);
    private static final Path PAGE = Path.of("../functions/docs/commands.md");
    private static final TableName TABLE = TableName.parse("public.orders");
    private static final String COMMAND = "\"dev.sluice.command.";

    @Test
    void everyExampleOfThePageOfCommandsWorksAsItStandsThere() throws Exception {
        List<String> blocks = Pattern.compile("(?ms)^```bash\\n(.*?)^```$")
                .matcher(Files.readString(PAGE))
                .results()
                .map(block -> block.group(1))
                .toList();
        assertThat(blocks).as("examples in %s: Kafka's jars, its console producer, kcat", PAGE).hasSize(3);
        String preparation = blocks.get(0)
                + blocks.get(1).lines().filter(line -> !line.contains(COMMAND)).collect(Collectors.joining("\n"));
        List<String> examples = blocks.get(1).lines().filter(line -> line.contains(COMMAND)).toList();
        assertThat(examples).as("one for each command, another for cancel, two with options, and a part").hasSize(17);

        try (var up = UpProcess.start("up-empty", "--empty")) {
            awaitTrue("all runs", () -> isSaid(up, "All runs"));
            Map<String, String> environment = environment(up);
            TableStates states = TableStates.follow(new Pipeline("sluice"), environment.get("KAFKA_BOOTSTRAP_SERVERS"));
            var commands = new Object() {
                void run(String... marks) throws Exception {
                    String example = examples.stream()
                            .filter(line -> List.of(marks).stream().allMatch(line::contains))
                            .findFirst()
                            .orElseThrow(() -> new AssertionError("no example with " + List.of(marks)));
                    Outcome outcome = up.shell(preparation + "\n" + example);
                    assertThat(outcome.exitCode()).as("%s\n%s", example, outcome.printed()).isZero();
                }
            };
            try (states; Connection source = connect(environment.get("SOURCE_URL"));
                    Connection older = connect(environment.get("SOURCE_URL"))) {
                assertThat(states.tables()).as("tables of a pipeline that is empty").isEmpty();
                execute(source, "CREATE TABLE public.orders (id int PRIMARY KEY, note text, phone text, amount int)");
                execute(source, "INSERT INTO public.orders SELECT g, 'note ' || g, '+41', g % 2 FROM generate_series(1, 1000) g");

                commands.run("add-tables");
                long first = await(states, TableState.Streaming.class::isInstance).run();

                // While this one is open, a backfill does not get past its barrier: there is something to cancel.
                older.setAutoCommit(false);
                execute(older, "INSERT INTO public.orders VALUES (1001, 'late', '+41', 1)");
                commands.run("backfill");
                await(states, state -> waits(state) && state.run() > first);
                commands.run("cancel", "\"table\":\"public.orders\"}}");
                await(states, state -> state instanceof TableState.Streaming && state.run() > first);
                commands.run("remove");
                awaitTrue("the table is forgotten", () -> states.table(TABLE).isEmpty());

                try (Connection destination = connect(environment.get("DESTINATION_URL"))) {
                    execute(destination, "DROP TABLE public.orders");
                }
                commands.run("add-tables", "\"options\"");
                await(states, UpEmptyIT::waits);
                commands.run("cancel", "\"dropQueue\":true");
                await(states, state -> state instanceof TableState.Cancelled cancelled && !cancelled.queueing());
                commands.run("retry");
                older.commit();
                long retried = await(states, TableState.Streaming.class::isInstance).run();

                sendAsKcatDoes(blocks.get(2), environment);
                await(states, state -> state instanceof TableState.Streaming && state.run() > retried);
                awaitTrue("the rows are there", () -> count(environment.get("DESTINATION_URL")) == 1001);
                long copied = states.table(TABLE).orElseThrow().state().run();
                commands.run("backfill", "\"options\"");
                await(states, state -> state instanceof TableState.Streaming && state.run() > copied);
                awaitTrue("the rows with an amount are there", () -> count(environment.get("DESTINATION_URL")) == 501);

                commands.run(".verify");
                awaitTrue("it is compared", () -> states.table(TABLE).orElseThrow().verification()
                        .filter(it -> it.stage() instanceof Verification.Compared done && done.findings().isEqual())
                        .isPresent());
                commands.run(".pause\"");
                awaitTrue("it rests, and the page's author asked", () -> states.table(TABLE).orElseThrow().pause()
                        .filter(pause -> pause.by().equals(Optional.of("ann")))
                        .isPresent());
                commands.run(".resume\"");
                awaitTrue("it goes on", () -> states.table(TABLE).orElseThrow().pause().isEmpty());
                commands.run("pause-pipeline");
                commands.run("backfill", "\"options\"");
                await(states, TableState.Queued.class::isInstance);
                commands.run("to-front");
                long waited = states.table(TABLE).orElseThrow().state().run();
                commands.run("resume-pipeline");
                await(states, state -> state instanceof TableState.Streaming && state.run() == waited);
                commands.run("\"keys\"");
                await(states, state -> state instanceof TableState.Streaming && state.run() > waited);
                commands.run("change-settings");
                awaitTrue("the settings hold", () -> states.settings().chunkRows().equals(Optional.of(20_000)));
                assertThat(states.rejections()).as("commands that could not be followed").isEmpty();
                commands.run("cancel-verification");
                awaitTrue("there is nothing to cancel", () -> states.rejections().stream()
                        .anyMatch(rejection -> rejection.reason().equals("it is not being compared")));
            }
            up.close();
            for (Part part : Part.values()) {
                assertThat(up.hasEnded(part)).as("%s ended with local-dev/up", part).isTrue();
            }
            Outcome afterwards = up.shell("local-dev/env");
            assertThat(afterwards.exitCode()).isNotZero();
            assertThat(afterwards.printed()).contains("does not run").hasLineCount(1);
        }
    }

    /** What {@code local-dev/env} says, which has to be true. */
    private static Map<String, String> environment(UpProcess up) throws Exception {
        Outcome printed = up.shell("local-dev/env");
        assertThat(printed.exitCode()).as(printed.printed()).isZero();
        Map<String, String> environment = printed.printed().lines().collect(Collectors.toMap(
                line -> line.substring(0, line.indexOf('=')),
                line -> line.substring(line.indexOf('=') + 2, line.length() - 1)));
        assertThat(environment).containsOnlyKeys(
                "SOURCE_URL", "DESTINATION_URL", "KAFKA_BOOTSTRAP_SERVERS", "COMMAND_TOPIC", "CONSOLE_URL",
                "FUNCTIONS_PID", "DEBEZIUM_PID", "KAFKA_PID", "SOURCE_PID", "DESTINATION_PID");
        assertThat(environment.get("COMMAND_TOPIC")).isEqualTo("sluice.commands-and-events");
        for (Part part : Part.values()) {
            assertThat(ProcessHandle.of(Long.parseLong(environment.get(part.pidVariable()))))
                    .as("the process of %s", part)
                    .isPresent();
        }
        return environment;
    }

    private static boolean waits(TableState state) {
        return state instanceof TableState.Preparing preparing && preparing.step() == Step.BARRIER;
    }

    /** kcat is on few machines: its headers and its input, as the example has them. */
    private static void sendAsKcatDoes(String example, Map<String, String> environment) throws Exception {
        String value = Pattern.compile("^echo '(.*)' \\| kcat -P ").matcher(example).results().findFirst().orElseThrow().group(1);
        List<MatchResult> headers = Pattern.compile("-H (\\S+?)=(\\S+)").matcher(example).results().toList();
        assertThat(headers).as("headers of %s", example).hasSize(4);
        var record = new ProducerRecord<byte[], byte[]>(environment.get("COMMAND_TOPIC"), bytes(value));
        headers.forEach(header -> record.headers().add(header.group(1), bytes(header.group(2))));
        try (var producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", environment.get("KAFKA_BOOTSTRAP_SERVERS")),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            producer.send(record).get(30, TimeUnit.SECONDS);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static TableState await(TableStates states, Predicate<TableState> condition) {
        awaitTrue("a state of the table; it is " + states.table(TABLE), () -> states.table(TABLE)
                .filter(table -> condition.test(table.state()))
                .isPresent());
        return states.table(TABLE).orElseThrow().state();
    }

    private static void awaitTrue(String what, BooleanSupplier condition) {
        Instant deadline = Instant.now().plus(LIMIT);
        while (!condition.getAsBoolean()) {
            assertThat(Instant.now()).as("waiting until %s", what).isBefore(deadline);
            LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
        }
    }

    private static boolean isSaid(UpProcess up, String text) {
        try {
            String printed = up.printed();
            assertThat(up.process().isAlive()).as("local-dev/up --empty stays up:\n%s", printed).isTrue();
            return printed.contains(text);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static long count(String url) {
        try (Connection connection = connect(url);
                var statement = connection.createStatement();
                var rows = statement.executeQuery("SELECT count(*) FROM public.orders")) {
            rows.next();
            return rows.getLong(1);
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    /** By a libpq URL, as psql takes it. */
    private static Connection connect(String url) throws SQLException {
        URI parts = URI.create(url);
        return DriverManager.getConnection(
                "jdbc:postgresql://" + parts.getHost() + ":" + parts.getPort() + parts.getPath(), parts.getUserInfo(), "");
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
