package dev.sluice.testing;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Every function of Sluice in one process of its own: {@code functions/all-in-one} as the build made it, with 512 MiB
 * of heap.
 *
 * <p>A module whose tests use it depends on {@code sluice-all-in-one}, so that Maven builds that first.
 */
public final class FunctionsServer implements Server {

    private static final Duration READY_LIMIT = Duration.ofMinutes(2);
    private static final Duration REQUEST_LIMIT = Duration.ofSeconds(2);

    private final ServerProcess process;
    private final Map<String, String> settings;
    private final int httpPort;

    private FunctionsServer(Path folder, int httpPort, Map<String, String> settings) {
        this.process = new ServerProcess("the functions", folder, "TERM");
        this.httpPort = httpPort;
        this.settings = Map.copyOf(settings);
    }

    /**
     * Starts the functions and returns when they are live.
     *
     * @param folder for log and pid file; may exist or not
     * @param httpPort of {@code /q/health}; 0 for a free one
     * @param settings by full name, {@code sluice.source.url} and {@code kafka.bootstrap.servers} among them
     * @throws ServerException if the port is taken, or the functions are not live within two minutes; the message ends
     *     with the last log lines
     */
    public static FunctionsServer start(Path folder, int httpPort, Map<String, String> settings) {
        Servers.endLeftover(folder);
        int port = Servers.portOrFree(httpPort, "HTTP of the functions in " + folder);
        var server = new FunctionsServer(folder, port, settings);
        server.launch();
        return server;
    }

    private void launch() {
        Path jar = Repository.built("functions/all-in-one/target/quarkus-app/quarkus-run.jar", "functions/all-in-one");
        List<String> command = new ArrayList<>(List.of(
                Java.program(),
                "-Xmx512m",
                "-XX:+ExitOnOutOfMemoryError",
                "-Duser.timezone=UTC",
                "--enable-native-access=ALL-UNNAMED",
                "-Dquarkus.http.host=127.0.0.1",
                "-Dquarkus.http.port=" + httpPort));
        settings.forEach((name, value) -> command.add("-D" + name + "=" + value));
        command.addAll(List.of("-jar", jar.toString()));
        process.start(command, process.folder(), Map.of());
        process.awaitReady(READY_LIMIT, this::isLive);
    }

    /** Whether the process answers that it is live. */
    public boolean isLive() {
        try (var http = HttpClient.newBuilder().connectTimeout(REQUEST_LIMIT).build()) {
            var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + httpPort + "/q/health/live"))
                    .timeout(REQUEST_LIMIT)
                    .build();
            return http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
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
        launch();
    }
}
