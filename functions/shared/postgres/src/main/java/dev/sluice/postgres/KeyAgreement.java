package dev.sluice.postgres;

import dev.sluice.domain.Fault;
import dev.sluice.domain.KeyType;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableDefinition.KeyColumn;
import dev.sluice.domain.TableName;
import dev.sluice.postgres.DefinitionQuery.ColumnOrder;
import dev.sluice.postgres.DefinitionQuery.Reading;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How source and destination compare ranges of a table's key, so that both mean the same rows (R10). Pure.
 *
 * <p>A column is compared in its own order where both have the same: where Java knows it, where no collation decides,
 * and where the collations are the same in provider, locale and actual version. Otherwise by code point at both sides.
 */
final class KeyAgreement {

    static final String CODE_POINT = "pg_catalog.\"C\"";

    private KeyAgreement() {}

    sealed interface Result {

        /** @param definition of the source, with the order that both sides have */
        record Agreed(TableDefinition definition) implements Result {}

        /**
         * No range of the key would mean the same at both sides. The table can be copied as a whole.
         *
         * @param definition of the source, its key in an order that only the database knows
         */
        record Undecided(TableDefinition definition, Fault fault) implements Result {}

        TableDefinition definition();
    }

    /** @param destination how the columns of the destination's table are ordered, by name */
    static Result of(Reading source, Map<String, ColumnOrder> destination) {
        TableDefinition definition = source.definition();
        List<KeyColumn> key = new ArrayList<>();
        List<String> order = new ArrayList<>();
        Optional<Fault> fault = Optional.empty();
        for (KeyColumn column : definition.key()) {
            ColumnOrder here = source.orders().get(column.name());
            Optional<ColumnOrder> there = Optional.ofNullable(destination.get(column.name()));
            Compared compared = there.map(found -> compare(column.name(), here, found))
                    .orElseGet(() -> Compared.never("the destination does not have it"));
            key.add(new KeyColumn(column.name(), compared.type(), compared.collation()));
            if (!compared.order().isEmpty()) {
                order.add(TableName.quote(column.name()) + " " + compared.order());
            }
            if (fault.isEmpty()) {
                fault = compared.why().map(why -> fault(definition, column.name(), why));
            }
        }
        return fault.<Result>map(found -> new Result.Undecided(
                        definition.compared(definition.key().stream()
                                .map(column -> new KeyColumn(column.name(), Optional.empty(), Optional.empty()))
                                .toList(), ""),
                        found))
                .orElseGet(() -> new Result.Agreed(definition.compared(key, String.join("; ", order))));
    }

    /**
     * @param order what the comparison rests on, where that could change
     * @param why there is none that both sides have
     */
    private record Compared(
            Optional<KeyType> type, Optional<String> collation, String order, Optional<String> why) {

        static Compared byJava(KeyType type) {
            return new Compared(Optional.of(type), Optional.empty(), "", Optional.empty());
        }

        static Compared byDatabase(String order) {
            return new Compared(Optional.empty(), Optional.empty(), order, Optional.empty());
        }

        static Compared byCodePoint(Optional<KeyType> type, String order) {
            return new Compared(type, Optional.of(CODE_POINT), order, Optional.empty());
        }

        static Compared never(String why) {
            return new Compared(Optional.empty(), Optional.empty(), "", Optional.of(why));
        }
    }

    private static Compared compare(String name, ColumnOrder source, ColumnOrder destination) {
        boolean isText = source.type().equals(Optional.of(KeyType.TEXT));
        boolean sameType = source.type().isPresent()
                ? source.type().equals(destination.type())
                : destination.typeName().equals(source.typeName());
        if (!sameType) {
            return Compared.never("it is ordered otherwise at the destination, as " + destination.typeName());
        }
        if (source.isJavas() && !isText) {
            return Compared.byJava(source.type().orElseThrow());
        }
        if (source.collates() && !destination.isDeterministic() && source.isDeterministic()) {
            return Compared.never("texts are equal at the destination that differ at the source");
        }
        if (isText && source.byCodePoint()) {
            return Compared.byJava(KeyType.TEXT);
        }
        if (source.collatesInside()) {
            return Compared.never("parts of its values are ordered by collations of their own");
        }
        if (!coversOthers(source, destination)) {
            return Compared.never("its type " + source.typeName() + " rests on «"
                    + source.others().orElse("a version that is not known") + "» at the source and on «"
                    + destination.others().orElse("a version that is not known") + "» at the destination");
        }
        String others = source.others().get().isEmpty() ? "" : " (" + source.others().get() + ")";
        if (!source.collates()) {
            return Compared.byDatabase(others.isEmpty() ? "" : source.typeName() + others);
        }
        boolean same = source.collation().isPresent()
                && source.collation().equals(destination.collation())
                && source.isDeterministic() == destination.isDeterministic();
        if (same) {
            return Compared.byDatabase(
                    (source.isDeterministic() ? "" : "nondeterministic ") + source.collation().get() + others);
        }
        boolean byCodePoint = source.isUnicode() && destination.isUnicode();
        if (byCodePoint && source.isDeterministic() && destination.isDeterministic()) {
            return Compared.byCodePoint(source.type(), "code point" + others);
        }
        return Compared.never("its collation (" + source.collation().orElse("of an unknown version")
                + ") is another at the destination (" + destination.collation().orElse("of an unknown version")
                + "), and " + (byCodePoint ? "does not tell all texts apart" : "a database is not in UTF-8"));
    }

    /**
     * Whether what the order rests on beside a collation is the same, but for labels that the other side lacks: a
     * destination gets them before a row needs them, and a standby that has not replayed one shows no row with it.
     */
    static boolean coversOthers(ColumnOrder source, ColumnOrder other) {
        return source.others().isPresent()
                && other.others()
                        .filter(there -> OrderText.holds("(" + there + ")", "(" + source.others().get() + ")"))
                        .isPresent();
    }

    private static Fault fault(TableDefinition definition, String column, String why) {
        return Fault.refused(
                "the key column " + TableName.quote(column) + " of " + definition.table()
                        + " has no order that source and destination agree on: " + why,
                "give the column the same type and collation at both sides, of the same version");
    }

    /**
     * Whether an index of the source gives the rows in the order that was agreed on, so that a part of them can be read
     * without reading all.
     */
    static boolean isServed(Reading source, List<KeyColumn> key) {
        return source.indexes().stream().anyMatch(index -> {
            if (!index.isWalkable() || index.columns().size() < key.size()) {
                return false;
            }
            for (int i = 0; i < key.size(); i++) {
                KeyChoice.IndexColumn indexed = index.columns().get(i);
                boolean fits = indexed.name().equals(key.get(i).name())
                        && (key.get(i).collation().isPresent() ? indexed.byCodePoint() : indexed.inOwnOrder());
                if (!fits) {
                    return false;
                }
            }
            return true;
        });
    }
}
