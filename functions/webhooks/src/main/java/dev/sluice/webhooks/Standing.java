package dev.sluice.webhooks;

import dev.sluice.domain.CaptureIdentity;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableRecord.Progress;
import dev.sluice.domain.TableState;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;

/**
 * What a table's state says has happened to it: all that must be known of the state before, to see what is new.
 *
 * @param milestones in the order in which they happened
 * @param fingerprint of the definition that the destination has followed; empty while nothing is captured
 */
record Standing(Set<Milestone> milestones, Optional<String> fingerprint) {

    private static final int WHOLE = 100;

    /** @param percentStep at which steps progress counts, 1 to 100 */
    static Standing of(TableRecord table, int percentStep) {
        Set<Milestone> milestones = new LinkedHashSet<>();
        Progress progress = table.progress();
        progress.copyStarted().ifPresent(started -> {
            milestones.add(new Milestone(Kind.BACKFILL_STARTED, started.toString()));
            percent(progress)
                    .map(percent -> percent / percentStep * percentStep)
                    .filter(percent -> percent > 0 && percent < WHOLE && progress.copyFinished().isEmpty())
                    .ifPresent(percent ->
                            milestones.add(new Milestone(Kind.BACKFILL_PROGRESS, started + " " + percent)));
        });
        progress.copyFinished()
                .ifPresent(finished -> milestones.add(new Milestone(Kind.BACKFILL_COMPLETED, finished.toString())));
        of(table.state(), table.stateSince(), milestones);
        return new Standing(milestones, table.captured().map(CaptureIdentity::fingerprint));
    }

    private static void of(TableState state, Instant since, Set<Milestone> milestones) {
        String run = Long.toString(state.run());
        switch (state) {
            case TableState.Failed failed -> {
                // The same run can fail again after a retry.
                String which = run + " " + since;
                if (ofBackfill(failed.phase())) {
                    milestones.add(new Milestone(Kind.BACKFILL_FAILED, which));
                }
                milestones.add(new Milestone(Kind.TABLE_FAILED, which));
            }
            case TableState.Streaming streaming ->
                milestones.add(new Milestone(Kind.TABLE_CAUGHT_UP, run + " " + since));
            case TableState.Completing completing -> {
                switch (completing.outcome()) {
                    case CUT_SHORT, ABANDONED, DISCARDED -> milestones.add(new Milestone(Kind.BACKFILL_CANCELLED, run));
                    case COPIED, RESUMED -> {}
                }
            }
            case TableState.Cancelled cancelled -> milestones.add(new Milestone(Kind.BACKFILL_CANCELLED, run));
            case TableState.Queued queued -> {}
            case TableState.Preparing preparing -> {}
            case TableState.Backfilling backfilling -> {}
            case TableState.Draining draining -> {}
            case TableState.Leaving leaving -> {}
        }
    }

    private static boolean ofBackfill(TableState.Phase phase) {
        return switch (phase) {
            case PREPARING, BACKFILLING, COMPLETING -> true;
            case DRAINING, STREAMING, CAPTURE, LEAVING -> false;
        };
    }

    /** Rows copied of the rows estimated, 0 to 100; empty where the source has no estimate. */
    static Optional<Integer> percent(Progress progress) {
        return progress.rowsEstimated() <= 0
                ? Optional.empty()
                : Optional.of((int) Math.min(WHOLE, progress.rowsCopied() * (double) WHOLE / progress.rowsEstimated()));
    }
}
