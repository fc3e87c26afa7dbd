package dev.sluice.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** All about one table, for a person. */
final class TableDetail {

    private static final int CHUNKS_MAX = 20;
    private static final int EVENTS_MAX = 20;

    private final Sluice sluice;
    private final Printer printer;
    private final JsonNode json;
    private final Table table;

    TableDetail(Sluice sluice, JsonNode json) {
        this.sluice = sluice;
        this.printer = sluice.printer();
        this.json = json;
        this.table = new Table(json);
    }

    void print() {
        printSummary();
        printRuns();
        printStrip();
        printColumns();
        printFindings();
        printEvents();
    }

    private void printSummary() {
        Style style = printer.style();
        printer.styled(style.strong(Harmless.text(table.name())) + "  " + style.of(table, Harmless.text(TableText.state(table)))
                + "  since " + Harmless.text(sluice.time(table.since())));
        table.error().ifPresent(error -> {
            fact("failed", Json.text(error, "reason").orElse("no reason is known")
                    + Json.text(error, "phase").map(phase -> " (while " + phase + ")").orElse(""));
            Json.text(error, "hint").ifPresent(hint -> fact("to do", hint));
        });
        table.queueTrouble().ifPresent(trouble -> fact("trouble", trouble));
        table.waitingFor().ifPresent(what -> fact("waits for", what));
        table.paused().ifPresent(paused -> fact("paused", "since " + sluice.time(Json.text(paused, "since").orElse("?"))
                + by(paused) + (Json.is(paused, "resuming") ? "; resumes when there is room" : "")));
        if (table.position().isPresent()) {
            fact("queue of tables", "number " + table.position().getAsLong());
        }
        Json.part(json, "part").ifPresent(part -> fact("part", keys(part)));
        String rows = join(TableText.rows(table), TableText.percent(table), TableText.speed(table), left());
        fact("rows copied", rows);
        Json.part(json, "chunks").ifPresent(chunks -> fact("chunks", number(chunks, "copied") + " copied, "
                + number(chunks, "inFlight") + " in flight, " + number(chunks, "waiting") + " waiting, "
                + number(chunks, "failing") + " failing"));
        Json.part(json, "drain").ifPresent(drain -> fact("drain", join(TableText.percent(table),
                Json.number(drain, "left").isPresent() ? number(drain, "left") + " changes left" : "")));
        Json.part(json, "queue").ifPresent(queue -> fact("queue", number(queue, "waiting") + " changes waiting, "
                + number(queue, "applied") + " applied, delay " + TableText.delay(table)));
        if (table.incomplete()) {
            fact("destination", "incomplete");
        }
        table.verification().ifPresent(verification -> fact("verification", TableText.verified(table) + ", "
                + sluice.time(Json.text(verification, "at").orElse("")) + by(verification)));
        Json.part(json, "asked").ifPresent(asked -> fact("last asked", Json.text(asked, "command").orElse("") + ", "
                + sluice.time(Json.text(asked, "at").orElse("")) + by(asked)));
        options("options", "options");
        options("options asked", "optionsAsked");
        String actions = Json.list(json, "actions").stream().map(JsonNode::asText).collect(Collectors.joining(", "));
        fact("may be done", actions);
    }

    private String left() {
        String left = sluice.text().left(table);
        return left.isEmpty() ? "" : left + " left";
    }

    private void options(String title, String name) {
        Json.part(json, name).filter(options -> !options.isEmpty()).ifPresent(options -> fact(title, Json.write(options)));
    }

    private void fact(String title, String text) {
        if (!text.isEmpty()) {
            printer.line("  " + Columns.left(title, 16) + text);
        }
    }

    private static String by(JsonNode what) {
        return Json.text(what, "by").map(by -> " by " + by).orElse("");
    }

    private static String join(String... parts) {
        return java.util.Arrays.stream(parts).filter(part -> !part.isEmpty()).collect(Collectors.joining(", "));
    }

    private static String number(JsonNode json, String name) {
        return Json.number(json, name).isPresent() ? Figures.count(Json.number(json, name).getAsLong()) : "";
    }

    private static String keys(JsonNode range) {
        String from = key(range, "from");
        String to = key(range, "to");
        if (from.isEmpty() && to.isEmpty()) {
            return "all keys";
        }
        return (from.isEmpty() ? "" : "from " + from) + (from.isEmpty() || to.isEmpty() ? "" : " ") + (to.isEmpty() ? "" : "to " + to);
    }

    private static String key(JsonNode range, String end) {
        return key(Json.list(range, end));
    }

    private static String key(List<JsonNode> parts) {
        String key = parts.stream().map(JsonNode::asText).collect(Collectors.joining(", "));
        return parts.size() > 1 ? "(" + key + ")" : key;
    }

