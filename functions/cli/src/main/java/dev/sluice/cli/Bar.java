package dev.sluice.cli;

/** A bar of progress, as wide as asked. */
record Bar(boolean unicode) {

    private static final String EIGHTHS = " ▏▎▍▌▋▊▉";

    String of(double percent, int width) {
        double filled = Math.max(0, Math.min(100, percent)) / 100 * width;
        int whole = (int) filled;
        if (!unicode) {
            return "[" + "#".repeat(whole) + "-".repeat(width - whole) + "]";
        }
        int eighths = whole == width ? 0 : (int) ((filled - whole) * 8);
        String part = eighths == 0 ? "" : EIGHTHS.substring(eighths, eighths + 1);
        return "▕" + "█".repeat(whole) + part + " ".repeat(width - whole - part.length()) + "▏";
    }
}
