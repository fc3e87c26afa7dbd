package dev.sluice.postgres;

import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableName;

/**
 * A table as a statement names it that reads, locks or removes its rows: the rows that are the table's own and no
 * others.
 *
 * <p>A table that others inherit from has rows of its own, and {@code ONLY} leaves theirs out: each of them is a table
 * by itself. A partitioned table has none of its own: without {@code ONLY} it stands for its partitions.
 */
final class RowsOf {

    private RowsOf() {}

    static String table(TableDefinition definition) {
        return table(definition.table(), definition.isPartitioned());
    }

    static String table(TableName table, boolean isPartitioned) {
        return isPartitioned ? table.sql() : "ONLY " + table.sql();
    }
}
