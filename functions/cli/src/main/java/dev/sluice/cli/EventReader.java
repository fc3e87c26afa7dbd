package dev.sluice.cli;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** Reads server-sent events, as the HTML standard has them. */
final class EventReader {

    private static final int EVENT_BYTES_MAX = 64 * 1_024 * 1_024;

    private final InputStream in;
    private final Runnable onLine;
    private boolean afterReturn;

    /** @param onLine called for every line, comments and all: the console lives */
    EventReader(InputStream in, Runnable onLine) {
        this.in = new BufferedInputStream(in);
        this.onLine = onLine;
    }

    /** The next event with data; empty at the end of the stream. */
    Optional<ServerEvent> next() throws IOException {
        String name = "";
        StringBuilder data = null;
        while (true) {
            String line = line();
            if (line == null) {
                // What the end has cut off is no event.
                return Optional.empty();
            }
            onLine.run();
            if (line.isEmpty()) {
                if (data != null) {
                    return Optional.of(new ServerEvent(name.isEmpty() ? "message" : name, data.toString()));
                }
                name = "";
                continue;
            }
            int colon = line.indexOf(':');
            String field = colon < 0 ? line : line.substring(0, colon);
            String value = colon < 0 ? "" : line.substring(line.startsWith(" ", colon + 1) ? colon + 2 : colon + 1);
            if (field.equals("event")) {
                name = value;
            } else if (field.equals("data")) {
                if (data == null) {
                    data = new StringBuilder(value);
                } else if (data.length() + value.length() > EVENT_BYTES_MAX) {
                    throw new IOException("an event is longer than " + EVENT_BYTES_MAX + " bytes");
                } else {
                    data.append('\n').append(value);
                }
            }
        }
    }

    private String line() throws IOException {
        var line = new ByteArrayOutputStream(256);
        while (true) {
            int read = in.read();
            if (read == '\n' && afterReturn) {
                // The second half of a line's end.
                afterReturn = false;
                continue;
            }
            afterReturn = read == '\r';
            if (read < 0) {
                return null;
            }
            if (read == '\n' || read == '\r') {
                return line.toString(StandardCharsets.UTF_8);
            }
            if (line.size() >= EVENT_BYTES_MAX) {
                throw new IOException("a line is longer than " + EVENT_BYTES_MAX + " bytes");
            }
            line.write(read);
        }
    }
}
