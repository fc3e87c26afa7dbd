package dev.sluice.streaming;

import dev.sluice.domain.KeyOrder;
import dev.sluice.domain.TableName;
import dev.sluice.postgres.DestinationTable;
import dev.sluice.postgres.Ledger.Applying;
import dev.sluice.postgres.Ledger.Entry;
import dev.sluice.postgres.Ledger.RetainedChunk;
import dev.sluice.postgres.Ledger.RowRead;
import io.smallrye.mutiny.Uni;
import java.util.List;
import java.util.Optional;

/** Finds out whether a table's queue may be applied, and by what. Changes nothing. */
final class QueueOpening {

    private final TableName table;
    private final StreamServices services;

    QueueOpening(TableName table, StreamServices services) {
        this.table = table;
        this.services = services;
    }

    /** What the ledger, the two databases and Kafka say of a table that is woken up. */
    sealed interface Opened {
        record Unknown() implements Opened {}

        record Held(long run) implements Opened {}

        record Lost(long run, String why) implements Opened {}

        record Ready(Entry entry, DestinationTable table, RetainedChunks chunks) implements Opened {}
    }

    Uni<Opened> read() {
        return services.ledger().read(table).chain(found -> {
            if (found.isEmpty()) {
                return Uni.createFrom().item(new Opened.Unknown());
            }
            Entry entry = found.get();
            if (entry.applying() == Applying.HELD) {
                return Uni.createFrom().item(new Opened.Held(entry.run()));
            }
            if (entry.topicId().isEmpty() || entry.position().isEmpty()) {
                return Uni.createFrom()
                        .item(new Opened.Lost(entry.run(), "the ledger does not know where the queue starts"));
            }
            return services.topics().find(services.pipeline().queueTopic(table)).chain(topic -> {
                Optional<String> hole = QueueHole.find(entry.topicId().get(), entry.position().get(), topic);
                return hole.isPresent()
                        ? Uni.createFrom().item(new Opened.Lost(entry.run(), hole.get()))
                        : Uni.combine().all()
                                .unis(
                                        services.answered(services.apply().open(table, entry.options())),
                                        services.ledger().retainedChunks(table),
                                        services.ledger().rowReads(table))
                                .asTuple()
                                .chain(read -> retained(read.getItem1(), read.getItem2(), read.getItem3())
                                        .map(chunks -> new Opened.Ready(entry, read.getItem1(), chunks)));
            });
        });
    }

    private Uni<RetainedChunks> retained(
            DestinationTable destination, List<RetainedChunk> chunks, List<RowRead> rowReads) {
        chunks.forEach(chunk -> destination.requireOrderOf(chunk.range(), chunk.order()));
        Uni<KeyOrder> order = destination
                .keyOrder()
                .map(known -> Uni.createFrom().item(known))
                .orElseGet(() -> services.apply().locate(destination, RetainedChunks.keys(chunks, rowReads)));
        return order.map(known -> RetainedChunks.of(known, chunks, rowReads));
    }
}
