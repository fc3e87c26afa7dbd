package dev.sluice.messaging;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.type.LogicalType;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import com.fasterxml.jackson.module.paramnames.ParameterNamesModule;
import dev.sluice.domain.ChunkTask;
import dev.sluice.domain.Command;
import dev.sluice.domain.Event;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.PastRun;
import dev.sluice.domain.PgSnapshot;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.StepResult;
import dev.sluice.domain.StreamCommand;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState;
import dev.sluice.domain.Verification;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;

/**
 * The wire format of everything that the functions say to each other: CloudEvents 1.0 with JSON data.
 *
 * <p>Written in binary mode (attributes in headers named {@code ce_…}); read in binary and in structured mode, so that
 * any producer can send a command, one that cannot set headers too.
 *
 * @see <a href="https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/kafka-protocol-binding.md">CloudEvents,
 *     Kafka protocol binding</a>
 */
public final class Messages {

    /** The key of the {@link PipelineRecord}. No table has it: a table's key has a dot. */
    public static final String PIPELINE_KEY = "pipeline";

    private static final String TYPE_PREFIX = "dev.sluice.";
    private static final String COMMAND_PREFIX = TYPE_PREFIX + "command.";
    private static final String EVENT_PREFIX = TYPE_PREFIX + "event.";
    /** Far above what a command or event needs: a bound on what is parsed. */
    private static final int VALUE_BYTES_MAX = 8 * 1024 * 1024;

    private static final int REASON_LENGTH_MAX = 500;
    private static final int AUTHOR_LENGTH_MAX = 200;
    /** What whoever sends a command may leave out. */
    private static final Map<Class<?>, Map<String, JsonNode>> DEFAULTS =
            Map.of(Command.Cancel.class, Map.of("dropQueue", BooleanNode.FALSE));

    /** Of a dead letter: together well below the megabyte that every Kafka takes. */
    private static final int LETTER_BYTES_MAX = 256 * 1024;
    private static final int LETTER_HEADER_BYTES_MAX = 64 * 1024;
    private static final int LETTER_KEY_MAX = 1_024;

    private static final Map<String, Class<? extends Command>> COMMANDS = new LinkedHashMap<>();
    private static final Map<String, Class<? extends Event>> EVENTS = new LinkedHashMap<>();

    static {
        COMMANDS.put("add-tables", Command.AddTables.class);
        COMMANDS.put("backfill", Command.Backfill.class);
        COMMANDS.put("cancel", Command.Cancel.class);
        COMMANDS.put("retry", Command.Retry.class);
        COMMANDS.put("remove", Command.Remove.class);
        COMMANDS.put("verify", Command.Verify.class);
        COMMANDS.put("cancel-verification", Command.CancelVerification.class);
        COMMANDS.put("pause", Command.Pause.class);
        COMMANDS.put("resume", Command.Resume.class);
        COMMANDS.put("to-front", Command.ToFront.class);
        COMMANDS.put("pause-pipeline", Command.PausePipeline.class);
        COMMANDS.put("resume-pipeline", Command.ResumePipeline.class);
        COMMANDS.put("change-settings", Command.ChangeSettings.class);
        leaves(Event.class, type -> EVENTS.put(dashed(type.getSimpleName()), type.asSubclass(Event.class)));
    }

    private final Pipeline pipeline;
    private final JsonMapper json;

    public Messages(Pipeline pipeline) {
        this.pipeline = pipeline;
        this.json = mapper();
    }

    /** A command or event, or why the record is neither. */
    public sealed interface Input {
        /**
         * @param by who asked, as the producer says: the CloudEvent's {@code authid}
         * @param traceparent the trace that it was sent in, as the producer says. Whether it is one, nobody has checked
         */
        record OfCommand(Command command, Optional<String> by, Optional<String> traceparent) implements Input {
            public OfCommand(Command command, Optional<String> by) {
                this(command, by, Optional.empty());
            }

            public OfCommand(Command command) {
                this(command, Optional.empty());
            }
        }

        record OfEvent(Event event) implements Input {}

        /** Goes to the dead-letter topic with its reason (R19). */
        record Poison(String reason) implements Input {}
    }

