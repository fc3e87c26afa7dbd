package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.ZoneId;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TextTest {

    @Test
    void whatCouldDoSomethingToATerminalIsShownAsItsNumber() {
        assertThat(Harmless.text("a\u001b[2Jb")).isEqualTo("a\\u{1b}[2Jb");
        assertThat(Harmless.text("one\nline\tonly\r")).isEqualTo("one line only ");
        assertThat(Harmless.text("\u009b31m, \u202eback, \u2028, \0, \u007f"))
                .isEqualTo("\\u{9b}31m, \\u{202e}back, \\u{2028}, \\u{0}, \\u{7f}");
        assertThat(Harmless.text("Größe «表» 👍🏽")).isEqualTo("Größe «表» 👍🏽");
        assertThat(Harmless.text("half \ud83d")).isEqualTo("half \\u{d83d}");
        assertThat(Harmless.text("👍👍", 3)).isEqualTo("👍…");
    }

    @Test
    void jsonStaysTheSameAndBecomesHarmless() {
        String json = "{\"a\": \"x\u009b\u202e \udb40\udc01 ü\",\n\t\"b\": 1.50}";

        String harmless = Harmless.json(json);

        assertThat(harmless).isEqualTo("{\"a\": \"x\\u009b\\u202e \\udb40\\udc01 ü\",\n\t\"b\": 1.50}");
        assertThat(Json.read(harmless)).isEqualTo(Json.read(json));
    }

    @Test
    void numbersAndTimesAreReadable() {
        assertThat(List.of(Figures.count(0), Figures.count(999), Figures.count(1_000), Figures.count(-1_234_567)))
                .containsExactly("0", "999", "1,000", "-1,234,567");
        assertThat(List.of(Figures.bytes(1), Figures.bytes(1_536), Figures.bytes(5L << 40), Figures.bytes(Long.MAX_VALUE)))
                .containsExactly("1 B", "1.5 KiB", "5.0 TiB", "8,192 PiB");
        assertThat(List.of(seconds(0), seconds(9), seconds(59), seconds(61), seconds(3_661), seconds(200_000)))
                .containsExactly("0.0 s", "9.0 s", "59 s", "1 min 1 s", "1 h 1 min", "2 d 7 h");
        assertThat(Figures.percent(99.99)).isEqualTo("99 %");
        assertThat(Figures.time("2026-05-04T10:00:00.123Z", ZoneId.of("Europe/Berlin"))).isEqualTo("2026-05-04 12:00:00");
        assertThat(Figures.time("yesterday", ZoneId.of("Europe/Berlin"))).isEqualTo("yesterday");
        assertThat(Figures.time("+1000000000-12-31T23:59:59Z", ZoneId.of("Europe/Berlin"))).startsWith("+1000000000");
    }

    private static String seconds(long seconds) {
        return Figures.duration(Duration.ofSeconds(seconds));
    }

    @ParameterizedTest
    @CsvSource({"90,90", "90s,90", "15m,900", "2h,7200", "1d,86400"})
    void aTimeIsReadWithItsUnit(String text, long seconds) {
        assertThat(Figures.parse(text)).isEqualTo(Duration.ofSeconds(seconds));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "m", "-3s", "3w", "99999999999d", "1.5h"})
    void whatIsNoTimeIsRefused(String text) {
        assertThatThrownBy(() -> Figures.parse(text)).isInstanceOf(Trouble.class).hasMessageContaining("15m");
    }

    @Test
    void columnsStandUnderEachOtherWhateverTheCharacters() {
        var grid = new Grid("TABLE", ">ROWS", "EMPTY", "NOTE");
        grid.row("a", "1", "", "x");
        grid.row("表表", "1,000", "", "");
        grid.row("e\u0301e\u001b", "10", "", "y");

        assertThat(grid.lines())
                .containsExactly("TABLE      ROWS  NOTE", "a             1  x", "表表      1,000", "e\u0301e\\u{1b}     10  y");
    }

    @Test
    void aBarIsAsWideAsAskedAndFullOnlyAtAHundred() {
        for (double percent : new double[] {-5, 0, 0.4, 33.3, 50, 99.9, 100, 250}) {
            assertThat(new Bar(true).of(percent, 10)).as("%s %%", percent).hasSize(12);
            assertThat(new Bar(false).of(percent, 10)).as("%s %%", percent).hasSize(12);
        }
        assertThat(new Bar(true).of(55, 10)).isEqualTo("▕█████▌    ▏");
        assertThat(new Bar(false).of(99.9, 10)).isEqualTo("[#########-]");
        assertThat(new Bar(false).of(100, 10)).isEqualTo("[##########]");
    }

    @Test
    void aListOfASettingIsPartedByCommasOutsideOfQuotes() {
        assertThat(SettingValue.list("sales.*, !\"a,b\".\"c\"\"d\",,x")).containsExactly("sales.*", "!\"a,b\".\"c\"\"d\"", "x");
        assertThat(SettingValue.list("")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "http://127.0.0.1:8080,      http://127.0.0.1:8080,   false",
        "HTTP://LocalHost/,          http://localhost,        false",
        "http://[::1]:80//,          http://[::1]:80,         false",
        "https://sluice.example/a/,  https://sluice.example/a, false",
        "http://sluice.example:1,    http://sluice.example:1, true",
        "http://127.0.0.1.evil.example, http://127.0.0.1.evil.example, true"
    })
    void anAddressIsReadAndKnownToBeOpenToOthersOrNot(String text, String address, boolean open) {
        ConsoleAddress console = ConsoleAddress.parse(text);

        assertThat(console.toString()).isEqualTo(address);
        assertThat(console.isOpen()).isEqualTo(open);
        assertThat(console.api("/tables").toString()).isEqualTo(address + "/api/v1/tables");
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "127.0.0.1:8080", "ftp://a", "http://", "http://a?b", "http://a#b", "http://ann:secret@a", "http://a b", "file:///etc/passwd", ""
    })
    void whatIsNoAddressIsRefused(String text) {
        assertThatThrownBy(() -> ConsoleAddress.parse(text))
                .isInstanceOf(Trouble.class)
                .hasMessageNotContaining("secret")
                .extracting(it -> ((Trouble) it).exitCode())
                .isEqualTo(ExitCode.USAGE);
    }
}
