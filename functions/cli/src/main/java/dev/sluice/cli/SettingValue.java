package dev.sluice.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** The value of a setting as somebody types it. Whether it is within its bounds, the console says. */
final class SettingValue {

    private SettingValue() {
    }

    /** @param settings as the API lists them */
    static JsonNode find(List<JsonNode> settings, String name) {
        return settings.stream()
                .filter(setting -> Json.text(setting, "name").orElse("").equals(name))
                .findFirst()
                .orElseThrow(() -> Trouble.usage("there is no setting «" + Harmless.text(name, 60) + "»: there are "
                        + settings.stream().map(it -> Json.text(it, "name").orElse("")).collect(Collectors.joining(", "))));
    }

    /** @param setting as the API lists it */
    static JsonNode parse(JsonNode setting, String text) {
        String name = Json.text(setting, "name").orElse("");
        return switch (Json.text(setting, "type").orElse("")) {
            case "integer" -> {
                String digits = text.replace("_", "");
                if (!digits.matches("-?[0-9]{1,18}")) {
                    throw wrong(name, text, "a whole number" + (text.isEmpty() ? ", or sluice settings reset " + name : ""));
                }
                yield LongNode.valueOf(Long.parseLong(digits));
            }
            case "boolean" -> switch (text) {
                case "true", "on" -> BooleanNode.TRUE;
                case "false", "off" -> BooleanNode.FALSE;
                default -> throw wrong(name, text, "true or false");
            };
            case "list" -> Json.array(list(text));
            default -> TextNode.valueOf(text);
        };
    }

    private static Trouble wrong(String name, String text, String expected) {
        return Trouble.usage("«" + Harmless.text(text, 60) + "» is no value of " + name + ": give " + expected);
    }

    /** Parted by commas; one in double quotes belongs to a name. */
    static List<String> list(String text) {
        List<String> parts = new ArrayList<>();
        var part = new StringBuilder();
        boolean quoted = false;
        for (char c : text.toCharArray()) {
            quoted ^= c == '"';
            if (c == ',' && !quoted) {
                parts.add(part.toString().strip());
                part.setLength(0);
            } else {
                part.append(c);
            }
        }
        parts.add(part.toString().strip());
        parts.removeIf(String::isEmpty);
        return parts;
    }
}