    /** Reads a record of the commands-and-events topic. Never throws: what cannot be read is {@link Input.Poison}. */
    public Input input(ConsumerRecord<String, byte[]> record) {
        try {
            CloudEvent event = open(record);
            if (event.type().startsWith(COMMAND_PREFIX)) {
                String name = event.type().substring(COMMAND_PREFIX.length());
                Class<? extends Command> type = COMMANDS.get(name);
                if (type == null) {
                    return poison("there is no command «" + name + "»; there are " + COMMANDS.keySet());
                }
                return new Input.OfCommand(
                        fields(event.data(), type), event.by().map(Messages::requireAuthor), event.traceparent());
            }
            if (event.type().startsWith(EVENT_PREFIX)) {
                String name = event.type().substring(EVENT_PREFIX.length());
                Class<? extends Event> type = EVENTS.get(name);
                return type == null
                        ? poison("there is no event «" + name + "»")
                        : new Input.OfEvent(fields(event.data(), type));
            }
            return poison(
                    "the type «" + event.type() + "» starts with neither " + COMMAND_PREFIX + " nor " + EVENT_PREFIX);
        } catch (IOException | RuntimeException | StackOverflowError e) {
            // Whatever it is: thrown from here, the same record would be met again and again, and nothing else be read.
            return poison(reason(e));
        }
    }

    /** Of a bounded length and on one line, since whoever sent the record has a say in it. */
    private static Input.Poison poison(String reason) {
        String line = reason.replaceAll("\\p{Cntrl}", "·");
        return new Input.Poison(
                line.length() <= REASON_LENGTH_MAX ? line : line.substring(0, REASON_LENGTH_MAX) + "…");
    }

    /**
     * The data as a record of ours. Fields are checked by name first, since that is where people err; what a person
     * may leave out is filled in.
     */
    private <T> T fields(ObjectNode data, Class<T> type) throws JsonProcessingException {
        ObjectNode complete = data.deepCopy();
        DEFAULTS.getOrDefault(type, Map.of()).forEach((name, value) -> {
            if (!complete.has(name)) {
                complete.set(name, value);
            }
        });
        List<String> known = Arrays.stream(type.getRecordComponents())
                .map(RecordComponent::getName)
                .toList();
        complete.fieldNames().forEachRemaining(name -> {
            if (!known.contains(name)) {
                throw new IllegalArgumentException("there is no field «" + name + "»; there are " + known);
            }
        });
        for (RecordComponent field : type.getRecordComponents()) {
            if (field.getType() != Optional.class && !complete.hasNonNull(field.getName())) {
                throw new IllegalArgumentException("the field «" + field.getName() + "» is missing or null");
            }
        }
        return json.treeToValue(complete, type);
    }

    public ProducerRecord<String, byte[]> command(Command command, String from) {
        return command(command, from, Optional.empty());
    }

    /** @param by who asks for it, at most {@value #AUTHOR_LENGTH_MAX} characters without control characters */
    public ProducerRecord<String, byte[]> command(Command command, String from, Optional<String> by) {
        by.ifPresent(Messages::requireAuthor);
        String key = command instanceof Command.OfTable ofTable ? ofTable.table().toString() : null;
        var record = record(pipeline.commandsAndEventsTopic(), null, key, COMMAND_PREFIX + name(command), from, command);
        by.ifPresent(author -> header(record, "ce_authid", author));
        return record;
    }

    /** The name of a command on the topic: {@code add-tables}. */
    public static String name(Command command) {
        return COMMANDS.entrySet().stream()
                .filter(entry -> entry.getValue() == command.getClass())
                .findFirst()
                .orElseThrow()
                .getKey();
    }

    private static String requireAuthor(String author) {
        if (author.isBlank() || author.length() > AUTHOR_LENGTH_MAX || author.chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException("the attribute «authid» is not a name of 1 to " + AUTHOR_LENGTH_MAX
                    + " characters without control characters");
        }
        return author;
    }

    public ProducerRecord<String, byte[]> event(Event event, String from) {
        String key = event instanceof Event.OfRun ofRun ? ofRun.table().toString() : null;
        String type = EVENT_PREFIX + dashed(event.getClass().getSimpleName());
        return record(pipeline.commandsAndEventsTopic(), null, key, type, from, event);
    }

    public ProducerRecord<String, byte[]> chunkTask(ChunkTask task, int slot) {
        return record(
                pipeline.chunkTasksTopic(), slot, task.table().toString(), TYPE_PREFIX + "chunk-task", "scheduler", task);
    }

