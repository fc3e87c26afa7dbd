package dev.sluice.webhooks;

import dev.sluice.domain.TableName;
import java.time.Instant;
import java.util.Map;

/**
 * One thing to be told to one receiver.
 *
 * @param id the same whenever the same happening is told again, so that a receiver can drop repeats: letters, digits, _
 * @param at when the state said so
 * @param data what the receiver may want to know: texts and numbers by name
 */
record Notification(String id, Kind kind, TableName table, Instant at, Map<String, Object> data) {}
