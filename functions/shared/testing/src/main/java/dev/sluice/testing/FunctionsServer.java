package dev.sluice.testing;

import dev.sluice.domain.Pipeline;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * All functions of one pipeline in one process, as {@code functions/all-in-one} builds them, with a heap of 512 MiB
 * on 127.0.0.1.
 *
 * <p>It has no data of its own. A module whose tests use it names {@code sluice-all-in-one} as a dependency of scope
 * {@code provided} with all its dependencies excluded, so that Maven builds that first.
 */
public final class FunctionsServer implements Server {

    private static final String HOST = "127.0.0.1";
    private static final String ALL_IN_ONE = "all-in-one";
    private static final Duration READY_LIMIT = Duration.ofMinutes(2);
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(5);

    private final ServerProcess process;
    private final Settings settings;
    private final int httpPort;
    private final String module;

    private FunctionsServer(Path folder, String module, Settings settings, int httpPort) {
        this.process = new ServerProcess(module + " of pipeline " + settings.pipeline(), folder, "TERM");
        this.module = module;
        this.settings = settings;
        this.httpPort = httpPort;
    }

    /**
     * What the functions are told.
     *
     * @param sourceUrl a libpq URL
     * @param destinationUrl a libpq URL
     * @param httpPort of {@code /q/health}; 0 for any free one
     * @param properties further settings by full name, {@code sluice.source.tables}; they win over the rest
     */
    public record Settings(Pipeline pipeline, String sourceUrl, String destinationUrl, String bootstrapServers,
            int httpPort, Map<String, String> properties) {

        public Settings {
            properties = Map.copyOf(properties);
        }
    }

    /**
     * Starts the functions and returns when they live; what they wait for, a database or Kafka, need not be there.
     *
     * @param folder for log and pid file; may exist or not
     * @throws ServerException if the HTTP port is taken or they do not live within two minutes; the message ends with
     *         the last log lines
     */
    public static FunctionsServer start(Path folder, Settings settings) {
        return start(folder, ALL_IN_ONE, settings);
    }

    /**
     * As {@link #start(Path, Settings)}, for one function alone.
     *
     * @param module its folder under {@code functions/}
     */
    public static FunctionsServer start(Path folder, String module, Settings settings) {
        Servers.endLeftover(folder);
        int httpPort = Servers.portOrFree(settings.httpPort(), "/q/health of the functions in " + folder);
        var server = new FunctionsServer(folder, module, settings, httpPort);
        server.launch();
        return server;
    }

    private void launch() {
        Map<String, String> properties = new LinkedHashMap<>();
        properties.put("sluice.pipeline", settings.pipeline().name());
        properties.put("sluice.source.url", settings.sourceUrl());
        properties.put("sluice.destination.url", settings.destinationUrl());
        properties.put("kafka.bootstrap.servers", settings.bootstrapServers());
        properties.put("quarkus.http.host", HOST);
        properties.put("quarkus.http.port", Integer.toString(httpPort));
        properties.putAll(settings.properties());
        // An error that leaves a process half alive is worse than its end: what it did is redone or found done.
        List<String> command = new ArrayList<>(List.of(Java.program(), "-Xmx512m", "-XX:+ExitOnOutOfMemoryError"));
        properties.forEach((name, value) -> command.add("-D" + name + "=" + value));
        command.addAll(List.of("-jar", runner().toString()));
        process.start(command, process.folder(), Map.of());
        process.awaitReady(READY_LIMIT, this::isLive);
    }

    private Path runner() {
        return Repository.built("functions/" + module + "/target/quarkus-app/quarkus-run.jar", "functions/" + module);
    }

    /** If the process answers that it lives. Whether all that it needs is there, {@code /q/health/ready} says. */
    public boolean isLive() {
        var request = HttpRequest.newBuilder(URI.create("http://" + HOST + ":" + httpPort + "/q/health/live"))
                .timeout(ANSWER_LIMIT)
                .build();
        try (HttpClient client = HttpClient.newBuilder().connectTimeout(ANSWER_LIMIT).build()) {
            return client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    public int httpPort() {
        return httpPort;
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
        Servers.portOrFree(httpPort, "/q/health of the functions in " + folder());
        launch();
    }
}
