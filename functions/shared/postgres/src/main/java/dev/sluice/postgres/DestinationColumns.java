package dev.sluice.postgres;

import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableDefinition.Column;
import dev.sluice.domain.TableDefinition.Generation;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.SqlConnection;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Changes the columns of a table at the destination. */
final class DestinationColumns {

    private DestinationColumns() {}

    /**
     * @param missing what the rows that are there have in it, as text; empty for NULL. It stays the column's default:
     *     an older INSERT that is still in the queue does not name the column
     */
    record Added(Column column, Optional<String> missing) {}

    /**
     * Adds columns that the source has.
     *
     * @throws RefusedException (in the Uni) if the destination does not have a column's type
     */
    static Uni<Void> add(
            SqlConnection connection, TableDefinition definition, TableName target, List<Added> columns) {
        if (columns.isEmpty()) {
            return Uni.createFrom().voidItem();
        }
        return DestinationTables.known(connection, definition, target, Optional.empty()).chain(known -> {
            DestinationTables.requireTypes(columns.stream().map(Added::column).toList(), target, known.types());
            List<String> parts = new ArrayList<>();
            for (Added added : columns) {
                String sql = "ADD COLUMN " + DestinationTables.columnSql(definition, added.column(), known);
                if (added.missing().isPresent()) {
                    sql += " DEFAULT " + ChunkStatements.literal(added.missing().get()) + "::" + added.column().type()
                            + (added.column().notNull() ? " NOT NULL" : "");
                }
                parts.add(sql);
            }
            return execute(connection, "ALTER TABLE " + target.sql() + " " + String.join(", ", parts));
        });
    }

    /**
     * Fits a table that Sluice made to the source's definition, as far as no row can get in the way: all of them are
     * about to be copied anew.
     *
     * @throws RefusedException (in the Uni) if a column has to be made anew
     */
    static Uni<Void> fit(
            SqlConnection connection, TableDefinition source, TableOptions options, TableDefinition destination) {
        Map<String, Column> there = new HashMap<>();
        destination.columns().forEach(column -> there.put(column.name(), column));
        TableName target = destination.table();
        List<Added> missing = new ArrayList<>();
        List<String> alterations = new ArrayList<>();
        Set<String> extra = new HashSet<>(there.keySet());
        for (Column column : source.columns()) {
            if (!options.carries(column.name())) {
                continue;
            }
            extra.remove(column.name());
            Column found = there.get(column.name());
            String alter = "ALTER COLUMN " + TableName.quote(column.name());
            if (found == null) {
                requireNoKey(source, column, target);
                missing.add(new Added(column, Optional.empty()));
            } else if (column.isCopied() && found.isCopied()) {
                if (!ColumnTypes.fits(column.type(), found.type())) {
                    alterations.add(alter + " TYPE " + widened(column, found, target));
                }
                if (found.notNull() && !column.notNull()) {
                    alterations.add(alter + " DROP NOT NULL");
                }
            }
        }
        for (Column column : destination.columns()) {
            if (extra.contains(column.name()) && needsValue(column) && !destination.keyColumns().contains(column.name())) {
                alterations.add("ALTER COLUMN " + TableName.quote(column.name()) + " DROP NOT NULL");
            }
        }
        // A generated column that is added may be computed from one that gets wider.
        return (alterations.isEmpty()
                        ? Uni.createFrom().voidItem()
                        : execute(connection, "ALTER TABLE " + target.sql() + " " + String.join(", ", alterations)))
                .chain(() -> add(connection, source, target, missing));
    }

    /** Whether a row that does not name the column is refused. */
    static boolean needsValue(Column column) {
        return column.notNull() && column.defaultExpression().isEmpty() && column.generation() == Generation.NONE;
    }

    static String makeAnew(TableName target) {
        return "run DROP TABLE " + target.sql() + " at the destination, then send retry: it is made anew";
    }

    private static void requireNoKey(TableDefinition source, Column column, TableName target) {
        if (source.keyColumns().contains(column.name())) {
            throw new RefusedException(
                    "the key's column " + TableName.quote(column.name()) + " is not at the destination's table " + target,
                    makeAnew(target));
        }
    }

    private static String widened(Column column, Column found, TableName target) {
        if (!ColumnTypes.fits(found.type(), column.type())) {
            throw new RefusedException(
                    "the column " + TableName.quote(column.name()) + " of " + target + " has type " + found.type()
                            + " at the destination, into which values of type " + column.type() + " may not fit",
                    "run ALTER TABLE " + target.sql() + " DROP COLUMN " + TableName.quote(column.name())
                            + " at the destination, then send retry: it is added anew");
        }
        return column.type();
    }

    static Uni<Void> execute(SqlConnection connection, String statement) {
        return connection.query(statement).execute().replaceWithVoid();
    }
}
