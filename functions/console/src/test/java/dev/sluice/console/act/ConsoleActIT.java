package dev.sluice.console.act;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.console.Json;
import dev.sluice.domain.Command;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.PipelineRecord.Rejection;
import dev.sluice.domain.Settings;
import dev.sluice.messaging.KafkaClients;
import dev.sluice.messaging.Messages;
import dev.sluice.messaging.StateReader;
import dev.sluice.testing.SharedServers;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The acting half of the API. A thread stands for the scheduler: it writes down what it read, as that does. */
@QuarkusTest
@QuarkusTestResource(ServersResource.class)
class ConsoleActIT {

    @Inject
    KafkaClients kafka;

    @Inject
    Messages messages;

    @Inject
    Pipeline pipeline;

    @Inject
    StateReader states;

    @TestHTTPResource("/api/v1/")
    URI api;

    private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final List<Command> taken = new ArrayList<>();
    private Thread scheduler;
    private volatile boolean stopped;

    @BeforeEach
    void start() {
        scheduler = Thread.ofPlatform().start(this::schedule);
        await().atMost(Duration.ofSeconds(30)).until(states::isComplete);
    }

    @AfterEach
    void stop() throws InterruptedException {
        stopped = true;
        scheduler.join();
    }

    /** Rejects every command about a table, since it knows none, and every pattern. */
    private void schedule() {
        var partition = new TopicPartition(pipeline.commandsAndEventsTopic(), 0);
        List<Rejection> rejections = new ArrayList<>();
        Settings settings = Settings.NONE;
        try (Consumer<String, byte[]> consumer = kafka.consumer(Map.of());
                Producer<String, byte[]> producer = kafka.producer(Map.of())) {
            consumer.assign(List.of(partition));
            consumer.seekToEnd(List.of(partition));
            consumer.position(partition);
            while (!stopped) {
                for (ConsumerRecord<String, byte[]> record : consumer.poll(Duration.ofMillis(50))) {
                    Command command = ((Messages.Input.OfCommand) messages.input(record)).command();
                    synchronized (taken) {
                        taken.add(command);
                    }
                    switch (command) {
                        case Command.OfTable table -> rejections.add(new Rejection(record.offset(), "x", "not known"));
                        case Command.AddTables add -> rejections.add(new Rejection(
                                record.offset() + 1, "add-tables nothing.*", "no table matches",
                                Optional.of(record.offset())));
                        case Command.ChangeSettings change -> settings = settings.with(change.settings());
                        case Command.PausePipeline pause -> { }
                        case Command.ResumePipeline resume -> { }
                    }
                    while (rejections.size() > PipelineRecord.REJECTIONS_MAX) {
                        rejections.removeFirst();
                    }
                    producer.send(messages.pipelineState(new PipelineRecord(
                            1, record.offset() + 1, List.of(), Map.of(), rejections, settings, Settings.builtIn(),
                            Optional.empty(), Optional.empty(), Optional.empty())));
                }
            }
        }
    }

    @Test
    void whatTheSchedulerMakesOfACommandIsAnswered() throws Exception {
        JsonNode added = json(post("{\"action\":\"add\",\"tables\":[\"public.orders\",\"nothing.*\"]}"), 202);

        assertThat(outcomes(added)).containsExactly("public.orders followed", "nothing.* rejected");
        assertThat(added.at("/results/1/reason").asText()).isEqualTo("no table matches");

        JsonNode cancelled = json(post("{\"action\":\"cancel\",\"tables\":[\"orders\",\"public.orders\"]}"), 202);

        assertThat(outcomes(cancelled)).as("one table named twice").containsExactly("public.orders rejected");
        assertThat(outcomes(json(post("{\"action\":\"pause-pipeline\"}"), 202))).containsExactly(" followed");
    }

    @Test
    void aDryRunSendsNothing() throws Exception {
        JsonNode said = json(post("{\"action\":\"retry\",\"tables\":[\"public.a\"],\"dryRun\":true}"), 200);

        assertThat(said.at("/consequences/0/possible").isBoolean()).isTrue();
        assertThat(said.at("/consequences/0/possible").asBoolean()).isFalse();
        assertThat(said.at("/consequences/0/text").asText()).contains("does not know this table");
        assertThat(outcomes(json(post("{\"action\":\"resume-pipeline\"}"), 202))).hasSize(1);
        synchronized (taken) {
            assertThat(taken).containsExactly(new Command.ResumePipeline());
        }
    }

