package dev.sluice.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A PostgreSQL server of its own, ready for logical replication.
 *
 * <p>User {@code postgres}, no password, on 127.0.0.1. Its default collation is the built-in {@code C.UTF-8}, or C at
 * the oldest version: text sorts by code point, on every machine alike.
 */
public final class PostgresServer implements Server {

    public static final String HOST = "127.0.0.1";
    public static final String USER = "postgres";

    private static final Duration INITDB_LIMIT = Duration.ofMinutes(2);
    private static final Duration READY_LIMIT = Duration.ofMinutes(2);

    private final ServerProcess process;
    private final Path data;
    private final PostgresVersion version;
    private final int port;
    private final Map<String, String> settings;

    private PostgresServer(Path folder, PostgresVersion version, int port, Map<String, String> settings) {
        this.version = version;
        this.process = new ServerProcess("PostgreSQL in " + folder, folder, "INT");
        this.data = process.folder().resolve("data");
        this.port = port;
        this.settings = settings;
    }

    /**
     * Starts a server with its data in {@code folder/data}, which is made at the first start, and returns when it
     * answers. A server that a dead JVM left there is ended first.
     *
     * @param folder may exist or not
     * @param port 0 for any free one
     * @param settings of postgresql.conf; they win over the defaults of this class
     * @throws ServerException if the port is taken or the server does not get ready within two minutes
     */
    public static PostgresServer start(Path folder, int port, Map<String, String> settings) {
        return start(folder, PostgresVersion.NEWEST, port, settings);
    }

    /** As {@link #start(Path, int, Map)}, of a given version. A folder keeps the version that it was made with. */
    public static PostgresServer start(Path folder, PostgresVersion version, int port, Map<String, String> settings) {
        Servers.endLeftover(folder);
        int ownPort = Servers.portOrFree(port, "PostgreSQL with its data in " + folder);
        Map<String, String> all = new LinkedHashMap<>();
        all.put("wal_level", "logical");
        all.put("max_connections", "200");
        all.put("max_wal_senders", "20");
        all.put("max_replication_slots", "20");
        // Prepared transactions are a case of their own at the barrier, so tests must be able to make one.
        all.put("max_prepared_transactions", "20");
        all.put("timezone", "UTC");
        all.put("log_timezone", "UTC");
        all.put("log_line_prefix", "%m [%p] %q%u@%d/%a ");
        all.putAll(settings);
        all.put("listen_addresses", HOST);
        all.put("port", Integer.toString(ownPort));
        all.put("unix_socket_directories", "");
        var server = new PostgresServer(folder, version, ownPort, Map.copyOf(all));
        server.launch();
        return server;
    }

    /**
     * Starts a physical standby of this server, and returns when it answers: read-only, and some moments behind. It
     * calls itself by its slot's name, which is the folder's, as {@code synchronous_standby_names} knows it.
     *
     * @param folder must not hold data yet; its last name is of lower-case letters, digits and dashes
     * @param settings as for {@link #start}; what is to be changed later with {@link #set} must not be among them
     */
    public PostgresServer standby(Path folder, Map<String, String> settings) {
        String slot = standbyName(folder);
        try (Connection session = connect("postgres"); var statement = session.createStatement()) {
            statement.execute("SELECT pg_create_physical_replication_slot('" + slot + "', true)");
            statement.execute("SELECT pg_backup_start('" + slot + "', true)");
            Path copy = folder.toAbsolutePath().resolve("data");
            Files.createDirectories(copy.getParent());
            DataFolderCopy.copy(data, copy);
            try (var rows = statement.executeQuery("SELECT labelfile FROM pg_backup_stop(false)")) {
                rows.next();
                Files.writeString(copy.resolve("backup_label"), rows.getString(1));
            }
            Files.createFile(copy.resolve("standby.signal"));
        } catch (SQLException | IOException e) {
            throw new ServerException("cannot make a standby of " + folder() + ": " + e.getMessage(), e);
        }
        Map<String, String> all = new LinkedHashMap<>(settings);
        all.put("primary_conninfo", "host=" + HOST + " port=" + port + " user=" + USER + " application_name=" + slot);
        all.put("primary_slot_name", slot);
        return start(folder, 0, all);
    }

    /** What a standby in this folder is called. */
    public static String standbyName(Path folder) {
        return folder.getFileName().toString().replace('-', '_');
    }

    /** Changes a setting while the server runs; for those that a reload takes. Those of the start stay as they are. */
    public void set(String name, String value) {
        alterSystem(name, "SET " + name + " = '" + value.replace("'", "''") + "'");
    }

    /** Undoes {@link #set}. */
    public void reset(String name) {
        alterSystem(name, "RESET " + name);
    }

    private void alterSystem(String name, String change) {
        if (!name.matches("[a-z_]+")) {
            throw new IllegalArgumentException("«" + name + "» is no setting");
        }
        String loaded = "SELECT pg_conf_load_time()::text";
        try {
            String before = first(loaded);
            try (Connection connection = connect("postgres"); var statement = connection.createStatement()) {
                statement.execute("ALTER SYSTEM " + change);
                statement.execute("SELECT pg_reload_conf()");
            }
            boolean done = Servers.waitUntil(READY_LIMIT, () -> {
                try {
                    return !first(loaded).equals(before);
                } catch (SQLException e) {
                    return false;
                }
            });
            if (!done) {
                throw process.failure("did not load its settings again");
            }
        } catch (SQLException e) {
            throw new ServerException("cannot change " + name + ": " + e.getMessage(), e);
        }
    }

