package dev.sluice.messaging;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.domain.Setting;
import dev.sluice.domain.Settings;
import java.io.IOException;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/**
 * Settings as JSON: an object of those that have a value. Where there is none at all, there are none. In a change, null
 * takes a setting back to its default.
 */
final class SettingsForm {

    private SettingsForm() {}

    static void register(SimpleModule module) {
        module.addSerializer(Settings.class, new Writing());
        module.addDeserializer(Settings.class, new Reading());
        module.addSerializer(Settings.Change.class, new WritingChange());
        module.addDeserializer(Settings.Change.class, new ReadingChange());
    }

    private static final class Writing extends JsonSerializer<Settings> {
        @Override
        public void serialize(Settings settings, JsonGenerator json, SerializerProvider serializers) throws IOException {
            json.writeStartObject();
            for (Map.Entry<Setting, Object> value : settings.values().entrySet()) {
                serializers.defaultSerializeField(value.getKey().text(), value.getValue(), json);
            }
            json.writeEndObject();
        }
    }

    private static final class Reading extends JsonDeserializer<Settings> {
        @Override
        public Settings deserialize(JsonParser parser, DeserializationContext context) throws IOException {
            Map<Setting, Object> values = new EnumMap<>(Setting.class);
            changes(parser, context).forEach((setting, value) -> values.put(
                    setting, value.orElseThrow(() -> new IllegalArgumentException(setting.text() + " is null"))));
            return new Settings(values);
        }

        /** As a version wrote it that had no settings. */
        @Override
        public Settings getAbsentValue(DeserializationContext context) {
            return Settings.NONE;
        }
    }

    private static final class WritingChange extends JsonSerializer<Settings.Change> {
        @Override
        public void serialize(Settings.Change change, JsonGenerator json, SerializerProvider serializers)
                throws IOException {
            json.writeStartObject();
            for (Map.Entry<Setting, Optional<Object>> value : change.values().entrySet()) {
                serializers.defaultSerializeField(value.getKey().text(), value.getValue().orElse(null), json);
            }
            json.writeEndObject();
        }
    }

    private static final class ReadingChange extends JsonDeserializer<Settings.Change> {
        @Override
        public Settings.Change deserialize(JsonParser parser, DeserializationContext context) throws IOException {
            return new Settings.Change(changes(parser, context));
        }
    }

    private static Map<Setting, Optional<Object>> changes(JsonParser parser, DeserializationContext context)
            throws IOException {
        JsonNode node = context.readTree(parser);
        if (!(node instanceof ObjectNode written)) {
            throw new IllegalArgumentException("settings are a JSON object with a field for each");
        }
        Map<Setting, Optional<Object>> changes = new EnumMap<>(Setting.class);
        for (Map.Entry<String, JsonNode> field : written.properties()) {
            // As plain Java values; whether one fits is the setting's to say.
            Object value = context.readTreeAsValue(field.getValue(), Object.class);
            Setting setting = Setting.named(field.getKey());
            changes.put(setting, Optional.ofNullable(value).map(setting::require));
        }
        return changes;
    }
}
