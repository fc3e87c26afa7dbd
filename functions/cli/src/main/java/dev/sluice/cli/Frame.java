package dev.sluice.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/** One picture of the tables, for a terminal of a given size: pure. */
final class Frame {

    private static final List<String> ORDER = List.of(
            "Failed", "Backfilling", "Completing", "Draining", "Preparing", "Queued", "Leaving", "Cancelled", "Streaming");
    private static final int NAME_MIN = 12;
    private static final int STATE = 19;
    private static final int BAR_MAX = 24;

    private final Style style;
    private final Bar bar;
    private final TableText text;

    Frame(Style style, Bar bar, TableText text) {
        this.style = style;
        this.bar = bar;
        this.text = text;
    }

    /**
     * @param tables those that are watched
     * @return at most {@code rows} lines of at most {@code columns} columns, colours not counted
     */
    List<String> lines(Board board, List<Table> tables, Optional<Duration> lost, int rows, int columns) {
        List<String> lines = new ArrayList<>();
        lines.add(head(board, tables, lost, columns));
        List<Table> sorted = new ArrayList<>(tables);
        sorted.sort(Comparator.<Table>comparingInt(Frame::rank)
                .thenComparingLong(table -> table.position().orElse(Long.MAX_VALUE))
                .thenComparing(Table::name));
        int room = Math.max(0, rows - 1);
        int shown = sorted.size() <= room ? sorted.size() : Math.max(0, room - 1);
        int name = Math.max(NAME_MIN, Math.min(
                columns / 3,
                sorted.stream().limit(shown).mapToInt(table -> Columns.of(Harmless.text(table.name()))).max().orElse(0)));
        sorted.stream().limit(shown).forEach(table -> lines.add(line(table, name, columns)));
        if (shown < sorted.size() && room > 0) {
            lines.add(style.faint(Columns.cut("and " + Figures.count(sorted.size() - shown, "more table", "more tables"), columns)));
        }
        return lines;
    }

    private static int rank(Table table) {
        int rank = ORDER.indexOf(table.state());
        return rank < 0 ? ORDER.size() : rank;
    }

    private String head(Board board, List<Table> tables, Optional<Duration> lost, int columns) {
        if (lost.isPresent()) {
            return style.bad(Columns.cut("connection lost for " + Figures.duration(lost.get()) + ", trying again", columns));
        }
        if (!board.isKnown()) {
            return Columns.cut("waiting for the console", columns);
        }
        JsonNode pipeline = board.pipeline();
        var states = new TreeMap<Integer, Integer>();
        tables.forEach(table -> states.merge(rank(table), 1, Integer::sum));
        var head = new StringBuilder(Json.text(pipeline, "name").orElse("sluice"));
        states.forEach((rank, count) ->
                head.append(" · ").append(count).append(' ').append(rank < ORDER.size() ? ORDER.get(rank) : "other"));
        Json.decimal(pipeline, "rowsPerSecond").ifPresent(speed -> {
            if (speed >= 1) {
                head.append(" · ").append(Figures.count(Math.round(speed))).append(" rows/s");
            }
        });
        Json.part(pipeline, "paused").ifPresent(paused -> head.append(" · PAUSED"));
        Json.text(pipeline, "resting").ifPresent(why -> head.append(" · rests: ").append(why));
        String status = Json.text(board.health(), "status").orElse("");
        if (!status.isEmpty() && !status.equals("ok")) {
            head.append(" · ").append(status).append(": ").append(firstTrouble(board.health()));
        }
        String line = Columns.cut(Harmless.text(head.toString()), columns);
        return status.isEmpty() || status.equals("ok") ? style.strong(line) : style.health(status, line);
    }

    private static String firstTrouble(JsonNode health) {
        return Json.list(health, "checks").stream()
                .filter(check -> !Json.text(check, "status").orElse("ok").equals("ok"))
                .findFirst()
                .map(check -> Json.text(check, "name").orElse("") + ", " + Json.text(check, "summary").orElse(""))
                .orElse("sluice status tells more");
    }

    private String line(Table table, int name, int columns) {
        String state = Columns.left(TableText.state(table), STATE);
        String start = Columns.left(Columns.cut(Harmless.text(table.name()), name), name) + "  ";
        int room = columns - Columns.of(start);
        if (room < 4) {
            return Columns.cut(start, columns);
        }
        String shownState = Columns.cut(state, room);
        room -= Columns.of(shownState);
        var rest = new StringBuilder();
        if (table.percent().isPresent()) {
            int width = Math.min(BAR_MAX, room - 12);
            rest.append(' ');
            if (width >= 5) {
                rest.append(bar.of(table.percent().getAsDouble(), width));
            }
            rest.append(Columns.right(TableText.percent(table), 6));
        }
        for (String part : parts(table)) {
            rest.append(part.isEmpty() ? "" : "  ").append(part);
        }
        return start + style.of(table, shownState) + Columns.cut(Harmless.text(rest.toString()), room);
    }

    private List<String> parts(Table table) {
        String left = text.left(table);
        String queue = TableText.queue(table);
        return switch (table.state()) {
            case "Backfilling" -> List.of(
                    TableText.speed(table),
                    left.isEmpty() ? "" : left + " left",
                    TableText.rows(table),
                    TableText.note(table));
            case "Draining" -> List.of(queue.isEmpty() ? "" : queue + " changes waiting", TableText.note(table));
            case "Streaming" -> List.of(
                    queue.isEmpty() ? "" : queue + " changes waiting",
                    TableText.delay(table).isEmpty() ? "" : "delay " + TableText.delay(table),
                    TableText.note(table));
            default -> List.of(TableText.note(table));
        };
    }
}
