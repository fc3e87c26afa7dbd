package dev.sluice.debezium;

import io.debezium.connector.postgresql.UnchangedToastedReplicationMessageColumn;
import io.debezium.spi.converter.ConvertedField;
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
public final class TextConverter implements CustomConverter<SchemaBuilder, ConvertedField> {

    /** Stands for a value that is stored out of line and was not changed, so that PostgreSQL did not send it. */
    public static final String UNCHANGED_TOAST = "\0";

    /** Starts a value that could not be carried; the name of the Java type that came instead follows. */
    public static final String UNCARRIED_PREFIX = "\0uncarried:";

    @Override
    public void configure(Properties properties) {
        // There is nothing to configure.
    }

    @Override
    public void converterFor(ConvertedField column, ConverterRegistration<SchemaBuilder> registration) {
        registration.register(new OptionalText(), TextConverter::text);
    }

    static String text(Object value) {
        if (value == null) {
            return null;
        }
        if (value instanceof String text) {
            return text;
        }
        if (UnchangedToastedReplicationMessageColumn.isUnchangedToastedValue(value)) {
            return UNCHANGED_TOAST;
        }
        // Also what a column's default was parsed to, which is asked for once a column and used nowhere.
        return UNCARRIED_PREFIX + value.getClass().getName();
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
