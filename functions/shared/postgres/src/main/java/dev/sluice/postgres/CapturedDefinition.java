package dev.sluice.postgres;

import dev.sluice.domain.TableDefinition.Generation;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What the ledger keeps of a table's definition at the source: that which the rows and changes at the destination were
 * made under. Beside the definition itself it has what tells one change of it from another.
 *
 * @param fingerprint of the definition
 * @param storage where the rows are
 * @param columns in the order of the table
 * @param places how many columns the table ever had: the highest {@code attnum} that was given, to dropped ones too
 * @param key the names of the key's columns, in the order of the key
 * @param past names that changes in the queue may still carry, with the place of the column that they were given to
 */
record CapturedDefinition(
        String fingerprint,
        Storage storage,
        List<CapturedColumn> columns,
        int places,
        List<String> key,
        Map<String, Integer> past) {

    CapturedDefinition {
        columns = List.copyOf(columns);
        key = List.copyOf(key);
        past = Map.copyOf(past);
    }

    /**
     * @param place {@code attnum}: stays when the column is renamed, and is never given to another
     * @param collation where it is not that of the type
     * @param version another one whenever the column's row in the catalog was written
     * @param defaultId the OID of the default or generation expression: another one whenever that was set
     * @param missing the value, as text, of rows that are older than the column; empty when they have NULL, or when
     *     every row has been written since
     * @param differs whether those of one partition have another value than those of the next, so that there is no one
     *     value for them
     */
    record CapturedColumn(
            int place,
            String name,
            String type,
            boolean notNull,
            Generation generation,
            Optional<String> collation,
            String version,
            Optional<Long> defaultId,
            Optional<String> missing,
            boolean differs) {

        boolean isCopied() {
            return generation != Generation.STORED && generation != Generation.VIRTUAL;
        }

        private JsonObject json() {
            return new JsonObject()
                    .put("place", place)
                    .put("name", name)
                    .put("type", type)
                    .put("notNull", notNull)
                    .put("generation", generation.name())
                    .put("collation", collation.orElse(null))
                    .put("version", version)
                    .put("defaultId", defaultId.orElse(null))
                    .put("missing", missing.orElse(null))
                    .put("differs", differs);
        }

        private static CapturedColumn of(JsonObject json) {
            return new CapturedColumn(
                    json.getInteger("place"),
                    json.getString("name"),
                    json.getString("type"),
                    json.getBoolean("notNull"),
                    Generation.valueOf(json.getString("generation")),
                    Optional.ofNullable(json.getString("collation")),
                    json.getString("version"),
                    Optional.ofNullable(json.getLong("defaultId")),
                    Optional.ofNullable(json.getString("missing")),
                    json.getBoolean("differs", false));
        }
    }

    Optional<CapturedColumn> at(int place) {
        return columns.stream().filter(column -> column.place() == place).findFirst();
    }

    Optional<CapturedColumn> named(String name) {
        return columns.stream().filter(column -> column.name().equals(name)).findFirst();
    }

    /** This definition, knowing the names that columns had before. */
    CapturedDefinition after(CapturedDefinition before) {
        Map<String, Integer> names = new LinkedHashMap<>(before.past());
        for (CapturedColumn column : before.columns()) {
            boolean stays = at(column.place())
                    .filter(now -> now.name().equals(column.name()))
                    .isPresent();
            if (!stays) {
                names.put(column.name(), column.place());
            }
        }
        return withPast(names);
    }

    CapturedDefinition withPast(Map<String, Integer> names) {
        return new CapturedDefinition(fingerprint, storage, columns, places, key, names);
    }

    /** What the names in the queue mean now. */
    SourceNames names() {
        Map<String, Optional<String>> meaning = new LinkedHashMap<>();
        past.forEach((name, place) -> meaning.put(name, at(place).map(CapturedColumn::name)));
        return new SourceNames(Optional.of(fingerprint), meaning);
    }

    JsonObject json() {
        var ofColumns = new JsonArray();
        columns.forEach(column -> ofColumns.add(column.json()));
        var ofPast = new JsonObject();
        past.forEach(ofPast::put);
        return new JsonObject()
                .put("fingerprint", fingerprint)
                .put("storage", storage.text())
                .put("columns", ofColumns)
                .put("places", places)
                .put("key", new JsonArray(key))
                .put("past", ofPast);
    }

    static CapturedDefinition of(JsonObject json) {
        List<CapturedColumn> columns = new ArrayList<>();
        for (Object column : json.getJsonArray("columns")) {
            columns.add(CapturedColumn.of((JsonObject) column));
        }
        List<String> key = new ArrayList<>();
        json.getJsonArray("key").forEach(name -> key.add((String) name));
        Map<String, Integer> past = new LinkedHashMap<>();
        JsonObject ofPast = json.getJsonObject("past");
        ofPast.fieldNames().forEach(name -> past.put(name, ofPast.getInteger(name)));
        // An earlier version did not keep how many there were: the highest that it knew of.
        int known = Stream.concat(columns.stream().map(CapturedColumn::place), past.values().stream())
                .mapToInt(Integer::intValue)
                .max()
                .orElse(0);
        return new CapturedDefinition(
                json.getString("fingerprint"),
                Storage.parse(json.getString("storage")),
                columns,
                json.getInteger("places", known),
                key,
                past);
    }
}
