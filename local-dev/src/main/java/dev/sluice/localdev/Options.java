package dev.sluice.localdev;

/**
 * What was asked for on the command line.
 *
 * @param once whether to end when all demo tables stream and are compared
 * @param empty whether to leave demo tables and writer out
 * @param rows of the largest demo tables
 */
record Options(boolean once, boolean empty, int rows) {

    static final int ROWS_DEFAULT = 100_000;
    private static final int ROWS_MAX = 100_000_000;

    /** @throws UsageException if they make no sense */
    static Options parse(String... arguments) {
        boolean once = false;
        boolean empty = false;
        int rows = ROWS_DEFAULT;
        for (int i = 0; i < arguments.length; i++) {
            switch (arguments[i]) {
                case "--once" -> once = true;
                case "--empty" -> empty = true;
                case "--rows" -> {
                    i++;
                    rows = rows(i < arguments.length ? arguments[i] : "");
                }
                default -> throw new UsageException("there is no option «" + arguments[i] + "»: local-dev/up --help");
            }
        }
        if (once && empty) {
            throw new UsageException("--once compares the demo tables, and --empty leaves them out: choose one");
        }
        return new Options(once, empty, rows);
    }

    private static int rows(String text) {
        try {
            int rows = Integer.parseInt(text);
            if (rows >= 1 && rows <= ROWS_MAX) {
                return rows;
            }
        } catch (NumberFormatException e) {
            // Said below.
        }
        throw new UsageException("--rows is «" + text + "»: give a whole number from 1 to " + ROWS_MAX);
    }
}
