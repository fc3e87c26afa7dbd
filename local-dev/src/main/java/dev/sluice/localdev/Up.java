package dev.sluice.localdev;

import dev.sluice.domain.Lsn;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.TableName;
import dev.sluice.testing.ServerException;
import dev.sluice.testing.Shop;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Starts everything, shows what happens, and stays until it is ended or, with {@code --once}, until the demo tables
 * are compared. What it started ends with this JVM.
 */
public final class Up {

    private static final DateTimeFormatter CLOCK = DateTimeFormatter.ofPattern("HH:mm:ss");
    private static final Pipeline PIPELINE = new Pipeline("sluice");
    private static final Duration LOOK_INTERVAL = Duration.ofMillis(200);
    private static final Duration DRAW_INTERVAL_TERMINAL = Duration.ofSeconds(1);
    private static final Duration DRAW_INTERVAL_PLAIN = Duration.ofSeconds(5);
    /** Without a terminal, once nothing happens any more: the log of a machine that runs for days. */
    private static final Duration DRAW_INTERVAL_SETTLED = Duration.ofMinutes(1);
    private static final Duration EQUAL_LIMIT = Duration.ofMinutes(1);
    private static final Duration COMPARE_PAUSE = Duration.ofSeconds(2);
    private static final int LOG_LINES_QUOTED = 20;

    private final Path data;
    private final Options options;
    private final Ports ports;
    private final Display display;
    private final Instant startedAt = Instant.now();
    private final TableProgress progress = new TableProgress();
    private final Set<Part> restarting = ConcurrentHashMap.newKeySet();
    private final Set<Part> dead = EnumSet.noneOf(Part.class);
    private final ExecutorService restarts = Executors.newSingleThreadExecutor(
            work -> Thread.ofPlatform().daemon().name("restarts").unstarted(work));
    private Installation installation;
    private RestartRequests requests;
    private TableStates states;
    private Optional<Demo> demo = Optional.empty();
    private Instant drawnAt = Instant.EPOCH;

    private Up(Path data, Options options, Ports ports, Display display) {
        this.data = data;
        this.options = options;
        this.ports = ports;
        this.display = display;
    }

    /**
     * Called by the script {@code local-dev/up}, which has made sure that it is the only one on the data folder.
     *
     * @param arguments the data folder, the size of the terminal as {@code lines columns} or nothing, and the options
     */
    public static void main(String[] arguments) {
        Path data = Path.of(arguments[0]);
        var display = new Display(System.out, System.err, Display.Size.parse(arguments[1]));
        System.exit(run(data, display, List.of(arguments).subList(2, arguments.length)));
    }

    private static int run(Path data, Display display, List<String> arguments) {
        try {
            Options options = Options.parse(arguments.toArray(String[]::new));
            // What an up left that was killed may still listen on the ports.
            Installation.cleanUp(data);
            var up = new Up(data, options, Ports.of(System.getenv()), display);
            up.start();
            return options.once() ? up.once() : up.stay();
        } catch (UsageException e) {
            display.fail(e.getMessage());
            return 2;
        } catch (UncheckedIOException e) {
            display.fail(e.getMessage() + ": " + e.getCause().getMessage());
            return 1;
        } catch (ServerException | IllegalStateException e) {
            display.fail(e.getMessage());
            return 1;
        } catch (InterruptedException e) {
            return 1;
        }
    }

    private void start() {
        Runtime.getRuntime().addShutdownHook(new Thread(this::end, "end"));
        say("Starting two PostgreSQL servers and Kafka");
        installation = Installation.start(data, ports, PIPELINE);
        if (!options.empty()) {
            say("Making the demo tables, " + Numbers.count(options.rows()) + " rows in the largest");
            demo = Optional.of(Demo.create(installation.source(), options.rows()));
            demo.get().startWriting();
        }
        say("Starting Debezium Server");
        installation.startCapture();
        say("Starting the functions");
        installation.startFunctions(demo.isPresent() ? Map.of("sluice.source.tables", Shop.PATTERN) : Map.of());
        states = TableStates.follow(PIPELINE, installation.bootstrapServers());
        requests = RestartRequests.open(data);
        installation.writeEnvironment();
        say("All runs, after " + Numbers.time(Duration.between(startedAt, Instant.now())));
        howToReachIt().forEach(display::say);
    }

    private void end() {
        display.close("Ending all that was started …");
        Installation.endInHaste(data);
    }

