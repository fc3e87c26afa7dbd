package dev.sluice.domain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PipelineTest {

    private static final Pipeline PIPELINE = new Pipeline("sluice");

    @Test
    void aPlainTableKeepsItsName() {
        assertThat(PIPELINE.queueTopic(new TableName("public", "order_items")))
                .isEqualTo("sluice.cdc.public.order_items");
    }

    @Test
    void whatKafkaDoesNotAllowIsEscaped() {
        assertThat(PIPELINE.queueTopic(new TableName("my_schema", "Größe.1-2")))
                .isEqualTo("sluice.cdc.my-5Fschema.Gr-C3-B6-C3-9Fe-2E1-2D2");
    }

    @Test
    void noTwoTablesMeetInOneTopicEvenWhereKafkaTakesDotsForUnderscores() {
        // given all names of up to three characters from those that could be mixed up
        List<String> identifiers = identifiers("a._-\"", 3);

        // when each pair of schema and table gets its topic
        Map<String, TableName> topics = new HashMap<>();
        for (String schema : identifiers) {
            for (String name : identifiers) {
                var table = new TableName(schema, name);
                TableName other = topics.put(PIPELINE.queueTopic(table).replace('.', '_'), table);

                // then nobody else has it
                assertThat(other).as("%s and %s have one topic", table, other).isNull();
            }
        }
    }

    @Test
    void namesThatLookLikeEscapesStayApart() {
        assertThat(PIPELINE.queueTopic(new TableName("a", "-2E")))
                .isNotEqualTo(PIPELINE.queueTopic(new TableName("a", ".")));
    }

    @Test
    void longNamesFitAndStayApart() {
        long seed = 42;
        var random = new Random(seed);
        Map<String, TableName> topics = new HashMap<>();
        for (int i = 0; i < 5_000; i++) {
            var table = new TableName(longIdentifier(random), longIdentifier(random));
            String topic = PIPELINE.queueTopic(table);
            assertThat(topic).as("seed %d, %s", seed, table).hasSizeLessThanOrEqualTo(249).matches("[a-zA-Z0-9._-]+");
            TableName other = topics.put(topic.replace('.', '_'), table);
            assertThat(other == null || other.equals(table)).as("seed %d, %s and %s", seed, table, other).isTrue();
        }
    }

    @Test
    void aTopicThatWasCutIsNoOtherTablesWholeTopic() {
        String cut = PIPELINE.queueTopic(new TableName("ä".repeat(31), "ä".repeat(31)));

        assertThat(cut).as("«-h» never comes from an escape").matches(".*-h[0-9a-f]{40}");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "A", "1a", "a_b", "a.b", "a-b", "ä", "a b", "aaaaaaaaaabbbbbbbbbbccccccccccdd", "a\n"})
    void aNameThatIsNotValidEverywhereIsRefused(String name) {
        assertThatThrownBy(() -> new Pipeline(name)).hasMessageContaining("sluice.pipeline");
    }

    @Test
    void everyNameStartsWithThePipelines() {
        assertThat(Stream.of(
                        PIPELINE.commandsAndEventsTopic(), PIPELINE.tableStateTopic(), PIPELINE.chunkTasksTopic(),
                        PIPELINE.streamCommandsTopic(), PIPELINE.deadLetterTopic(), PIPELINE.captureOffsetsTopic(),
                        PIPELINE.probeTopic(), PIPELINE.slot(), PIPELINE.publication(), PIPELINE.ledgerSchema(),
                        PIPELINE.queueTopic(new TableName("a", "b"))))
                .allMatch(name -> name.startsWith("sluice"))
                .doesNotHaveDuplicates();
    }

    private static List<String> identifiers(String alphabet, int lengthMax) {
        List<String> all = new ArrayList<>();
        List<String> last = List.of("");
        for (int length = 1; length <= lengthMax; length++) {
            List<String> longer = new ArrayList<>();
            for (String prefix : last) {
                alphabet.chars().forEach(c -> longer.add(prefix + (char) c));
            }
            all.addAll(longer);
            last = longer;
        }
        return all;
    }

    /** Long, and the same as others but for a place or two. */
    private static String longIdentifier(Random random) {
        char[] text = "ä".repeat(31).toCharArray();
        text[random.nextInt(text.length)] = "öü._".charAt(random.nextInt(4));
        return new String(text);
    }
}
