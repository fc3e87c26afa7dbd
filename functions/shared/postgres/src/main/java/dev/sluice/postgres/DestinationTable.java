package dev.sluice.postgres;

import dev.sluice.domain.Change;
import dev.sluice.domain.Change.Cell;
import dev.sluice.domain.KeyOrder;
import dev.sluice.domain.TableDefinition.Generation;
import dev.sluice.domain.TableDefinition.KeyColumn;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Tuple;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A table as changes are applied to it: the source's key, and the destination's columns.
 *
 * @param source its name there
 * @param name its name at the destination
 * @param key of the source, in the order of the key
 * @param rows the table with its own rows and no others, as SQL
 * @param sourceRows the same of the source's table
 * @param columns of the destination by name
 * @param referenced whether a foreign key points here, which forbids TRUNCATE
 * @param carried as the options of the run have it
 * @param names what the names in the queue mean
 */
public record DestinationTable(
        TableName source,
        TableName name,
        String rows,
        String sourceRows,
        List<KeyColumn> key,
        Map<String, Column> columns,
        boolean referenced,
        CarriedTable carried,
        SourceNames names) {

    public DestinationTable {
        key = List.copyOf(key);
        columns = Map.copyOf(columns);
    }

    /**
     * @param castType the type without its modifier, safe in a statement: an explicit cast to {@code varchar(3)}
     *     would cut a longer text in silence, where the assignment to the column refuses it
     * @param castsText whether a cast from text is a function of its own: regclass takes no number that way
     * @param lengthMax characters of a {@code varchar}: the assignment cuts a longer text, too, if spaces are all that
     *     is cut
     */
    record Column(String castType, boolean castsText, Generation generation, OptionalInt lengthMax) {
        /**
         * Reads a value as the type's input function does, which is what its text was written for.
         *
         * @param text an expression of type text
         */
        String read(String text) {
            // As an element of an array it passes by the cast.
            return castsText ? "(ARRAY[" + text + "]::text::" + castType + "[])[1]" : text + "::" + castType;
        }

        boolean isWritten() {
            return generation != Generation.STORED && generation != Generation.VIRTUAL;
        }
    }

    /** The change under the names that the columns have now; it may carry those of an earlier time. */
    public Change named(Change change) {
        return names.now(change, columns.keySet());
    }

    /** A captured row as the destination gets it: without columns that are left out, hashed and masked. */
    public Map<String, Cell> carried(Map<String, Cell> row) {
        return carried.row(row);
    }

    /** Whether only rows that fulfil a condition are carried. */
    public boolean isFiltered() {
        return carried.hasCondition();
    }

    public KeyOrder keyOrder() {
        return new KeyOrder(key.stream().map(KeyColumn::type).toList());
    }

    public List<String> keyColumns() {
        return key.stream().map(KeyColumn::name).toList();
    }

    boolean isKey(String column) {
        return key.stream().anyMatch(keyColumn -> keyColumn.name().equals(column));
    }

    /** PostgreSQL lets nobody update such a column: a row in which it differs is deleted and inserted. */
    boolean hasFixedIdentity() {
        return columns.entrySet().stream()
                .anyMatch(column -> column.getValue().generation() == Generation.IDENTITY_ALWAYS
                        && !isKey(column.getKey()));
    }

    /**
     * Reads both catalogs.
     *
     * @throws RefusedException (in the Uni) if a table is missing, or the key is none that can be ordered
     */
    static Uni<DestinationTable> read(
            Database source,
            Database destination,
            TableName table,
            TableName name,
            TableOptions options,
            Optional<HashSalt> salt,
            SourceNames names) {
        return source.withConnection(connection -> DefinitionQuery.read(connection, table))
                .map(reading -> reading.map(DefinitionQuery.Reading::definition)
                        .filter(definition -> !definition.key().isEmpty())
                        .orElseThrow(() -> new RefusedException(
                                "the source has no table " + table + " with a primary key that can be ordered",
                                "Start a new backfill of the table once it is there again, or remove it.")))
                .chain(definition -> destination
                        .query("""
                                SELECT a.attname::text, format_type(a.atttypid, -1),
                                       a.attgenerated::text || a.attidentity::text,
                                       EXISTS (SELECT FROM pg_constraint f WHERE f.confrelid = c.oid AND f.contype = 'f'),
                                       c.relkind = 'p',
                                       CASE WHEN a.atttypid = 'varchar'::regtype AND a.atttypmod > 4
                                            THEN a.atttypmod - 4 END,
                                       EXISTS (SELECT FROM pg_cast k WHERE k.castsource = 'text'::regtype
                                         AND k.castmethod = 'f' AND k.casttarget IN (
                                           WITH RECURSIVE base (oid) AS (
                                             SELECT a.atttypid
                                             UNION SELECT t.typbasetype FROM base JOIN pg_type t ON t.oid = base.oid)
                                           SELECT oid FROM base))
                                  FROM pg_class c
                                  JOIN pg_namespace n ON n.oid = c.relnamespace
                                  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                                 WHERE n.nspname = $1 AND c.relname = $2""",
                                         Tuple.of(name.schema(), name.name()))
                        .map(rows -> {
                            Map<String, Column> columns = new LinkedHashMap<>();
                            boolean referenced = false;
                            boolean partitioned = false;
                            for (var row : rows) {
                                Integer lengthMax = row.getInteger(5);
                                columns.put(
                                        row.getString(0),
                                        new Column(
                                                row.getString(1),
                                                row.getBoolean(6),
                                                generation(row.getString(2)),
                                                lengthMax == null ? OptionalInt.empty() : OptionalInt.of(lengthMax)));
                                referenced = row.getBoolean(3);
                                partitioned = row.getBoolean(4);
                            }
                            for (KeyColumn column : definition.key()) {
                                if (!columns.containsKey(column.name())) {
                                    throw new RefusedException(
                                            "the destination has no table " + name + " with the key column "
                                                    + column.name(),
                                            "Start a new backfill of the table: it creates what is missing.");
                                }
                            }
                            return new DestinationTable(
                                    table,
                                    name,
                                    RowsOf.table(name, partitioned),
                                    RowsOf.table(definition),
                                    definition.key(),
                                    columns,
                                    referenced,
                                    new CarriedTable(definition, options, salt),
                                    names);
                        }));
    }

    private static Generation generation(String letters) {
        return switch (letters) {
            case "" -> Generation.NONE;
            case "a" -> Generation.IDENTITY_ALWAYS;
            case "d" -> Generation.IDENTITY_BY_DEFAULT;
            case "s" -> Generation.STORED;
            case "v" -> Generation.VIRTUAL;
            default -> throw new IllegalStateException("a column is generated as «" + letters + "»");
        };
    }
}