    private List<String> howToReachIt() {
        List<String> lines = new ArrayList<>(List.of(
                "",
                "  overview      " + installation.consoleUrl(),
                "  source        " + installation.sourceUrl(),
                "  destination   " + installation.destinationUrl(),
                "  Kafka         " + installation.bootstrapServers() + ", commands go to "
                        + PIPELINE.commandsAndEventsTopic(),
                "  data and logs " + data,
                ""));
        if (!options.once()) {
            lines.add("Try next, in another terminal:");
            lines.add("  eval \"$(local-dev/env)\"                  sets SOURCE_URL, DESTINATION_URL, FUNCTIONS_PID, …");
            lines.add("  functions/cli/bin/sluice --url \"$CONSOLE_URL\" watch");
            if (demo.isPresent()) {
                lines.add("  psql \"$DESTINATION_URL\" -c 'SELECT * FROM shop.orders ORDER BY placed DESC LIMIT 5'");
            } else {
                lines.add("  psql \"$SOURCE_URL\"                       make tables with a primary key, then add them on the page");
            }
            lines.add("  kill -9 \"$FUNCTIONS_PID\"                  the tables stand still, the queues fill");
            lines.add("  local-dev/restart functions              and they go on where they were");
            lines.add("Ctrl-C ends all of it.");
            lines.add("");
        }
        return lines;
    }

    private int stay() throws InterruptedException {
        while (true) {
            look();
            draw();
            Thread.sleep(LOOK_INTERVAL);
        }
    }

    private int once() throws InterruptedException {
        var run = new OnceRun(Shop.TABLES);
        while (true) {
            look();
            draw();
            switch (run.streaming(states.tables(), states.rejections(), installation.dead(), Instant.now())) {
                case OnceRun.Verdict.Wait wait -> Thread.sleep(LOOK_INTERVAL);
                case OnceRun.Verdict.GiveUp giveUp -> {
                    return giveUp(giveUp);
                }
                case OnceRun.Verdict.Done done -> {
                    drawNow();
                    say("All " + Shop.TABLES.size() + " tables stream. Stopping the live writer");
                    return afterTheWriter();
                }
            }
        }
    }

    private int afterTheWriter() throws InterruptedException {
        try {
            var counts = demo.orElseThrow().writer().stop();
            say("The live writer has stopped after " + Numbers.count(counts.committed())
                    + " transactions. Waiting for the queues to empty");
        } catch (IllegalStateException e) {
            display.fail(e.getMessage());
            return 1;
        }
        var run = new OnceRun(Shop.TABLES);
        Optional<Lsn> committed = Optional.empty();
        while (true) {
            look();
            draw();
            committed = committed.or(() -> lsn("SELECT pg_current_wal_insert_lsn()"));
            OnceRun.Verdict verdict = committed.isEmpty()
                    ? new OnceRun.Verdict.Wait()
                    : run.queuesEmpty(states.tables(), committed.get(), lsn("SELECT confirmed_flush_lsn FROM "
                            + "pg_replication_slots WHERE slot_name = '" + PIPELINE.slot() + "'"), installation.dead(),
                            Instant.now());
            switch (verdict) {
                case OnceRun.Verdict.Wait wait -> Thread.sleep(LOOK_INTERVAL);
                case OnceRun.Verdict.GiveUp giveUp -> {
                    return giveUp(giveUp);
                }
                case OnceRun.Verdict.Done done -> {
                    drawNow();
                    return compare();
                }
            }
        }
    }

    /** Empty while the source does not answer. */
    private Optional<Lsn> lsn(String query) {
        try (Connection connection = installation.source().connect(Installation.DATABASE);
                var statement = connection.createStatement();
                var rows = statement.executeQuery(query)) {
            return rows.next() ? Optional.ofNullable(rows.getString(1)).map(Lsn::parse) : Optional.empty();
        } catch (SQLException e) {
            return Optional.empty();
        }
    }

