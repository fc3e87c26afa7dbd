package dev.sluice.streaming;

import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;

/** How queues are read and applied. */
@ConfigMapping(prefix = "sluice.streaming")
public interface StreamingConfig {

    /**
     * Changes in one batch at most, which is one transaction at the destination; 2 to 100,000. More make fewer
     * transactions, and hold their locks for longer.
     */
    @WithDefault("5000")
    int batchRows();

    /**
     * Bytes of one batch at most, as they stand in Kafka; one change may be larger alone. Counts about fourfold in the
     * heap for each batch that is applied at the same time.
     */
    @WithDefault("8M")
    MemorySize batchBytes();

    /**
     * The least time between two batches of one table whose queue is empty otherwise. Longer makes fewer and larger
     * transactions at the destination, and that much more delay.
     */
    @WithDefault("100ms")
    Duration batchInterval();

    /**
     * Batches, each of another table, that are applied at the same time. Keep it below
     * {@code sluice.destination.connections-max}: more apply faster and need more heap.
     */
    @WithDefault("4")
    int appliesMax();

    /**
     * Bytes of changes that wait in this process for their batch, all tables together; above it nothing is read from
     * Kafka. Up to 16 MiB more may be on their way.
     */
    @WithDefault("48M")
    MemorySize bufferBytes();

    /** How often it is asked whether the slot has passed the watermark of tables that drain. */
    @WithDefault("1s")
    Duration drainInterval();

    /** The least time between two reports of how a queue stands. */
    @WithDefault("2s")
    Duration reportInterval();

    /**
     * How long a change that is applied stays in its topic at least, to be looked at. Then it is deleted: the topics of
     * queues expire nothing by themselves, and would grow for ever. Longer costs Kafka's disk.
     */
    @WithDefault("1h")
    Duration appliedKept();
}
