package dev.sluice.debezium;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.source.SourceRecord;
import org.junit.jupiter.api.Test;

class RecordBoundTest {

    private static final int BYTES_MAX = 10_000;

    private static final Schema ROW = SchemaBuilder.struct()
            .optional()
            .field("id", Schema.OPTIONAL_STRING_SCHEMA)
            .field("a", Schema.OPTIONAL_STRING_SCHEMA)
            .field("b", Schema.OPTIONAL_STRING_SCHEMA)
            .build();
    private static final Schema CHANGE = SchemaBuilder.struct().field("before", ROW).field("after", ROW).build();

    @Test
    void aRowThatFitsStaysAsItIs() {
        Struct after = row("a".repeat(4_900), "\n".repeat(2_000));

        bound(null, after);

        assertThat(after.getString("a")).hasSize(4_900);
        assertThat(after.getString("b")).hasSize(2_000);
    }

    @Test
    void ofValuesThatDoNotFitTogetherTheLargestGoes() {
        Struct after = row("a".repeat(4_000), "b".repeat(6_000));

        bound(null, after);

        assertThat(after.getString("a")).hasSize(4_000);
        assertThat(after.getString("b")).startsWith(TextConverter.UNCARRIED_PREFIX).contains("6000 characters");
        assertThat(after.getString("id")).isEqualTo("1");
    }

    @Test
    void theOldRowGoesBeforeTheNewOne() {
        Struct before = row("a".repeat(6_000), null);
        Struct after = row("a".repeat(6_000), null);

        bound(before, after);

        assertThat(before.getString("a")).startsWith(TextConverter.UNCARRIED_PREFIX);
        assertThat(after.getString("a")).hasSize(6_000);
    }

    @Test
    void whatJsonMakesLongerCountsAsSuch() {
        Struct after = row("\u0001".repeat(1_700), null);

        bound(null, after);

        assertThat(after.getString("a")).startsWith(TextConverter.UNCARRIED_PREFIX);
    }

    @Test
    void bytesAreCountedAsJsonWritesThem() throws Exception {
        long seed = Long.getLong("sluice.seed", System.nanoTime());
        Random random = new Random(seed);
        var json = new ObjectMapper();
        for (int round = 0; round < 1_000; round++) {
            String text = random.ints(50, 1, 0x110000)
                    .map(c -> random.nextBoolean() ? 1 + c % 0x100 : c)
                    .filter(c -> c < 0xD800 || c > 0xDFFF)
                    .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                    .toString();
            assertThat(RecordBound.jsonBytes(text))
                    .as("bytes of «%s», -Dsluice.seed=%d", text, seed)
                    .isEqualTo(json.writeValueAsBytes(text).length - 2);
        }
    }

    private static Struct row(String a, String b) {
        return new Struct(ROW).put("id", "1").put("a", a).put("b", b);
    }

    private static void bound(Struct before, Struct after) {
        try (var bound = new RecordBound()) {
            bound.configure(Map.of("bytes.max", Integer.toString(BYTES_MAX)));
            bound.apply(new SourceRecord(Map.of(), Map.of(), "topic", CHANGE,
                    new Struct(CHANGE).put("before", before).put("after", after)));
        }
    }
}
