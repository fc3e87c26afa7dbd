package dev.sluice.console.act;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.console.ProblemException;
import dev.sluice.domain.Command;
import dev.sluice.domain.KeyBounds;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TablePattern;
import dev.sluice.messaging.Messages;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** Reads a request for an action. What is wrong with it is told with the field where it is wrong. */
final class ActionReader {

    private static final int TABLES_MAX = 1_000;
    /** As a command has it. */
    private static final int NAME_LENGTH_MAX = 257;

    private static final int SHOWN_LENGTH_MAX = 100;
    private static final List<String> FIELDS = List.of("action", "tables", "dryRun", "options", "keys", "dropQueue");
    private static final List<String> ACTIONS = List.of(
            "add", "backfill", "cancel", "retry", "remove", "verify", "cancel-verification", "pause", "resume",
            "to-front", "pause-pipeline", "resume-pipeline");

    private final Messages messages;

    ActionReader(Messages messages) {
        this.messages = messages;
    }

    /** @throws ProblemException if it cannot be followed, with the field */
    Asking read(ObjectNode body) {
        body.fieldNames().forEachRemaining(name -> {
            if (!FIELDS.contains(name)) {
                throw ProblemException.refused(shown(name), "There is no such field; there are " + FIELDS + ".");
            }
        });
        String action = action(body);
        boolean dryRun = flag(body, "dryRun");
        boolean dropQueue = flag(body, "dropQueue");
        Optional<TableOptions> options = options(body);
        Optional<KeyBounds> keys = keys(body);
        refuseUnless(options.isEmpty() || List.of("add", "backfill").contains(action), "options", "add and backfill");
        refuseUnless(keys.isEmpty() || action.equals("backfill"), "keys", "backfill");
        refuseUnless(!dropQueue || action.equals("cancel"), "dropQueue", "cancel");
        if (options.isPresent() && keys.isPresent()) {
            throw ProblemException.refused(
                    "keys", "Send options or keys, not both: other options have to hold for all rows.");
        }
        List<Command> commands = switch (action) {
            case "add" -> List.of(new Command.AddTables(entries(body), options));
            case "backfill" -> each(body, table -> new Command.Backfill(table, options, keys));
            case "cancel" -> each(body, table -> new Command.Cancel(table, dropQueue));
            case "retry" -> each(body, Command.Retry::new);
            case "remove" -> each(body, Command.Remove::new);
            case "verify" -> each(body, Command.Verify::new);
            case "cancel-verification" -> each(body, Command.CancelVerification::new);
            case "pause" -> each(body, Command.Pause::new);
            case "resume" -> each(body, Command.Resume::new);
            case "to-front" -> each(body, Command.ToFront::new).reversed();
            case "pause-pipeline" -> ofPipeline(body, new Command.PausePipeline());
            case "resume-pipeline" -> ofPipeline(body, new Command.ResumePipeline());
            default -> throw new IllegalStateException("an action that is listed and not read: " + action);
        };
        return new Asking(action, commands, dryRun);
    }

    private static String action(ObjectNode body) {
        JsonNode action = body.path("action");
        if (!action.isTextual() || !ACTIONS.contains(action.textValue())) {
            throw ProblemException.refused("action", "It must be one of " + ACTIONS + ".");
        }
        return action.textValue();
    }

    private static boolean flag(ObjectNode body, String field) {
        JsonNode flag = body.path(field);
        if (!flag.isMissingNode() && !flag.isBoolean()) {
            throw ProblemException.refused(field, "It must be true or false, or left out.");
        }
        return flag.booleanValue();
    }

    private Optional<TableOptions> options(ObjectNode body) {
        JsonNode options = body.path("options");
        if (options.isMissingNode()) {
            return Optional.empty();
        }
        if (!options.isObject()) {
            throw ProblemException.refused("options", "It must be an object of options, or left out.");
        }
        try {
            return Optional.of(messages.options(options.toString()));
        } catch (IllegalArgumentException e) {
            throw ProblemException.refused("options", e.getMessage());
        }
    }

    private static Optional<KeyBounds> keys(ObjectNode body) {
        JsonNode keys = body.path("keys");
        if (keys.isMissingNode()) {
            return Optional.empty();
        }
        if (!keys.isObject()) {
            throw ProblemException.refused("keys", "It must be an object with «from», «to» or both, or left out.");
        }
        keys.fieldNames().forEachRemaining(name -> {
            if (!Set.of("from", "to").contains(name)) {
                throw ProblemException.refused("keys." + shown(name), "There is no such field; there are from and to.");
            }
        });
        try {
            return Optional.of(new KeyBounds(key(keys, "from"), key(keys, "to")));
        } catch (IllegalArgumentException e) {
            throw ProblemException.refused("keys", e.getMessage());
        }
    }

    private static Optional<List<String>> key(JsonNode keys, String end) {
        JsonNode key = keys.path(end);
        if (key.isMissingNode()) {
            return Optional.empty();
        }
        List<String> values = new ArrayList<>();
        for (JsonNode value : key) {
            if (!value.isTextual()) {
                throw ProblemException.refused("keys." + end, "Each key column is a text, as [\"17\"].");
            }
            values.add(value.textValue());
        }
        if (!key.isArray()) {
            throw ProblemException.refused("keys." + end, "It must be a list of texts, one for each key column.");
        }
        return Optional.of(values);
    }

    private static void refuseUnless(boolean right, String field, String actions) {
        if (!right) {
            throw ProblemException.refused(field, "Only " + actions + " can have it; leave it out.");
        }
    }

    private static List<Command> ofPipeline(ObjectNode body, Command command) {
        if (body.has("tables")) {
            throw ProblemException.refused("tables", "The action is about the whole pipeline; leave the tables out.");
        }
        return List.of(command);
    }

    /** Each table once, in the order of the request. */
    private static List<Command> each(ObjectNode body, Function<TableName, Command> command) {
        return List.copyOf(checked(body, TableName::parse)).stream().map(command).toList();
    }

    private static List<String> entries(ObjectNode body) {
        return List.copyOf(checked(body, entry -> {
            TablePattern pattern = TablePattern.parse(entry);
            return pattern.isName() ? TableName.parse(entry).toString() : entry;
        }));
    }

    private static <T> Set<T> checked(ObjectNode body, Function<String, T> parse) {
        JsonNode tables = body.path("tables");
        if (!tables.isArray() || tables.isEmpty() || tables.size() > TABLES_MAX) {
            throw ProblemException.refused("tables", "It must be a list of 1 to 1,000 tables.");
        }
        Set<T> parsed = new LinkedHashSet<>();
        for (int i = 0; i < tables.size(); i++) {
            JsonNode entry = tables.get(i);
            String field = "tables[" + i + "]";
            if (!entry.isTextual() || entry.textValue().isBlank() || entry.textValue().length() > NAME_LENGTH_MAX) {
                throw ProblemException.refused(field, "It must be a text of 1 to " + NAME_LENGTH_MAX + " characters.");
            }
            try {
                parsed.add(parse.apply(entry.textValue()));
            } catch (IllegalArgumentException e) {
                throw ProblemException.refused(field, e.getMessage());
            }
        }
        return parsed;
    }

    private static String shown(String name) {
        String line = name.replaceAll("\\p{Cntrl}", "·");
        return line.length() <= SHOWN_LENGTH_MAX ? line : line.substring(0, SHOWN_LENGTH_MAX) + "…";
    }
}
