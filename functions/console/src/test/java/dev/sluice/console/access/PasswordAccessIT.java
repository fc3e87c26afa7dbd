package dev.sluice.console.access;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;

/** A console that people have to sign in to. */
@QuarkusTest
@QuarkusTestResource(value = UsersResource.class, restrictToAnnotatedClass = true)
class PasswordAccessIT {

    private static final String PAUSE = "{\"action\":\"pause\",\"tables\":[\"public.orders\"],\"dryRun\":true}";

    @TestHTTPResource("/")
    URI root;

    @Test
    void whoHasNotSignedInSeesTheFormAndNothingElse() throws Exception {
        assertThat(get("api/v1/overview", Optional.empty()).statusCode()).isEqualTo(401);
        assertThat(get("api/v1/events", Optional.empty()).statusCode()).isEqualTo(401);
        assertThat(get("api/v1/openapi", Optional.empty()).statusCode()).isEqualTo(401);
        assertThat(get("js/app.js", Optional.empty()).statusCode()).isEqualTo(303);
        HttpResponse<String> page = get("", Optional.empty());
        assertThat(page.statusCode()).isEqualTo(303);
        assertThat(page.headers().firstValue("Location")).contains("/login.html");
        assertThat(get("login.html", Optional.empty()).statusCode()).isEqualTo(200);
        assertThat(get("css/base.css", Optional.empty()).statusCode()).isEqualTo(200);
        assertThat(get("q/health/live", Optional.empty()).statusCode()).isEqualTo(200);
        assertThat(get("api/v1/me", Optional.empty()).body()).contains("\"login\":\"password\"");
        // Another spelling of an open path opens nothing else.
        assertThat(get("login.html/../api/v1/overview", Optional.empty()).statusCode()).isEqualTo(401);
        assertThat(get("api/v1/login/../overview", Optional.empty()).statusCode()).isEqualTo(401);
        assertThat(get("api/v1/overview", Optional.of("sluice=guessed")).statusCode()).isEqualTo(401);
    }

    @Test
    void anOperatorActsAndAViewerLooks() throws Exception {
        String ann = signIn("ann", "a horse of course");
        String ben = signIn("ben", "correct battery");

        assertThat(get("api/v1/me", Optional.of(ann)).body()).contains("\"user\":\"ann\"").contains("operator");
        assertThat(get("api/v1/settings", Optional.of(ben)).statusCode()).isEqualTo(200);
        assertThat(post("api/v1/actions", PAUSE, Optional.of(ann)).statusCode()).isNotEqualTo(403).isNotEqualTo(401);
        HttpResponse<String> refused = post("api/v1/actions", PAUSE, Optional.of(ben));
        assertThat(refused.statusCode()).isEqualTo(403);
        assertThat(refused.body()).contains("needs the role operator");
        assertThat(post("api/v1/actions", PAUSE, Optional.empty()).statusCode()).isEqualTo(401);

        assertThat(post("api/v1/logout", "{}", Optional.of(ben)).statusCode()).isEqualTo(204);
        assertThat(get("api/v1/settings", Optional.of(ben)).statusCode()).as("after signing out").isEqualTo(401);
    }

    @Test
    void aPageOfAnotherSiteCanSendNothing() throws Exception {
        String ann = signIn("ann", "a horse of course");
        URI actions = root.resolve("api/v1/actions");

        assertThat(send(request(actions, ann).header("Content-Type", "application/json"), PAUSE)).as("without X-Sluice").isEqualTo(403);
        assertThat(send(request(actions, ann).header("X-Sluice", "1").header("Content-Type", "text/plain"), PAUSE))
                .as("as a form would").isEqualTo(415);
        assertThat(send(json(actions, ann).header("Origin", "https://example.org"), PAUSE)).as("another origin").isEqualTo(403);
        assertThat(send(json(actions, ann).header("Sec-Fetch-Site", "cross-site"), PAUSE)).as("another site").isEqualTo(403);
        String own = root.getScheme() + "://" + root.getAuthority();
        assertThat(send(json(actions, ann).header("Origin", own).header("Sec-Fetch-Site", "same-origin"), PAUSE))
                .as("its own page").isNotEqualTo(403);
    }