    /** @throws InvalidMessageException if the record is not a chunk task */
    public ChunkTask chunkTask(ConsumerRecord<String, byte[]> record) {
        return read(record, ChunkTask.class);
    }

    public ProducerRecord<String, byte[]> streamCommand(StreamCommand command, String from) {
        return record(
                pipeline.streamCommandsTopic(),
                null,
                command.table().toString(),
                TYPE_PREFIX + "stream-command",
                from,
                new StreamCommandEnvelope(command));
    }

    /** Takes a table out of the stream commands: the streaming function forgets it. */
    public ProducerRecord<String, byte[]> streamTombstone(TableName table) {
        return new ProducerRecord<>(pipeline.streamCommandsTopic(), table.toString(), null);
    }

    /** @throws InvalidMessageException if the record is not a stream command; a tombstone (null value) is none */
    public StreamCommand streamCommand(ConsumerRecord<String, byte[]> record) {
        return read(record, StreamCommandEnvelope.class).command();
    }

    public ProducerRecord<String, byte[]> tableState(TableRecord table) {
        return record(
                pipeline.tableStateTopic(), null, table.table().toString(), TYPE_PREFIX + "table-state", "scheduler", table);
    }

    public ProducerRecord<String, byte[]> tableTombstone(TableName table) {
        return new ProducerRecord<>(pipeline.tableStateTopic(), table.toString(), null);
    }

    public ProducerRecord<String, byte[]> pipelineState(PipelineRecord state) {
        return record(
                pipeline.tableStateTopic(), null, PIPELINE_KEY, TYPE_PREFIX + "pipeline-state", "scheduler", state);
    }

    /** @throws InvalidMessageException if the record is not a table's state */
    public TableRecord tableState(ConsumerRecord<String, byte[]> record) {
        return read(record, TableRecord.class);
    }

    /** @throws InvalidMessageException if the record is not the pipeline's state */
    public PipelineRecord pipelineState(ConsumerRecord<String, byte[]> record) {
        return read(record, PipelineRecord.class);
    }

    /**
     * Reads options of several tables, as a setting has them: a JSON object with a field for each table.
     *
     * @throws IllegalArgumentException if the text is not that; the message says what is wrong with it
     */
    public Map<String, TableOptions> tableOptions(String text) {
        try {
            Map<String, TableOptions> options = new LinkedHashMap<>();
            JsonNode tables = json.readTree(text);
            if (!(tables instanceof ObjectNode)) {
                throw new IllegalArgumentException("it is not a JSON object with a field for each table");
            }
            for (Map.Entry<String, JsonNode> table : tables.properties()) {
                if (table.getValue().isNull()) {
                    throw new IllegalArgumentException("those of «" + table.getKey() + "» are null");
                }
                options.put(table.getKey(), json.treeToValue(table.getValue(), TableOptions.class));
            }
            return options;
        } catch (IOException | RuntimeException | StackOverflowError e) {
            throw new IllegalArgumentException("options of tables: " + reason(e), e);
        }
    }

    /**
     * Reads options of one table, as a command has them.
     *
     * @param text a JSON object
     * @throws IllegalArgumentException if the text is not that; the message says what is wrong with it
     */
    public TableOptions options(String text) {
        try {
            return json.readValue(text, TableOptions.class);
        } catch (IOException | RuntimeException | StackOverflowError e) {
            throw new IllegalArgumentException(reason(e), e);
        }
    }

    /**
     * A copy of a record that could not be followed, with the reason and where it stood. What is too large to be put
     * away is cut: a record that cannot be put away would stop everything behind it (R19).
     */
    public ProducerRecord<String, byte[]> deadLetter(ConsumerRecord<String, byte[]> poison, String reason) {
        String key = poison.key() != null && poison.key().length() > LETTER_KEY_MAX
                ? poison.key().substring(0, LETTER_KEY_MAX)
                : poison.key();
        boolean cut = poison.value() != null && poison.value().length > LETTER_BYTES_MAX;
        byte[] value = cut ? Arrays.copyOf(poison.value(), LETTER_BYTES_MAX) : poison.value();
        var letter = new ProducerRecord<>(pipeline.deadLetterTopic(), key, value);
        int headerBytes = 0;
        for (Header header : poison.headers()) {
            headerBytes += header.key().length() + (header.value() == null ? 0 : header.value().length);
            if (headerBytes <= LETTER_HEADER_BYTES_MAX) {
                letter.headers().add(header);
            }
        }
        if (cut) {
            letter.headers()
                    .add("sluice_bytes", Integer.toString(poison.value().length).getBytes(StandardCharsets.UTF_8));
        }
        letter.headers().add("sluice_reason", reason.getBytes(StandardCharsets.UTF_8));
        letter.headers()
                .add(
                        "sluice_origin",
                        (poison.topic() + "/" + poison.partition() + "@" + poison.offset())
                                .getBytes(StandardCharsets.UTF_8));
        return letter;
    }

