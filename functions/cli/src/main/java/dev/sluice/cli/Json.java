package dev.sluice.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.stream.StreamSupport;

/** JSON of the console. What is not there, or is not what it should be, counts as left out. */
final class Json {

    private static final int NESTING_MAX = 100;

    private static final ObjectMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(NESTING_MAX)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();

    private Json() {
    }

    /** Empty: it is no JSON. */
    static Optional<JsonNode> read(String text) {
        try {
            JsonNode json = MAPPER.readTree(text);
            return json == null || json.isMissingNode() ? Optional.empty() : Optional.of(json);
        } catch (JsonProcessingException e) {
            return Optional.empty();
        }
    }

    /** An object that a person has written. */
    static ObjectNode object(String text, String what) {
        if (read(text).orElse(null) instanceof ObjectNode object) {
            return object;
        }
        throw Trouble.usage(what + " is a JSON object, such as {\"exclude\": [\"note\"]}; this is none: «"
                + Harmless.text(text, 80) + "»");
    }

    static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    static ArrayNode array() {
        return MAPPER.createArrayNode();
    }

    static ArrayNode array(Collection<String> texts) {
        ArrayNode array = array();
        texts.forEach(array::add);
        return array;
    }

    static String write(JsonNode json) {
        try {
            return MAPPER.writeValueAsString(json);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("JSON cannot be written: " + e.getMessage(), e);
        }
    }

    static Optional<String> text(JsonNode json, String name) {
        JsonNode value = json.get(name);
        return value == null || !value.isValueNode() || value.isNull() ? Optional.empty() : Optional.of(value.asText());
    }

    static OptionalLong number(JsonNode json, String name) {
        JsonNode value = json.get(name);
        return value == null || !value.isNumber() ? OptionalLong.empty() : OptionalLong.of(value.asLong());
    }

    static OptionalDouble decimal(JsonNode json, String name) {
        JsonNode value = json.get(name);
        return value == null || !value.isNumber() ? OptionalDouble.empty() : OptionalDouble.of(value.asDouble());
    }

    static boolean is(JsonNode json, String name) {
        JsonNode value = json.get(name);
        return value != null && value.isBoolean() && value.asBoolean();
    }

    static Optional<JsonNode> part(JsonNode json, String name) {
        JsonNode value = json.get(name);
        return value == null || !value.isObject() ? Optional.empty() : Optional.of(value);
    }

    static List<JsonNode> list(JsonNode json, String name) {
        JsonNode value = json.get(name);
        return value == null ? List.of() : list(value);
    }

    static List<JsonNode> list(JsonNode json) {
        return json.isArray() ? StreamSupport.stream(json.spliterator(), false).toList() : List.of();
    }
}