    @Test
    void whatIsWrongIsToldAtItsFieldAndNothingIsSent() throws Exception {
        Map.of(
                        "{\"action\":\"explode\"}", "action",
                        "{\"action\":\"pause\",\"tables\":\"public.a\"}", "tables",
                        "{\"action\":\"pause\",\"tables\":[\"public.a\",7]}", "tables[1]",
                        "{\"action\":\"pause\",\"tables\":[\"Public A\"]}", "tables[0]",
                        "{\"action\":\"pause\",\"tables\":[\"a\"],\"colour\":1}", "colour",
                        "{\"action\":\"pause\",\"tables\":[\"a\"],\"dryRun\":\"yes\"}", "dryRun",
                        "{\"action\":\"pause\",\"tables\":[\"a\"],\"options\":{}}", "options",
                        "{\"action\":\"add\",\"tables\":[\"a\"],\"options\":{\"key\":7}}", "options",
                        "{\"action\":\"backfill\",\"tables\":[\"a\"],\"keys\":{\"from\":17}}", "keys.from")
                .forEach((body, field) -> {
                    JsonNode problem = problem(post(body), 400);
                    assertThat(problem.path("field").asText()).as(body).isEqualTo(field);
                    assertThat(problem.path("detail").asText()).as(body).isNotBlank();
                });
        assertThat(problem(post("{\"action\":"), 400).path("detail").asText()).contains("not JSON");
        assertThat(problem(post("[".repeat(2_000)), 400).path("detail").asText()).isNotBlank();
        problem(post("{\"action\":\"" + "x".repeat(1024 * 1024) + "\"}"), 413);
        String many = IntStream.rangeClosed(0, 1_000).mapToObj(i -> "\"t" + i + "\"").collect(Collectors.joining(","));
        assertThat(problem(post("{\"action\":\"pause\",\"tables\":[" + many + "]}"), 400).path("field").asText())
                .isEqualTo("tables");
        assertThat(problem(patch("{\"chunkRows\":5,\"tablesAtOnce\":3}"), 400).path("field").asText())
                .isEqualTo("chunkRows");
        assertThat(problem(patch("{\"nonsense\":5}"), 400).path("field").asText()).isEqualTo("nonsense");

        json(post("{\"action\":\"resume-pipeline\"}"), 202);
        synchronized (taken) {
            assertThat(taken).containsExactly(new Command.ResumePipeline());
        }
    }

    @Test
    void settingsAreChangedAndShown() throws Exception {
        assertThat(outcomes(json(patch("{\"chunkRows\":20000,\"rowsPerSecond\":null}"), 202))).containsExactly(" followed");

        JsonNode settings = json(get("settings"), 200).path("settings");
        JsonNode chunkRows = settings.findParents("name").stream()
                .filter(setting -> setting.path("name").asText().equals("chunkRows"))
                .findFirst()
                .orElseThrow();
        assertThat(chunkRows.path("value").asInt()).isEqualTo(20_000);
        assertThat(chunkRows.path("default").asInt()).isEqualTo(50_000);
        assertThat(chunkRows.path("changed").asBoolean()).isTrue();
        assertThat(chunkRows.path("unit").asText()).isEqualTo("rows");
    }

