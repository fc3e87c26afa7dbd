package dev.sluice.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The servers that all tests of one JVM share: each is started when it is first asked for and ends with the JVM.
 *
 * <p>A test keeps apart from the others by a database, and a pipeline name, of its own. A test that kills a server or
 * needs other settings starts its own.
 *
 * <p>Their folders are under {@code target/servers} of the module that is tested, and stay for reading the logs
 * until the next run.
 */
public final class SharedServers {

    /**
     * A test's data need not survive the machine, only the process: without waiting for the disk it is much faster.
     * {@code synchronous_commit} stays on, since a commit that stands only in the server's memory dies with it.
     */
    public static final Map<String, String> FAST_POSTGRES = Map.of("fsync", "off", "full_page_writes", "off");

    private static final AtomicInteger DATABASES = new AtomicInteger();
    private static Path folder;
    private static PostgresServer source;
    private static PostgresServer destination;
    private static PostgresServer oldest;
    private static KafkaServer kafka;

    private SharedServers() {
    }

    /** Where tables are captured and copied from. */
    public static synchronized PostgresServer source() {
        if (source == null) {
            source = PostgresServer.start(folder("source"), PostgresVersion.ofTests(), 0, FAST_POSTGRES);
        }
        return source;
    }

    /** Another server than {@link #source()}: nothing may rest on both being one. */
    public static synchronized PostgresServer destination() {
        if (destination == null) {
            destination = PostgresServer.start(folder("destination"), PostgresVersion.ofTests(), 0, FAST_POSTGRES);
        }
        return destination;
    }

    /** A source of the oldest version, whatever the version of the others is. */
    public static synchronized PostgresServer oldest() {
        if (oldest == null) {
            oldest = PostgresServer.start(folder("oldest"), PostgresVersion.OLDEST, 0, FAST_POSTGRES);
        }
        return oldest;
    }

    public static synchronized KafkaServer kafka() {
        if (kafka == null) {
            kafka = KafkaServer.start(folder("kafka"), 0, Map.of());
        }
        return kafka;
    }

    /** Creates an empty database that no other caller in this JVM gets, and answers its name. */
    public static String freshDatabase(PostgresServer server) {
        String database = "test_" + DATABASES.incrementAndGet();
        server.createDatabase(database);
        return database;
    }

    /**
     * A new, empty folder for a server of a test's own, beside those of the shared ones.
     *
     * @param name lower-case letters, digits and dashes; unique in this JVM
     */
    public static synchronized Path folder(String name) {
        try {
            if (folder == null) {
                Path all = Path.of("target", "servers").toAbsolutePath();
                Files.createDirectories(all);
                deleteThoseOfDeadOwners(all);
                folder = Files.createDirectories(all.resolve(Long.toString(ProcessHandle.current().pid())));
            }
            return Files.createDirectory(folder.resolve(name));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot create a folder for " + name, e);
        }
    }

    private static void deleteThoseOfDeadOwners(Path all) throws IOException {
        try (var owners = Files.list(all)) {
            for (Path owner : owners.toList()) {
                boolean alive = ProcessHandle.of(Long.parseLong(owner.getFileName().toString()))
                        .filter(process -> process.pid() != ProcessHandle.current().pid())
                        .isPresent();
                if (!alive) {
                    try (var servers = Files.list(owner)) {
                        servers.forEach(Servers::endLeftover);
                    }
                    Servers.deleteRecursively(owner);
                }
            }
        }
    }
}
