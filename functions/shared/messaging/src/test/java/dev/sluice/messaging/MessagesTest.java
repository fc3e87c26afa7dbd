package dev.sluice.messaging;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.ChunkTask;
import dev.sluice.domain.Command;
import dev.sluice.domain.Event;
import dev.sluice.domain.KeyBounds;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.Setting;
import dev.sluice.domain.Settings;
import dev.sluice.domain.StepResult;
import dev.sluice.domain.StreamCommand;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.messaging.Messages.Input;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Everything that is sent is read again as it was, in both modes of CloudEvents. */
class MessagesTest {

    private final Messages messages = new Messages(new Pipeline("sluice"));

    @ParameterizedTest
    @MethodSource("dev.sluice.messaging.Examples#commands")
    void aCommandArrivesAsItWasSent(Command command) {
        assertThat(messages.input(received(messages.command(command, "test")))).isEqualTo(new Input.OfCommand(command));
    }

    @ParameterizedTest
    @MethodSource("dev.sluice.messaging.Examples#events")
    void anEventArrivesAsItWasSent(Event event) {
        assertThat(messages.input(received(messages.event(event, "test")))).isEqualTo(new Input.OfEvent(event));
    }

    @ParameterizedTest
    @MethodSource("dev.sluice.messaging.Examples#tableRecords")
    void aTablesStateArrivesAsItWasSent(TableRecord table) {
        assertThat(messages.tableState(received(messages.tableState(table)))).isEqualTo(table);
    }

    @ParameterizedTest
    @MethodSource("dev.sluice.messaging.Examples#pipelineRecords")
    void thePipelinesStateArrivesAsItWasSent(PipelineRecord state) {
        assertThat(messages.pipelineState(received(messages.pipelineState(state)))).isEqualTo(state);
    }

    @ParameterizedTest
    @MethodSource("dev.sluice.messaging.Examples#chunkTasks")
    void aChunkTaskArrivesAsItWasSent(ChunkTask task) {
        assertThat(messages.chunkTask(received(messages.chunkTask(task, 3)))).isEqualTo(task);
    }

    @ParameterizedTest
    @MethodSource("dev.sluice.messaging.Examples#streamCommands")
    void aStreamCommandArrivesAsItWasSent(StreamCommand command) {
        assertThat(messages.streamCommand(received(messages.streamCommand(command, "test")))).isEqualTo(command);
    }

    static Stream<Arguments> examplesOfSealedTypes() {
        return Stream.of(
                Arguments.of(Command.class, Examples.commands()),
                Arguments.of(Event.class, Examples.events()),
                Arguments.of(StepResult.class, Examples.stepResults()),
                Arguments.of(TableState.class, Examples.states()),
                Arguments.of(
                        TableState.Constraints.class,
                        Examples.states()
                                .filter(TableState.Streaming.class::isInstance)
                                .map(state -> ((TableState.Streaming) state).constraints())),
                Arguments.of(
                        TableState.Remedy.class,
                        Examples.states()
                                .filter(TableState.Failed.class::isInstance)
                                .map(state -> ((TableState.Failed) state).remedy())),
                Arguments.of(StreamCommand.class, Examples.streamCommands()));
    }

    @ParameterizedTest
    @MethodSource("examplesOfSealedTypes")
    void everyKindOfMessageIsAmongTheExamples(Class<?> sealed, Stream<Object> examples) {
        assertThat(examples.map(Object::getClass).distinct())
                .as("add what is missing to Examples")
                .containsExactlyInAnyOrderElementsOf(Examples.leaves(sealed).toList());
    }

    @ParameterizedTest
    @MethodSource("dev.sluice.messaging.Examples#commands")
    void aCommandIsReadInStructuredModeWithoutHeaders(Command command) {
        ProducerRecord<String, byte[]> binary = messages.command(command, "test");
        String structured = "{\"specversion\": \"1.0\", \"id\": \"1\", \"source\": \"/me\", \"type\": \""
                + new String(binary.headers().lastHeader("ce_type").value(), UTF_8)
                + "\", \"data\": " + new String(binary.value(), UTF_8) + "}";

        assertThat(messages.input(record(structured))).isEqualTo(new Input.OfCommand(command));
    }

    @Test
    void aChangeOfSettingsIsReadAsThePageHasIt() {
        assertThat(messages.input(record(envelope(
                        "dev.sluice.command.change-settings",
                        "{\"settings\":{\"chunkRows\":20000,\"rowsPerSecond\":null}}"))))
                .isEqualTo(new Input.OfCommand(new Command.ChangeSettings(new Settings.Change(
                        Map.of(Setting.CHUNK_ROWS, Optional.of(20_000), Setting.ROWS_PER_SECOND, Optional.empty())))));
    }