    private String first(String query) throws SQLException {
        try (Connection connection = connect("postgres");
                var statement = connection.createStatement();
                var rows = statement.executeQuery(query)) {
            rows.next();
            return rows.getString(1);
        }
    }

    private void launch() {
        killStragglers();
        List<String> command = PostgresBinaries.command(version, "postgres", "-D", data.toString());
        if (!Files.exists(data.resolve("PG_VERSION"))) {
            initialise();
        }
        deleteStaleLock();
        settings.forEach((name, value) -> {
            command.add("-c");
            command.add(name + "=" + value);
        });
        process.start(command, process.folder(), PostgresBinaries.environment());
        process.awaitReady(READY_LIMIT, this::answers);
    }

    private void initialise() {
        // Under another name first: an initdb that is killed half-way leaves nothing that looks like a cluster.
        Path unfinished = process.folder().resolve("data.unfinished");
        Servers.deleteRecursively(unfinished);
        List<String> command = PostgresBinaries.command(version, "initdb", "-D", unfinished.toString(), "-U", USER,
                "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions", "--no-sync");
        if (version.hasBuiltinLocales()) {
            command.addAll(List.of("--locale-provider=builtin", "--builtin-locale=C.UTF-8"));
        }
        process.runToEnd(command, process.folder(), PostgresBinaries.environment(), INITDB_LIMIT);
        try {
            Files.move(unfinished, data);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot finish the data folder " + data, e);
        }
    }

    private boolean answers() {
        try (Connection connection = connect("postgres")) {
            return connection.isValid(5);
        } catch (SQLException e) {
            return false;
        }
    }

    /** A new connection as {@link #USER}, in auto-commit mode. */
    public Connection connect(String database) throws SQLException {
        return DriverManager.getConnection(jdbcUrl(database));
    }

    /** A JDBC URL with the user in it. */
    public String jdbcUrl(String database) {
        return "jdbc:postgresql://" + HOST + ":" + port + "/" + database + "?user=" + USER;
    }

    /** A URL as libpq and the Vert.x client read it: {@code postgresql://postgres@127.0.0.1:<port>/<database>}. */
    public String url(String database) {
        return "postgresql://" + USER + "@" + HOST + ":" + port + "/" + database;
    }

    /**
     * Creates a database, if it is not there yet.
     *
     * @param database lower-case letters, digits and underscores
     */
    public void createDatabase(String database) {
        if (!database.matches("[a-z_][a-z0-9_]{0,62}")) {
            throw new IllegalArgumentException("«" + database + "» needs quotes: choose a plain database name");
        }
        try (Connection connection = connect("postgres"); var statement = connection.createStatement()) {
            try (var found = statement
                    .executeQuery("SELECT FROM pg_database WHERE datname = '" + database + "'")) {
                if (found.next()) {
                    return;
                }
            }
            statement.execute("CREATE DATABASE " + database);
        } catch (SQLException e) {
            throw new ServerException("cannot create database " + database + ": " + e.getMessage(), e);
        }
    }

    public PostgresVersion version() {
        return version;
    }

    public String host() {
        return HOST;
    }

    public int port() {
        return port;
    }

    @Override
    public Path folder() {
        return process.folder();
    }

    @Override
    public Path logFile() {
        return process.logFile();
    }

    @Override
    public long pid() {
        return process.pid();
    }

    @Override
    public boolean isAlive() {
        return process.isAlive();
    }

    @Override
    public void kill() {
        process.kill();
        killStragglers();
    }

    /** A fast shutdown: open transactions are rolled back. */
    @Override
    public void stop() {
        process.stop();
    }

    @Override
    public void restart() {
        stop();
        Servers.portOrFree(port, "PostgreSQL with its data in " + folder());
        launch();
    }

    /**
     * Ends what an earlier server left: a backend that outlives its postmaster keeps the shared memory attached, and
     * the next start then fails. Every process of a server works in its data folder.
     */
    private void killStragglers() {
        List<ProcessHandle> stragglers = new ArrayList<>();
        ProcessHandle.allProcesses().forEach(candidate -> {
            try {
                if (Files.readSymbolicLink(Path.of("/proc", Long.toString(candidate.pid()), "cwd")).equals(data)) {
                    stragglers.add(candidate);
                }
            } catch (IOException | RuntimeException e) {
                // Ended meanwhile, or of another user, or a system without /proc.
            }
        });
        stragglers.forEach(Servers::killTree);
    }

    /**
     * Called when no process of this cluster is left, so its lock file is stale. PostgreSQL sees that itself, unless
     * the process id in it was given to another process meanwhile: then it would refuse to start.
     */
    private void deleteStaleLock() {
        try {
            Files.deleteIfExists(data.resolve("postmaster.pid"));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot delete the stale lock file in " + data, e);
        }
    }
}
