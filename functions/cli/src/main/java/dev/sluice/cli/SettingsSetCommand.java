package dev.sluice.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
        name = "set",
        description = "Changes settings, all that are named or none. A list is parted by commas: joinPatterns='sales.*,!sales.tmp_*'.")
final class SettingsSetCommand implements Callable<Integer> {

    private final Sluice sluice;

    @Parameters(arity = "1..*", paramLabel = "NAME=VALUE", description = "Such as chunkRows=20000.")
    private List<String> changes;

    SettingsSetCommand(Sluice sluice) {
        this.sluice = sluice;
    }

    @Override
    public Integer call() {
        ConsoleApi api = sluice.api();
        List<JsonNode> settings = Json.list(api.get("/settings").json(), "settings");
        ObjectNode change = Json.object();
        for (String text : changes) {
            int equals = text.indexOf('=');
            if (equals < 1) {
                throw Trouble.usage("«" + Harmless.text(text, 60) + "» is not NAME=VALUE: write chunkRows=20000");
            }
            String name = text.substring(0, equals);
            if (change.has(name)) {
                throw Trouble.usage(name + " is given twice: give it once");
            }
            change.set(name, SettingValue.parse(SettingValue.find(settings, name), text.substring(equals + 1)));
        }
        return new SettingsChange(sluice, api).send(change);
    }
}