    static Stream<Arguments> badSettings() {
        return Stream.of(
                Arguments.of("{\"chunkRows\":20000,\"tablesAtOnce\":0}", "tablesAtOnce is 0: it must be a whole number"),
                Arguments.of("{\"chunkRows\":1e3}", "chunkRows is 1000.0: it must be a whole number"),
                Arguments.of("{\"chunkRows\":123456789012345678901}", "chunkRows is 123456789012345678901: it must be"),
                Arguments.of("{\"chunkrows\":200}", "there is no setting «chunkrows»; there are tablesAtOnce"),
                Arguments.of("{\"joinPatterns\":[\"a\",null]}", "joinPatterns is null: it must be"),
                Arguments.of("{}", "no setting is named"),
                Arguments.of("[]", "settings are a JSON object"),
                Arguments.of("null", "the field «settings» is missing or null"));
    }

    @ParameterizedTest
    @MethodSource("badSettings")
    void aChangeWithOneBadValueIsRefusedAsAWhole(String settings, String reason) {
        assertThat(messages.input(record(envelope("dev.sluice.command.change-settings", "{\"settings\":" + settings + "}"))))
                .isInstanceOfSatisfying(Input.Poison.class, poison -> assertThat(poison.reason()).contains(reason));
    }

    @Test
    void optionsOfSeveralTablesAreReadAsASettingHasThem() {
        assertThat(messages.tableOptions("{\"public.*\": {}, \"a.b\": {\"mask\": {\"x\": null, \"y\": \"\"}}}"))
                .isEqualTo(Map.of(
                        "public.*",
                        TableOptions.NONE,
                        "a.b",
                        new TableOptions(
                                List.of(), List.of(), List.of(), List.of(),
                                Map.of("x", Optional.empty(), "y", Optional.of("")), Optional.empty(),
                                Optional.empty())));
    }

    @Test
    void aCommandIsReadInBinaryModeWithTheHeadersThatThePageNames() {
        var record = record("{\"table\":\"public.orders\"}");
        record.headers().add("ce_specversion", "1.0".getBytes(UTF_8));
        record.headers().add("ce_id", "7".getBytes(UTF_8));
        record.headers().add("ce_source", "/me".getBytes(UTF_8));
        record.headers().add("ce_type", "dev.sluice.command.backfill".getBytes(UTF_8));

        assertThat(messages.input(record))
                .isEqualTo(new Input.OfCommand(new Command.Backfill(new TableName("public", "orders"))));
    }

    @Test
    void aBackfillOfAPartNamesItsKeysAsAPersonWritesThem() {
        assertThat(messages.input(record(envelope(
                        "dev.sluice.command.backfill",
                        "{\"table\":\"public.orders\",\"keys\":{\"from\":[\"17\"],\"to\":[\"25\"]}}"))))
                .isEqualTo(new Input.OfCommand(new Command.Backfill(
                        new TableName("public", "orders"),
                        Optional.empty(),
                        Optional.of(new KeyBounds(Optional.of(List.of("17")), Optional.of(List.of("25")))))));
    }

    static Stream<Arguments> badKeys() {
        return Stream.of(
                Arguments.of("{}", "names neither"),
                Arguments.of("{\"from\":[]}", "«from» of «keys»"),
                Arguments.of("{\"to\":[null]}", "«to» of «keys»"),
                Arguments.of("{\"from\":[17]}", "keys.from"),
                Arguments.of("{\"from\":\"17\"}", "keys.from"),
                Arguments.of("{\"from\":[\"1\"],\"until\":[\"2\"]}", "until"));
    }

    @ParameterizedTest
    @MethodSource("badKeys")
    void keysThatAreNoneAreRefused(String keys, String reason) {
        assertThat(messages.input(record(
                        envelope("dev.sluice.command.backfill", "{\"table\":\"public.orders\",\"keys\":" + keys + "}"))))
                .isInstanceOfSatisfying(Input.Poison.class, poison -> assertThat(poison.reason()).contains(reason));
    }

    @Test
    void aBackfillHasOtherOptionsOrKeysAndNotBoth() {
        assertThat(messages.input(record(envelope(
                        "dev.sluice.command.backfill",
                        "{\"table\":\"public.orders\",\"options\":{},\"keys\":{\"from\":[\"1\"]}}"))))
                .isInstanceOfSatisfying(
                        Input.Poison.class, poison -> assertThat(poison.reason()).contains("«options» or «keys», not both"));
    }

    @Test
    void aCancelKeepsTheQueueUnlessItSaysOtherwise() {
        assertThat(messages.input(record(envelope("dev.sluice.command.cancel", "{\"table\":\"public.orders\"}"))))
                .isEqualTo(new Input.OfCommand(new Command.Cancel(new TableName("public", "orders"), false)));
    }

    @Test
    void attributesThatSluiceDoesNotKnowAreLeftAlone() {
        String extended = "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/me\",\"partitionkey\":\"orders\","
                + "\"time\":\"2026-01-01T00:00:00Z\",\"datacontenttype\":\"application/json\","
                + "\"type\":\"dev.sluice.command.retry\",\"data\":{\"table\":\"orders\"}}";

        assertThat(messages.input(record(extended)))
                .isEqualTo(new Input.OfCommand(new Command.Retry(new TableName("public", "orders"))));
    }

