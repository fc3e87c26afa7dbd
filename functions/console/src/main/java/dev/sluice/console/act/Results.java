package dev.sluice.console.act;

import java.util.List;

/** The answer to what was sent. */
public record Results(List<Result> results) {}
