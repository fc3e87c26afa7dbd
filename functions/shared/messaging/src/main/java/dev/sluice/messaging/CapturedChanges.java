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
import java.nio.charset.StandardCharsets;
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
    /** By our connector: which of the changes of one WAL record. The first has none. */
    private static final String ORDINAL_HEADER = "sluice.ordinal";
    /** A row may be as large as a Kafka record; the limits of the parser must not be lower. */
    private static final JsonFactory JSON = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxStringLength(Integer.MAX_VALUE)
                    .build())
            .build();

    private static final int WORDS_LENGTH_MAX = 200;

    private final List<String> keyColumns;

    /** @param keyColumns in the order of the key; none for a table without one */
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
                    case "before" -> before(json, value, envelope);
                    case "op" -> envelope.operation = value == JsonToken.VALUE_STRING ? json.getText() : "";
                    case "after" -> envelope.after = value == JsonToken.VALUE_NULL ? null : row(json);
                    case "source" -> source(json, envelope);
                    default -> json.skipChildren();
                }
            }
        }
        Origin origin = envelope.origin();
        if (keyColumns.isEmpty()) {
            return new CapturedChange(withoutKey(origin, record, envelope), envelope.millis);
        }
        Change change = switch (envelope.operation) {
            case "c", "u" -> {
                if (envelope.after == null) {
                    throw new IllegalArgumentException("it is of operation " + envelope.operation + " but has no row");
                }
                yield upsert(origin, record, envelope);
            }
            case "d" -> new Change.Delete(
                    origin,
                    recordKey(record).or(() -> envelope.before).orElseThrow(CapturedChanges::keyless),
                    keyHeader(record, NEW_KEY_HEADER));
            case "t" -> new Change.Truncate(origin);
            default -> throw new IllegalArgumentException("its operation is «" + envelope.operation + "»");
        };
        return new CapturedChange(change, envelope.millis);
    }

    private void before(JsonParser json, JsonToken value, Envelope envelope) throws IOException {
        if (value == JsonToken.VALUE_NULL) {
            return;
        }
        if (keyColumns.isEmpty()) {
            envelope.rowBefore = row(json);
        } else {
            envelope.before = key(json);
        }
    }

    /** With REPLICA IDENTITY FULL the row before the change is whole; nothing else names a row without a key. */
    private static Change withoutKey(Origin origin, ConsumerRecord<byte[], byte[]> record, Envelope envelope) {
        if (envelope.operation.equals("t")) {
            return new Change.Truncate(origin);
        }
        boolean isGone = !envelope.operation.equals("c");
        boolean isThere = !envelope.operation.equals("d");
        if (!List.of("c", "u", "d").contains(envelope.operation)
                || isGone != (envelope.rowBefore != null)
                || isThere != (envelope.after != null)) {
            throw new IllegalArgumentException("it is of operation «" + envelope.operation + "» and has "
                    + (envelope.rowBefore == null ? "no row" : "a row") + " before and "
                    + (envelope.after == null ? "none" : "one") + " after; the table has no key, so its replica identity "
                    + "must be FULL");
        }
        for (Map<String, Cell> row : Arrays.asList(envelope.rowBefore, envelope.after)) {
            if (row != null && row.containsValue(Cell.UNCHANGED)) {
                throw new IllegalArgumentException("it lacks a value of a row that has no key");
            }
        }
        Header header = record.headers().lastHeader(ORDINAL_HEADER);
        int ordinal = header == null ? 0 : Integer.parseInt(new String(header.value(), StandardCharsets.UTF_8));
        return new Change.Replaced(
                new Origin(origin.commitBefore(), origin.lsn(), origin.transaction(), ordinal),
                Optional.ofNullable(envelope.rowBefore),
                Optional.ofNullable(envelope.after));
    }

    /**
     * Debezium keys the records of a table by its primary key, if that is its replica identity, and makes two of a key
     * change. The records of others have no key: a key change is one that has the old key's columns beside the new row.
     */
    private Change upsert(Origin origin, ConsumerRecord<byte[], byte[]> record, Envelope envelope) throws IOException {
        Optional<Key> known = recordKey(record);
        if (known.isPresent()) {
            return new Change.Upsert(origin, known.get(), envelope.after, keyHeader(record, OLD_KEY_HEADER));
        }
        Key key = keyOf(envelope.after);
        return envelope.before
                .filter(from -> !from.equals(key))
                .<Change>map(from -> new Change.KeyChange(origin, from, key, envelope.after))
                .orElseGet(() -> new Change.Upsert(origin, key, envelope.after, Optional.empty()));
    }

    private Key keyOf(Map<String, Cell> row) {
        List<String> values = new ArrayList<>();
        for (String column : keyColumns) {
            if (!(row.get(column) instanceof Cell.Text text)) {
                throw keyless();
            }
            values.add(text.text());
        }
        return new Key(values);
    }

    private static IllegalArgumentException keyless() {
        return new IllegalArgumentException("it does not carry its key; the table's replica identity was another then");
    }

    /** What is picked from a value while it is read. */
    private static final class Envelope {
        private String operation = "";
        private Map<String, Cell> after;
        private Optional<Key> before = Optional.empty();
        private Map<String, Cell> rowBefore;
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

    private Optional<Key> recordKey(ConsumerRecord<byte[], byte[]> record) throws IOException {
        return record.key() == null ? Optional.empty() : wholeKey(record.key());
    }

    private Optional<Key> keyHeader(ConsumerRecord<byte[], byte[]> record, String name) throws IOException {
        Header header = record.headers().lastHeader(name);
        return header == null || header.value() == null ? Optional.empty() : wholeKey(header.value());
    }

    /** Empty if it is of other columns than the key's. */
    private Optional<Key> wholeKey(byte[] text) throws IOException {
        try (JsonParser json = JSON.createParser(text)) {
            json.nextToken();
            return keyIn(json, true);
        }
    }

    /** Of a row; empty if it does not have each column of the key. */
    private Optional<Key> key(JsonParser json) throws IOException {
        return keyIn(json, false);
    }

    private Optional<Key> keyIn(JsonParser json, boolean alone) throws IOException {
        String[] values = new String[keyColumns.size()];
        boolean others = false;
        require(json.currentToken(), JsonToken.START_OBJECT, "the key");
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String column = json.currentName();
            JsonToken value = json.nextToken();
            int place = keyColumns.indexOf(column);
            if (place < 0) {
                others = true;
                json.skipChildren();
            } else if (value != JsonToken.VALUE_NULL) {
                values[place] = text(column, json, value);
                if (values[place].startsWith("\0")) {
                    throw new IllegalArgumentException(
                            "key column " + column + " has a value that capture could not carry");
                }
            }
        }
        return values.length == 0 || alone && others || Arrays.asList(values).contains(null)
                ? Optional.empty()
                : Optional.of(new Key(List.of(values)));
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
