package dev.sluice.testing;

import dev.sluice.domain.Pipeline;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Debezium Server as {@code debezium-server/} of this repository builds and configures it: change capture of one
 * pipeline.
 *
 * <p>It has no data of its own: its position stands in Kafka. A module whose tests use it names
 * {@code sluice-debezium-server} as a dependency of scope {@code provided}, with type {@code pom} or all its
 * dependencies excluded, so that Maven builds that first.
 */
public final class DebeziumServer implements Server {

    private static final Duration PREPARE_LIMIT = Duration.ofMinutes(2);
    private static final Duration READY_LIMIT = Duration.ofMinutes(2);

    private final ServerProcess process;
    private final Settings settings;
    private Instant startedAt;

    private DebeziumServer(Path folder, Settings settings) {
        this.process = new ServerProcess("Debezium Server of pipeline " + settings.pipeline(), folder, "TERM");
        this.settings = settings;
    }

    /**
     * What one capture is told.
     *
     * @param source whose changes are captured, as user {@code postgres}
     * @param database of the source
     * @param bootstrapServers of the Kafka that queues them
     * @param httpPort of {@code /q/health}; 0 for none
     * @param properties of {@code conf/application.properties}, by full name; they win over the file
     */
    public record Settings(Pipeline pipeline, PostgresServer source, String database, String bootstrapServers,
            int httpPort, Map<String, String> properties) {

        public Settings {
            properties = Map.copyOf(properties);
        }

        /** Without HTTP and with the file's properties. */
        public Settings(Pipeline pipeline, PostgresServer source, String database, String bootstrapServers) {
            this(pipeline, source, database, bootstrapServers, 0, Map.of());
        }
    }

    /**
     * Makes slot, publication and topics where they are missing, starts capture, and returns when the slot is active.
     *
     * @param folder for log and pid file; may exist or not
     * @throws ServerException if the prepare step refuses, the HTTP port is taken, or the slot is not active within
     *         two minutes; the message ends with the last log lines
     */
    public static DebeziumServer start(Path folder, Settings settings) {
        Servers.endLeftover(folder);
        if (settings.httpPort() != 0) {
            Servers.portOrFree(settings.httpPort(), "/q/health of Debezium Server in " + folder);
        }
        var server = new DebeziumServer(folder, settings);
        server.launch();
        return server;
    }

    private void launch() {
        Path runtime = Repository.built("debezium-server/target/debezium-server", "debezium-server");
        // The runner first: it holds changed copies of classes that are also in lib.
        String classPath = runtime.resolve("runner.jar") + ":" + runtime.resolve("lib") + "/*";
        Map<String, String> environment = environment();
        process.runToEnd(List.of(Java.program(), "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                "-Djava.util.logging.manager=org.jboss.logmanager.LogManager", "-cp", classPath,
                "dev.sluice.debezium.Prepare"), process.folder(), environment, PREPARE_LIMIT);
        List<String> command = new ArrayList<>(List.of(Java.program(), "-Xmx768m", "-Duser.timezone=UTC",
                "--add-opens=java.base/java.lang=ALL-UNNAMED", "--enable-native-access=ALL-UNNAMED",
                "-Dquarkus.config.locations=" + runtime.resolve("conf/application.properties").toUri()));
        settings.properties().forEach((name, value) -> command.add("-D" + name + "=" + value));
        command.addAll(List.of("-cp", classPath, "io.debezium.server.Main"));
        startedAt = Instant.now();
        process.start(command, process.folder(), environment);
        process.awaitReady(READY_LIMIT, this::isCapturing);
    }

    private Map<String, String> environment() {
        Map<String, String> environment = new HashMap<>();
        environment.put("SLUICE_PIPELINE", settings.pipeline().name());
        environment.put("SLUICE_SOURCE_HOST", settings.source().host());
        environment.put("SLUICE_SOURCE_PORT", Integer.toString(settings.source().port()));
        environment.put("SLUICE_SOURCE_DATABASE", settings.database());
        environment.put("SLUICE_SOURCE_USER", PostgresServer.USER);
        environment.put("SLUICE_KAFKA_BOOTSTRAP_SERVERS", settings.bootstrapServers());
        environment.put("SLUICE_CAPTURE_HTTP_HOST", "127.0.0.1");
        environment.put("SLUICE_CAPTURE_HTTP_PORT", Integer.toString(settings.httpPort()));
        return environment;
    }

    /** If this process, and not one that was just killed, streams from the slot now. */
    public boolean isCapturing() {
        if (!isAlive()) {
            return false;
        }
        try (Connection connection = settings.source().connect(settings.database());
                var query = connection.prepareStatement(
                        "SELECT r.backend_start >= ? FROM pg_replication_slots s "
                                + "JOIN pg_stat_replication r ON r.pid = s.active_pid WHERE s.slot_name = ?")) {
            query.setObject(1, startedAt.atOffset(ZoneOffset.UTC));
            query.setString(2, settings.pipeline().slot());
            try (var rows = query.executeQuery()) {
                return rows.next() && rows.getBoolean(1);
            }
        } catch (SQLException e) {
            return false;
        }
    }

    public Pipeline pipeline() {
        return settings.pipeline();
    }

    @Override
    public Path folder() {
        return process.folder();
    }

    @Override
    public Path logFile() {
        return process.logFile();
    }

    @Override
    public long pid() {
        return process.pid();
    }

    @Override
    public boolean isAlive() {
        return process.isAlive();
    }

    @Override
    public void kill() {
        process.kill();
    }

    @Override
    public void stop() {
        process.stop();
    }

    @Override
    public void restart() {
        stop();
        launch();
    }
}
