package dev.sluice.console.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.console.act.ServersResource;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableRecord.Progress;
import dev.sluice.domain.TableRecord.Queue;
import dev.sluice.domain.TableState;
import dev.sluice.messaging.KafkaClients;
import dev.sluice.messaging.Messages;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What Prometheus gets, from states that stand in a real Kafka. */
@QuarkusTest
@QuarkusTestResource(value = ServersResource.class, restrictToAnnotatedClass = true)
class MetricsIT {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    @TestHTTPResource("/q/metrics")
    URI metrics;

    @Inject
    KafkaClients kafka;

    @Inject
    Messages messages;

    @Inject
    Pipeline pipeline;

    @Test
    void aTableIsToldAsItStandsAndNoMoreOnceItIsForgotten() throws Exception {
        var table = new TableName("public", "told");
        var failed = new TableRecord(
                table,
                new TableState.Failed(
                        3, TableState.Phase.DRAINING, Fault.refused("why", "what to do"), new TableState.Remedy.CopyAnew()),
                Instant.now(), 1, Optional.empty(), Optional.empty(),
                new Progress(1_000, 250, 9, 1, Optional.empty(), Optional.empty()),
                Optional.of(new Queue(17, 0, 1_500, Optional.empty(), Optional.of(Instant.now().minusSeconds(100)))),
                TableOptions.NONE, Optional.empty());
        try (var producer = kafka.producer(Map.of())) {
            producer.send(messages.tableState(failed)).get();
            await().atMost(LIMIT).untilAsserted(() -> assertThat(told())
                    .contains("sluice_table_failed{table=\"public.told\"} 1.0")
                    .contains("sluice_table_queue_changes{table=\"public.told\"} 17.0")
                    .contains("sluice_table_delay_seconds{table=\"public.told\"} 1.5")
                    .contains("sluice_table_rows_copied{table=\"public.told\"} 250.0")
                    .containsPattern("sluice_table_queue_oldest_seconds\\{table=\"public.told\"} 1[0-9]{2}\\.")
                    .contains("sluice_tables{state=\"Failed\"} 1.0")
                    .contains("sluice_up{name=\"source\"} 1.0")
                    .contains("sluice_states_fresh 1.0"));

            producer.send(messages.tableTombstone(table)).get();
            await().atMost(LIMIT).untilAsserted(() -> assertThat(told()).doesNotContain("public.told"));
        }
    }

    private String told() throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(HttpRequest.newBuilder(metrics).build(), HttpResponse.BodyHandlers.ofString()).body();
        }
    }
}