    private record StreamCommandEnvelope(StreamCommand command) {}

    /**
     * @param by of the authentication context, an extension of CloudEvents
     * @param traceparent of distributed tracing, another one
     */
    private record CloudEvent(String type, ObjectNode data, Optional<String> by, Optional<String> traceparent) {}

    private <T> T read(ConsumerRecord<String, byte[]> record, Class<T> type) {
        try {
            return json.treeToValue(open(record).data(), type);
        } catch (IOException | RuntimeException | StackOverflowError e) {
            throw new InvalidMessageException(
                    record.topic() + "/" + record.partition() + "@" + record.offset() + ": " + reason(e), e);
        }
    }

    private CloudEvent open(ConsumerRecord<String, byte[]> record) throws IOException {
        if (record.value() == null || record.value().length == 0) {
            throw new IllegalArgumentException("the record has no value");
        }
        if (record.value().length > VALUE_BYTES_MAX) {
            throw new IllegalArgumentException(
                    "the record has " + record.value().length + " bytes; at most " + VALUE_BYTES_MAX + " are read");
        }
        JsonNode value = json.readTree(record.value());
        Optional<String> type = header(record, "ce_type");
        if (type.isPresent()) {
            requireVersion(header(record, "ce_specversion").orElse(""));
            if (!(value instanceof ObjectNode data)) {
                throw new IllegalArgumentException("the value is no JSON object");
            }
            return new CloudEvent(type.get(), data, header(record, "ce_authid"), header(record, "ce_traceparent"));
        }
        if (!value.isObject() || !value.path("type").isTextual()) {
            throw new IllegalArgumentException("this is not a CloudEvent: it has neither a header ce_type nor an "
                    + "attribute «type» in a JSON object");
        }
        requireVersion(value.path("specversion").asText(""));
        if (!(value.path("data") instanceof ObjectNode data)) {
            throw new IllegalArgumentException("the CloudEvent has no JSON object as its «data»");
        }
        return new CloudEvent(
                value.get("type").asText(), data, text(value.path("authid")), text(value.path("traceparent")));
    }

    private static Optional<String> text(JsonNode value) {
        return value.isTextual() ? Optional.of(value.asText()) : Optional.empty();
    }

    private static void requireVersion(String version) {
        if (!version.equals("1.0")) {
            throw new IllegalArgumentException("the CloudEvent's specversion is «" + version + "», not 1.0");
        }
    }

    private ProducerRecord<String, byte[]> record(
            String topic, Integer partition, String key, String type, String from, Object data) {
        var record = new ProducerRecord<>(topic, partition, key, bytes(data));
        header(record, "ce_specversion", "1.0");
        header(record, "ce_id", UUID.randomUUID().toString());
        header(record, "ce_source", "/" + pipeline.name() + "/" + from);
        header(record, "ce_type", type);
        if (key != null) {
            header(record, "ce_subject", key);
        }
        header(record, "content-type", "application/json");
        return record;
    }

    private byte[] bytes(Object data) {
        try {
            return json.writeValueAsBytes(data);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a message of our own cannot be written: " + e.getMessage(), e);
        }
    }

    private static void header(ProducerRecord<String, byte[]> record, String name, String value) {
        record.headers().add(name, value.getBytes(StandardCharsets.UTF_8));
    }

    private static Optional<String> header(ConsumerRecord<String, byte[]> record, String name) {
        Header header = record.headers().lastHeader(name);
        return header == null || header.value() == null
                ? Optional.empty()
                : Optional.of(new String(header.value(), StandardCharsets.UTF_8));
    }

