package dev.sluice.postgres;

import java.util.Optional;

/**
 * How far the barrier is (R2).
 *
 * @param passed whether every transaction older than the barrier's is over
 * @param transactions how many of them are not
 * @param oldest who has the oldest of them open, and for how long, as a sentence for a person; empty if unknown
 */
public record BarrierStatus(boolean passed, int transactions, Optional<String> oldest) {}
