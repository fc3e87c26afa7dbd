package dev.sluice.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;

/**
 * The sessions that {@code sluice login} began, by console: a file that only its owner reads, {@code sluice/sessions.json}
 * under {@code XDG_STATE_HOME} (default {@code ~/.local/state}).
 */
final class Sessions {

    private static final long FILE_BYTES_MAX = 1_000_000;
    private static final String COOKIE = "cookie";

    private final Path file;

    Sessions(Surroundings surroundings) {
        String state = surroundings.variable("XDG_STATE_HOME");
        // As the XDG specification says: a path that is not absolute is ignored.
        Path folder = state.startsWith("/")
                ? Path.of(state)
                : Path.of(surroundings.variables().getOrDefault("HOME", System.getProperty("user.home")), ".local/state");
        this.file = folder.resolve("sluice/sessions.json");
    }

    Path file() {
        return file;
    }

    /** The header {@code Cookie} for this console. */
    Optional<String> cookie(ConsoleAddress console) {
        JsonNode session = read().get(console.toString());
        // Written by ourselves, but a header must not be broken by whatever stands in the file now.
        return session == null
                ? Optional.empty()
                : Json.text(session, COOKIE).filter(cookie -> cookie.chars().allMatch(c -> c >= ' ' && c < 0x7f));
    }

    void keep(ConsoleAddress console, String cookie) {
        ObjectNode all = read();
        all.set(console.toString(), Json.object().put(COOKIE, cookie));
        write(all);
    }

    /** @return whether there was one */
    boolean forget(ConsoleAddress console) {
        ObjectNode all = read();
        boolean known = all.remove(console.toString()) != null;
        if (known) {
            write(all);
        }
        return known;
    }

    private ObjectNode read() {
        try {
            if (Files.size(file) > FILE_BYTES_MAX) {
                throw Trouble.failed(file + " is too large to be a file of sessions: remove it, and log in again");
            }
            return Json.read(Files.readString(file)).orElse(null) instanceof ObjectNode sessions ? sessions : Json.object();
        } catch (NoSuchFileException e) {
            return Json.object();
        } catch (IOException e) {
            throw Trouble.failed("the sessions cannot be read, " + e + ": see to " + file + ", or remove it");
        }
    }

    private void write(ObjectNode sessions) {
        Path folder = file.getParent();
        try {
            Files.createDirectories(folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            // A new file for the owner alone from the first byte on, and then in the old one's place as a whole.
            Path written = Files.createTempFile(folder, "sessions", ".new",
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            try {
                Files.writeString(written, Json.write(sessions), StandardCharsets.UTF_8);
                Files.move(written, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(written);
            }
        } catch (IOException e) {
            throw Trouble.failed("the session cannot be kept, " + e + ": see to " + folder + ", or name another place by "
                    + "XDG_STATE_HOME");
        }
    }
}
