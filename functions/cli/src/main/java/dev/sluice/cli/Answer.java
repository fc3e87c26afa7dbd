package dev.sluice.cli;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * What the console has answered.
 *
 * @param body as it came
 * @param json the same, read
 */
record Answer(String body, JsonNode json) {
}
