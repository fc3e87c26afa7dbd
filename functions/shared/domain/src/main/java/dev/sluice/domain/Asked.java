package dev.sluice.domain;

import java.time.Instant;
import java.util.Optional;

/**
 * The last command that was followed for a table.
 *
 * @param command its name on the topic, {@code backfill}
 * @param by who asked for it, as far as that is known
 * @param at when the scheduler followed it
 */
public record Asked(String command, Optional<String> by, Instant at) {}
