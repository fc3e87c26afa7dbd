package dev.sluice.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;

/** An HTTP server that speaks as the console does, and says what a test tells it to. */
final class FakeConsole implements AutoCloseable {

    /** What has been asked. */
    record Asked(String line, Map<String, List<String>> headers, String body) {

        JsonNode json() {
            return Json.read(body).orElseThrow();
        }

        String header(String name) {
            return headers.getOrDefault(name, List.of("")).getFirst();
        }
    }

    /** @param headers further ones, name and value in turn */
    record Told(int status, String type, String body, List<String> headers) {
    }

    /** What is written on the stream of events: text, or its end. */
    private static final String CUT = "";

    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final Map<String, BlockingQueue<Told>> answers = new ConcurrentHashMap<>();
    private final BlockingQueue<String> events = new LinkedBlockingQueue<>();
    private final List<Asked> asked = new CopyOnWriteArrayList<>();

    FakeConsole() {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.createContext("/", this::handle);
        server.setExecutor(threads);
        server.start();
    }

    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    /** @param line method and path behind {@code /api/v1}; the last answer that was given for it stays */
    FakeConsole answer(String line, int status, String json) {
        return tell(line, new Told(status, status < 400 ? "application/json" : "application/problem+json", json, List.of()));
    }

    FakeConsole problem(String line, int status, String detail) {
        return answer(line, status, Json.write(Json.object().put("title", "no").put("status", status).put("detail", detail)));
    }

    FakeConsole tell(String line, Told told) {
        answers.computeIfAbsent(line, it -> new LinkedBlockingQueue<>()).add(told);
        return this;
    }

    FakeConsole event(String name, String data) {
        events.add("event: " + name + "\ndata: " + data + "\n\n");
        return this;
    }

    /** Ends the stream that is open, or the next one. */
    FakeConsole cut() {
        events.add(CUT);
        return this;
    }

    List<Asked> asked() {
        return asked;
    }

    List<Asked> asked(String line) {
        return asked.stream().filter(it -> it.line().equals(line)).toList();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().toString();
            String line = exchange.getRequestMethod() + " " + path.replaceFirst("^/api/v1", "");
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            asked.add(new Asked(line, Map.copyOf(exchange.getRequestHeaders()), body));
            BlockingQueue<Told> told = answers.get(line);
            boolean changes = !exchange.getRequestMethod().equals("GET");
            if (changes && (!"1".equals(exchange.getRequestHeaders().getFirst("X-Sluice"))
                    || !"application/json".equals(exchange.getRequestHeaders().getFirst("Content-Type")))) {
                send(exchange, new Told(403, "application/problem+json", "{\"detail\":\"no header X-Sluice\"}", List.of()));
            } else if (told != null) {
                send(exchange, told.size() > 1 ? told.remove() : told.peek());
            } else if (line.equals("GET /events")) {
                stream(exchange);
            } else {
                send(exchange, new Told(404, "application/problem+json", "{\"detail\":\"the test did not expect " + line
                        + "\"}", List.of()));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void send(HttpExchange exchange, Told told) throws IOException {
        byte[] body = told.body().getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", told.type());
        for (int at = 0; at < told.headers().size(); at += 2) {
            exchange.getResponseHeaders().add(told.headers().get(at), told.headers().get(at + 1));
        }
        exchange.sendResponseHeaders(told.status(), body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
    }

    private void stream(HttpExchange exchange) throws IOException, InterruptedException {
        exchange.getResponseHeaders().set("Content-Type", "text/event-stream;charset=UTF-8");
        exchange.sendResponseHeaders(200, 0);
        OutputStream out = exchange.getResponseBody();
        out.write(":\n".getBytes(StandardCharsets.UTF_8));
        out.flush();
        String event = events.take();
        while (!event.equals(CUT)) {
            out.write(event.getBytes(StandardCharsets.UTF_8));
            out.flush();
            event = events.take();
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
