package dev.sluice.cli;

/** Colours, where they are wanted. Nothing is told by colour alone. */
record Style(boolean colours) {

    private static final String ESCAPE = "\u001b[";

    String strong(String text) {
        return paint("1", text);
    }

    String faint(String text) {
        return paint("2", text);
    }

    String good(String text) {
        return paint("32", text);
    }

    String busy(String text) {
        return paint("36", text);
    }

    String warning(String text) {
        return paint("33", text);
    }

    String bad(String text) {
        return paint("31", text);
    }

    /** In the colour that the table's state has. */
    String of(Table table, String text) {
        if (table.paused().isPresent()) {
            return warning(text);
        }
        return switch (table.state()) {
            case "Streaming" -> table.incomplete() || table.queueTrouble().isPresent() ? warning(text) : good(text);
            case "Preparing", "Backfilling", "Completing", "Draining" -> busy(text);
            case "Failed" -> bad(text);
            case "Cancelled" -> warning(text);
            default -> text;
        };
    }

    /** @param status of a check or of all */
    String health(String status, String text) {
        return switch (status) {
            case "ok" -> good(text);
            case "warning", "degraded", "unknown" -> warning(text);
            case "down" -> bad(text);
            default -> text;
        };
    }

    private String paint(String code, String text) {
        return colours && !text.isEmpty() ? ESCAPE + code + "m" + text + ESCAPE + "0m" : text;
    }
}
