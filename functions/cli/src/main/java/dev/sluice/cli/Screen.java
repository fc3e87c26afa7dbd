package dev.sluice.cli;

import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** Draws the tables over and over in the same place of a terminal. */
final class Screen implements Display {

    private static final String CLEAR_LINE_REST = "\u001b[K";
    private static final String CLEAR_REST = "\u001b[J";
    /** Lines that are longer than the terminal is wide would take two rows, and the way back up would be too short. */
    private static final String NO_WRAP = "\u001b[?7l";
    private static final String WRAP = "\u001b[?7h";
    private static final String HIDE_CURSOR = "\u001b[?25l";
    private static final String SHOW_CURSOR = "\u001b[?25h";

    private final PrintStream out;
    private final Frame frame;
    private final TerminalSize size = new TerminalSize();
    private final Thread atEnd = new Thread(this::restore);
    private int drawn;
    private boolean ended;

    Screen(PrintStream out, Frame frame) {
        this.out = out;
        this.frame = frame;
        Runtime.getRuntime().addShutdownHook(atEnd);
    }

    @Override
    public void show(Board board, Predicate<String> which, Optional<ServerEvent> event, Optional<Duration> lost) {
        List<Table> tables = board.tables().stream().filter(table -> which.test(table.name())).toList();
        // The last row stays free: a line break there would move everything up.
        List<String> lines = frame.lines(board, tables, lost, Math.max(2, size.rows() - 1), size.columns());
        var drawing = new StringBuilder(HIDE_CURSOR).append(NO_WRAP).append('\r');
        if (drawn > 0) {
            drawing.append("\u001b[").append(Math.min(drawn, size.rows() - 1)).append('A');
        }
        lines.forEach(line -> drawing.append(line).append(CLEAR_LINE_REST).append('\n'));
        drawing.append(CLEAR_REST);
        synchronized (this) {
            if (!ended) {
                out.print(drawing);
                out.flush();
                drawn = lines.size();
            }
        }
    }

    @Override
    public void end() {
        restore();
        try {
            Runtime.getRuntime().removeShutdownHook(atEnd);
        } catch (IllegalStateException e) {
            // The process ends right now.
        }
    }

    private synchronized void restore() {
        if (!ended) {
            ended = true;
            out.print(WRAP + SHOW_CURSOR);
            out.flush();
        }
    }
}
