package dev.sluice.scheduler;

import dev.sluice.domain.Event;
import dev.sluice.domain.Step;
import dev.sluice.domain.StepResult;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState.Backfilling;
import dev.sluice.domain.TableState.Cancelled;
import dev.sluice.domain.TableState.ChunkPlan;
import dev.sluice.domain.TableState.Completing;
import dev.sluice.domain.TableState.Draining;
import dev.sluice.domain.TableState.Failed;
import dev.sluice.domain.TableState.Leaving;
import dev.sluice.domain.TableState.OpenChunk;
import dev.sluice.domain.TableState.Phase;
import dev.sluice.domain.TableState.Preparing;
import dev.sluice.domain.TableState.Queued;
import dev.sluice.domain.TableState.Remedy;
import dev.sluice.domain.TableState.Streaming;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** What the watch's findings about capture and definition mean for a table. Pure. */
final class OnCapture {

    private OnCapture() {}

    static Turn captureBroken(TableRecord table, Event.CaptureBroken broken, Instant now) {
        if (table.captured().filter(broken.judged()::equals).isEmpty()
                || table.state().run() != broken.run()) {
            return Turn.late(table, broken.run(), "broken capture");
        }
        TableRecord without = Records.withoutCapture(table);
        return switch (table.state()) {
            case Queued queued when queued.close().isPresent() ->
                Turn.becomes(Records.failed(without, Phase.CAPTURE, broken.fault(), now));
            // Its backfill starts over anyway, with a new queue.
            case Queued queued -> Turn.becomes(without);
            case Leaving leaving -> Turn.ignored("it is being removed");
            // What broke is the capture of the run before. This one prepares once more, without relying on it.
            case Preparing preparing when preparing.step().compareTo(Step.PUBLISH) <= 0 -> Turn.becomes(Records.to(
                    without,
                    new Preparing(
                            preparing.run(),
                            Step.INSPECT,
                            Records.nextAttempt(table),
                            Optional.empty(),
                            Optional.empty(),
                            Optional.empty()),
                    now));
            case Preparing preparing -> Turn.becomes(Records.failed(without, Phase.CAPTURE, broken.fault(), now));
            case Backfilling backfilling -> Turn.becomes(Records.failed(without, Phase.CAPTURE, broken.fault(), now));
            case Completing completing -> Turn.becomes(Records.failed(without, Phase.CAPTURE, broken.fault(), now));
            case Draining draining -> Turn.becomes(Records.failed(without, Phase.CAPTURE, broken.fault(), now));
            case Streaming streaming -> Turn.becomes(Records.failed(without, Phase.CAPTURE, broken.fault(), now));
            case Cancelled cancelled -> Turn.becomes(Records.failed(without, Phase.CAPTURE, broken.fault(), now));
            // It may be half out already, which looks the same.
            case Failed failed when failed.remedy() instanceof Remedy.Leave -> Turn.ignored("it is to be removed");
            case Failed failed -> Turn.becomes(Records.failed(without, Phase.CAPTURE, broken.fault(), now));
        };
    }

    /** The part of a run's fingerprint that is not of the definition. */
    private static String orderOf(String runFingerprint) {
        int dash = runFingerprint.indexOf('-');
        return dash < 0 ? "" : runFingerprint.substring(dash);
    }

    /** Chunks are read under the new definition from here on; those that met it before it was followed go at once. */
    static Turn definitionFollowed(TableRecord table, Event.DefinitionFollowed followed, Instant now) {
        if (table.captured().filter(followed.judged()::equals).isEmpty()
                || table.state().run() != followed.run()) {
            return Turn.late(table, followed.run(), "following a definition");
        }
        TableRecord captured =
                Records.captured(table, Optional.of(followed.judged().with(followed.fingerprint())));
        if (!(table.state() instanceof Backfilling backfilling)) {
            return Turn.becomes(captured);
        }
        StepResult.Inspected before = backfilling.inspected();
        var inspected = new StepResult.Inspected(
                // How its key is compared has not changed; should it have, every chunk finds that out.
                followed.fingerprint() + orderOf(before.fingerprint()),
                before.tableOid(),
                before.key(),
                before.rowsEstimated(),
                before.whole());
        ChunkPlan plan = backfilling.plan();
        List<OpenChunk> open = plan.open().stream()
                .map(chunk -> chunk.inFlight()
                        ? chunk
                        : new OpenChunk(
                                chunk.chunk(), chunk.range(), chunk.attempt().atOnce(), false, chunk.aboveHighest(),
                                chunk.rows()))
                .toList();
        var further = new ChunkPlan(
                plan.next(),
                plan.plannedUpTo(),
                plan.complete(),
                plan.planning().next(),
                open,
                plan.chunksCopied(),
                plan.rowsCopied(),
                plan.bytesCopied(),
                plan.speed());
        return Turn.becomes(Records.to(
                captured, new Backfilling(backfilling.run(), inspected, backfilling.bounded(), further), now));
    }
}
