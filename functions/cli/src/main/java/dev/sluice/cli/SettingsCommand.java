package dev.sluice.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;

@Command(name = "settings", description = "Lists what can be changed while the pipeline runs; set and reset change it.")
final class SettingsCommand implements Callable<Integer> {

    private final Sluice sluice;

    SettingsCommand(Sluice sluice) {
        this.sluice = sluice;
    }

    @Override
    public Integer call() {
        Answer answer = sluice.api().get("/settings");
        if (sluice.json()) {
            sluice.printer().json(answer.body());
            return ExitCode.DONE;
        }
        List<JsonNode> settings = Json.list(answer.json(), "settings");
        var grid = new Grid("SETTING", ">VALUE", "UNIT", ">DEFAULT", "BOUNDS", "");
        for (JsonNode setting : settings) {
            grid.row(
                    Json.text(setting, "name").orElse(""),
                    value(setting, "value"),
                    Json.text(setting, "unit").orElse(""),
                    value(setting, "default"),
                    Json.text(setting, "bounds").orElse(""),
                    Json.is(setting, "changed") ? "changed" : "");
        }
        Style style = sluice.printer().style();
        sluice.printer().grid(grid, (row, line) -> Json.is(settings.get(row), "changed") ? style.strong(line) : line);
        sluice.printer().line("");
        settings.forEach(setting -> sluice.printer().line(
                Json.text(setting, "name").orElse("") + ": " + Json.text(setting, "effect").orElse("")));
        return ExitCode.DONE;
    }

    private static String value(JsonNode setting, String name) {
        JsonNode value = setting.get(name);
        if (value == null) {
            return Json.text(setting, "whenEmpty").orElse("");
        }
        if (value.isArray()) {
            return value.isEmpty() ? "none" : Json.list(value).stream().map(JsonNode::asText).collect(Collectors.joining(","));
        }
        return value.isIntegralNumber() ? Figures.count(value.asLong()) : value.asText();
    }
}
