package dev.sluice.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/** A table as the console sums it up. */
record Table(JsonNode json) {

    String name() {
        return Json.text(json, "name").orElse("");
    }

    String state() {
        return Json.text(json, "state").orElse("");
    }

    String since() {
        return Json.text(json, "since").orElse("");
    }

    long run() {
        return Json.number(json, "run").orElse(0);
    }

    boolean isIn(String... states) {
        for (String state : states) {
            if (state.equals(state())) {
                return true;
            }
        }
        return false;
    }

    Optional<JsonNode> paused() {
        return Json.part(json, "paused");
    }

    OptionalLong position() {
        return Json.number(json, "position");
    }

    OptionalLong rowsCopied() {
        return rows("copied");
    }

    OptionalLong rowsEstimated() {
        return rows("estimated");
    }

    private OptionalLong rows(String name) {
        return Json.part(json, "rows").map(rows -> Json.number(rows, name)).orElse(OptionalLong.empty());
    }

    /** Of the backfill or of the drain, whichever is under way: 0 to 100. Else it would be of a run that is over. */
    OptionalDouble percent() {
        if (!isIn("Backfilling", "Completing", "Draining")) {
            return OptionalDouble.empty();
        }
        Optional<JsonNode> under = isIn("Draining") ? Json.part(json, "drain") : Json.part(json, "rows");
        OptionalDouble percent = under.map(it -> Json.decimal(it, "percent")).orElse(OptionalDouble.empty());
        return percent.isPresent()
                ? OptionalDouble.of(Math.max(0, Math.min(100, percent.getAsDouble())))
                : OptionalDouble.empty();
    }

    OptionalDouble rowsPerSecond() {
        return Json.decimal(json, "rowsPerSecond");
    }

    Optional<String> eta() {
        return Json.text(json, "eta");
    }

    OptionalLong queueWaiting() {
        return Json.part(json, "queue").map(queue -> Json.number(queue, "waiting")).orElse(OptionalLong.empty());
    }

    OptionalLong delayMillis() {
        return Json.part(json, "queue").map(queue -> Json.number(queue, "delayMillis")).orElse(OptionalLong.empty());
    }

    Optional<String> queueTrouble() {
        return Json.part(json, "queue").flatMap(queue -> Json.text(queue, "trouble"));
    }

    Optional<String> waitingFor() {
        return Json.text(json, "waitingFor");
    }

    Optional<JsonNode> error() {
        return Json.part(json, "error");
    }

    /** The reason, and what to do. */
    Optional<String> errorText() {
        return error().map(error -> Json.text(error, "reason").orElse("no reason is known")
                + Json.text(error, "hint").map(hint -> "; " + hint).orElse(""));
    }

    boolean incomplete() {
        return Json.is(json, "incomplete");
    }

    Optional<JsonNode> verification() {
        return Json.part(json, "verification");
    }

    String verificationStatus() {
        return verification().flatMap(it -> Json.text(it, "status")).orElse("");
    }

    String verificationAt() {
        return verification().flatMap(it -> Json.text(it, "at")).orElse("");
    }

    /** When it was asked for something last, and for what; empty if never. */
    String asked() {
        return Json.part(json, "asked")
                .map(asked -> Json.text(asked, "command").orElse("") + " " + Json.text(asked, "at").orElse(""))
                .orElse("");
    }

    String askedFor() {
        return Json.part(json, "asked").flatMap(asked -> Json.text(asked, "command")).orElse("");
    }
}
