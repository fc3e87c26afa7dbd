package dev.sluice.webhooks;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.domain.Pipeline;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Posts CloudEvents 1.0 in structured mode, signed. Follows no redirect, and keeps nothing of an answer's body. */
final class Poster implements AutoCloseable {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Hook hook;
    private final Pipeline pipeline;
    private final HttpClient http;

    Poster(Hook hook, Pipeline pipeline) {
        this.hook = hook;
        this.pipeline = pipeline;
        this.http = HttpClient.newBuilder()
                // A receiver must not be able to send us to a server that only we can reach.
                .followRedirects(HttpClient.Redirect.NEVER)
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(hook.timeout())
                .build();
    }

    /** @return why the receiver does not have it, or empty if it took it: any answer of 200 to 299 */
    Optional<String> post(Notification notification) throws InterruptedException {
        byte[] body = body(pipeline, notification);
        long timestamp = Instant.now().getEpochSecond();
        HttpRequest request = HttpRequest.newBuilder(hook.url())
                .header("content-type", "application/cloudevents+json; charset=utf-8")
                .header("user-agent", "Sluice")
                .header("webhook-id", notification.id())
                .header("webhook-timestamp", Long.toString(timestamp))
                .header("webhook-signature", hook.signature().of(notification.id(), timestamp, body))
                .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                .build();
        // The client's own limit ends at the headers: a body that never ends must not hold the webhook up either.
        CompletableFuture<HttpResponse<Void>> answer =
                http.sendAsync(request, HttpResponse.BodyHandlers.discarding());
        try {
            int status = answer.get(hook.timeout().toMillis(), TimeUnit.MILLISECONDS).statusCode();
            return status >= 200 && status < 300 ? Optional.empty() : Optional.of("it answered " + status);
        } catch (TimeoutException e) {
            return Optional.of("it did not answer within " + hook.timeout().toMillis() + " ms");
        } catch (ExecutionException e) {
            return Optional.of("it cannot be reached: " + e.getCause().getClass().getSimpleName());
        } finally {
            answer.cancel(true);
        }
    }

    static byte[] body(Pipeline pipeline, Notification notification) {
        Map<String, Object> event = new LinkedHashMap<>();
        event.put("specversion", "1.0");
        event.put("id", notification.id());
        event.put("source", "/" + pipeline.name() + "/webhooks");
        event.put("type", "dev.sluice." + notification.kind().text());
        event.put("subject", notification.table().toString());
        event.put("time", notification.at().toString());
        event.put("datacontenttype", "application/json");
        event.put("data", notification.data());
        try {
            return JSON.writeValueAsBytes(event);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a notification cannot be written: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        http.shutdownNow();
    }
}
