package dev.sluice.cli;

/**
 * An event of the console's stream.
 *
 * @param name {@code overview}, {@code change}, {@code table}
 * @param data JSON
 */
record ServerEvent(String name, String data) {
}