    @Test
    void whoAsksTravelsWithTheCommandInBothModes() {
        var command = new Command.Pause(new TableName("public", "orders"));
        String structured = "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/me\",\"authid\":\"Ann Lee\","
                + "\"type\":\"dev.sluice.command.pause\",\"data\":{\"table\":\"public.orders\"}}";

        assertThat(messages.input(received(messages.command(command, "test", Optional.of("Ann Lee")))))
                .isEqualTo(new Input.OfCommand(command, Optional.of("Ann Lee")));
        assertThat(messages.input(record(structured))).isEqualTo(new Input.OfCommand(command, Optional.of("Ann Lee")));
    }

    @Test
    void theTraceThatACommandIsSentInIsToldInBothModes() {
        var command = new Command.Pause(new TableName("public", "orders"));
        var expected = new Input.OfCommand(command, Optional.empty(), Optional.of("00-whatever"));
        var binary = messages.command(command, "test");
        binary.headers().add("ce_traceparent", "00-whatever".getBytes(UTF_8));
        String structured = "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/me\",\"traceparent\":\"00-whatever\","
                + "\"type\":\"dev.sluice.command.pause\",\"data\":{\"table\":\"public.orders\"}}";

        assertThat(messages.input(received(binary))).isEqualTo(expected);
        assertThat(messages.input(record(structured))).isEqualTo(expected);
    }

    static Stream<String> countsThatNobodyCounted() {
        return Stream.of(
                "\"rows\":-1,\"bytes\":1,\"millis\":1",
                "\"rows\":9000000000000000000,\"bytes\":1,\"millis\":1",
                "\"rows\":1,\"bytes\":-1,\"millis\":1",
                "\"rows\":1,\"bytes\":1,\"millis\":-5");
    }

    @ParameterizedTest
    @MethodSource("countsThatNobodyCounted")
    void aCountThatCannotBeIsNotReckonedWith(String counts) {
        assertThat(messages.input(record(envelope(
                        "dev.sluice.event.chunk-copied",
                        "{\"table\":\"public.orders\",\"run\":1,\"chunk\":0,\"attempt\":1," + counts + "}"))))
                .isInstanceOfSatisfying(Input.Poison.class, poison -> assertThat(poison.reason()).contains("from 0 to"));
    }

    static Stream<String> namesThatNobodyHas() {
        return Stream.of("", " ", "ann\nforged line", "ann\u001b[31m", "a".repeat(201));
    }

    @ParameterizedTest
    @MethodSource("namesThatNobodyHas")
    void aNameThatWouldForgeALineOfTheLogIsRefused(String name) {
        var record = record("{\"table\":\"public.orders\"}");
        record.headers().add("ce_specversion", "1.0".getBytes(UTF_8));
        record.headers().add("ce_type", "dev.sluice.command.pause".getBytes(UTF_8));
        record.headers().add("ce_authid", name.getBytes(UTF_8));

        assertThat(messages.input(record))
                .isInstanceOfSatisfying(Input.Poison.class, poison -> assertThat(poison.reason()).contains("authid"));
    }

    @Test
    void whatIsAboutATableIsKeyedByIt() {
        assertThat(List.of(
                        messages.command(new Command.Retry(Examples.TABLE), "test").key(),
                        messages.event(new Event.TableHeld(Examples.TABLE, 1, 1), "test").key(),
                        messages.streamTombstone(Examples.TABLE).key(),
                        messages.tableTombstone(Examples.TABLE).key()))
                .containsOnly(Examples.TABLE.toString());
    }

    @Test
    void aChunkTaskGoesToItsSlot() {
        assertThat(messages.chunkTask(Examples.chunkTasks().findFirst().orElseThrow(), 5).partition()).isEqualTo(5);
    }

    @Test
    void aDeadLetterIsTheRecordAsItWasWithReasonAndOrigin() {
        var poison = record("nonsense");
        poison.headers().add("mine", "1".getBytes(UTF_8));

        ProducerRecord<String, byte[]> letter = messages.deadLetter(poison, "no JSON");

        assertThat(letter.topic()).isEqualTo("sluice.dead-letters");
        assertThat(letter.value()).asString().isEqualTo("nonsense");
        assertThat(letter.headers().lastHeader("mine").value()).asString().isEqualTo("1");
        assertThat(letter.headers().lastHeader("sluice_reason").value()).asString().isEqualTo("no JSON");
        assertThat(letter.headers().lastHeader("sluice_origin").value()).asString().isEqualTo("input/0@17");
    }

    static String envelope(String type, String data) {
        return "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/me\",\"type\":\"" + type + "\",\"data\":" + data + "}";
    }

    static ConsumerRecord<String, byte[]> record(String value) {
        return record(value == null ? null : value.getBytes(UTF_8));
    }

    static ConsumerRecord<String, byte[]> record(byte[] value) {
        return new ConsumerRecord<>("input", 0, 17, null, value);
    }

    private static ConsumerRecord<String, byte[]> received(ProducerRecord<String, byte[]> sent) {
        return new ConsumerRecord<>(
                sent.topic(),
                0,
                17,
                0,
                TimestampType.CREATE_TIME,
                0,
                0,
                sent.key(),
                sent.value(),
                new RecordHeaders(sent.headers()),
                java.util.Optional.empty());
    }
}
