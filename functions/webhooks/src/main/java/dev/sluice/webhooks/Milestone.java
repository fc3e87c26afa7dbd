package dev.sluice.webhooks;

/**
 * Something that a table's state says has happened. Two are equal if they are the same happening, however often and in
 * whichever record the state says so.
 *
 * @param which tells it from others of its kind of the same table: a run, a moment, a share
 */
record Milestone(Kind kind, String which) {}
