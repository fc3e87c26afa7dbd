package dev.sluice.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BooleanSupplier;

/** What all servers of this JVM share: their common end, leftovers of a JVM that was killed, and ports. */
public final class Servers {

    static final String PID_FILE = "server.pid";

    /** Below the range from which Linux gives ports to outgoing connections, so that none takes ours in between. */
    private static final int FREE_PORT_MIN = 15_000;
    private static final int FREE_PORT_MAX = 32_000;
    private static final int FREE_PORT_TRIES_MAX = 200;
    private static final Duration POLL_INTERVAL = Duration.ofMillis(25);

    private static final Deque<ServerProcess> STARTED = new ArrayDeque<>();
    private static boolean hookAdded;

    private Servers() {
    }

    /**
     * Ends the server that a dead JVM left in this folder, with all its children. Does nothing if there is none: the
     * pid file also holds when the process was started, so a process that got the same id later is left alone.
     */
    public static void endLeftover(Path folder) {
        Path pidFile = folder.resolve(PID_FILE);
        List<String> lines;
        try {
            if (!Files.exists(pidFile)) {
                return;
            }
            lines = Files.readAllLines(pidFile);
            if (lines.size() == 2) {
                Instant startedAt = Instant.parse(lines.get(1));
                ProcessHandle.of(Long.parseLong(lines.get(0)))
                        .filter(process -> process.info().startInstant().filter(startedAt::equals).isPresent())
                        .ifPresent(Servers::killTree);
            }
            Files.deleteIfExists(pidFile);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot end the server that was left in " + folder, e);
        }
    }

    /** A port that nothing listens on now, and that no outgoing connection gets. */
    public static int freePort() {
        for (int i = 0; i < FREE_PORT_TRIES_MAX; i++) {
            int port = ThreadLocalRandom.current().nextInt(FREE_PORT_MIN, FREE_PORT_MAX);
            if (isFree(port)) {
                return port;
            }
        }
        throw new ServerException(
                "no free port found between " + FREE_PORT_MIN + " and " + FREE_PORT_MAX + " on 127.0.0.1");
    }

    /**
     * @param port 0 for any free one
     * @throws ServerException if something listens on the port; the message names it and {@code wantedBy}
     */
    static int portOrFree(int port, String wantedBy) {
        if (port == 0) {
            return freePort();
        }
        if (!isFree(port)) {
            throw new ServerException("port " + port + " on 127.0.0.1 is taken; " + wantedBy
                    + " wants it: end what listens there, or choose another port");
        }
        return port;
    }

    private static boolean isFree(int port) {
        try (var socket = new ServerSocket()) {
            // A server that just ended leaves connections in TIME_WAIT; they do not make its port taken.
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), port));
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /** Waits until the condition holds, the limit passes or the thread is interrupted; answers if it holds. */
    static boolean waitUntil(Duration limit, BooleanSupplier condition) {
        long deadline = System.nanoTime() + limit.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                return false;
            }
            try {
                Thread.sleep(POLL_INTERVAL);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
        return true;
    }

    /** SIGKILL to a process and its descendants; returns when all are gone. */
    static void killTree(ProcessHandle process) {
        List<ProcessHandle> tree = new ArrayList<>(process.descendants().toList());
        tree.add(process);
        // The parent first, so that it makes no more children.
        process.destroyForcibly();
        tree.forEach(ProcessHandle::destroyForcibly);
        waitUntil(Duration.ofSeconds(10), () -> tree.stream().noneMatch(ProcessHandle::isAlive));
    }

    static synchronized void endWithThisJvm(ServerProcess server) {
        if (!hookAdded) {
            Runtime.getRuntime().addShutdownHook(new Thread(Servers::endAll, "end-servers"));
            hookAdded = true;
        }
        STARTED.remove(server);
        STARTED.push(server);
    }

    /** The last started first: what captures ends before what it captures from. */
    private static void endAll() {
        List<ServerProcess> all;
        synchronized (Servers.class) {
            all = List.copyOf(STARTED);
        }
        all.forEach(ServerProcess::endForGood);
    }

    static void deleteRecursively(Path folder) {
        if (!Files.exists(folder)) {
            return;
        }
        try (var paths = Files.walk(folder)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot delete " + folder, e);
        }
    }
}
