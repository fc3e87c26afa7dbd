package dev.sluice.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "backfill",
        description = "Copies tables once more, whole or from one key to another. Says first what it means for each, and asks "
                + "where it hurts.")
final class BackfillCommand implements Callable<Integer> {

    private final Sluice sluice;

    @Mixin
    private TableArguments tables;

    @Option(
            names = "--from",
            paramLabel = "VALUE",
            description = "Only rows from this key on. For a key of several columns once for each, in their order.")
    private List<String> from = new ArrayList<>();

    @Option(names = "--to", paramLabel = "VALUE", description = "Only rows up to this key, itself included.")
    private List<String> to = new ArrayList<>();

    @Mixin
    private OptionsArguments options;

    @Mixin
    private ActionOptions action;

    @Mixin
    private WaitOptions waits;

    BackfillCommand(Sluice sluice) {
        this.sluice = sluice;
    }

    @Override
    public Integer call() {
        boolean part = !from.isEmpty() || !to.isEmpty();
        if (part && !options.isEmpty()) {
            throw Trouble.usage("a part is copied with the options that the table has: leave out --options and --where, or "
                    + "--from and --to");
        }
        ConsoleApi api = sluice.api();
        List<String> names = tables.resolve(api);
        if (part && names.size() > 1) {
            throw Trouble.usage("--from and --to are keys of one table, and " + Figures.count(names.size())
                    + " are named: give one name");
        }
        return new ActionRun(sluice, api).run(actions(api, names, part), action, waits, Awaited.Kind.BACKFILLED, board -> names);
    }

    private List<Action> actions(ConsoleApi api, List<String> names, boolean part) {
        if (part) {
            ObjectNode keys = Json.object();
            if (!from.isEmpty()) {
                keys.set("from", Json.array(from));
            }
            if (!to.isEmpty()) {
                keys.set("to", Json.array(to));
            }
            return List.of(new Action("backfill", names, Json.object().set("keys", keys)));
        }
        if (!options.addsToPresent()) {
            ObjectNode more = Json.object();
            options.over(Json.object()).ifPresent(all -> more.set("options", all));
            return List.of(new Action("backfill", names, more));
        }
        // Options are replaced as a whole: a condition alone would uncover what is masked.
        Map<ObjectNode, List<String>> byOptions = new LinkedHashMap<>();
        for (String name : names) {
            JsonNode table = api.get("/tables/" + ConsoleAddress.encode(name)).json();
            ObjectNode all = options.over(present(table)).orElseThrow();
            byOptions.computeIfAbsent(all, it -> new ArrayList<>()).add(name);
        }
        return byOptions.entrySet().stream()
                .map(it -> new Action("backfill", it.getValue(), Json.object().set("options", it.getKey())))
                .toList();
    }

    /** What was asked for and waits for its turn holds from then on. */
    private static JsonNode present(JsonNode table) {
        return Json.part(table, "optionsAsked").or(() -> Json.part(table, "options")).orElseGet(Json::object);
    }
}
