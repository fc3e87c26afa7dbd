package dev.sluice.messaging;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import dev.sluice.domain.Change;
import dev.sluice.domain.Change.Cell;
import dev.sluice.domain.Change.Origin;
import dev.sluice.domain.Key;
import dev.sluice.domain.Lsn;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;

/**
 * Reads what Debezium Server writes into the queue of one table: JSON without schemas, every value PostgreSQL's own
 * text.
 *
 * <p>Two texts that PostgreSQL cannot have stand for something else: a single NUL for a large value that the update
 * left alone (R13), and a NUL followed by more for a value that could not be carried. The latter is never read as NULL
 * or anything else: the record is refused, and with it its table stops.
 */
public final class CapturedChanges {

    private static final String NEW_KEY_HEADER = "__debezium.newkey";
    private static final String OLD_KEY_HEADER = "__debezium.oldkey";
    /** A row may be as large as a Kafka record; the limits of the parser must not be lower. */
    private static final JsonFactory JSON = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxStringLength(Integer.MAX_VALUE)
                    .build())
            .build();

    private static final int WORDS_LENGTH_MAX = 200;

    private final List<String> keyColumns;

    /** @param keyColumns in the order of the key */
    public CapturedChanges(List<String> keyColumns) {
        this.keyColumns = List.copyOf(keyColumns);
    }

    /** Whether a record is the first half of a key change, which nothing can be done with before the other is here. */
    public static boolean isFirstHalf(ConsumerRecord<byte[], byte[]> record) {
        return record.headers().lastHeader(NEW_KEY_HEADER) != null;
    }

    /** @throws UnreadableChangeException if the record is not a change, or holds a value that could not be carried */
    public CapturedChange read(ConsumerRecord<byte[], byte[]> record) {
        try {
            return decode(record);
        } catch (IOException | IllegalArgumentException e) {
            String what = e instanceof com.fasterxml.jackson.core.JsonProcessingException json
                    ? json.getOriginalMessage()
                    : e.getMessage();
            throw new UnreadableChangeException(
                    "the change at offset " + record.offset() + " of " + record.topic() + " cannot be read: " + what, e);
        }
    }

    private CapturedChange decode(ConsumerRecord<byte[], byte[]> record) throws IOException {
        if (record.value() == null) {
            throw new IllegalArgumentException(
                    "it has no value; tombstones must be off in Debezium Server (tombstones.on.delete=false)");
        }
        Envelope envelope = new Envelope();
        try (JsonParser json = JSON.createParser(record.value())) {
            require(json.nextToken(), JsonToken.START_OBJECT, "the value");
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String field = json.currentName();
                JsonToken value = json.nextToken();
                switch (field) {
                    case "op" -> envelope.operation = value == JsonToken.VALUE_STRING ? json.getText() : "";
                    case "after" -> envelope.after = value == JsonToken.VALUE_NULL ? null : row(json);
                    case "source" -> source(json, envelope);
                    default -> json.skipChildren();
                }
            }
        }
        Origin origin = envelope.origin();
        Change change = switch (envelope.operation) {
            case "c", "u" -> {
                if (envelope.after == null) {
                    throw new IllegalArgumentException("it is of operation " + envelope.operation + " but has no row");
                }
                yield new Change.Upsert(origin, key(record), envelope.after, keyHeader(record, OLD_KEY_HEADER));
            }
            case "d" -> new Change.Delete(origin, key(record), keyHeader(record, NEW_KEY_HEADER));
            case "t" -> new Change.Truncate(origin);
            default -> throw new IllegalArgumentException("its operation is «" + envelope.operation + "»");
        };
        return new CapturedChange(change, envelope.millis);
    }

    /** What is picked from a value while it is read. */
    private static final class Envelope {
        private String operation = "";
        private Map<String, Cell> after;
        private boolean located;
        private long lsn;
        private long transaction;
        private Optional<Lsn> commitBefore = Optional.empty();
        private long millis;

        private Origin origin() {
            if (!located) {
                throw new IllegalArgumentException("it does not say where in the WAL it stands (source.lsn)");
            }
            return new Origin(commitBefore, new Lsn(lsn), transaction);
        }
    }

    private static void source(JsonParser json, Envelope envelope) throws IOException {
        require(json.currentToken(), JsonToken.START_OBJECT, "source");
        boolean transaction = false;
        boolean lsn = false;
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String field = json.currentName();
            JsonToken value = json.nextToken();
            if (value == JsonToken.VALUE_NULL) {
                continue;
            }
            switch (field) {
                case "lsn" -> {
                    envelope.lsn = json.getLongValue();
                    lsn = true;
                }
                case "txId" -> {
                    envelope.transaction = json.getLongValue();
                    transaction = true;
                }
                case "sequence" -> envelope.commitBefore = commitBefore(json.getText());
                case "ts_ms" -> envelope.millis = json.getLongValue();
                default -> json.skipChildren();
            }
        }
        envelope.located = lsn && transaction;
    }

    /** The first of two LSNs, which are decimal numbers in strings inside of a string: {@code ["123","456"]}. */
    private static Optional<Lsn> commitBefore(String sequence) throws IOException {
        try (JsonParser json = JSON.createParser(sequence)) {
            require(json.nextToken(), JsonToken.START_ARRAY, "source.sequence");
            return switch (json.nextToken()) {
                case VALUE_NULL -> Optional.empty();
                case VALUE_STRING -> Optional.of(new Lsn(Long.parseUnsignedLong(json.getText())));
                case VALUE_NUMBER_INT -> Optional.of(new Lsn(json.getLongValue()));
                default -> throw new IllegalArgumentException("source.sequence is «" + sequence + "»");
            };
        }
    }

    private static Map<String, Cell> row(JsonParser json) throws IOException {
        require(json.currentToken(), JsonToken.START_OBJECT, "the row");
        Map<String, Cell> row = new LinkedHashMap<>();
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String column = json.currentName();
            row.put(column, cell(column, json, json.nextToken()));
        }
        return row;
    }

    private static Cell cell(String column, JsonParser json, JsonToken token) throws IOException {
        if (token == JsonToken.VALUE_NULL) {
            return Cell.NULL;
        }
        String text = text(column, json, token);
        if (text.isEmpty() || text.charAt(0) != '\0') {
            return new Cell.Text(text);
        }
        if (text.length() == 1) {
            return Cell.UNCHANGED;
        }
        throw new IllegalArgumentException(
                "column " + column + " has a value that capture could not carry" + why(text.substring(1)));
    }

    /** Capture's own words, which follow a colon. */
    private static String why(String mark) {
        String words = mark.substring(mark.indexOf(':') + 1);
        return words.isEmpty() ? "" : ": " + words.substring(0, Math.min(words.length(), WORDS_LENGTH_MAX));
    }

    private static String text(String column, JsonParser json, JsonToken token) throws IOException {
        if (token != JsonToken.VALUE_STRING) {
            throw new IllegalArgumentException("column " + column
                    + " is not text; Sluice's connector must capture, so that values arrive as PostgreSQL's own text");
        }
        return json.getText();
    }

    private Key key(ConsumerRecord<byte[], byte[]> record) throws IOException {
        if (record.key() == null) {
            throw new IllegalArgumentException("it has no key");
        }
        return key(record.key());
    }

    private Optional<Key> keyHeader(ConsumerRecord<byte[], byte[]> record, String name) throws IOException {
        Header header = record.headers().lastHeader(name);
        return header == null || header.value() == null ? Optional.empty() : Optional.of(key(header.value()));
    }

    private Key key(byte[] text) throws IOException {
        String[] values = new String[keyColumns.size()];
        try (JsonParser json = JSON.createParser(text)) {
            require(json.nextToken(), JsonToken.START_OBJECT, "the key");
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String column = json.currentName();
                JsonToken value = json.nextToken();
                int place = keyColumns.indexOf(column);
                if (place < 0) {
                    throw new IllegalArgumentException("its key has a column " + column + ", the table's key is "
                            + keyColumns);
                }
                values[place] = text(column, json, value);
                if (values[place].startsWith("\0")) {
                    throw new IllegalArgumentException(
                            "key column " + column + " has a value that capture could not carry");
                }
            }
        }
        if (Arrays.asList(values).contains(null)) {
            throw new IllegalArgumentException("its key lacks a column of " + keyColumns);
        }
        return new Key(new ArrayList<>(Arrays.asList(values)));
    }

    private static void require(JsonToken found, JsonToken expected, String what) {
        if (found != expected) {
            throw new IllegalArgumentException(what + " is not a JSON "
                    + (expected == JsonToken.START_OBJECT ? "object" : "array"));
        }
    }

    /** A record in a table's queue that is no change, or not one that can be applied exactly. */
    public static final class UnreadableChangeException extends RuntimeException {
        UnreadableChangeException(String message, Throwable cause) {
            super(message, cause);
        }
    }
}
