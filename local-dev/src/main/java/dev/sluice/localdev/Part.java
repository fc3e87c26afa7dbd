package dev.sluice.localdev;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What runs, by the name that {@code local-dev/restart} takes. */
enum Part {
    FUNCTIONS,
    DEBEZIUM,
    KAFKA,
    SOURCE,
    DESTINATION;

    static Optional<Part> named(String name) {
        return Arrays.stream(values()).filter(part -> part.toString().equals(name)).findFirst();
    }

    /** Of the environment that {@code local-dev/env} prints. */
    String pidVariable() {
        return name() + "_PID";
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
