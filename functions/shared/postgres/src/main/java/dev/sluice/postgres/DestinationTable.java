package dev.sluice.postgres;

import dev.sluice.domain.Change;
import dev.sluice.domain.Change.Cell;
import dev.sluice.domain.Fault;
import dev.sluice.domain.KeyOrder;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.KeyType;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableDefinition.Generation;
import dev.sluice.domain.TableDefinition.KeyColumn;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.postgres.DefinitionQuery.ColumnOrder;
import dev.sluice.postgres.DefinitionQuery.Reading;
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
 * @param key of the source, in the order of the key; none for a table without one
 * @param rows the table with its own rows and no others, as SQL
 * @param sourceRows the same of the source's table
 * @param order what its ranges' order rests on, as {@link TableDefinition#order}; a fault if there is none
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
        Order order,
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
     * @param collation as SQL; empty where none decides
     */
    record Column(String castType, boolean castsText, Generation generation, OptionalInt lengthMax, Optional<String> collation) {
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

    /** How ranges of the key are compared now, which may be another way than when chunks were copied. */
    public sealed interface Order {
        record Agreed(String restsOn) implements Order {}

        record Undecided(Fault fault) implements Order {}
    }

    /** Empty where only the destination knows it. */
    public Optional<KeyOrder> keyOrder() {
        return TableDefinition.order(key);
    }

    /**
     * Checks that a chunk's range still means what it meant when the chunk was copied.
     *
     * @throws RefusedException if it does not
     */
    public void requireOrderOf(KeyRange range, String restsOn) {
        if (range.equals(KeyRange.ALL)
                || order instanceof Order.Agreed agreed && OrderText.holds(restsOn, agreed.restsOn())) {
            return;
        }
        String now = switch (order) {
            case Order.Agreed agreed -> "«" + agreed.restsOn() + "»";
            case Order.Undecided undecided -> undecided.fault().reason();
        };
        throw new RefusedException(
                "the chunks of " + source + " were cut in the order «" + restsOn + "», and now it is " + now,
                "make the collations what they were, or start a new backfill of the table");
    }

    /** Whether keys that are equal may have different texts, so that a row that is there may need its key written. */
    boolean isLoose(String column) {
        return key.stream().anyMatch(keyColumn -> keyColumn.name().equals(column) && isLoose(keyColumn));
    }

    static boolean isLoose(KeyColumn column) {
        return column.type().isEmpty() || column.type().get() == KeyType.NUMERIC;
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
        Uni<Reading> here = source.withConnection(connection -> DefinitionQuery.read(connection, table, options.key()))
                .map(reading -> reading.filter(found -> !(found.choice() instanceof KeyChoice.Result.Refused))
                        .orElseThrow(() -> new RefusedException(
                                "the source has no table " + table + " with a key that can be followed",
                                "Start a new backfill of the table once it is there again, or remove it.")));
        return here.chain(reading -> destination
                .withConnection(connection -> DefinitionQuery.read(connection, name))
                .chain(there -> {
                    Map<String, ColumnOrder> orders = there.map(Reading::orders).orElse(Map.of());
                    for (KeyColumn column : reading.definition().key()) {
                        if (!orders.containsKey(column.name())) {
                            throw new RefusedException(
                                    "the destination has no table " + name + " with the key column " + column.name(),
                                    "Start a new backfill of the table: it creates what is missing.");
                        }
                    }
                    return columns(
                            destination,
                            table,
                            name,
                            RowsOf.table(name, there.map(found -> found.definition().isPartitioned()).orElse(false)),
                            KeyAgreement.of(reading, orders),
                            options,
                            salt,
                            names);
                }));
    }

    private static Uni<DestinationTable> columns(
            Database destination,
            TableName table,
            TableName name,
            String rows,
            KeyAgreement.Result agreement,
            TableOptions options,
            Optional<HashSalt> salt,
            SourceNames names) {
        Order order = switch (agreement) {
            case KeyAgreement.Result.Agreed agreed -> new Order.Agreed(agreed.definition().order());
            case KeyAgreement.Result.Undecided undecided -> new Order.Undecided(undecided.fault());
        };
        return destination
                .query("""
                        SELECT a.attname::text, format_type(a.atttypid, -1),
                               a.attgenerated::text || a.attidentity::text,
                               EXISTS (SELECT FROM pg_constraint f WHERE f.confrelid = c.oid AND f.contype = 'f'),
                               (SELECT format('%I.%I', cn.nspname, co.collname) FROM pg_collation co
                                  JOIN pg_namespace cn ON cn.oid = co.collnamespace WHERE co.oid = a.attcollation),
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
                .map(found -> {
                    Map<String, Column> columns = new LinkedHashMap<>();
                    boolean referenced = false;
                    for (var row : found) {
                        Integer lengthMax = row.getInteger(5);
                        columns.put(
                                row.getString(0),
                                new Column(
                                        row.getString(1),
                                        row.getBoolean(6),
                                        generation(row.getString(2)),
                                        lengthMax == null ? OptionalInt.empty() : OptionalInt.of(lengthMax),
                                        Optional.ofNullable(row.getString(4))));
                        referenced = row.getBoolean(3);
                    }
                    return new DestinationTable(
                            table,
                            name,
                            rows,
                            RowsOf.table(agreement.definition()),
                            agreement.definition().key(),
                            order,
                            columns,
                            referenced,
                            new CarriedTable(agreement.definition(), options, salt),
                            names);
                });
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
