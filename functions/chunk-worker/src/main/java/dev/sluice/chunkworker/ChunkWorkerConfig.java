package dev.sluice.chunkworker;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;

/** How chunks are copied. */
@ConfigMapping(prefix = "sluice.chunk-worker")
public interface ChunkWorkerConfig {

    /**
     * Chunks that this process copies at once, 1 to 256; also the least number of partitions of the chunk tasks topic.
     * Each takes a connection to both databases and about a megabyte of heap while it copies. More copies faster, as
     * long as source, destination and network have room.
     */
    @WithDefault("4")
    int slots();

    /**
     * How long a chunk waits for a lock on its table or run before it gives up and is tried again. A longer time rides
     * out longer maintenance at the source; meanwhile the worker slot is taken.
     */
    @WithDefault("30s")
    Duration lockTimeout();

    /**
     * How long a chunk may take at either server, which ends its transaction then. It must be longer than the slowest
     * chunk. It also bounds how long the read of a process that hangs holds back VACUUM at the source; the chunk
     * itself is taken over by another worker within seconds. At most 20 minutes: Kafka takes a worker that is silent
     * for 30 for dead.
     */
    @WithDefault("10m")
    Duration transactionTimeout();

    /**
     * How long a chunk waits, before it locks anything, until the standby of {@code sluice.source.replica.url} has
     * replayed what the chunk needs; then the worker slot goes to another chunk, and this one is tried again. It must
     * be longer than the standby usually lags. A longer time leaves slots idle behind a standby that stands still. At
     * most 5 minutes.
     */
    @WithDefault("1m")
    Duration replicaTimeout();
}
