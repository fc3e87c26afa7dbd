package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class EventReaderTest {

    private final AtomicInteger lines = new AtomicInteger();

    @Test
    void eventsAreReadAsTheStandardSays() throws IOException {
        assertThat(read(":\n\nevent: overview\nid: 7\ndata: {\"a\":\ndata:  1}\n\nevent:change\rdata:x\r\rdata\r\n\r\nevent: none\n\n"
                        + "data: y\n\nevent: cut\ndata: off"))
                .containsExactly(
                        new ServerEvent("overview", "{\"a\":\n 1}"),
                        new ServerEvent("change", "x"),
                        new ServerEvent("message", ""),
                        new ServerEvent("message", "y"));
    }

    @Test
    void everyLineShowsThatTheConsoleLives() throws IOException {
        read(":\n:\n:\n");

        assertThat(lines).hasValue(3);
    }

    private List<ServerEvent> read(String text) throws IOException {
        var reader = new EventReader(
                new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), lines::incrementAndGet);
        List<ServerEvent> events = new ArrayList<>();
        for (Optional<ServerEvent> event = reader.next(); event.isPresent(); event = reader.next()) {
            events.add(event.get());
        }
        return events;
    }
}
