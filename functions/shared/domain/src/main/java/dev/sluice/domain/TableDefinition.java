package dev.sluice.domain;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * What a table looks like at one moment: its columns in order, and its key.
 *
 * @param oid the table's OID at the server it was read from
 * @param columns in the order of the table, dropped ones left out
 * @param key the key's columns in the order of the key; empty for a table without one
 * @param isPartitioned whether its rows stand in partitions, and none in the table itself
 * @param order how source and destination have agreed to compare ranges of the key, as text: the same text means the
 *     same order. Empty where that rests on nothing that could change, and as long as it is not asked
 */
public record TableDefinition(
        TableName table,
        long oid,
        List<Column> columns,
        List<KeyColumn> key,
        boolean isPartitioned,
        String order) {

    public TableDefinition {
        columns = List.copyOf(columns);
        key = List.copyOf(key);
    }

    /** Of a table that is not partitioned. */
    public TableDefinition(TableName table, long oid, List<Column> columns, List<KeyColumn> key) {
        this(table, oid, columns, key, false);
    }

    public TableDefinition(
            TableName table, long oid, List<Column> columns, List<KeyColumn> key, boolean isPartitioned) {
        this(table, oid, columns, key, isPartitioned, "");
    }

    /** As this, with what both sides have agreed on. */
    public TableDefinition compared(List<KeyColumn> key, String order) {
        return new TableDefinition(table, oid, columns, key, isPartitioned, order);
    }

    /**
     * @param type as {@code format_type} writes it with {@code search_path} empty: safe in a statement
     * @param version what changes when the column is altered in place, even into the same type (R7, R20)
     * @param defaultExpression SQL, empty if none; for a generated column its expression
     */
    public record Column(
            String name,
            String type,
            boolean notNull,
            Generation generation,
            Optional<String> defaultExpression,
            Optional<String> collation,
            String version) {

        /** Whether rows carry a value for it: a generated column computes its own at the destination. */
        public boolean isCopied() {
            return generation != Generation.STORED && generation != Generation.VIRTUAL;
        }
    }

    public enum Generation {
        NONE,
        IDENTITY_ALWAYS,
        IDENTITY_BY_DEFAULT,
        STORED,
        VIRTUAL
    }

    /**
     * @param type empty where only the database knows the order
     * @param collation what its ranges are compared under at both sides, as SQL; empty: under its own
     */
    public record KeyColumn(String name, Optional<KeyType> type, Optional<String> collation) {

        public KeyColumn(String name, KeyType type) {
            this(name, Optional.of(type), Optional.empty());
        }
    }

    /** Empty where only the database knows the order. */
    public static Optional<KeyOrder> order(List<KeyColumn> key) {
        return key.stream().allMatch(column -> column.type().isPresent())
                ? Optional.of(KeyOrder.of(key.stream().map(column -> column.type().orElseThrow()).toList()))
                : Optional.empty();
    }

    public List<String> keyColumns() {
        return key.stream().map(KeyColumn::name).toList();
    }

    public List<Column> copiedColumns() {
        return columns.stream().filter(Column::isCopied).toList();
    }

    /** A short text that differs whenever the definition does: same fingerprint, same rows mean the same. */
    public String fingerprint() {
        return hash(oid + "|" + columns + "|" + keyColumns());
    }

    /** As {@link #fingerprint}, of what the ranges of a run rest on too: it begins with that. */
    public String runFingerprint() {
        return order.isEmpty() ? fingerprint() : fingerprint() + "-" + hash(order);
    }

    private static String hash(String text) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash, 0, 12);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
