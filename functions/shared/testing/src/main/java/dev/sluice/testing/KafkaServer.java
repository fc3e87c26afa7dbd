package dev.sluice.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;

/** A Kafka broker of its own: one node that is its own controller, on 127.0.0.1, with a heap of 512 MiB. */
public final class KafkaServer implements Server {

    private static final String HOST = "127.0.0.1";
    private static final Duration FORMAT_LIMIT = Duration.ofMinutes(1);
    private static final Duration READY_LIMIT = Duration.ofMinutes(2);
    private static final String CLUSTER_ID = "c2x1aWNlLXRlc3RpbmcwMA";

    private final ServerProcess process;
    private final Path data;
    private final int port;
    private final Map<String, String> settings;

    private KafkaServer(Path folder, int port, Map<String, String> settings) {
        this.process = new ServerProcess("Kafka in " + folder, folder, "TERM");
        this.data = process.folder().resolve("data");
        this.port = port;
        this.settings = settings;
    }

    /**
     * Starts a broker with its data in {@code folder/data}, which is made at the first start, and returns when it
     * answers. A broker that a dead JVM left there is ended first.
     *
     * @param folder may exist or not
     * @param port 0 for any free one
     * @param settings of server.properties; they win over the defaults of this class
     * @throws ServerException if the port is taken or the broker does not get ready within two minutes
     */
    public static KafkaServer start(Path folder, int port, Map<String, String> settings) {
        Servers.endLeftover(folder);
        int ownPort = Servers.portOrFree(port, "Kafka with its data in " + folder);
        var server = new KafkaServer(folder, ownPort, Map.copyOf(settings));
        server.launch();
        return server;
    }

    private void launch() {
        Path configuration = writeConfiguration();
        List<String> java = new ArrayList<>(List.of(Java.program(), "-Xms128m", "-Xmx512m",
                "-Dlog4j2.configurationFile=" + process.folder().resolve("log4j2.properties"),
                "-cp", Repository.built("functions/shared/testing/target/kafka-server", "functions/shared/testing")
                        + "/*"));
        if (!Files.exists(data.resolve("meta.properties"))) {
            List<String> format = new ArrayList<>(java);
            format.addAll(List.of("kafka.tools.StorageTool", "format", "--cluster-id", CLUSTER_ID, "--config",
                    configuration.toString(), "--ignore-formatted"));
            process.runToEnd(format, process.folder(), Map.of(), FORMAT_LIMIT);
        }
        List<String> run = new ArrayList<>(java);
        run.addAll(List.of("kafka.Kafka", configuration.toString()));
        process.start(run, process.folder(), Map.of());
        process.awaitReady(READY_LIMIT, this::answers);
    }

    private Path writeConfiguration() {
        // The quorum is named here and not stored with the data, so a new port at every start does no harm.
        int controllerPort = Servers.freePort();
        Map<String, String> all = new LinkedHashMap<>();
        all.put("process.roles", "broker,controller");
        all.put("node.id", "1");
        all.put("controller.quorum.voters", "1@" + HOST + ":" + controllerPort);
        all.put("listeners", "PLAINTEXT://" + HOST + ":" + port + ",CONTROLLER://" + HOST + ":" + controllerPort);
        all.put("advertised.listeners", "PLAINTEXT://" + HOST + ":" + port);
        all.put("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT");
        all.put("controller.listener.names", "CONTROLLER");
        all.put("log.dirs", data.toString());
        // Who needs a topic creates it, with the settings it needs.
        all.put("auto.create.topics.enable", "false");
        // A topic's own settings say how long it keeps its records.
        all.put("log.retention.ms", "-1");
        // Rows of tens of megabytes pass.
        all.put("message.max.bytes", "67108864");
        all.put("replica.fetch.max.bytes", "67108864");
        all.put("offsets.topic.replication.factor", "1");
        all.put("offsets.topic.num.partitions", "4");
        all.put("transaction.state.log.replication.factor", "1");
        all.put("transaction.state.log.min.isr", "1");
        all.put("transaction.state.log.num.partitions", "4");
        all.put("share.coordinator.state.topic.replication.factor", "1");
        all.put("share.coordinator.state.topic.min.isr", "1");
        // A group of one does not wait for others, and a killed member is replaced soon.
        all.put("group.initial.rebalance.delay.ms", "0");
        all.put("group.min.session.timeout.ms", "1000");
        // The default is a quarter of the heap.
        all.put("log.cleaner.dedupe.buffer.size", "16777216");
        all.putAll(settings);
        var text = new StringBuilder();
        all.forEach((name, value) -> text.append(name).append('=').append(value).append('\n'));
        try {
            Files.writeString(process.folder().resolve("log4j2.properties"), """
                    status = error
                    appender.console.type = Console
                    appender.console.name = console
                    appender.console.layout.type = PatternLayout
                    appender.console.layout.pattern = %d{ISO8601} %-5p %c{1} %m%n
                    rootLogger.level = warn
                    rootLogger.appenderRef.console.ref = console
                    logger.server.name = kafka.server
                    logger.server.level = info
                    """);
            return Files.writeString(process.folder().resolve("server.properties"), text);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write Kafka's configuration", e);
        }
    }

    private boolean answers() {
        // The port first: an admin client logs every refused connection.
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(HOST, port), 1_000);
        } catch (IOException e) {
            return false;
        }
        var properties = new Properties();
        properties.put(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers());
        properties.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, 5_000);
        properties.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, 5_000);
        try (Admin admin = Admin.create(properties)) {
            return !admin.describeCluster().nodes().get(6, TimeUnit.SECONDS).isEmpty();
        } catch (ExecutionException | TimeoutException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** {@code 127.0.0.1:<port>}. */
    public String bootstrapServers() {
        return HOST + ":" + port;
    }

    public int port() {
        return port;
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
        Servers.portOrFree(port, "Kafka with its data in " + folder());
        launch();
    }
}
