package dev.sluice.webhooks;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What can be told of a table. */
enum Kind {
    BACKFILL_STARTED,
    BACKFILL_PROGRESS,
    BACKFILL_COMPLETED,
    BACKFILL_CANCELLED,
    /** The table failed before its run was closed. Comes beside {@link #TABLE_FAILED}. */
    BACKFILL_FAILED,
    TABLE_FAILED,
    TABLE_CAUGHT_UP,
    SCHEMA_CHANGED;

    /** As in settings and, behind {@code dev.sluice.}, in the CloudEvent's type: {@code backfill.started}. */
    String text() {
        return name().toLowerCase(Locale.ROOT).replaceFirst("_", ".").replace('_', '-');
    }

    static Optional<Kind> of(String text) {
        return Arrays.stream(values()).filter(kind -> kind.text().equals(text)).findFirst();
    }
}
