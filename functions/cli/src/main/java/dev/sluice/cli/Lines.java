package dev.sluice.cli;

import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/** A line for what is new of a table: its state, what it waits for, a tenth more of its backfill. For logs and pipes. */
final class Lines implements Display {

    private static final int STEP_PERCENT = 10;

    private final Printer printer;
    private final Clock clock;
    private final Map<String, String> told = new HashMap<>();
    private boolean wasLost;

    Lines(Printer printer, Clock clock) {
        this.printer = printer;
        this.clock = clock;
    }

    @Override
    public void show(Board board, Predicate<String> which, Optional<ServerEvent> event, Optional<Duration> lost) {
        if (lost.isPresent() != wasLost) {
            wasLost = lost.isPresent();
            printer.note(wasLost ? "the connection to the console is lost, trying again" : "the console is there again");
        }
        if (event.isEmpty()) {
            return;
        }
        Set<String> there = new HashSet<>();
        for (Table table : board.tables()) {
            if (which.test(table.name())) {
                there.add(table.name());
                tell(table);
            }
        }
        told.keySet().removeIf(name -> {
            boolean gone = !there.contains(name);
            if (gone) {
                printer.line(now() + "  " + name + "  is gone");
            }
            return gone;
        });
    }

    private void tell(Table table) {
        long tenth = table.percent().isPresent() ? (long) table.percent().getAsDouble() / STEP_PERCENT : -1;
        String note = table.position().isPresent() ? "" : TableText.note(table);
        String worth = TableText.state(table) + "|" + table.run() + "|" + tenth + "|" + note;
        if (worth.equals(told.put(table.name(), worth))) {
            return;
        }
        var line = new StringBuilder(now()).append("  ").append(table.name()).append("  ").append(TableText.state(table));
        for (String part : new String[] {TableText.percent(table), rows(table), TableText.speed(table), TableText.note(table)}) {
            if (!part.isEmpty()) {
                line.append("  ").append(part);
            }
        }
        printer.line(line.toString());
    }

    private static String rows(Table table) {
        return table.rowsCopied().orElse(0) > 0 ? TableText.rows(table) + " rows" : "";
    }

    private String now() {
        return Figures.clock(clock.instant(), clock.getZone());
    }
}
