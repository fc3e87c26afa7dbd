package dev.sluice.messaging;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableOptions.SoftDelete;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Options of a table as JSON: an object of those that are not empty. Where there is none at all, there are none. */
final class TableOptionsForm {

    private TableOptionsForm() {}

    static void register(SimpleModule module) {
        module.addSerializer(TableOptions.class, new Writing());
        module.addDeserializer(TableOptions.class, new Reading());
    }

    /** With a field for each option, in the form that the mapper knows by itself. */
    private record Fields(
            List<String> key,
            List<String> include,
            List<String> exclude,
            List<String> hash,
            Map<String, Optional<String>> mask,
            Optional<String> where,
            Optional<SoftDelete> softDelete) {

        private static final List<String> NAMES =
                Arrays.stream(Fields.class.getRecordComponents()).map(field -> field.getName()).toList();
    }

    private static final class Writing extends JsonSerializer<TableOptions> {
        @Override
        public void serialize(TableOptions options, JsonGenerator json, SerializerProvider serializers)
                throws IOException {
            json.writeStartObject();
            list(json, "key", options.key());
            list(json, "include", options.include());
            list(json, "exclude", options.exclude());
            list(json, "hash", options.hash());
            if (!options.mask().isEmpty()) {
                json.writeObjectFieldStart("mask");
                for (Map.Entry<String, Optional<String>> mask : options.mask().entrySet()) {
                    json.writeStringField(mask.getKey(), mask.getValue().orElse(null));
                }
                json.writeEndObject();
            }
            if (options.where().isPresent()) {
                json.writeStringField("where", options.where().get());
            }
            if (options.softDelete().isPresent()) {
                serializers.defaultSerializeField("softDelete", options.softDelete().get(), json);
            }
            json.writeEndObject();
        }

        private static void list(JsonGenerator json, String name, List<String> values) throws IOException {
            if (!values.isEmpty()) {
                json.writeArrayFieldStart(name);
                for (String value : values) {
                    json.writeString(value);
                }
                json.writeEndArray();
            }
        }
    }

    private static final class Reading extends JsonDeserializer<TableOptions> {
        @Override
        public TableOptions deserialize(JsonParser parser, DeserializationContext context) throws IOException {
            JsonNode node = context.readTree(parser);
            if (!(node instanceof ObjectNode written)) {
                throw new IllegalArgumentException("options are a JSON object, with any of " + Fields.NAMES);
            }
            written.fieldNames().forEachRemaining(name -> {
                if (!Fields.NAMES.contains(name)) {
                    throw new IllegalArgumentException("there is no option «" + name + "»; there are " + Fields.NAMES);
                }
            });
            for (String name : List.of("key", "include", "exclude", "hash")) {
                if (!written.has(name)) {
                    written.set(name, JsonNodeFactory.instance.arrayNode());
                }
            }
            if (!written.has("mask")) {
                written.set("mask", JsonNodeFactory.instance.objectNode());
            }
            Fields fields = context.readTreeAsValue(written, Fields.class);
            return new TableOptions(
                    fields.key(), fields.include(), fields.exclude(), fields.hash(), fields.mask(), fields.where(),
                    fields.softDelete());
        }

        /** As a version wrote it that had no options. */
        @Override
        public TableOptions getAbsentValue(DeserializationContext context) {
            return TableOptions.NONE;
        }
    }
}
