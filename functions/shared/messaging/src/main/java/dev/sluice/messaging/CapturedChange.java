package dev.sluice.messaging;

import dev.sluice.domain.Change;

/**
 * A change as it stands in a table's queue.
 *
 * @param millis when the source committed or wrote it, since the epoch; 0 if Debezium did not say
 */
public record CapturedChange(Change change, long millis) {}