    @Test
    void theSourcesTablesAreListedAndSearched() throws Exception {
        try (var connection = SharedServers.source().connect(ServersResource.source);
                var statement = connection.createStatement()) {
            statement.execute("""
                    DROP TABLE IF EXISTS shelf, parted, loose, "Shelf_Two" CASCADE;
                    CREATE TABLE shelf (id int PRIMARY KEY, text text);
                    INSERT INTO shelf SELECT i, 'x' FROM generate_series(1, 500) i;
                    CREATE TABLE "Shelf_Two" (id int);
                    CREATE UNLOGGED TABLE loose (id int);
                    CREATE TABLE parted (id int) PARTITION BY RANGE (id);
                    CREATE TABLE parted_one PARTITION OF parted FOR VALUES FROM (0) TO (10);
                    CREATE VIEW shelf_view AS SELECT * FROM shelf""");
            statement.execute("ANALYZE shelf");
        }
        JsonNode all = json(get("source/tables"), 200);
        assertThat(all.path("tables").findValuesAsText("name"))
                .contains("public.shelf", "public.parted", "public.loose", "public.\"Shelf_Two\"")
                .doesNotContain("public.parted_one", "public.shelf_view");
        assertThat(all.path("more").asBoolean()).isFalse();
        JsonNode shelf = json(get("source/tables?search=public.shelf*"), 200).path("tables");
        assertThat(shelf.findValuesAsText("name")).containsExactly("public.\"Shelf_Two\"", "public.shelf");
        assertThat(shelf.at("/1/rowsEstimated").asLong()).isEqualTo(500);
        assertThat(shelf.at("/1/bytes").asLong()).isPositive();
        assertThat(shelf.at("/0/rowsEstimated").isMissingNode()).as("nobody counted").isTrue();
        assertThat(json(get("source/tables?search=" + URLEncoder.encode("F_t", StandardCharsets.UTF_8)), 200)
                        .path("tables")
                        .findValuesAsText("name"))
                .containsExactly("public.\"Shelf_Two\"");
        assertThat(json(get("source/tables?search=loose"), 200).at("/tables/0/refused").asText()).contains("unlogged");
        problem(get("source/tables?search=" + "x".repeat(300)), 400);
    }

    @Test
    void everyErrorIsAProblem() throws Exception {
        problem(get("nowhere"), 404);
        problem(get("actions"), 405);
        problem(send(request("actions").header("Content-Type", "text/plain").POST(BodyPublishers.ofString("x"))), 415);
    }

    @Test
    void theDocumentOfTheApiIsServed() throws Exception {
        HttpResponse<String> document = send(request("openapi").header("Accept", "application/json"));

        assertThat(document.statusCode()).isEqualTo(200);
        JsonNode paths = Json.mapper().readTree(document.body()).path("paths");
        assertThat(paths.fieldNames()).toIterable().contains(
                "/api/v1/actions", "/api/v1/settings", "/api/v1/source/tables");
        assertThat(paths.at("/~1api~1v1~1actions/post/summary").asText()).isNotBlank();
    }

    private static List<String> outcomes(JsonNode answer) {
        List<String> outcomes = new ArrayList<>();
        answer.path("results").forEach(result -> outcomes.add(
                result.path("table").asText() + " " + result.path("outcome").asText()));
        return outcomes;
    }

    private HttpResponse<String> get(String path) {
        return send(request(path));
    }

    private HttpResponse<String> post(String body) {
        return send(request("actions").header("Content-Type", "application/json").POST(BodyPublishers.ofString(body)));
    }

    private HttpResponse<String> patch(String body) {
        return send(request("settings")
                .header("Content-Type", "application/json")
                .method("PATCH", BodyPublishers.ofString(body)));
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(api.resolve(path)).header("X-Sluice", "1").timeout(Duration.ofSeconds(30));
    }

    private HttpResponse<String> send(HttpRequest.Builder request) {
        try {
            return http.send(request.build(), BodyHandlers.ofString());
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static JsonNode json(HttpResponse<String> response, int status) throws Exception {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        assertThat(response.headers().firstValue("Content-Type").orElse("")).startsWith("application/json");
        assertThat(response.headers().firstValue("Cache-Control")).contains("no-store");
        return Json.mapper().readTree(response.body());
    }

    private static JsonNode problem(HttpResponse<String> response, int status) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        assertThat(response.headers().firstValue("Content-Type").orElse("")).startsWith("application/problem+json");
        assertThat(response.headers().firstValue("Cache-Control")).contains("no-store");
        try {
            JsonNode problem = Json.mapper().readTree(response.body());
            assertThat(problem.path("status").asInt()).isEqualTo(status);
            assertThat(problem.path("title").asText()).isNotBlank();
            return problem;
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
