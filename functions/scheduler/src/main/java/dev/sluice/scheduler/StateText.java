package dev.sluice.scheduler;

import dev.sluice.domain.Fault;
import dev.sluice.domain.TableState;

/** A state in plain words, for the log. */
final class StateText {

    private StateText() {}

    static String of(TableState state) {
        return switch (state) {
            case TableState.Queued queued -> "Queued";
            case TableState.Preparing preparing -> "Preparing: " + preparing.step()
                    + preparing.waitingFor().map(what -> ", waiting for " + what).orElse("")
                    + preparing.attempt().last().map(fault -> ", after: " + fault.reason()).orElse("");
            case TableState.Backfilling backfilling -> "Backfilling";
            case TableState.Completing completing -> "Completing: " + completing.outcome()
                    + completing.attempt().last().map(fault -> ", after: " + fault.reason()).orElse("");
            case TableState.Draining draining -> "Draining up to " + draining.watermark();
            case TableState.Streaming streaming -> switch (streaming.constraints()) {
                case TableState.Constraints.Pending pending -> "Streaming, constraints to be built";
                case TableState.Constraints.Built built -> "Streaming";
                case TableState.Constraints.Missing missing -> "Streaming, constraints missing: " + text(missing.fault());
            };
            case TableState.Cancelled cancelled -> "Cancelled, incomplete";
            case TableState.Failed failed -> "Failed in " + failed.phase() + ": " + text(failed.fault());
            case TableState.Leaving leaving -> "Leaving"
                    + leaving.attempt().last().map(fault -> ", after: " + fault.reason()).orElse("");
        };
    }

    private static String text(Fault fault) {
        return fault.reason() + " - " + fault.hint();
    }
}
