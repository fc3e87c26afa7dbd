package dev.sluice.postgres;

import dev.sluice.domain.TableName;
import java.util.Optional;

/**
 * A table that the source has.
 *
 * @param rowsEstimated as of the last time that PostgreSQL looked; empty: it never did
 * @param bytes with its indexes and large values; of a partitioned table those of its partitions
 * @param refused why it cannot be carried, as far as a glance tells
 */
public record SourceTable(
        TableName name, Optional<Long> rowsEstimated, long bytes, boolean partitioned, Optional<String> refused) {}
