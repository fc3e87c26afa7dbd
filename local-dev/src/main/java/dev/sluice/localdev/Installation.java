package dev.sluice.localdev;

import dev.sluice.domain.Pipeline;
import dev.sluice.testing.DebeziumServer;
import dev.sluice.testing.FunctionsServer;
import dev.sluice.testing.KafkaServer;
import dev.sluice.testing.PostgresServer;
import dev.sluice.testing.Server;
import dev.sluice.testing.Servers;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/** The servers and the functions, each in a folder of its own under the data folder. They end with this JVM. */
final class Installation {

    static final String DATABASE = "shop";

    private static final String ENVIRONMENT_FILE = "env";
    /** A demo's data need not survive the machine, only the process. */
    private static final Map<String, String> POSTGRES_SETTINGS = Map.of("fsync", "off", "full_page_writes", "off");

    private final Path data;
    private final Ports ports;
    private final Pipeline pipeline;
    private final Map<Part, Server> servers = new EnumMap<>(Part.class);
    private PostgresServer source;
    private PostgresServer destination;
    private KafkaServer kafka;

    private Installation(Path data, Ports ports, Pipeline pipeline) {
        this.data = data;
        this.ports = ports;
        this.pipeline = pipeline;
    }

    /**
     * Ends what an up that was killed left running, and deletes the data of the last one. The logs of its servers go
     * with it.
     */
    static void cleanUp(Path data) {
        try {
            Files.deleteIfExists(data.resolve(ENVIRONMENT_FILE));
            for (Part part : Part.values()) {
                Path folder = data.resolve(part.toString());
                Servers.endLeftover(folder);
                if (Files.exists(folder)) {
                    try (var paths = Files.walk(folder)) {
                        for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                            Files.deleteIfExists(path);
                        }
                    }
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot clean up " + data, e);
        }
    }

    /**
     * Kills what has no data to lose or is thrown away at the next start: an orderly end takes up to half a minute, since
     * consumers wait for each other. The databases end in order with this JVM.
     */
    static void endInHaste(Path data) {
        for (Part part : List.of(Part.FUNCTIONS, Part.DEBEZIUM, Part.KAFKA)) {
            try {
                Servers.endLeftover(data.resolve(part.toString()));
            } catch (UncheckedIOException e) {
                // Its pid file has gone meanwhile: it ends with this JVM already.
            }
        }
    }

    static Installation start(Path data, Ports ports, Pipeline pipeline) {
        var installation = new Installation(data, ports, pipeline);
        installation.source = PostgresServer.start(installation.folder(Part.SOURCE), ports.source(), POSTGRES_SETTINGS);
        installation.servers.put(Part.SOURCE, installation.source);
        installation.destination =
                PostgresServer.start(installation.folder(Part.DESTINATION), ports.destination(), POSTGRES_SETTINGS);
        installation.servers.put(Part.DESTINATION, installation.destination);
        installation.source.createDatabase(DATABASE);
        installation.destination.createDatabase(DATABASE);
        installation.kafka = KafkaServer.start(installation.folder(Part.KAFKA), ports.kafka(), Map.of());
        installation.servers.put(Part.KAFKA, installation.kafka);
        return installation;
    }

    void startCapture() {
        servers.put(Part.DEBEZIUM, DebeziumServer.start(folder(Part.DEBEZIUM), new DebeziumServer.Settings(
                pipeline, source, DATABASE, kafka.bootstrapServers(), ports.debezium(), Map.of())));
    }

    /** @param properties of the functions, beside those that say where everything is */
    void startFunctions(Map<String, String> properties) {
        servers.put(Part.FUNCTIONS, FunctionsServer.start(folder(Part.FUNCTIONS), new FunctionsServer.Settings(
                pipeline, sourceUrl(), destinationUrl(), kafka.bootstrapServers(), ports.functions(), properties)));
    }

    private Path folder(Part part) {
        return data.resolve(part.toString());
    }

    PostgresServer source() {
        return source;
    }

    PostgresServer destination() {
        return destination;
    }

    String sourceUrl() {
        return source.url(DATABASE);
    }

    String destinationUrl() {
        return destination.url(DATABASE);
    }

    String bootstrapServers() {
        return kafka.bootstrapServers();
    }

    /** Of the page, once the functions were started. */
    String consoleUrl() {
        return "http://127.0.0.1:" + ((FunctionsServer) servers.get(Part.FUNCTIONS)).httpPort();
    }

    Path logFile(Part part) {
        return folder(part).resolve("server.log");
    }

    /** Empty while it is dead. */
    OptionalLong pid(Part part) {
        Server server = servers.get(part);
        try {
            return server != null && server.isAlive() ? OptionalLong.of(server.pid()) : OptionalLong.empty();
        } catch (IllegalStateException e) {
            // It died between the two questions.
            return OptionalLong.empty();
        }
    }

    void restart(Part part) {
        servers.get(part).restart();
    }

    /** How to reach what runs, by the names that {@code local-dev/env} prints. */
    Map<String, String> environment() {
        Map<String, String> environment = new LinkedHashMap<>();
        environment.put("SOURCE_URL", sourceUrl());
        environment.put("DESTINATION_URL", destinationUrl());
        environment.put("KAFKA_BOOTSTRAP_SERVERS", bootstrapServers());
        environment.put("COMMAND_TOPIC", pipeline.commandsAndEventsTopic());
        environment.put("CONSOLE_URL", consoleUrl());
        for (Part part : Part.values()) {
            OptionalLong pid = pid(part);
            environment.put(part.pidVariable(), pid.isPresent() ? Long.toString(pid.getAsLong()) : "");
        }
        return environment;
    }

    /** Writes what {@code local-dev/env} prints; a reader sees the old or the new file, never half of one. */
    void writeEnvironment() {
        Path file = data.resolve(ENVIRONMENT_FILE);
        Path unfinished = data.resolve(ENVIRONMENT_FILE + ".unfinished");
        try {
            Files.writeString(unfinished, shellAssignments(environment()));
            Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }

    static String shellAssignments(Map<String, String> environment) {
        return environment.entrySet().stream()
                .map(entry -> entry.getKey() + "='" + entry.getValue().replace("'", "'\\''") + "'\n")
                .collect(Collectors.joining());
    }

    Optional<Part> dead() {
        return servers.keySet().stream().filter(part -> pid(part).isEmpty()).findFirst();
    }
}
