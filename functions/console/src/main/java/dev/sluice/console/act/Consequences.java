package dev.sluice.console.act;

import java.util.List;

/** The answer to a dry run. */
public record Consequences(List<Consequence> consequences) {}