    private void printRuns() {
        var grid = new Grid(">RUN", "BEGAN", "ENDED", "OUTCOME", ">ROWS", ">BYTES", ">CHUNKS", "BY", "REASON");
        for (JsonNode run : Json.list(json, "runs")) {
            grid.row(
                    number(run, "run"),
                    sluice.time(Json.text(run, "began").orElse("")),
                    sluice.time(Json.text(run, "ended").orElse("")),
                    Json.text(run, "outcome").orElse("").toLowerCase(java.util.Locale.ROOT),
                    number(run, "rows"),
                    Json.number(run, "bytes").isPresent() ? Figures.bytes(Json.number(run, "bytes").getAsLong()) : "",
                    number(run, "chunks"),
                    Json.text(run, "by").orElse(""),
                    Json.text(run, "reason").orElse(""));
        }
        print("Runs", grid);
    }

    private void printStrip() {
        Optional<JsonNode> strip = Json.part(json, "strip");
        if (strip.isEmpty()) {
            return;
        }
        var grid = new Grid(">CHUNK", "STATUS", "KEYS", ">ROWS", ">TIME", ">ATTEMPT", "FAILURE");
        // What is done is no news: the open ones tell why a backfill does not go on.
        List<JsonNode> open = Json.list(strip.get(), "chunks").stream()
                .filter(chunk -> !Json.text(chunk, "status").orElse("").equals("copied"))
                .toList();
        for (JsonNode chunk : open.stream().limit(CHUNKS_MAX).toList()) {
            grid.row(
                    number(chunk, "chunk"),
                    Json.text(chunk, "status").orElse("").replace("inFlight", "in flight"),
                    keys(chunk),
                    number(chunk, "rows"),
                    Json.number(chunk, "millis").isPresent()
                            ? Figures.duration(java.time.Duration.ofMillis(Json.number(chunk, "millis").getAsLong()))
                            : "",
                    number(chunk, "attempt"),
                    Json.text(chunk, "failure").orElse(""));
        }
        print(open.size() > CHUNKS_MAX ? "Open chunks, the first " + CHUNKS_MAX + " of " + open.size() : "Open chunks", grid);
    }

    private void printColumns() {
        var grid = new Grid("COLUMN", "TYPE", "KEY", "TRAVELS", "NOTE");
        for (JsonNode column : Json.list(json, "columns")) {
            grid.row(
                    Json.text(column, "name").orElse(""),
                    Json.text(column, "type").orElse(""),
                    Json.is(column, "key") ? "key" : "",
                    Json.text(column, "travels").orElse(""),
                    Json.text(column, "note").orElse(""));
        }
        print("Columns", grid);
        Json.text(json, "columnsTrouble").ifPresent(trouble -> fact("columns", trouble));
    }

    /** What the last comparison has found to differ, with the commands that mend it. */
    void printFindings() {
        Optional<JsonNode> found = Json.part(json, "verificationFound");
        if (found.isEmpty()) {
            return;
        }
        var grid = new Grid("KEY", "DIFFERENCE");
        for (JsonNode key : Json.list(found.get(), "keys")) {
            grid.row(
                    key(Json.list(key, "key")),
                    Json.text(key, "kind").orElse("").toLowerCase(java.util.Locale.ROOT).replace('_', ' '));
        }
        print("Differs", grid);
        long more = Json.number(found.get(), "more").orElse(0);
        if (more > 0) {
            printer.line("and " + Figures.count(more, "more key", "more keys"));
        }
        List<JsonNode> repairs = Json.list(found.get(), "repairs");
        if (!repairs.isEmpty()) {
            printer.line("");
            printer.styled(printer.style().strong("To mend it"));
            repairs.forEach(repair -> printer.line("sluice backfill " + shell(table.name()) + keyOptions("from", repair)
                    + keyOptions("to", repair)));
        }
    }

    private static String keyOptions(String end, JsonNode range) {
        return Json.list(range, end).stream()
                .map(part -> " --" + end + "=" + shell(part.asText()))
                .collect(Collectors.joining());
    }

    /** As one word of a shell. What a shell would not take as it is printed is not offered to be copied. */
    private static String shell(String text) {
        return text.matches("[A-Za-z0-9_.:/@%+-]+") ? text : "'" + text.replace("'", "'\\''") + "'";
    }

    private void printEvents() {
        var grid = new Grid("WHEN", "WHAT HAPPENED");
        for (JsonNode event : Json.list(json, "events").stream().limit(EVENTS_MAX).toList()) {
            grid.row(sluice.time(Json.text(event, "at").orElse("")), Json.text(event, "text").orElse(""));
        }
        print("Events", grid);
    }

    private void print(String title, Grid grid) {
        if (!grid.isEmpty()) {
            printer.line("");
            printer.styled(printer.style().strong(title));
            printer.lines(grid.lines());
        }
    }
}
