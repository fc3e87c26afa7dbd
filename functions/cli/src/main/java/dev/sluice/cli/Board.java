package dev.sluice.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/** The console's overview, kept as it is now by the events that change it. */
final class Board {

    private static final String ADDING = "add-tables ";

    private final TreeMap<String, Table> tables = new TreeMap<>();
    private JsonNode pipeline = Json.object();
    private JsonNode health = Json.object();
    private boolean known;

    void apply(ServerEvent event) {
        boolean whole = event.name().equals("overview");
        if (!whole && !event.name().equals("change")) {
            return;
        }
        apply(
                Json.read(event.data())
                        .orElseThrow(() -> Trouble.notReachable("the console sent an event that is no JSON: it and this "
                                + "sluice may be of different versions")),
                whole);
    }

    /** @param whole what is not named is not there; else, has not changed */
    void apply(JsonNode overview, boolean whole) {
        if (whole) {
            tables.clear();
            known = true;
        }
        Json.part(overview, "pipeline").ifPresent(it -> pipeline = it);
        Json.part(overview, "health").ifPresent(it -> health = it);
        for (JsonNode json : Json.list(overview, "tables")) {
            var table = new Table(json);
            tables.put(table.name(), table);
        }
        Json.list(overview, "gone").forEach(name -> tables.remove(name.asText()));
    }

    /** Whether the console has told anything yet. */
    boolean isKnown() {
        return known;
    }

    Collection<Table> tables() {
        return tables.values();
    }

    Optional<Table> table(String name) {
        return Optional.ofNullable(tables.get(name));
    }

    JsonNode pipeline() {
        return pipeline;
    }

    JsonNode health() {
        return health;
    }

    /** Whether tables are being added whose names the source has not been asked for yet. */
    boolean isAdding() {
        return !Json.list(pipeline, "requests").isEmpty();
    }

    /** As the scheduler writes it: a list for a request as a whole, else the name. */
    private static boolean isOfAnother(String what, String table) {
        return what.startsWith(ADDING) && !what.startsWith(ADDING + "[") && !what.equals(ADDING + table);
    }

    /** Why the command at this offset was not followed, for this table if it was about several. */
    Optional<String> rejection(long offset, String table) {
        List<JsonNode> rejections = Json.list(pipeline, "rejections");
        return rejections.stream()
                .filter(rejection -> Json.number(rejection, "offset").orElse(-1) == offset)
                .filter(rejection -> Json.text(rejection, "what").filter(what -> isOfAnother(what, table)).isEmpty())
                .findFirst()
                .map(rejection -> Json.text(rejection, "reason").orElse("no reason is known"));
    }
}
