package dev.sluice.webhooks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.function.UnaryOperator;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** A real receiver, which checks what it is sent as the specification tells a receiver to. */
final class Receiver implements AutoCloseable {

    record Told(String id, String type, String subject, JsonNode data, int answer) {}

    /** An answer that never comes, as long as the receiver is open. */
    static final int NEVER = 0;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpServer server;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final List<Told> all = new CopyOnWriteArrayList<>();
    private final List<String> wrong = new CopyOnWriteArrayList<>();
    private volatile UnaryOperator<Integer> answer = tries -> 204;

    /** @param port 0 for any free one */
    Receiver(int port) throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), port), 0);
        server.setExecutor(Executors.newCachedThreadPool(Thread.ofPlatform().daemon().factory()));
        server.createContext("/in", exchange -> {
            byte[] body = exchange.getRequestBody().readAllBytes();
            String id = exchange.getRequestHeaders().getFirst("webhook-id");
            String timestamp = exchange.getRequestHeaders().getFirst("webhook-timestamp");
            String type = exchange.getRequestHeaders().getFirst("content-type");
            JsonNode event = JSON.readTree(body);
            if (!verified(id, timestamp, body, exchange.getRequestHeaders().getFirst("webhook-signature"))) {
                wrong.add("signature of " + id);
            }
            if (!type.startsWith("application/cloudevents+json") || !event.path("specversion").asText().equals("1.0")
                    || !event.path("id").asText().equals(id)) {
                wrong.add("no CloudEvent: " + event);
            }
            int tries = (int) all.stream().filter(it -> it.id().equals(id)).count() + 1;
            int status = answer.apply(tries);
            all.add(new Told(id, event.path("type").asText(), event.path("subject").asText(), event.path("data"), status));
            if (status == NEVER) {
                await();
            } else {
                if (status == 302) {
                    exchange.getResponseHeaders().set("location", "http://127.0.0.1:" + port() + "/elsewhere");
                }
                exchange.sendResponseHeaders(status, -1);
            }
            exchange.close();
        });
        server.createContext("/elsewhere", exchange -> {
            wrong.add("a redirect was followed");
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
        });
        server.start();
    }

    private void await() {
        try {
            closed.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static boolean verified(String id, String timestamp, byte[] body, String signature) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(Base64.getDecoder().decode(Given.SECRET.substring("whsec_".length())), "HmacSHA256"));
            String signed = id + "." + timestamp + "." + new String(body, StandardCharsets.UTF_8);
            String expected = Base64.getEncoder().encodeToString(mac.doFinal(signed.getBytes(StandardCharsets.UTF_8)));
            boolean recent = Math.abs(System.currentTimeMillis() / 1000 - Long.parseLong(timestamp)) < 300;
            return recent
                    && MessageDigest.isEqual(
                            ("v1," + expected).getBytes(StandardCharsets.UTF_8), signature.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** @param answers the status by the number of the try of one id, from 1 on */
    void answer(UnaryOperator<Integer> answers) {
        answer = answers;
    }

    int port() {
        return server.getAddress().getPort();
    }

    String url() {
        return "http://127.0.0.1:" + port() + "/in";
    }

    /** Everything that came of a table, repeats and refused ones included. */
    List<Told> of(String table) {
        return all.stream().filter(it -> it.subject().equals("public." + table)).toList();
    }

    /** What it took of a table. */
    List<String> taken(String table) {
        return of(table).stream()
                .filter(it -> it.answer() >= 200 && it.answer() < 300)
                .map(it -> it.type().substring("dev.sluice.".length()))
                .toList();
    }

    List<String> wrong() {
        return List.copyOf(wrong);
    }

    @Override
    public void close() {
        closed.countDown();
        server.stop(0);
    }
}
