package dev.sluice.cli;

import java.util.List;

/** Writes results to the standard output and what there is to say beside them to the standard error, made harmless. */
final class Printer {

    private final Surroundings surroundings;
    private final Style style;

    Printer(Surroundings surroundings) {
        this.surroundings = surroundings;
        this.style = new Style(surroundings.colours());
    }

    Style style() {
        return style;
    }

    void line(String text) {
        styled(Harmless.text(text));
    }

    void lines(List<String> lines) {
        lines.forEach(this::line);
    }

    /** As it is: for colours around text that is harmless already. */
    void styled(String text) {
        surroundings.out().print(text + "\n");
    }

    void json(String json) {
        surroundings.out().print(Harmless.json(json) + "\n");
    }

    /** Title line and rows; the rows in a style of their own. */
    void grid(Grid grid, RowStyle rows) {
        List<String> lines = grid.lines();
        for (int row = 0; row < lines.size(); row++) {
            styled(row == 0 ? style.strong(lines.get(row)) : rows.of(row - 1, lines.get(row)));
        }
    }

    /** How the row of that number, from 0, is painted. */
    interface RowStyle {
        String of(int row, String text);
    }

    void note(String text) {
        surroundings.out().flush();
        surroundings.err().print("sluice: " + Harmless.text(text) + "\n");
        surroundings.err().flush();
    }

    /** Beside the result, without the name of the program before it. */
    void aside(String text) {
        surroundings.out().flush();
        surroundings.err().print(Harmless.text(text) + "\n");
        surroundings.err().flush();
    }

    /** @return whether somebody still reads: whoever piped the output into {@code head} has had enough at some point */
    boolean flush() {
        surroundings.out().flush();
        surroundings.err().flush();
        return !surroundings.out().checkError();
    }
}
