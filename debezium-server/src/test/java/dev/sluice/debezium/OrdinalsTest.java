package dev.sluice.debezium;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.source.SourceRecord;
import org.junit.jupiter.api.Test;

class OrdinalsTest {

    private static final Schema SOURCE =
            SchemaBuilder.struct().field("lsn", Schema.OPTIONAL_INT64_SCHEMA).build();
    private static final Schema CHANGE = SchemaBuilder.struct().field("source", SOURCE).build();

    @Test
    void theChangesOfOneWalRecordAreNumberedByTopicAcrossBatches() {
        var ordinals = new Ordinals();
        List<SourceRecord> first =
                List.of(change("a", 7), change("a", 7), change("b", 7), change("a", 7), change("a", 8));
        List<SourceRecord> second = List.of(change("a", 8), change("b", 9), change("a", 7));

        ordinals.number(first);
        ordinals.number(second);

        assertThat(numbers(first)).containsExactly(0, 1, 0, 2, 0);
        assertThat(numbers(second)).containsExactly(1, 0, 0);
    }

    @Test
    void sentAgainFromTheStartTheyHaveTheSameNumbers() {
        List<SourceRecord> again = List.of(change("a", 7), change("a", 7));
        new Ordinals().number(again);

        assertThat(numbers(again)).containsExactly(0, 1);
    }

    @Test
    void whatIsNoChangeOfATableIsLeftAlone() {
        var heartbeat = new SourceRecord(Map.of(), Map.of(), "heartbeat", Schema.STRING_SCHEMA, "x");

        new Ordinals().number(List.of(heartbeat, heartbeat));

        assertThat(heartbeat.headers()).isEmpty();
    }

    private static SourceRecord change(String topic, long lsn) {
        Struct value = new Struct(CHANGE).put("source", new Struct(SOURCE).put("lsn", lsn));
        return new SourceRecord(Map.of(), Map.of(), topic, CHANGE, value);
    }

    private static Stream<Integer> numbers(List<SourceRecord> records) {
        return records.stream().map(record -> {
            Header header = record.headers().lastWithName(Ordinals.HEADER);
            return header == null ? 0 : (Integer) header.value();
        });
    }
}
