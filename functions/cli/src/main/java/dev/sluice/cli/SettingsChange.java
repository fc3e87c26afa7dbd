package dev.sluice.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashMap;

/** Sends a change of settings and tells what became of it. */
final class SettingsChange {

    private final Sluice sluice;
    private final ConsoleApi api;

    SettingsChange(Sluice sluice, ConsoleApi api) {
        this.sluice = sluice;
        this.api = api;
    }

    int send(JsonNode change) {
        Answer answer = api.patch("/settings", change);
        boolean rejected = new Actions(sluice, api).report(answer, "change of settings", new HashMap<>());
        if (sluice.json()) {
            sluice.printer().json(answer.body());
        }
        return rejected ? ExitCode.FAILED : ExitCode.DONE;
    }
}
