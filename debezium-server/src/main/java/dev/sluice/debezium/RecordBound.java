package dev.sluice.debezium;

import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.transforms.Transformation;

/**
 * Keeps every change below the size that Kafka takes, whatever the row: the largest values are replaced by a mark that
 * whoever applies the change refuses, so that one table stops and not the capture of all.
 *
 * <p>Only a whole row can tell: two values that fit by themselves may not fit together.
 */
public final class RecordBound implements Transformation<SourceRecord> {

    private static final String BYTES_MAX = "bytes.max";
    private static final String BEFORE = "before";
    private static final String AFTER = "after";
    /** What JSON makes of one character at most: {@code \\u0001}. */
    private static final int JSON_BYTES_MAX = 6;

    private int bytesMax;

    @Override
    public ConfigDef config() {
        return new ConfigDef().define(
                BYTES_MAX, ConfigDef.Type.INT, ConfigDef.Importance.HIGH, "Bytes of the values of one record, as JSON.");
    }

    @Override
    public void configure(Map<String, ?> settings) {
        bytesMax = Integer.parseInt(String.valueOf(settings.get(BYTES_MAX)));
    }

    /** Changes the record's own row. */
    @Override
    public SourceRecord apply(SourceRecord record) {
        if (record.value() instanceof Struct change && change.schema().field(AFTER) != null) {
            Optional<Struct> before = row(change, BEFORE);
            Optional<Struct> after = row(change, AFTER);
            long characters =
                    before.map(RecordBound::characters).orElse(0L) + after.map(RecordBound::characters).orElse(0L);
            if (characters * JSON_BYTES_MAX <= bytesMax) {
                return record;
            }
            long bytes = before.map(RecordBound::bytes).orElse(0L) + after.map(RecordBound::bytes).orElse(0L);
            // The old row first: a table with a key is applied without it.
            bytes = before.isPresent() ? shrink(before.get(), bytes) : bytes;
            if (after.isPresent()) {
                shrink(after.get(), bytes);
            }
        }
        return record;
    }

    private static Optional<Struct> row(Struct change, String name) {
        return change.schema().field(name) != null && change.get(name) instanceof Struct row
                ? Optional.of(row)
                : Optional.empty();
    }

    /** @return how many bytes are left of that many */
    private long shrink(Struct row, long bytes) {
        long left = bytes;
        while (left > bytesMax) {
            Optional<Field> largest = largest(row);
            if (largest.isEmpty()) {
                break;
            }
            String text = row.getString(largest.get().name());
            String mark = TextConverter.tooLong(text.length(), bytesMax);
            left -= jsonBytes(text) - jsonBytes(mark);
            row.put(largest.get(), mark);
        }
        return left;
    }

    /** The field with the longest text that is not a mark already. */
    private static Optional<Field> largest(Struct row) {
        Field largest = null;
        int length = TextConverter.UNCARRIED_PREFIX.length();
        for (Field field : row.schema().fields()) {
            if (row.get(field) instanceof String text && text.length() > length
                    && !text.startsWith(TextConverter.UNCARRIED_PREFIX)) {
                largest = field;
                length = text.length();
            }
        }
        return Optional.ofNullable(largest);
    }

    /** Of names and values, with what JSON puts around them. */
    private static long characters(Struct row) {
        long characters = 0;
        for (Field field : row.schema().fields()) {
            characters += field.name().length() + 1 + (row.get(field) instanceof String text ? text.length() : 0);
        }
        return characters;
    }

    private static long bytes(Struct row) {
        long bytes = 0;
        for (Field field : row.schema().fields()) {
            bytes += jsonBytes(field.name()) + JSON_BYTES_MAX;
            bytes += row.get(field) instanceof String text ? jsonBytes(text) : 0;
        }
        return bytes;
    }

    /** How long a text is in Debezium's JSON as UTF-8, without its quotes. */
    static long jsonBytes(String text) {
        long bytes = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < ' ') {
                bytes += c == '\b' || c == '\t' || c == '\n' || c == '\f' || c == '\r' ? 2 : JSON_BYTES_MAX;
            } else if (c < 0x80) {
                bytes += c == '"' || c == '\\' ? 2 : 1;
            } else if (Character.isSurrogate(c)) {
                // Debezium's JSON escapes them one by one.
                bytes += JSON_BYTES_MAX;
            } else if (c < 0x800) {
                bytes += 2;
            } else {
                bytes += 3;
            }
        }
        return bytes;
    }

    @Override
    public void close() {
        // There is nothing to close.
    }
}
