package dev.sluice.messaging;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.domain.Pipeline;
import dev.sluice.messaging.Messages.Input;
import dev.sluice.messaging.Messages.InvalidMessageException;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whatever stands in the topic becomes poison with a reason that says what to change. An exception would be met again
 * and again, and no input behind it be read (R19).
 */
class HostileInputTest {

    private final Messages messages = new Messages(new Pipeline("sluice"));

    static Stream<Arguments> hostile() {
        return Stream.of(
                Arguments.of(null, "the record has no value"),
                Arguments.of("", "the record has no value"),
                Arguments.of("   ", "this is not a CloudEvent"),
                Arguments.of("hello", "the value is not JSON: Unrecognized token"),
                Arguments.of("{\"type\":", "the value is not JSON: Unexpected end-of-input"),
                Arguments.of("{} {}", "the value is not JSON"),
                Arguments.of("null", "this is not a CloudEvent"),
                Arguments.of("[]", "this is not a CloudEvent"),
                Arguments.of("17", "this is not a CloudEvent"),
                Arguments.of("{\"type\":17}", "this is not a CloudEvent"),
                Arguments.of("{\"type\":\"dev.sluice.command.retry\",\"data\":{}}", "specversion is «», not 1.0"),
                Arguments.of(
                        "{\"specversion\":\"0.3\",\"type\":\"dev.sluice.command.retry\",\"data\":{}}",
                        "specversion is «0.3», not 1.0"),
                Arguments.of(
                        "{\"specversion\":\"1.0\",\"type\":\"dev.sluice.command.retry\"}", "no JSON object as its «data»"),
                Arguments.of(command("retry", "null"), "no JSON object as its «data»"),
                Arguments.of(command("retry", "[1]"), "no JSON object as its «data»"),
                Arguments.of(command("retry", "\"public.orders\""), "no JSON object as its «data»"),
                Arguments.of(command("explode", "{}"), "there is no command «explode»; there are [add-tables, backfill"),
                Arguments.of(MessagesTest.envelope("dev.sluice.event.explode", "{}"), "there is no event «explode»"),
                Arguments.of(MessagesTest.envelope("com.example.x", "{}"), "the type «com.example.x» starts with neither"),
                Arguments.of(command("retry", "{}"), "the field «table» is missing or null"),
                Arguments.of(command("retry", "{\"table\":null}"), "the field «table» is missing or null"),
                Arguments.of(
                        command("retry", "{\"table\":\"a.b\",\"force\":true}"),
                        "there is no field «force»; there are [table]"),
                Arguments.of(command("cancel", "{\"table\":\"a.b\",\"dropqueue\":true}"), "there is no field «dropqueue»"),
                Arguments.of(command("cancel", "{\"table\":\"a.b\",\"dropQueue\":null}"), "«dropQueue» is missing or null"),
                Arguments.of(command("cancel", "{\"table\":\"a.b\",\"dropQueue\":\"yes\"}"), "the field «dropQueue»: "),
                Arguments.of(command("cancel", "{\"table\":\"a.b\",\"dropQueue\":1}"), "the field «dropQueue»: "),
                Arguments.of(command("retry", "{\"table\":5}"), "the field «table»: "),
                Arguments.of(command("retry", "{\"table\":true}"), "the field «table»: "),
                Arguments.of(command("retry", "{\"table\":{\"schema\":\"a\"}}"), "the field «table»: "),
                Arguments.of(command("retry", "{\"table\":\"\"}"), "the field «table»: «» is not a table name"),
                Arguments.of(command("retry", "{\"table\":\"Orders\"}"), "double-quote a part"),
                Arguments.of(command("retry", "{\"table\":\"\\\"a\\u0000b\\\".c\"}"), "the field «table»: a schema has 1 to 63"),
                Arguments.of(command("retry", "{\"table\":\"a\\u0000b.c\"}"), "the field «table»: «a·b.c» is not a table name"),
                Arguments.of(command("retry", "{\"table\":\"\\\"\\ud800\\\".c\"}"), "the field «table»: a schema is Unicode"),
                Arguments.of(command("retry", "{\"table\":\"a.b\",\"table\":\"c.d\"}"), "Duplicate field 'table'"),
                Arguments.of(command("add-tables", "{\"tables\":[]}"), "names 1 to 1,000 tables"),
                Arguments.of(command("add-tables", "{\"tables\":null}"), "the field «tables» is missing or null"),
                Arguments.of(command("add-tables", "{\"tables\":\"public.*\"}"), "the field «tables»: "),
                Arguments.of(command("add-tables", "{\"tables\":[null]}"), "tables or patterns of 1 to 257 characters"),
                Arguments.of(command("add-tables", "{\"tables\":[\"\"]}"), "tables or patterns of 1 to 257 characters"),
                Arguments.of(command("add-tables", "{\"tables\":[5]}"), "the field «tables.[0]»: "),
                Arguments.of(command("add-tables", "{\"tables\":[[\"a\"]]}"), "the field «tables.[0]»: "),
                Arguments.of(
                        command("add-tables", "{\"tables\":[\"" + "x".repeat(258) + "\"]}"), "of 1 to 257 characters"),
                Arguments.of(
                        command("add-tables", "{\"tables\":[" + "\"a\",".repeat(1_000) + "\"a\"]}"), "this one 1001"),
                Arguments.of(options("17"), "options are a JSON object"),
                Arguments.of(options("[]"), "options are a JSON object"),
                Arguments.of(options("{\"excludes\":[\"a\"]}"), "there is no option «excludes»; there are [key, include"),
                Arguments.of(options("{\"exclude\":\"a\"}"), "the field «options.exclude»: "),
                Arguments.of(options("{\"exclude\":null}"), "the field «options.exclude»: "),
                Arguments.of(options("{\"exclude\":[null]}"), "«exclude» names a column that is null"),
                Arguments.of(options("{\"exclude\":[5]}"), "the field «options.exclude.[0]»: "),
                Arguments.of(options("{\"hash\":[\"a\",\"a\"]}"), "names the column «a» twice"),
                Arguments.of(options("{\"hash\":[\"a\\u0000\"]}"), "no NUL"),
                Arguments.of(options("{\"mask\":[\"a\"]}"), "the field «options.mask»: "),
                Arguments.of(options("{\"mask\":{\"a\":5}}"), "the field «options.mask.a»: "),
                Arguments.of(options("{\"mask\":{\"a\":{\"b\":1}}}"), "the field «options.mask.a»: "),
                Arguments.of(options("{\"where\":5}"), "the field «options.where»: "),
                Arguments.of(options("{\"where\":\"true) ; DROP TABLE a; --\"}"), "closes what was not opened"),
                Arguments.of(options("{\"where\":\"a = 'b\"}"), "a quote is not closed"),
                Arguments.of(options("{\"softDelete\":\"gone\"}"), "the field «options.softDelete»: "),
                Arguments.of(options("{\"softDelete\":{\"column\":\"gone\"}}"), "the field «options.softDelete.type»: "),
                Arguments.of(
                        options("{\"softDelete\":{\"column\":\"gone\",\"type\":\"TEXT\"}}"),
                        "the field «options.softDelete.type»: "),
                Arguments.of(
                        command("backfill", "{\"table\":\"a.b\",\"options\":{\"key\":[\"a\"],\"hash\":[\"a\"]}}"),
                        "ranges need its order"),
                Arguments.of(
                        MessagesTest.envelope("dev.sluice.event.table-held", "{\"table\":\"a.b\",\"run\":1.5,\"attempt\":1}"),
                        "the field «run»: "),
                Arguments.of(
                        MessagesTest.envelope(
                                "dev.sluice.event.step-done",
                                "{\"table\":\"a.b\",\"run\":1,\"step\":\"HOLD\",\"attempt\":1,\"result\":{\"is\":\"Magic\"}}"),
                        "the field «result»: "),
                Arguments.of(
                        MessagesTest.envelope(
                                "dev.sluice.event.step-failed",
                                "{\"table\":\"a.b\",\"run\":1,\"step\":2,\"attempt\":1,\"fault\":{}}"),
                        "the field «step»: "),
                Arguments.of(
                        MessagesTest.envelope(
                                "dev.sluice.event.table-left", "{\"table\":\"a.b\",\"run\":" + "9".repeat(30) + ",\"attempt\":1}"),
                        "the field «run»: "),
                Arguments.of("[".repeat(100_000), "the value is not JSON: Document nesting depth"),
                Arguments.of(command("retry", "{\"table\":".repeat(50_000) + "1" + "}".repeat(50_000)), "nesting depth"),
                Arguments.of(command("retry", "{\"table\":" + "[".repeat(900) + "]".repeat(900) + "}"), "the field «table"));
    }

