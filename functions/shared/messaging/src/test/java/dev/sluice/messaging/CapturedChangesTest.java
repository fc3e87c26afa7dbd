package dev.sluice.messaging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.domain.Change;
import dev.sluice.domain.Change.Cell;
import dev.sluice.domain.Change.Origin;
import dev.sluice.domain.Key;
import dev.sluice.domain.Lsn;
import dev.sluice.messaging.CapturedChanges.UnreadableChangeException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;

class CapturedChangesTest {

    private static final String SOURCE =
            "\"source\":{\"version\":\"3.6\",\"ts_ms\":1700000000123,\"sequence\":\"[\\\"100\\\",\\\"120\\\"]\","
                    + "\"schema\":\"public\",\"table\":\"t\",\"txId\":4294967295,\"lsn\":120,\"xmin\":null}";
    private static final Origin ORIGIN = new Origin(Optional.of(new Lsn(100)), new Lsn(120), 4_294_967_295L);

    private final CapturedChanges changes = new CapturedChanges(List.of("b", "a"));

    @Test
    void anUpdateCarriesTheRowItsKeyInKeyOrderAndItsOrigin() {
        var read = changes.read(record(
                "{\"a\":\"1\",\"b\":\"x\"}",
                "{\"before\":{\"a\":\"9\"},\"after\":{\"a\":\"1\",\"b\":\"x\",\"n\":null,\"big\":\"\\u0000\"},"
                        + SOURCE + ",\"op\":\"u\",\"ts_ms\":5}"));

        assertThat(read.change())
                .isEqualTo(new Change.Upsert(
                        ORIGIN,
                        Key.of("x", "1"),
                        Map.of("a", new Cell.Text("1"), "b", new Cell.Text("x"), "n", Cell.NULL, "big", Cell.UNCHANGED),
                        Optional.empty()));
        assertThat(read.millis()).as("the time at the source").isEqualTo(1_700_000_000_123L);
    }

    @Test
    void aKeyChangeKnowsTheOtherKey() {
        var delete = record("{\"a\":\"1\",\"b\":\"x\"}", "{\"before\":null,\"after\":null," + SOURCE + ",\"op\":\"d\"}");
        delete.headers().add("__debezium.newkey", bytes("{\"a\":\"2\",\"b\":\"x\"}"));
        var create = record(
                "{\"a\":\"2\",\"b\":\"x\"}",
                "{\"before\":null,\"after\":{\"a\":\"2\",\"b\":\"x\"}," + SOURCE + ",\"op\":\"c\"}");
        create.headers().add("__debezium.oldkey", bytes("{\"a\":\"1\",\"b\":\"x\"}"));

        assertThat(changes.read(delete).change())
                .isEqualTo(new Change.Delete(ORIGIN, Key.of("x", "1"), Optional.of(Key.of("x", "2"))));
        assertThat(((Change.Upsert) changes.read(create).change()).movedFrom()).contains(Key.of("x", "1"));
    }

    @Test
    void theKeyIsTakenFromTheRowsWhereTheRecordHasAnotherOrNone() {
        String row = "{\"a\":\"1\",\"b\":\"x\",\"n\":\"7\"}";
        for (String key : new String[] {null, "{\"n\":\"7\"}", "{\"a\":\"1\",\"b\":\"x\",\"n\":\"7\"}"}) {
            assertThat(changes.read(record(key, "{\"before\":" + row + ",\"after\":null," + SOURCE + ",\"op\":\"d\"}"))
                            .change())
                    .isEqualTo(new Change.Delete(ORIGIN, Key.of("x", "1"), Optional.empty()));
            assertThat(changes.read(record(key, "{\"before\":" + row + ",\"after\":" + row + "," + SOURCE + ",\"op\":\"u\"}"))
                            .change())
                    .isInstanceOfSatisfying(Change.Upsert.class, upsert -> assertThat(upsert.key())
                            .isEqualTo(Key.of("x", "1")));
        }
    }

    @Test
    void anUpdateWithAnotherKeyBeforeIsAKeyChange() {
        var read = changes.read(record(
                null,
                "{\"before\":{\"a\":\"1\",\"b\":\"x\",\"n\":null},\"after\":{\"a\":\"2\",\"b\":\"x\",\"n\":\"\\u0000\"},"
                        + SOURCE + ",\"op\":\"u\"}"));

        assertThat(read.change())
                .isEqualTo(new Change.KeyChange(
                        ORIGIN,
                        Key.of("x", "1"),
                        Key.of("x", "2"),
                        Map.of("a", new Cell.Text("2"), "b", new Cell.Text("x"), "n", Cell.UNCHANGED)));
    }

