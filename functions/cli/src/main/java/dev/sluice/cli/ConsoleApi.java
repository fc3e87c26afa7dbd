package dev.sluice.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManager;

/** The console's HTTP API. Every way in which it can fail ends in a {@link Trouble} that says what to do. */
final class ConsoleApi {

    private static final Duration CONNECT_LIMIT = Duration.ofSeconds(5);
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(60);
    private static final int ANSWER_BYTES_MAX = 64 * 1_024 * 1_024;
    private static final int DETAIL_LENGTH_MAX = 2_000;

    private final ConsoleAddress console;
    private final Credentials credentials;
    private final HttpClient http;

    ConsoleApi(ConsoleAddress console, Credentials credentials) {
        this.console = console;
        this.credentials = credentials;
        HttpClient.Builder builder = HttpClient.newBuilder()
                // The session must not go to wherever an answer points to.
                .followRedirects(HttpClient.Redirect.NEVER)
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(CONNECT_LIMIT);
        if (!console.isSecure()) {
            builder.sslContext(trustingNobody());
        }
        this.http = builder.build();
    }

    /** The client makes a context in any case, and reading the certificates of all authorities takes longer than the rest. */
    private static SSLContext trustingNobody() {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[0], null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java has no TLS", e);
        }
    }

    ConsoleAddress console() {
        return console;
    }

    Answer get(String path) {
        return json(exchange(request(path).GET().build(), body()));
    }

    Answer post(String path, JsonNode body) {
        return json(exchange(changing(path, "POST", body), body()));
    }

    Answer patch(String path, JsonNode body) {
        return json(exchange(changing(path, "PATCH", body), body()));
    }

    /** For what answers with a session. */
    HttpHeaders postForHeaders(String path, JsonNode body) {
        HttpResponse<byte[]> response = exchange(changing(path, "POST", body), body());
        requireSuccess(response.statusCode(), text(response.body()));
        return response.headers();
    }

    /** Opens a stream of events. Whoever asks closes it. */
    InputStream events() {
        HttpRequest request = request("/events").setHeader("Accept", "text/event-stream").GET().build();
        HttpResponse<InputStream> response = exchange(request, HttpResponse.BodyHandlers.ofInputStream());
        String type = response.headers().firstValue("Content-Type").orElse("");
        if (response.statusCode() == 200 && type.startsWith("text/event-stream")) {
            return response.body();
        }
        try (InputStream body = response.body()) {
            requireSuccess(response.statusCode(), text(body.readNBytes(DETAIL_LENGTH_MAX * 4)));
        } catch (IOException e) {
            throw noConsole();
        }
        throw noConsole();
    }

    private HttpRequest changing(String path, String method, JsonNode body) {
        return request(path)
                .header("Content-Type", "application/json")
                // What no page of another site can send: the console takes nothing without it.
                .header("X-Sluice", "1")
                .method(method, HttpRequest.BodyPublishers.ofString(Json.write(body)))
                .build();
    }

    private HttpRequest.Builder request(String path) {
        HttpRequest.Builder request = HttpRequest.newBuilder(console.api(path))
                .header("Accept", "application/json, application/problem+json")
                .header("User-Agent", "sluice");
        credentials.header().ifPresent(header -> request.header(header.name(), header.value()));
        return request;
    }

    private static BodyHandler<byte[]> body() {
        return info -> new BoundedBody(ANSWER_BYTES_MAX);
    }

    private <T> HttpResponse<T> exchange(HttpRequest request, BodyHandler<T> body) {
        CompletableFuture<HttpResponse<T>> answer = http.sendAsync(request, body);
        try {
            // The client's own limit would end at the headers.
            return answer.get(ANSWER_LIMIT.toSeconds(), TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            String unknown = request.method().equals("GET")
                    ? ""
                    : "; whether it did what it was asked for is not known: sluice tables shows it";
            throw Trouble.notReachable("the console at " + console + " has not answered within " + ANSWER_LIMIT.toSeconds() + " s"
                    + unknown);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Trouble.failed("interrupted");
        } catch (ExecutionException e) {
            throw notReached(e.getCause());
        } finally {
            answer.cancel(true);
        }
    }

    private Trouble notReached(Throwable cause) {
        String why = switch (cause) {
            case HttpConnectTimeoutException e -> "it does not answer";
            case ConnectException e when hasCause(e, UnresolvedAddressException.class) ->
                    "there is no host of the name " + console.uri().getHost();
            case ConnectException e -> "nothing listens there";
            case SSLException e -> "TLS failed, " + e.getMessage();
            default -> cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
        };
        return Trouble.notReachable("cannot reach the console at " + console + ", " + Harmless.text(why, 300)
                + ": is it running? --url or SLUICE_URL names another address");
    }

    private static boolean hasCause(Throwable failure, Class<? extends Throwable> type) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (type.isInstance(cause)) {
                return true;
            }
        }
        return false;
    }

    private Answer json(HttpResponse<byte[]> response) {
        String body = text(response.body());
        requireSuccess(response.statusCode(), body);
        if (body.isEmpty()) {
            return new Answer("", Json.object());
        }
        return Json.read(body)
                .filter(JsonNode::isContainerNode)
                .map(json -> new Answer(body, json))
                .orElseThrow(this::noConsole);
    }

    private void requireSuccess(int status, String body) {
        if (status >= 200 && status < 300) {
            return;
        }
        if (status >= 300 && status < 400) {
            throw Trouble.notReachable(console + " points to another address, which is not followed: give the console's own "
                    + "address by --url or SLUICE_URL");
        }
        Optional<String> detail = Json.read(body).flatMap(ConsoleApi::detail);
        if (status == 401) {
            throw Trouble.notAllowed(credentials.whenRefused(detail));
        }
        if (status == 403) {
            throw Trouble.notAllowed(detail.orElse("the console does not allow it (HTTP 403)"));
        }
        if (detail.isEmpty() && (status == 404 || status >= 500)) {
            throw noConsole("HTTP " + status);
        }
        throw Trouble.failed(detail.orElse("the console answered with HTTP " + status));
    }

    private static Optional<String> detail(JsonNode problem) {
        return Json.text(problem, "detail")
                .or(() -> Json.text(problem, "title"))
                .map(detail -> Json.text(problem, "field")
                        .filter(field -> !detail.contains(field))
                        .map(field -> field + ": " + detail)
                        .orElse(detail))
                .map(detail -> Harmless.text(detail, DETAIL_LENGTH_MAX));
    }

    private Trouble noConsole() {
        return noConsole("no JSON");
    }

    private Trouble noConsole(String what) {
        return Trouble.notReachable("what answers at " + console + " is not a console of Sluice (" + what
                + "): give its address by --url or SLUICE_URL");
    }

    private static String text(byte[] body) {
        return new String(body, StandardCharsets.UTF_8);
    }

    /** The cookies that an answer sets, as a request sends them back. */
    static Optional<String> cookies(HttpHeaders headers) {
        String cookies = headers.allValues("Set-Cookie").stream()
                .map(cookie -> cookie.split(";", 2)[0].strip())
                .filter(cookie -> cookie.indexOf('=') > 0 && !cookie.endsWith("="))
                .collect(Collectors.joining("; "));
        return cookies.isEmpty() ? Optional.empty() : Optional.of(cookies);
    }
}
