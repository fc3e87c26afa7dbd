package dev.sluice.domain;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** What becomes of rows of the destination that the source does not have, when their range is copied anew. */
public enum MissingRows {
    /** They go; or are marked, where the table marks rows. */
    DELETE,
    /** They stay as they are. */
    KEEP;

    /** As the setting is written. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    static List<String> texts() {
        return Arrays.stream(values()).map(MissingRows::text).toList();
    }

    static MissingRows of(String text) {
        return valueOf(text.toUpperCase(Locale.ROOT));
    }
}
