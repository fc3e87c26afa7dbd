package dev.sluice.streaming;

import dev.sluice.domain.Change;
import dev.sluice.messaging.CapturedChange;
import dev.sluice.messaging.CapturedChanges;
import dev.sluice.messaging.CapturedChanges.UnreadableChangeException;
import dev.sluice.postgres.DestinationTable;
import dev.sluice.streaming.BatchPlan.Queued;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Records of a queue as changes, under the names and with the values that the destination has them with.
 *
 * @param unreadable why the changes end there: what comes before it is applied; then it is told
 * @param millis when the last of them was made at the source
 */
record DecodedChanges(List<Queued> queued, Optional<UnreadableChangeException> unreadable, long millis) {

    static DecodedChanges of(
            DestinationTable destination, CapturedChanges changes, List<ConsumerRecord<byte[], byte[]>> records) {
        List<Queued> queued = new ArrayList<>(records.size());
        Optional<UnreadableChangeException> unreadable = Optional.empty();
        long millis = 0;
        for (ConsumerRecord<byte[], byte[]> record : records) {
            try {
                CapturedChange change = changes.read(record);
                queued.add(new Queued(
                        record.offset(), carried(destination.named(change.change()), destination), change.millis()));
                millis = change.millis();
            } catch (UnreadableChangeException e) {
                unreadable = Optional.of(e);
                break;
            }
        }
        return new DecodedChanges(queued, unreadable, millis);
    }

    private static Change carried(Change change, DestinationTable destination) {
        return switch (change) {
            case Change.Upsert upsert -> new Change.Upsert(
                    upsert.origin(), upsert.key(), destination.carried(upsert.row()), upsert.movedFrom());
            case Change.KeyChange keyChange -> new Change.KeyChange(
                    keyChange.origin(), keyChange.from(), keyChange.key(), destination.carried(keyChange.row()));
            case Change.Replaced replaced -> new Change.Replaced(
                    replaced.origin(), replaced.before().map(destination::carried), replaced.after().map(destination::carried));
            case Change.Delete delete -> delete;
            case Change.Truncate truncate -> truncate;
        };
    }
}
