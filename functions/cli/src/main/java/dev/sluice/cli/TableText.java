package dev.sluice.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;

/** What there is to say about a table, in a few words each. */
final class TableText {

    private final Clock clock;

    TableText(Clock clock) {
        this.clock = clock;
    }

    static String state(Table table) {
        return table.state() + (table.paused().isPresent() ? ", paused" : "");
    }

    static String percent(Table table) {
        return table.percent().isPresent() ? Figures.percent(table.percent().getAsDouble()) : "";
    }

    static String rows(Table table) {
        if (table.rowsCopied().isEmpty()) {
            return "";
        }
        String copied = Figures.count(table.rowsCopied().getAsLong());
        boolean showsAll = table.rowsEstimated().isPresent() && table.isIn("Backfilling");
        return showsAll ? copied + " of ~" + Figures.count(table.rowsEstimated().getAsLong()) : copied;
    }

    static String speed(Table table) {
        return table.isIn("Backfilling") && table.rowsPerSecond().isPresent()
                ? Figures.count(Math.round(table.rowsPerSecond().getAsDouble())) + " rows/s"
                : "";
    }

    String left(Table table) {
        return table.eta()
                .flatMap(Figures::instant)
                .map(eta -> Duration.between(clock.instant(), eta))
                .filter(left -> !left.isNegative())
                .map(left -> Figures.duration(left.toSeconds() < 10 ? Duration.ofSeconds(left.toSeconds()) : left))
                .orElse("");
    }

    static String queue(Table table) {
        return table.queueWaiting().isPresent() ? Figures.count(table.queueWaiting().getAsLong()) : "";
    }

    static String delay(Table table) {
        return table.delayMillis().isPresent() ? Figures.duration(Duration.ofMillis(table.delayMillis().getAsLong())) : "";
    }

    /** The one thing that somebody who looks after the table should know next. */
    static String note(Table table) {
        return table.errorText()
                .or(() -> table.queueTrouble())
                .or(() -> table.paused().map(TableText::paused))
                .or(() -> table.waitingFor().map(it -> "waits: " + it))
                .or(() -> table.position().isPresent()
                        ? Optional.of("number " + table.position().getAsLong() + " in the queue")
                        : Optional.empty())
                .or(() -> verification(table))
                .or(() -> table.incomplete() ? Optional.of("incomplete at the destination") : Optional.empty())
                .orElse("");
    }

    private static String paused(JsonNode paused) {
        return (Json.is(paused, "resuming") ? "resumes when there is room" : "paused")
                + Json.text(paused, "by").map(by -> ", asked by " + by).orElse("");
    }

    private static Optional<String> verification(Table table) {
        return switch (table.verificationStatus()) {
            case "", "verified", "stale" -> Optional.empty();
            case "running" -> Optional.of("is being verified");
            case "differs" -> Optional.of(verified(table));
            case "unsettled" -> Optional.of(verified(table));
            case "failed" -> Optional.of("verification failed");
            default -> Optional.of("verification: " + table.verificationStatus());
        };
    }

    /** The verdict of a verification. */
    static String verified(Table table) {
        JsonNode verification = table.verification().orElseGet(Json::object);
        long differing = Json.number(verification, "differing").orElse(0);
        long unsettled = Json.number(verification, "unsettled").orElse(0);
        String compared = Json.number(verification, "rowsCompared").isPresent()
                ? " of " + Figures.count(Json.number(verification, "rowsCompared").getAsLong(), "row", "rows")
                : "";
        String reason = Json.text(verification, "reason").map(it -> ": " + it).orElse("");
        return switch (table.verificationStatus()) {
            case "running" -> "is being verified";
            case "verified" -> "verified, all" + compared + " equal";
            case "differs" -> "differs in " + Figures.count(differing, "key", "keys") + compared
                    + (unsettled > 0 ? "; " + Figures.count(unsettled) + " more unsettled" : "");
            case "unsettled" -> Figures.count(unsettled, "key", "keys") + compared
                    + " were written to whenever they were looked at: verify again when the table is quieter";
            case "stale" -> "verified before the last backfill: verify again";
            case "failed" -> "the verification failed" + reason;
            case "" -> "not verified yet";
            default -> table.verificationStatus() + reason;
        };
    }
}
