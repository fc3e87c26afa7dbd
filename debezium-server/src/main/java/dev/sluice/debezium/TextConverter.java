package dev.sluice.debezium;

import io.debezium.connector.postgresql.UnchangedToastedReplicationMessageColumn;
import io.debezium.spi.converter.RelationalColumn;
import io.debezium.spi.converter.CustomConverter;
import java.util.Properties;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;

/**
 * Hands on every column's value as the text that PostgreSQL wrote.
 *
 * <p>It never throws, since one bad value would end the capture of all tables. What is not such a text becomes one
 * that starts with a NUL character, which no PostgreSQL value contains, so whoever applies it cannot mistake it.
 */
public final class TextConverter implements CustomConverter<SchemaBuilder, RelationalColumn> {

    /** Stands for a value that is stored out of line and was not changed, so that PostgreSQL did not send it. */
    public static final String UNCHANGED_TOAST = "\0";

    /** Starts a value that could not be carried; why follows. */
    public static final String UNCARRIED_PREFIX = "\0uncarried:";

    private static final String BYTES_MAX = "bytes.max";

    private int bytesMax;

    /** @param properties {@code bytes.max}: of a record. A longer value is let go of before it waits in memory */
    @Override
    public void configure(Properties properties) {
        bytesMax = Integer.parseInt(properties.getProperty(BYTES_MAX));
    }

    @Override
    public void converterFor(RelationalColumn column, ConverterRegistration<SchemaBuilder> registration) {
        registration.register(new OptionalText(), this::text);
    }

    private String text(Object value) {
        if (value == null) {
            return null;
        }
        if (value instanceof String text) {
            return text.length() > bytesMax ? tooLong(text.length(), bytesMax) : text;
        }
        if (UnchangedToastedReplicationMessageColumn.isUnchangedToastedValue(value)) {
            return UNCHANGED_TOAST;
        }
        // Also what a column's default was parsed to, which is asked for once a column and used nowhere.
        return UNCARRIED_PREFIX + value.getClass().getName();
    }

    /** What stands for a text that no record has room for. */
    static String tooLong(int length, int bytesMax) {
        return UNCARRIED_PREFIX + "a text of " + length + " characters, in a row that is larger than the " + bytesMax
                + " bytes of a record";
    }

    /** A text that may be null, also for a NOT NULL column (its old value is), and has no default in place of null. */
    private static final class OptionalText extends SchemaBuilder {

        OptionalText() {
            super(Schema.Type.STRING);
            optional();
        }

        @Override
        public SchemaBuilder defaultValue(Object value) {
            return this;
        }

        @Override
        public SchemaBuilder required() {
            return this;
        }
    }
}
