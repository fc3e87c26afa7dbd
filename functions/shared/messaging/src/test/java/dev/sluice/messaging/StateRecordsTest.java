package dev.sluice.messaging;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.domain.Pipeline;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.Settings;
import dev.sluice.domain.StreamCommand;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableRecord;
import dev.sluice.messaging.Messages.InvalidMessageException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * State outlives the version that wrote it: what a version wrote stays readable by every later one. For a version that
 * changes the form of a record, add its records as a further file; do not change the lines of an earlier one.
 */
class StateRecordsTest {

    private final Messages messages = new Messages(new Pipeline("sluice"));

    static Stream<String> tableStates() throws IOException {
        return lines("table-state-0.1.jsonl");
    }

    static Stream<String> pipelineStates() throws IOException {
        return lines("pipeline-state-0.1.jsonl");
    }

    @ParameterizedTest
    @MethodSource("tableStates")
    void aTablesStateOfTheFirstVersionIsRead(String written) {
        assertThat(messages.tableState(record("table-state", written)).table()).isEqualTo(Examples.TABLE);
    }

    @ParameterizedTest
    @MethodSource("pipelineStates")
    void thePipelinesStateOfTheFirstVersionIsRead(String written) {
        PipelineRecord state = messages.pipelineState(record("pipeline-state", written));

        assertThat(state.settings()).isEqualTo(Settings.NONE);
        assertThat(state.effective()).isEqualTo(Settings.NONE);
        assertThat(state.resting()).isEmpty();
    }

    @Test
    void aChunkTaskOfTheFirstVersionHasNoSettings() {
        String written = "{\"table\":\"public.orders\",\"run\":7,\"chunk\":0,\"attempt\":1,"
                + "\"range\":{\"after\":null,\"upTo\":null},\"fingerprint\":\"f\",\"primary\":\"0/0\","
                + "\"emptyAsOf\":null}";

        assertThat(messages.chunkTask(record("chunk-task", written)).settings()).isEqualTo(Settings.NONE);
    }

    @Test
    void aFieldThatALaterVersionWroteIsRefused() throws IOException {
        String later = cancelled().replace("\"queueing\":", "\"until\":\"tomorrow\",\"queueing\":");

        assertThatThrownBy(() -> messages.tableState(record("table-state", later)))
                .isInstanceOf(InvalidMessageException.class)
                .hasMessageContaining("the field «state.until»");
    }

    @Test
    void aHoldCommandOfTheFirstVersionHasNoOptions() {
        String written = "{\"command\":{\"is\":\"Hold\",\"table\":\"public.orders\",\"run\":7,\"attempt\":2}}";

        assertThat(messages.streamCommand(record("stream-command", written)))
                .isEqualTo(new StreamCommand.Hold(TableName.parse("public.orders"), 7, 2, TableOptions.NONE));
    }

    @Test
    void anOptionalFieldThatAnEarlierVersionDidNotWriteIsEmpty() throws IOException {
        String whole = tableStates().filter(written -> written.endsWith(",\"queue\":null}")).findFirst().orElseThrow();

        TableRecord table = messages.tableState(record("table-state", whole.replace(",\"queue\":null", "")));

        assertThat(table.queue()).isEqualTo(Optional.empty());
    }

    private static String cancelled() throws IOException {
        return tableStates().filter(written -> written.contains("Cancelled")).findFirst().orElseThrow();
    }

    private static ConsumerRecord<String, byte[]> record(String type, String written) {
        var record = MessagesTest.record(written);
        record.headers().add("ce_type", ("dev.sluice." + type).getBytes(UTF_8));
        record.headers().add("ce_specversion", "1.0".getBytes(UTF_8));
        return record;
    }

    private static Stream<String> lines(String file) throws IOException {
        try (InputStream stream = StateRecordsTest.class.getResourceAsStream(file)) {
            return new String(stream.readAllBytes(), UTF_8).lines();
        }
    }
}
