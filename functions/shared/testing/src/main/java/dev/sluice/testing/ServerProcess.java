package dev.sluice.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** One operating system process at a time, its pid file and its log. */
final class ServerProcess {

    private static final Duration STOP_LIMIT = Duration.ofSeconds(30);
    private static final int LOG_LINES_QUOTED = 30;
    private static final int LOG_BYTES_READ_MAX = 64 * 1024;

    private final String name;
    private final Path folder;
    private final Path logFile;
    /** How the server is asked to end, by signal name: what means "now, but orderly" differs between servers. */
    private final String stopSignal;
    private Process process;
    private boolean ended;

    ServerProcess(String name, Path folder, String stopSignal) {
        this.name = name;
        this.folder = folder.toAbsolutePath().normalize();
        this.logFile = this.folder.resolve("server.log");
        this.stopSignal = stopSignal;
        try {
            Files.createDirectories(this.folder);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot create the folder of " + name, e);
        }
    }

    Path folder() {
        return folder;
    }

    Path logFile() {
        return logFile;
    }

    /** Starts the command; what it prints goes to the log file, so that it never waits on a full pipe. */
    synchronized void start(List<String> command, Path workingFolder, Map<String, String> environment) {
        if (ended) {
            throw new IllegalStateException(name + " is not started any more: this JVM ends");
        }
        if (isAlive()) {
            throw new IllegalStateException(name + " runs already, with pid " + process.pid());
        }
        var builder = new ProcessBuilder(command).directory(workingFolder.toFile())
                .redirectInput(ProcessBuilder.Redirect.from(nullDevice()))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(logFile.toFile()));
        builder.environment().putAll(environment);
        try {
            process = builder.start();
            Servers.endWithThisJvm(this);
            Instant startedAt = process.info().startInstant().orElse(Instant.EPOCH);
            Files.writeString(folder.resolve(Servers.PID_FILE), process.pid() + "\n" + startedAt + "\n");
        } catch (IOException e) {
            throw new ServerException(name + " could not be started: " + e.getMessage(), e);
        }
    }

    /** Runs a command to its end, with its output in the same log file. */
    void runToEnd(List<String> command, Path workingFolder, Map<String, String> environment, Duration limit) {
        var builder = new ProcessBuilder(command).directory(workingFolder.toFile())
                .redirectInput(ProcessBuilder.Redirect.from(nullDevice()))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(logFile.toFile()));
        builder.environment().putAll(environment);
        try {
            Process step = builder.start();
            try {
                if (!step.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                    throw failure("«" + command.get(0) + "» did not end within " + limit.toSeconds() + " s");
                }
            } finally {
                if (step.isAlive()) {
                    Servers.killTree(step.toHandle());
                }
            }
            if (step.exitValue() != 0) {
                throw failure("«" + command.get(0) + "» ended with code " + step.exitValue());
            }
        } catch (IOException e) {
            throw new ServerException(name + ": cannot run " + command.get(0) + ": " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ServerException(name + ": interrupted", e);
        }
    }

    void awaitReady(Duration limit, BooleanSupplier ready) {
        boolean done = Servers.waitUntil(limit, () -> !isAlive() || ready.getAsBoolean());
        if (!isAlive()) {
            throw failure("ended while it started, with code " + process.exitValue());
        }
        if (!done) {
            ServerException failure = failure("was not ready within " + limit.toSeconds() + " s");
            kill();
            throw failure;
        }
    }

    ServerException failure(String what) {
        return new ServerException(
                name + " " + what + ". The end of its log " + logFile + ":\n" + lastLogLines(LOG_LINES_QUOTED));
    }

    String lastLogLines(int lines) {
        if (!Files.exists(logFile)) {
            return "(no log)";
        }
        try (var channel = Files.newByteChannel(logFile)) {
            long from = Math.max(0, channel.size() - LOG_BYTES_READ_MAX);
            channel.position(from);
            var buffer = java.nio.ByteBuffer.allocate(LOG_BYTES_READ_MAX);
            while (buffer.hasRemaining() && channel.read(buffer) >= 0) {
                // until the buffer is full or the file ends
            }
            List<String> all = new String(buffer.array(), 0, buffer.position(), StandardCharsets.UTF_8).lines().toList();
            return String.join("\n", all.subList(Math.max(0, all.size() - lines), all.size()));
        } catch (IOException e) {
            return "(the log cannot be read: " + e.getMessage() + ")";
        }
    }

    boolean isAlive() {
        return process != null && process.isAlive();
    }

    long pid() {
        if (!isAlive()) {
            throw new IllegalStateException(name + " does not run");
        }
        return process.pid();
    }

    synchronized void kill() {
        if (process != null) {
            killAndReap();
            forget();
        }
    }

    private void killAndReap() {
        Servers.killTree(process.toHandle());
        try {
            // Gone for the system is not yet gone for this object, which another thread tells of the end.
            process.waitFor(STOP_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    synchronized void stop() {
        if (!isAlive()) {
            return;
        }
        List<ProcessHandle> children = process.descendants().toList();
        try {
            // Java itself sends only SIGTERM and SIGKILL.
            new ProcessBuilder("/bin/sh", "-c", "kill -" + stopSignal + " " + process.pid())
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
            if (!process.waitFor(STOP_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
                killAndReap();
            }
        } catch (IOException e) {
            killAndReap();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            killAndReap();
        }
        children.forEach(ProcessHandle::destroyForcibly);
        forget();
    }

    /** The end of this JVM: the server stops, and none is started any more. */
    void endForGood() {
        synchronized (this) {
            ended = true;
        }
        stop();
    }

    private void forget() {
        try {
            Files.deleteIfExists(folder.resolve(Servers.PID_FILE));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot delete the pid file of " + name, e);
        }
    }

    private static java.io.File nullDevice() {
        return new java.io.File("/dev/null");
    }
}
