package dev.sluice.localdev;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;

/** What a person sees: lines that stay, and on a terminal a picture below them that is drawn again and again. */
final class Display {

    private static final String UP = "\u001b[%dA";
    private static final String CLEAR_TO_END = "\r\u001b[J";

    private final PrintStream out;
    private final PrintStream errors;
    private final Size terminal;
    private int drawn;
    private boolean closed;

    /** @param terminal of no lines where the output is not a terminal */
    Display(PrintStream out, PrintStream errors, Size terminal) {
        this.out = out;
        this.errors = errors;
        this.terminal = terminal;
    }

    /** Of the terminal in characters, {@code "24 80"} as stty prints it. */
    record Size(int lines, int columns) {

        private static final Size NONE = new Size(0, Integer.MAX_VALUE);

        static Size parse(String text) {
            if (!text.matches("\\d{1,6} \\d{1,6}")) {
                return NONE;
            }
            String[] parts = text.split(" ");
            var size = new Size(Integer.parseInt(parts[0]), Integer.parseInt(parts[1]));
            return size.lines() < 2 || size.columns() < 2 ? NONE : size;
        }
    }

    boolean isTerminal() {
        return terminal.lines() > 0;
    }

    /** Prints a line that stays. */
    synchronized void say(String text) {
        if (!closed) {
            erase();
            out.println(text);
            out.flush();
        }
    }

    /** Prints why the script that was called ends without success. */
    synchronized void fail(String reason) {
        if (!closed) {
            erase();
            out.flush();
            errors.println("local-dev/up: " + reason);
            errors.flush();
        }
    }

    /** Draws a picture in place of the last one; where there is no terminal, below it. */
    synchronized void show(List<String> lines) {
        if (closed) {
            return;
        }
        erase();
        List<String> fitting = isTerminal() ? fit(lines, terminal) : lines;
        fitting.forEach(out::println);
        drawn = isTerminal() ? fitting.size() : 0;
        out.flush();
    }

    /** What was drawn last stays; nothing is printed any more. */
    synchronized void close(String lastLine) {
        if (!closed) {
            out.println(lastLine);
            out.flush();
            closed = true;
        }
    }

    private void erase() {
        if (drawn > 0) {
            out.printf(UP, drawn);
            out.print(CLEAR_TO_END);
            drawn = 0;
        }
    }

    /** No more lines than the terminal has, each no longer than a line of it; long ones go on in the next, indented. */
    static List<String> fit(List<String> lines, Size terminal) {
        List<String> fitting = new ArrayList<>();
        for (String line : lines) {
            String rest = line;
            String indent = "";
            while (indent.length() + rest.length() >= terminal.columns()) {
                int room = terminal.columns() - 1 - indent.length();
                int space = rest.lastIndexOf(' ', room);
                int cut = space > 0 ? space : room;
                fitting.add(indent + rest.substring(0, cut));
                rest = rest.substring(cut).stripLeading();
                indent = terminal.columns() > 10 ? "    " : "";
            }
            if (!rest.isEmpty() || line.isEmpty()) {
                fitting.add(indent + rest);
            }
        }
        return fitting.size() < terminal.lines() ? fitting : fitting.subList(0, terminal.lines() - 1);
    }
}
