package dev.sluice.testing;

import java.nio.file.Path;

/**
 * A real server in an operating system process of its own, with its data, log and pid file in one folder.
 *
 * <p>It ends when the JVM that started it ends, also on Ctrl-C or SIGTERM. If that JVM is itself killed with
 * SIGKILL, the next start in the same folder, or {@link Servers#endLeftover}, ends it by its pid file.
 *
 * <p>The methods of one server are called by one thread at a time.
 */
public interface Server extends AutoCloseable {

    /** The folder that the caller chose; {@code data/}, {@code server.log} and {@code server.pid} are in it. */
    Path folder();

    /** Everything the server printed, of all its starts. */
    Path logFile();

    /**
     * The process id of the running server.
     *
     * @throws IllegalStateException if it does not run
     */
    long pid();

    boolean isAlive();

    /** Sends SIGKILL to the server and all its children, and returns when none is left. Does nothing when it is dead. */
    void kill();

    /** Asks the server to end, and kills it when it takes longer than 30 seconds. Does nothing when it is dead. */
    void stop();

    /**
     * Starts the server again with its data, port and settings, and returns when it is ready. A running server is
     * stopped first.
     *
     * @throws ServerException if it does not get ready; the message ends with its last log lines
     */
    void restart();

    @Override
    default void close() {
        stop();
    }
}
