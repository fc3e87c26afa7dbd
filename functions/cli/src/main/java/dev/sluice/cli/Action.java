package dev.sluice.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;

/**
 * Something that is to be done, as {@code POST /actions} wants it.
 *
 * @param name of the action
 * @param tables none: the pipeline
 * @param more fields beside
 */
record Action(String name, List<String> tables, ObjectNode more) {

    private static final int TABLES_MAX = 1_000;

    Action {
        tables = List.copyOf(tables);
    }

    static Action of(String name, List<String> tables) {
        return new Action(name, tables, Json.object());
    }

    static Action ofPipeline(String name) {
        return of(name, List.of());
    }

    /** One request, or as many as the tables need. */
    List<ObjectNode> requests() {
        List<ObjectNode> requests = new ArrayList<>();
        for (int from = 0; from == 0 || from < tables.size(); from += TABLES_MAX) {
            ObjectNode request = Json.object().put("action", name);
            if (!tables.isEmpty()) {
                request.set("tables", Json.array(tables.subList(from, Math.min(tables.size(), from + TABLES_MAX))));
            }
            request.setAll(more);
            requests.add(request);
        }
        return requests;
    }
}
