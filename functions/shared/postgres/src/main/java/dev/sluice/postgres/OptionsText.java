package dev.sluice.postgres;

import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableOptions.SoftDelete;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Options of a table as the ledger has them: a JSON object of those that are not empty. */
final class OptionsText {

    private OptionsText() {}

    static String write(TableOptions options) {
        var json = new JsonObject();
        list(json, "key", options.key());
        list(json, "include", options.include());
        list(json, "exclude", options.exclude());
        list(json, "hash", options.hash());
        if (!options.mask().isEmpty()) {
            var masks = new JsonObject();
            options.mask().forEach((column, text) -> masks.put(column, text.orElse(null)));
            json.put("mask", masks);
        }
        options.where().ifPresent(where -> json.put("where", where));
        options.softDelete().ifPresent(mark -> json.put(
                "softDelete", new JsonObject().put("column", mark.column()).put("type", mark.type().name())));
        return json.encode();
    }

    /** @param text as {@link #write} wrote it */
    static TableOptions read(String text) {
        var json = new JsonObject(text);
        Map<String, Optional<String>> mask = new LinkedHashMap<>();
        JsonObject masks = json.getJsonObject("mask", new JsonObject());
        masks.fieldNames().forEach(column -> mask.put(column, Optional.ofNullable(masks.getString(column))));
        return new TableOptions(
                list(json, "key"),
                list(json, "include"),
                list(json, "exclude"),
                list(json, "hash"),
                mask,
                Optional.ofNullable(json.getString("where")),
                Optional.ofNullable(json.getJsonObject("softDelete"))
                        .map(mark -> new SoftDelete(
                                mark.getString("column"), SoftDelete.Type.valueOf(mark.getString("type")))));
    }

    private static void list(JsonObject json, String name, List<String> values) {
        if (!values.isEmpty()) {
            json.put(name, new JsonArray(values));
        }
    }

    private static List<String> list(JsonObject json, String name) {
        return json.getJsonArray(name, new JsonArray()).stream().map(String.class::cast).toList();
    }
}