    @ParameterizedTest
    @MethodSource("hostile")
    void becomesPoisonWithAReason(String value, String reason) {
        assertThat(messages.input(MessagesTest.record(value)))
                .isInstanceOfSatisfying(Input.Poison.class, poison -> assertThat(poison.reason()).contains(reason));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "null", "[]", "{\"a\":", "{\"a\":null}", "{\"a\":{\"x\":1}}", "{\"a\":{},\"a\":{}}"})
    void aSettingOfOptionsThatIsNoneIsRefused(String text) {
        assertThatThrownBy(() -> messages.tableOptions(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("options of tables");
    }

    @Test
    void aHugeRecordIsNotParsed() {
        assertThat(messages.input(MessagesTest.record(" ".repeat(8 * 1024 * 1024 + 1))))
                .isEqualTo(new Input.Poison("the record has 8388609 bytes; at most 8388608 are read"));
    }

    @Test
    void aHugeNameMakesNoHugeReason() {
        String value = command("retry", "{\"table\":\"" + "X".repeat(1_000_000) + "\"}");

        assertThat(messages.input(MessagesTest.record(value)))
                .isInstanceOfSatisfying(
                        Input.Poison.class, poison -> assertThat(poison.reason()).hasSizeLessThan(600));
    }

    @Test
    void aHugeTypeMakesNoHugeReason() {
        String value = MessagesTest.envelope("x".repeat(1_000_000), "{}");

        assertThat(messages.input(MessagesTest.record(value)))
                .isInstanceOfSatisfying(
                        Input.Poison.class, poison -> assertThat(poison.reason()).hasSizeLessThan(600));
    }

    @Test
    void aReasonStaysOnOneLine() {
        String value = MessagesTest.envelope("dev.sluice.command.retry\\n2026-01-01 INFO all is well", "{}");

        assertThat(messages.input(MessagesTest.record(value)))
                .isInstanceOfSatisfying(
                        Input.Poison.class, poison -> assertThat(poison.reason()).doesNotContain("\n"));
    }

    @ParameterizedTest
    @MethodSource("binary")
    void binaryModeIsHeldToTheSame(String version, String value, String reason) {
        ConsumerRecord<String, byte[]> record = MessagesTest.record(value);
        record.headers().add("ce_type", "dev.sluice.command.retry".getBytes(UTF_8));
        record.headers().add("ce_specversion", version == null ? null : version.getBytes(UTF_8));

        assertThat(messages.input(record))
                .isInstanceOfSatisfying(Input.Poison.class, poison -> assertThat(poison.reason()).contains(reason));
    }

    static Stream<Arguments> binary() {
        return Stream.of(
                Arguments.of("1.0", "null", "the value is no JSON object"),
                Arguments.of("1.0", "  ", "the value is no JSON object"),
                Arguments.of("1.0", "\"public.orders\"", "the value is no JSON object"),
                Arguments.of("1.0", "[]", "the value is no JSON object"),
                Arguments.of("1.0", "{}", "the field «table» is missing or null"),
                Arguments.of(null, "{\"table\":\"a.b\"}", "specversion is «»"),
                Arguments.of("2.0", "{\"table\":\"a.b\"}", "specversion is «2.0»"));
    }

    @Test
    void randomBytesNeverThrow() {
        long seed = 7;
        var random = new Random(seed);
        byte[] good = command("cancel", "{\"table\":\"a.b\",\"dropQueue\":true}").getBytes(UTF_8);
        for (int round = 0; round < 20_000; round++) {
            // given a good command with some bytes changed
            byte[] changed = good.clone();
            for (int i = 0; i <= random.nextInt(4); i++) {
                changed[random.nextInt(changed.length)] = (byte) random.nextInt(256);
            }

            // when it is read, then it is something, whatever it is
            assertThat(messages.input(MessagesTest.record(changed))).as("seed %d, round %d", seed, round).isNotNull();
        }
    }

    @Test
    void otherTopicsNameTheRecordThatIsNotWhatTheyHold() {
        assertThatThrownBy(() -> messages.tableState(MessagesTest.record("null")))
                .isInstanceOf(InvalidMessageException.class)
                .hasMessageContaining("input/0@17");
    }

    private static String options(String options) {
        return command("add-tables", "{\"tables\":[\"a.b\"],\"options\":" + options + "}");
    }

    private static String command(String name, String data) {
        return MessagesTest.envelope("dev.sluice.command." + name, data);
    }
}