    /** The queue's length in the state is some moments old, so what differs is compared again for a while. */
    private int compare() throws InterruptedException {
        say("Comparing source and destination, value for value");
        List<ComparedTable> compared = new ArrayList<>();
        try (var comparison = new Comparison(PIPELINE, installation.sourceUrl(), installation.destinationUrl())) {
            Instant giveUpAt = Instant.now().plus(EQUAL_LIMIT);
            for (TableName table : Shop.TABLES) {
                ComparedTable result = comparison.compare(table);
                while (!result.isEqual() && Instant.now().isBefore(giveUpAt)) {
                    Thread.sleep(COMPARE_PAUSE);
                    result = comparison.compare(table);
                }
                compared.add(result);
            }
        } catch (RuntimeException e) {
            display.fail("the comparison failed: " + e.getMessage());
            return 1;
        }
        display.say("");
        ComparedTable.lines(compared).forEach(display::say);
        boolean allEqual = compared.stream().allMatch(ComparedTable::isEqual);
        if (!allEqual) {
            display.fail("source and destination differ; they stood still for " + Numbers.time(EQUAL_LIMIT));
            return 1;
        }
        display.say("Done after " + Numbers.time(Duration.between(startedAt, Instant.now())) + ".");
        return 0;
    }

    private int giveUp(OnceRun.Verdict.GiveUp giveUp) {
        drawNow();
        String quoted = giveUp.culprit()
                .map(installation::logFile)
                .map(log -> "\nThe end of " + log + ":\n" + String.join("\n", lastLines(log)))
                .orElse("");
        display.fail(giveUp.reason() + quoted);
        return 1;
    }

    private static List<String> lastLines(Path log) {
        try (var lines = Files.lines(log)) {
            List<String> last = new ArrayList<>();
            lines.forEach(line -> {
                last.add(line);
                if (last.size() > LOG_LINES_QUOTED) {
                    last.remove(0);
                }
            });
            return last;
        } catch (IOException | UncheckedIOException e) {
            return List.of("it cannot be read: " + e.getMessage());
        }
    }

    /** Notices what died or came back, and does what was asked for. */
    private void look() {
        for (Part part : Part.values()) {
            if (restarting.contains(part)) {
                continue;
            }
            boolean alive = installation.pid(part).isPresent();
            if (!alive && dead.add(part)) {
                say(part + " is dead: local-dev/restart " + part + " brings it back. Its log: "
                        + installation.logFile(part));
                installation.writeEnvironment();
            } else if (alive && dead.remove(part)) {
                installation.writeEnvironment();
            }
        }
        requests.take().forEach(request -> Part.named(request.text()).ifPresentOrElse(
                part -> restart(part, request),
                () -> requests.answer(request, false, "there is no part «" + request.text() + "»")));
    }

    private void restart(Part part, RestartRequests.Request request) {
        restarting.add(part);
        say("Restarting " + part);
        restarts.execute(() -> {
            boolean done = false;
            String text;
            Instant began = Instant.now();
            try {
                installation.restart(part);
                done = true;
                text = part + " runs again, pid " + installation.pid(part).orElse(0) + ", after "
                        + Numbers.time(Duration.between(began, Instant.now()));
            } catch (RuntimeException e) {
                text = e.getMessage();
            }
            restarting.remove(part);
            installation.writeEnvironment();
            say(text);
            requests.answer(request, done, text);
        });
    }

    private void draw() {
        Duration interval = display.isTerminal()
                ? DRAW_INTERVAL_TERMINAL
                : isSettled() ? DRAW_INTERVAL_SETTLED : DRAW_INTERVAL_PLAIN;
        if (Duration.between(drawnAt, Instant.now()).compareTo(interval) >= 0) {
            drawNow();
        }
    }

    private boolean isSettled() {
        return dead.isEmpty() && !states.tables().isEmpty() && states.tables().stream()
                .allMatch(TableProgress::isStreamingWell);
    }

    private void drawNow() {
        Instant now = Instant.now();
        drawnAt = now;
        List<String> lines = new ArrayList<>();
        if (!display.isTerminal()) {
            lines.add("");
        }
        lines.add("Up for " + Numbers.time(Duration.between(startedAt, now)) + demo.map(it -> "; " + it.line(now)).orElse(""));
        List<String> parts = new ArrayList<>();
        for (Part part : Part.values()) {
            OptionalLong pid = installation.pid(part);
            parts.add(part + " " + (restarting.contains(part) ? "restarting" : pid.isPresent() ? "up" : "DEAD"));
        }
        lines.add(String.join(", ", parts));
        if (states.tables().isEmpty()) {
            lines.add("No tables yet");
        } else {
            lines.addAll(progress.lines(states.tables(), now));
        }
        for (PipelineRecord.Rejection rejection : states.rejections()) {
            lines.add("rejected: " + rejection.what() + ": " + rejection.reason());
        }
        states.trouble().ifPresent(lines::add);
        display.show(lines);
    }

    private void say(String text) {
        display.say(CLOCK.format(LocalTime.now()) + "  " + text);
    }
}
