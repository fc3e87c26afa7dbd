package dev.sluice.localdev;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/**
 * What {@code local-dev/restart} asks of the up that runs: a file {@code <name>.request} in a folder, which holds the
 * name of a part. The answer is a file {@code <name>.answer}: {@code ok} or {@code failed}, and the text for a person
 * on the lines after it.
 */
final class RestartRequests {

    private static final String REQUEST = ".request";

    private final Path folder;

    private RestartRequests(Path folder) {
        this.folder = folder;
    }

    /** From now on requests are taken; those to an earlier up are forgotten. */
    static RestartRequests open(Path data) {
        Path folder = data.resolve("requests");
        try {
            Files.createDirectories(folder);
            try (var old = Files.list(folder)) {
                for (Path file : old.toList()) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot open " + folder, e);
        }
        return new RestartRequests(folder);
    }

    /** @param text what the request file holds: the name of a part */
    record Request(String name, String text) {}

    /** Those that came since the last call. */
    List<Request> take() {
        List<Request> requests = new ArrayList<>();
        try (var files = Files.newDirectoryStream(folder, "*" + REQUEST)) {
            for (Path file : files) {
                String name = file.getFileName().toString();
                String text = Files.readString(file).strip();
                Files.delete(file);
                requests.add(new Request(name.substring(0, name.length() - REQUEST.length()), text));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the requests in " + folder, e);
        }
        return requests;
    }

    void answer(Request request, boolean done, String text) {
        Path unfinished = folder.resolve(request.name() + ".unfinished");
        try {
            Files.writeString(unfinished, (done ? "ok" : "failed") + "\n" + text + "\n");
            Files.move(unfinished, folder.resolve(request.name() + ".answer"), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot answer the request " + request.name(), e);
        }
    }
}
