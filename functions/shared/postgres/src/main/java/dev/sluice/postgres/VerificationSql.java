package dev.sluice.postgres;

import dev.sluice.domain.KeyRange;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableDefinition.Column;
import dev.sluice.domain.TableDefinition.KeyColumn;
import dev.sluice.domain.TableName;
import dev.sluice.postgres.DefinitionQuery.ColumnOrder;
import dev.sluice.postgres.DefinitionQuery.Reading;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The statements that compare a table, for one of the two sides. Pure. Values are compared by PostgreSQL's own text of
 * the row, in UTF-8 whatever the encoding of the database.
 *
 * <p>A row's version is where and by which transaction it was written: it is the same exactly as long as nobody has
 * written the row.
 *
 * @param table at this side
 * @param rows the table with its own rows and no others, as SQL
 * @param condition which of its rows count
 * @param hash of all values of a row that are compared
 * @param key of the source; empty for a table without one
 * @param keyTexts of each key column the text that it has at the destination
 * @param orders of the columns at this side, where a range needs them
 * @param types of the columns at this side
 * @param isRanged whether parts are ranges of the key; else they are buckets of a hash
 */
record VerificationSql(
        TableName table,
        String rows,
        String condition,
        String hash,
        List<KeyColumn> key,
        List<String> keyTexts,
        Map<String, ColumnOrder> orders,
        Map<String, String> types,
        boolean isRanged) {

    /** Hexadecimal digits of the bucket's name: 4,096 buckets. */
    private static final int BUCKET_DIGITS = 3;

    /** A part of a table, which both sides take for the same. */
    sealed interface Part {
        record Range(KeyRange range) implements Part {}

        record Buckets(Set<String> names) implements Part {}
    }

    record Both(VerificationSql source, VerificationSql destination) {}

    /** @throws RefusedException if the destination's table lacks a column */
    static Both of(Reading sourceTable, CarriedTable carriedBefore, Reading destinationTable) {
        KeyAgreement.Result agreement = KeyAgreement.of(sourceTable, destinationTable.orders());
        TableDefinition source = agreement.definition();
        TableDefinition destination = destinationTable.definition();
        var carried = new CarriedTable(source, carriedBefore.options(), carriedBefore.salt());
        Map<String, Column> there = new TreeMap<>();
        destination.columns().forEach(column -> there.put(column.name(), column));
        Map<String, Column> columns = new TreeMap<>();
        source.columns().forEach(column -> columns.put(column.name(), column));
        List<String> here = new ArrayList<>();
        List<String> made = new ArrayList<>();
        for (Column column : source.columns()) {
            if (isCompared(column, carried, there)) {
                here.add(atSource(column, carried, there.get(column.name())));
                made.add("d." + TableName.quote(column.name()));
            }
        }
        boolean isRanged = agreement instanceof KeyAgreement.Result.Agreed
                && !source.key().isEmpty()
                && KeyAgreement.isServed(sourceTable, source.key());
        return new Both(
                new VerificationSql(
                        source.table(), RowsOf.table(source), carried.condition(), hash(here), source.key(),
                        source.keyColumns().stream()
                                .map(name -> text(atSource(columns.get(name), carried, there.get(name))))
                                .toList(),
                        Map.of(), ChunkStatements.types(source), isRanged),
                new VerificationSql(
                        destination.table(), RowsOf.table(destination),
                        carried.softDelete().map(mark -> mark.isLive("d.")).orElse("true"), hash(made), source.key(),
                        source.keyColumns().stream().map(name -> text("d." + TableName.quote(name))).toList(),
                        destinationTable.orders(), ChunkStatements.types(destination), isRanged));
    }

    /** A generated column follows from the others, and is compared where both sides generate it. */
    private static boolean isCompared(Column column, CarriedTable carried, Map<String, Column> there) {
        if (!carried.isCarried(column.name())) {
            return false;
        }
        Column target = there.get(column.name());
        if (column.isCopied()) {
            if (target == null) {
                throw new RefusedException(
                        "column " + column.name() + " of " + carried.source().table()
                                + " is not in the destination's table",
                        "Wait until the destination has followed the change of the table, then verify it again.");
            }
            return true;
        }
        return target != null && !target.isCopied();
    }

    private static String atSource(Column column, CarriedTable carried, Column target) {
        String value = carried.read(column.name(), "d.");
        // A type of a schema is made alike there, and may have another name here.
        if (target.type().contains(".")) {
            return value;
        }
        // A mask is a text, whatever the column's type, and the destination shows it as its type does.
        if (carried.isMasked(column.name())) {
            return "(" + value + ")::" + target.type();
        }
        return target.type().equals(column.type()) ? value : "(" + arriving(value) + ")::" + target.type();
    }

    /** Values arrive as the text that PostgreSQL writes; a cast to text writes some in another way, or leaves blanks out. */
    private static String arriving(String value) {
        return "CASE WHEN " + value + " IS NOT DISTINCT FROM NULL THEN NULL ELSE " + text(value) + " END";
    }

    private static String text(String value) {
        return "pg_catalog.format('%s', " + value + ")";
    }

    private static String hash(List<String> values) {
        return "md5(convert_to(ROW(" + String.join(", ", values) + ")::text, 'UTF8'))";
    }

    /** One row: how many rows the part has, and the sum of 64 bits of each one's hash. */
    String checksum(Part part) {
        return "SELECT count(*), " + sum(hash) + " FROM " + from(part);
    }

    /** A row for each bucket: its name, and what {@link #checksum} gives. */
    String buckets() {
        return "SELECT " + bucket() + ", count(*), " + sum(hash) + " FROM " + from(new Part.Buckets(Set.of()))
                + " GROUP BY 1";
    }

    /**
     * The rows of a part: value, version, then the key. Rows without a key are grouped by their value: how many there
     * are of it is the value then.
     *
     * @param rowsMax rows at most
     */
    String rows(Part part, int rowsMax) {
        String version = "concat_ws(' ', d.tableoid, d.xmin, d.ctid)";
        return key.isEmpty()
                ? "SELECT count(*)::text, " + sum("md5(" + version + ")") + ", " + hash + " FROM " + from(part)
                        + " GROUP BY 3 LIMIT " + rowsMax
                : "SELECT " + hash + ", " + version + ", " + String.join(", ", keyTexts) + " FROM " + from(part) + " LIMIT "
                        + rowsMax;
    }

    /**
     * Keys that cut a range: every so many rows one, by a walk over the key's index.
     *
     * @param keysMax cuts at most
     */
    String cuts(KeyRange range, int every, int keysMax) {
        String columns = key.stream()
                .map(column -> "d." + TableName.quote(column.name()))
                .collect(Collectors.joining(", "));
        return "SELECT " + names(column -> text("numbered." + TableName.quote(column.name()))) + " FROM (SELECT walked.*, row_number() OVER (ORDER BY "
                + compared("walked.") + ") AS " + place() + " FROM (SELECT " + columns + " FROM " + rows
                + " AS d WHERE " + where(new Part.Range(range)) + " ORDER BY " + compared("d.") + " LIMIT "
                + (long) every * keysMax + ") AS walked) AS numbered WHERE numbered." + place() + " % " + every
                + " = 0 ORDER BY " + compared("numbered.");
    }

    private String place() {
        String name = "place";
        while (types.containsKey(name)) {
            name += " in the walk";
        }
        return TableName.quote(name);
    }

    private String from(Part part) {
        return rows + " AS d WHERE " + condition + " AND " + where(part);
    }

    private String where(Part part) {
        return switch (part) {
            case Part.Range range -> ChunkStatements.condition(range.range(), key, orders, types, "d.");
            case Part.Buckets buckets -> buckets.names().isEmpty()
                    ? "true"
                    : bucket() + " IN (" + buckets.names().stream()
                            .map(ChunkStatements::literal)
                            .collect(Collectors.joining(", ")) + ")";
        };
    }

    private String bucket() {
        String text = key.isEmpty() ? hash : "md5(convert_to(ROW(" + String.join(", ", keyTexts) + ")::text, 'UTF8'))";
        return "left(" + text + ", " + BUCKET_DIGITS + ")";
    }

    private static String sum(String hash) {
        return "coalesce(sum(('x' || left(" + hash + ", 16))::bit(64)::int8), 0)::text";
    }

    private String compared(String prefix) {
        return names(column -> prefix + TableName.quote(column.name()) + ChunkStatements.collation(column, orders));
    }

    private String names(Function<KeyColumn, String> each) {
        return key.stream().map(each).collect(Collectors.joining(", "));
    }

    /** What lets a transaction find the operators of the key's types; empty where it needs nothing. */
    Optional<String> operators() {
        return KeyOperators.find(table, key);
    }
}
