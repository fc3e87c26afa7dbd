package dev.sluice.localdev;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.localdev.Display.Size;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class DisplayTest {

    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
    private final PrintStream out = new PrintStream(printed, false, StandardCharsets.UTF_8);

    @Test
    void onATerminalAPictureTakesThePlaceOfTheLastOne() {
        var display = new Display(out, out, Size.parse("24 80"));

        display.show(List.of("one", "two"));
        display.say("stays");
        display.show(List.of("three"));

        assertThat(text()).isEqualTo("one\ntwo\n\u001b[2A\r\u001b[Jstays\nthree\n");
    }

    @Test
    void elsewherePicturesFollowEachOther() {
        var display = new Display(out, out, Size.parse(""));

        display.show(List.of("one"));
        display.show(List.of("two"));

        assertThat(display.isTerminal()).isFalse();
        assertThat(text()).isEqualTo("one\ntwo\n");
    }

    @Test
    void afterTheEndNothingIsPrinted() {
        var display = new Display(out, out, Size.parse(""));

        display.close("bye");
        display.say("late");
        display.show(List.of("later"));

        assertThat(text()).isEqualTo("bye\n");
    }

    @Test
    void longLinesGoOnInTheNextAndNothingIsLost() {
        assertThat(Display.fit(List.of("the quick brown fox jumps over the lazy dog", "", "x"), new Size(24, 20)))
                .containsExactly("the quick brown fox", "    jumps over the", "    lazy dog", "", "x");
        assertThat(Display.fit(List.of("0123456789"), new Size(24, 6))).containsExactly("01234", "56789");
    }

    @Test
    void aPictureIsNoHigherThanTheTerminal() {
        assertThat(Display.fit(List.of("1", "2", "3", "4"), new Size(3, 80))).containsExactly("1", "2");
    }

    @Test
    void anUnusableSizeIsNoTerminal() {
        for (String text : List.of("0 0", "24", "a b", "24 1")) {
            assertThat(new Display(out, out, Size.parse(text)).isTerminal()).as(text).isFalse();
        }
    }

    private String text() {
        out.flush();
        return printed.toString(StandardCharsets.UTF_8);
    }
}
