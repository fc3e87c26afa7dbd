package dev.sluice.cli;

/**
 * How the wait for a table has ended.
 *
 * @param well as it was hoped for
 * @param text what it has come to, in words that follow the table's name
 */
record Ending(String table, boolean well, String text) {
}
