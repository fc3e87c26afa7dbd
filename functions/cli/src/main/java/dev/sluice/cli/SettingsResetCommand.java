package dev.sluice.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "reset", description = "Takes settings back to their defaults.")
final class SettingsResetCommand implements Callable<Integer> {

    private final Sluice sluice;

    @Parameters(arity = "1..*", paramLabel = "NAME", description = "Such as chunkRows.")
    private List<String> names;

    SettingsResetCommand(Sluice sluice) {
        this.sluice = sluice;
    }

    @Override
    public Integer call() {
        ConsoleApi api = sluice.api();
        List<JsonNode> settings = Json.list(api.get("/settings").json(), "settings");
        ObjectNode change = Json.object();
        names.forEach(name -> change.putNull(Json.text(SettingValue.find(settings, name), "name").orElseThrow()));
        return new SettingsChange(sluice, api).send(change);
    }
}