    @Test
    void withoutAKeyAChangeHasWholeRowsAndItsPlaceInTheRecord() {
        var keyless = new CapturedChanges(List.of());
        String row = "{\"a\":\"1\",\"n\":null}";
        Map<String, Cell> cells = Map.of("a", new Cell.Text("1"), "n", Cell.NULL);
        var insert = record(null, "{\"before\":null,\"after\":" + row + "," + SOURCE + ",\"op\":\"c\"}");
        insert.headers().add("sluice.ordinal", bytes("3"));

        assertThat(keyless.read(insert).change())
                .isEqualTo(new Change.Replaced(
                        new Origin(ORIGIN.commitBefore(), ORIGIN.lsn(), ORIGIN.transaction(), 3),
                        Optional.empty(),
                        Optional.of(cells)));
        assertThat(keyless.read(record(null, "{\"before\":" + row + ",\"after\":null," + SOURCE + ",\"op\":\"d\"}"))
                        .change())
                .isEqualTo(new Change.Replaced(ORIGIN, Optional.of(cells), Optional.empty()));
        assertThatThrownBy(() -> keyless.read(record(null, "{\"before\":null,\"after\":" + row + "," + SOURCE + ",\"op\":\"u\"}")))
                .isInstanceOf(UnreadableChangeException.class)
                .hasMessageContaining("must be FULL");
    }

    @Test
    void aTruncateHasNoKey() {
        assertThat(changes.read(record(null, "{\"op\":\"t\"," + SOURCE + "}")).change())
                .isEqualTo(new Change.Truncate(ORIGIN));
    }

    @Test
    void aSequenceWithoutACommitIsUnknownNotZero() {
        var read = changes.read(
                record(null, "{\"op\":\"t\",\"source\":{\"lsn\":7,\"txId\":1,\"sequence\":\"[null,\\\"7\\\"]\"}}"));

        assertThat(read.change().origin().commitBefore()).isEmpty();
    }

    @Test
    void aValueThatCaptureCouldNotCarryIsNeverReadAsNull() {
        var record = record(
                "{\"a\":\"1\",\"b\":\"x\"}", "{\"op\":\"c\",\"after\":{\"n\":\"\\u0000why\"}," + SOURCE + "}");

        assertThatThrownBy(() -> changes.read(record))
                .isInstanceOf(UnreadableChangeException.class)
                .hasMessageContaining("offset 42")
                .hasMessageContaining("sluice.cdc.public.t")
                .hasMessageContaining("column n");
    }

    @Test
    void whatIsNoChangeIsRefused() {
        assertRefused(null, null, "no value");
        assertRefused("{\"a\":\"1\",\"b\":\"x\"}", "nonsense", "nonsense");
        assertRefused("{\"a\":\"1\",\"b\":\"x\"}", "{\"op\":\"c\"," + SOURCE + "}", "no row");
        assertRefused("{\"a\":\"1\"}", "{\"op\":\"d\"," + SOURCE + "}", "does not carry its key");
        assertRefused("{\"c\":\"y\"}", "{\"op\":\"d\",\"before\":{\"a\":\"1\"}," + SOURCE + "}", "does not carry its key");
        assertRefused(null, "{\"op\":\"d\"," + SOURCE + "}", "does not carry its key");
        assertRefused(null, "{\"op\":\"c\",\"after\":{\"a\":\"1\",\"b\":null}," + SOURCE + "}", "does not carry its key");
        assertRefused("{\"a\":1,\"b\":\"x\"}", "{\"op\":\"d\"," + SOURCE + "}", "column a is not text");
        assertRefused(null, "{\"op\":\"m\"," + SOURCE + "}", "operation is «m»");
        assertRefused(null, "{\"op\":\"t\",\"source\":{\"lsn\":1}}", "source.lsn");
    }

    private void assertRefused(String key, String value, String why) {
        assertThatThrownBy(() -> changes.read(record(key, value)))
                .isInstanceOf(UnreadableChangeException.class)
                .hasMessageContaining(why);
    }

    private static ConsumerRecord<byte[], byte[]> record(String key, String value) {
        return new ConsumerRecord<>("sluice.cdc.public.t", 0, 42, bytes(key), bytes(value));
    }

    private static byte[] bytes(String text) {
        return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
    }
}
