package dev.sluice.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;

@Command(
        name = "status",
        description = "Shows the health of the pipeline and what its tables do together. Exit code 0: all is well; 1: degraded "
                + "or down, as the first line says. With --json: the whole overview.")
final class StatusCommand implements Callable<Integer> {

    private final Sluice sluice;

    StatusCommand(Sluice sluice) {
        this.sluice = sluice;
    }

    @Override
    public Integer call() {
        Answer answer = sluice.api().get("/overview");
        JsonNode health = Json.part(answer.json(), "health").orElseGet(Json::object);
        String status = Json.text(health, "status").orElse("unknown");
        if (sluice.json()) {
            sluice.printer().json(answer.body());
        } else {
            print(answer.json(), health, status);
        }
        return status.equals("ok") ? ExitCode.DONE : ExitCode.FAILED;
    }

    private void print(JsonNode overview, JsonNode health, String status) {
        Printer printer = sluice.printer();
        Style style = printer.style();
        JsonNode pipeline = Json.part(overview, "pipeline").orElseGet(Json::object);
        printer.styled(style.health(status, style.strong(Harmless.text(status))) + "  pipeline "
                + Harmless.text(Json.text(pipeline, "name").orElse("?")));
        Json.part(pipeline, "paused").ifPresent(paused -> printer.line("paused since "
                + sluice.time(Json.text(paused, "since").orElse("?")) + Json.text(paused, "by").map(by -> " by " + by).orElse("")
                + ": sluice resume --pipeline"));
        Json.text(pipeline, "resting").ifPresent(why -> printer.line("no chunk goes out: " + why));
        printTables(overview, pipeline);
        printer.line("");
        var grid = new Grid("CHECK", "STATUS", "", "TO DO");
        List<JsonNode> checks = Json.list(health, "checks");
        for (JsonNode check : checks) {
            grid.row(
                    Json.text(check, "name").orElse(""),
                    Json.text(check, "status").orElse(""),
                    Json.text(check, "summary").orElse(""),
                    Json.text(check, "hint").orElse(""));
        }
        printer.grid(grid, (row, line) -> style.health(Json.text(checks.get(row), "status").orElse(""), line));
        printSlot(health);
        printRejections(pipeline);
    }

    private void printTables(JsonNode overview, JsonNode pipeline) {
        Map<String, Integer> states = new LinkedHashMap<>();
        Json.list(overview, "tables").forEach(table -> states.merge(new Table(table).state(), 1, Integer::sum));
        String summary = states.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .map(it -> Figures.count(it.getValue()) + " " + it.getKey())
                .collect(Collectors.joining(", "));
        int tables = states.values().stream().mapToInt(Integer::intValue).sum();
        long speed = Math.round(Json.decimal(pipeline, "rowsPerSecond").orElse(0));
        sluice.printer().line(Figures.count(tables, "table", "tables") + (summary.isEmpty() ? "" : ": " + summary)
                + (speed > 0 ? "; " + Figures.count(speed) + " rows/s" : ""));
    }

    private void printSlot(JsonNode health) {
        Json.part(health, "slot").ifPresent(slot -> sluice.printer().line("slot " + Json.text(slot, "name").orElse("?")
                + (Json.is(slot, "active") ? " is active" : " is not active")
                + bytes(slot, "lagBytes", ", behind by ")
                + bytes(slot, "retainedBytes", ", WAL retained ")
                + bytes(slot, "safeBytes", ", room for ")));
        Json.part(health, "workers").ifPresent(workers -> sluice.printer().line("chunk workers: "
                + Figures.count(Json.number(workers, "busy").orElse(0)) + " of "
                + Figures.count(Json.number(workers, "slots").orElse(0)) + " slots busy"));
    }

    private static String bytes(JsonNode slot, String name, String before) {
        return Json.number(slot, name).isPresent() ? before + Figures.bytes(Json.number(slot, name).getAsLong()) : "";
    }

    private void printRejections(JsonNode pipeline) {
        List<JsonNode> rejections = Json.list(pipeline, "rejections");
        if (rejections.isEmpty()) {
            return;
        }
        var grid = new Grid("REJECTED", "WHAT", "WHY", "BY");
        rejections.forEach(rejection -> grid.row(
                sluice.time(Json.text(rejection, "at").orElse("")),
                Json.text(rejection, "what").orElse(""),
                Json.text(rejection, "reason").orElse(""),
                Json.text(rejection, "by").orElse("")));
        sluice.printer().line("");
        sluice.printer().grid(grid, (row, line) -> line);
    }
}
