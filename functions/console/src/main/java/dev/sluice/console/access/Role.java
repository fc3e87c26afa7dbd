package dev.sluice.console.access;

import java.util.Locale;

/** What somebody may do. */
enum Role {
    /** Look. */
    VIEWER,
    /** Look and act. */
    OPERATOR;

    String text() {
        return name().toLowerCase(Locale.ROOT);
    }
}