    /** What is wrong with a record, for a person. */
    private static String reason(Throwable thrown) {
        Throwable cause = thrown;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return where(thrown) + switch (cause) {
            // Behind the colon or semicolon stands which setting of the parser it is that refuses.
            case JsonProcessingException wrong ->
                wrong.getOriginalMessage().replaceAll("(: not allowed as per|; `DeserializationFeature).*", "");
            case IllegalArgumentException refused -> refused.getMessage();
            default -> "it cannot be read (" + cause.getClass().getSimpleName() + ")";
        };
    }

    private static String where(Throwable thrown) {
        if (thrown instanceof JsonMappingException mapping && !mapping.getPath().isEmpty()) {
            return mapping.getPath().stream()
                    .map(step -> step.getFieldName() == null ? "[" + step.getIndex() + "]" : step.getFieldName())
                    .collect(Collectors.joining(".", "the field «", "»: "));
        }
        return thrown instanceof IOException ? "the value is not JSON: " : "";
    }

    private static JsonMapper mapper() {
        var texts = new SimpleModule();
        text(texts, TableName.class, TableName::toString, TableName::parse);
        text(texts, Lsn.class, Lsn::toString, Lsn::parse);
        text(texts, PgSnapshot.class, PgSnapshot::toString, PgSnapshot::parse);
        TableOptionsForm.register(texts);
        SettingsForm.register(texts);
        JsonMapper.Builder builder = JsonMapper.builder()
                .addModule(new Jdk8Module())
                .addModule(new JavaTimeModule())
                .addModule(new ParameterNamesModule())
                .addModule(texts)
                .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
                .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
                .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
                .enable(DeserializationFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
                .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
                .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
                // A record's fields are its components; a method «isCopied» is none.
                .disable(MapperFeature.AUTO_DETECT_IS_GETTERS)
                .withCoercionConfig(LogicalType.Textual, texting -> {
                    texting.setCoercion(CoercionInputShape.Integer, CoercionAction.Fail);
                    texting.setCoercion(CoercionInputShape.Float, CoercionAction.Fail);
                    texting.setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail);
                });
        for (Class<?> sealed :
                new Class<?>[] {
                    TableState.class,
                    TableState.Constraints.class,
                    TableState.Remedy.class,
                    StepResult.class,
                    StreamCommand.class,
                    Verification.Stage.class
                }) {
            builder.addMixIn(sealed, ByName.class);
            leaves(sealed, builder::registerSubtypes);
        }
        return builder.addMixIn(TableRecord.class, WithoutRuns.class).build();
    }

    /** What an earlier version wrote has no history. */
    private interface WithoutRuns {
        @JsonSetter(nulls = Nulls.AS_EMPTY)
        List<PastRun> runs();
    }

    /** Writes which record of a sealed interface a value is as its simple name. */
    @JsonTypeInfo(use = JsonTypeInfo.Id.SIMPLE_NAME, property = "is")
    private interface ByName {}

    private static void leaves(Class<?> sealed, java.util.function.Consumer<Class<?>> each) {
        for (Class<?> permitted : sealed.getPermittedSubclasses()) {
            if (permitted.isSealed()) {
                leaves(permitted, each);
            } else {
                each.accept(permitted);
            }
        }
    }

    private static String dashed(String camelCase) {
        return camelCase.replaceAll("(?<=[a-z])(?=[A-Z])", "-").toLowerCase(java.util.Locale.ROOT);
    }

    private static <T> void text(SimpleModule module, Class<T> type, Function<T, String> write, Function<String, T> read) {
        module.addSerializer(type, new JsonSerializer<>() {
            @Override
            public void serialize(T value, JsonGenerator generator, SerializerProvider serializers) throws IOException {
                generator.writeString(write.apply(value));
            }
        });
        module.addDeserializer(type, new JsonDeserializer<>() {
            @Override
            public T deserialize(JsonParser parser, DeserializationContext context) throws IOException {
                if (!parser.hasToken(JsonToken.VALUE_STRING)) {
                    return type.cast(context.handleUnexpectedToken(type, parser));
                }
                return read.apply(parser.getText());
            }
        });
    }

    /** A record that is not what its topic holds. */
    public static final class InvalidMessageException extends RuntimeException {
        InvalidMessageException(String message, Throwable cause) {
            super(message, cause);
        }
    }
}
