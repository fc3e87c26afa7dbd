package dev.sluice.postgres;

import dev.sluice.domain.Change.Cell;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableDefinition.Column;
import dev.sluice.domain.TableDefinition.Generation;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A table as its options have it carried. Both paths ask here: a chunk for the expression that it reads, a change for
 * the value that it writes.
 *
 * @param source the table's definition there
 * @param salt present if a column is hashed
 */
record CarriedTable(TableDefinition source, TableOptions options, Optional<HashSalt> salt) {

    /** A cast to such a type cuts what is longer, in silence. */
    private static final Pattern CUTS = Pattern.compile("(character varying|bit varying)\\(\\d+\\)");

    /** A text in single quotes, or a name, quoted or not. */
    private static final Pattern NAME =
            Pattern.compile("'[^']*'|\"(?:[^\"]|\"\")*\"|[\\p{L}_][\\p{L}\\p{M}\\p{N}_]*");

    boolean isCarried(String column) {
        return options.carries(column);
    }

    private boolean isHashed(String column) {
        return options.hash().contains(column);
    }

    boolean isMasked(String column) {
        return options.mask().containsKey(column);
    }

    /** Whether the destination has the very values of the source. */
    boolean isPlain(String column) {
        return isCarried(column) && !isHashed(column) && !isMasked(column);
    }

    /** Whether every value that is carried is the source's. */
    boolean isPlain() {
        return options.hash().isEmpty() && options.mask().isEmpty();
    }

    /**
     * The table as the destination is to have it. Generated columns compute their own values there.
     *
     * @param maskedTypes types of masked columns, where they are others than at the source
     */
    TableDefinition definition(Map<String, String> maskedTypes) {
        return new TableDefinition(
                source.table(),
                source.oid(),
                source.columns().stream()
                        .filter(column -> isCarried(column.name()))
                        .map(column -> atDestination(column, maskedTypes))
                        .toList(),
                source.key(),
                source.isPartitioned());
    }

    private Column atDestination(Column column, Map<String, String> maskedTypes) {
        String name = column.name();
        if (isHashed(name)) {
            return ordinary(column, "text", column.notNull());
        }
        return isMasked(name)
                ? ordinary(
                        column,
                        maskedTypes.getOrDefault(name, column.type()),
                        column.notNull() && options.mask().get(name).isPresent())
                : column;
    }

    /** Columns of the source that rows bring values of. */
    List<Column> copiedColumns() {
        return source.copiedColumns().stream().filter(column -> isCarried(column.name())).toList();
    }

    /** Types of the masked columns of a definition, by name. */
    Map<String, String> maskedTypes(TableDefinition definition) {
        return definition.columns().stream()
                .filter(column -> isMasked(column.name()))
                .collect(Collectors.toMap(Column::name, Column::type, (one, other) -> one, HashMap::new));
    }

    private static Column ordinary(Column column, String type, boolean notNull) {
        boolean sameType = type.equals(column.type());
        return new Column(
                column.name(), type, notNull, Generation.NONE, Optional.empty(),
                sameType ? column.collation() : Optional.empty(), column.version());
    }

    /** What a chunk reads for a column, as SQL at the source. */
    String read(String column, String prefix) {
        String name = prefix + TableName.quote(column);
        if (isHashed(column)) {
            return HashSalt.sql(name);
        }
        return isMasked(column)
                ? options.mask().get(column).map(ChunkStatements::literal).orElse("NULL") + "::text"
                : name;
    }

    /** What a change writes. A value that stays as it is stays hashed as it is; a mask never depends on it. */
    Map<String, Cell> row(Map<String, Cell> captured) {
        if (options.include().isEmpty() && options.exclude().isEmpty() && isPlain()) {
            return captured;
        }
        Map<String, Cell> row = new LinkedHashMap<>();
        captured.forEach((column, cell) -> {
            if (isCarried(column)) {
                row.put(column, cell(column, cell));
            }
        });
        return row;
    }

    private Cell cell(String column, Cell cell) {
        if (isMasked(column)) {
            return options.mask().get(column).<Cell>map(Cell.Text::new).orElse(Cell.NULL);
        }
        return isHashed(column) && cell instanceof Cell.Text text
                ? new Cell.Text(salt.orElseThrow().hash(text.text()))
                : cell;
    }

    boolean hasCondition() {
        return options.where().isPresent();
    }

    /** The rows' condition in parentheses, over the names of the source's columns; {@code true} without one. */
    String condition() {
        return options.where().map(where -> "(" + where + ")").orElse("true");
    }

    /** Columns that a condition may speak of: what both sides have, with the source's values. */
    List<Column> conditionable() {
        return source.columns().stream()
                .filter(column -> column.isCopied() && isPlain(column.name()))
                .toList();
    }

    /** Columns that the condition speaks of, and perhaps one more that has the name of a function in it. */
    List<Column> conditionColumns() {
        Set<String> names = NAME.matcher(options.where().orElse("")).results()
                .map(MatchResult::group)
                .filter(name -> !name.startsWith("'"))
                .map(name -> name.startsWith("\"")
                        ? name.substring(1, name.length() - 1).replace("\"\"", "\"")
                        : name.toLowerCase(Locale.ROOT))
                .collect(Collectors.toSet());
        return conditionable().stream().filter(column -> names.contains(column.name())).toList();
    }

    /**
     * A value that is not known must not pass for NULL.
     *
     * @param row as it was captured
     * @throws RefusedException if the row is without a column that the condition speaks of
     */
    void requireConditionColumns(Map<String, Cell> row) {
        conditionColumns().stream().filter(column -> !row.containsKey(column.name())).findFirst().ifPresent(column -> {
            throw new RefusedException(
                    "a change of " + source.table() + " is without the column " + TableName.quote(column.name())
                            + ", by which «where» judges rows",
                    "start a new backfill, with a condition over columns that the table has now");
        });
    }

    /**
     * Whether a row fulfils the condition, as SQL: a NULL does not.
     *
     * @param value the SQL of a column's value, of whatever type: it is compared as of the source's type, but never cut,
     *     should that have become wider
     */
    String fulfils(UnaryOperator<String> value) {
        if (!hasCondition()) {
            return "true";
        }
        StringBuilder row = new StringBuilder();
        for (Column column : conditionColumns()) {
            row.append(row.isEmpty() ? "" : ", ")
                    .append('(')
                    .append(value.apply(column.name()))
                    .append(")::")
                    .append(CUTS.matcher(column.type()).replaceFirst("$1"))
                    .append(column.collation().map(name -> " COLLATE " + name).orElse(""))
                    .append(" AS ")
                    .append(TableName.quote(column.name()));
        }
        return "(SELECT " + condition() + " FROM (SELECT " + row + ") AS sluice_row) IS TRUE";
    }

    Optional<SoftDeletion> softDelete() {
        return options.softDelete().map(SoftDeletion::new);
    }
}