    @Test
    void whoIsRefusedDoesNotFillTheLog() throws Exception {
        String ben = signIn("ben", "correct battery");
        List<String> errors = new CopyOnWriteArrayList<>();
        Handler kept = new Handler() {
            @Override
            public void publish(LogRecord entry) {
                if (entry.getLevel().intValue() >= Level.WARNING.intValue()) {
                    errors.add(entry.getLoggerName() + ": " + entry.getMessage());
                }
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        Logger all = Logger.getLogger("");
        all.addHandler(kept);
        try {
            assertThat(get("", Optional.empty()).statusCode()).isEqualTo(303);
            assertThat(get("api/v1/overview", Optional.empty()).statusCode()).isEqualTo(401);
            assertThat(post("api/v1/actions", PAUSE, Optional.of(ben)).statusCode()).isEqualTo(403);
            assertThat(send(request(root.resolve("api/v1/actions"), ben), PAUSE)).isEqualTo(403);
        } finally {
            all.removeHandler(kept);
        }
        assertThat(errors).filteredOn(error -> error.contains("security")).isEmpty();
    }

    @Test
    void guessingIsSlowedDown() throws Exception {
        for (int i = 0; i < 10; i++) {
            assertThat(login("carl", "guess " + i).statusCode()).isEqualTo(401);
        }
        HttpResponse<String> tooMany = login("carl", "another");
        assertThat(tooMany.statusCode()).isEqualTo(429);
        assertThat(tooMany.headers().firstValue("Retry-After")).isPresent();
        assertThat(login("ann", "a horse of course").statusCode()).as("another user").isEqualTo(204);
    }

    @Test
    void everyAnswerHasTheHeadersThatProtectIt() throws Exception {
        for (String path : new String[] {"login.html", "api/v1/overview", "js/login.js"}) {
            var headers = get(path, Optional.empty()).headers();
            assertThat(headers.firstValue("Content-Security-Policy")).as(path).hasValueSatisfying(policy ->
                    assertThat(policy).contains("default-src 'none'").contains("frame-ancestors 'none'").doesNotContain("unsafe"));
            assertThat(headers.firstValue("X-Content-Type-Options")).as(path).contains("nosniff");
        }
        String cookie = login("ann", "a horse of course").headers().firstValue("Set-Cookie").orElseThrow();
        assertThat(cookie).containsIgnoringCase("HttpOnly").contains("SameSite=Strict").contains("Path=/");
    }

    private String signIn(String user, String password) throws Exception {
        HttpResponse<String> answer = login(user, password);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(204);
        return answer.headers().firstValue("Set-Cookie").orElseThrow().replaceFirst(";.*", "");
    }

    private HttpResponse<String> login(String user, String password) throws Exception {
        return post("api/v1/login", "{\"user\":\"" + user + "\",\"password\":\"" + password + "\"}", Optional.empty());
    }

    private HttpResponse<String> get(String path, Optional<String> cookie) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(root + path));
        cookie.ifPresent(it -> request.header("Cookie", it));
        return answer(request.build());
    }

    private HttpResponse<String> post(String path, String body, Optional<String> cookie) throws Exception {
        var request = HttpRequest.newBuilder(root.resolve(path)).header("Content-Type", "application/json").header("X-Sluice", "1");
        cookie.ifPresent(it -> request.header("Cookie", it));
        return answer(request.POST(HttpRequest.BodyPublishers.ofString(body)).build());
    }

    private static HttpRequest.Builder request(URI uri, String cookie) {
        return HttpRequest.newBuilder(uri).header("Cookie", cookie);
    }

    private static HttpRequest.Builder json(URI uri, String cookie) {
        return request(uri, cookie).header("X-Sluice", "1").header("Content-Type", "application/json");
    }

    private static int send(HttpRequest.Builder request, String body) throws Exception {
        return answer(request.POST(HttpRequest.BodyPublishers.ofString(body)).build()).statusCode();
    }

    private static HttpResponse<String> answer(HttpRequest request) throws Exception {
        try (HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
            return client.send(request, HttpResponse.BodyHandlers.ofString());
        }
    }
}
