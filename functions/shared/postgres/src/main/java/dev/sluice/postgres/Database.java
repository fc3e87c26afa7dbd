package dev.sluice.postgres;

import io.smallrye.mutiny.TimeoutException;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.core.Vertx;
import io.vertx.mutiny.pgclient.PgBuilder;
import io.vertx.mutiny.sqlclient.Pool;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.RowSet;
import io.vertx.mutiny.sqlclient.SqlConnection;
import io.vertx.mutiny.sqlclient.Tuple;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.pgclient.PgConnection;
import io.vertx.pgclient.SslMode;
import io.vertx.sqlclient.PoolOptions;
import io.vertx.sqlclient.impl.SocketConnectionBase;
import io.vertx.sqlclient.impl.SqlConnectionInternal;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * One of the two databases: a pool of reactive connections, and JDBC connections for COPY.
 *
 * <p>Every connection has the session settings under which a value's text is exact and the same on every path:
 * capture, chunk and queue.
 */
public final class Database implements AutoCloseable {

    /**
     * Settings that change how a value is written as text or read from it. Those for writing stand in Debezium's
     * {@code driver.options}, too.
     */
    static final Map<String, String> TEXT_SETTINGS = Map.ofEntries(
            Map.entry("DateStyle", "ISO, MDY"),
            Map.entry("IntervalStyle", "postgres"),
            Map.entry("TimeZone", "UTC"),
            Map.entry("bytea_output", "hex"),
            Map.entry("extra_float_digits", "3"),
            Map.entry("lc_monetary", "C"),
            Map.entry("xmlbinary", "base64"),
            Map.entry("search_path", "pg_catalog"),
            // Names of relations and types are values, too.
            Map.entry("quote_all_identifiers", "off"),
            // Without it the destination reads {NULL} as a word.
            Map.entry("array_nulls", "on"),
            // A document is content, and not the other way round.
            Map.entry("xmloption", "content"));

    /** How long a request may take whose work is a matter of moments. */
    public static final Duration ANSWER_LIMIT = Duration.ofSeconds(60);
    /** Above what callers set as bounds at the server, and above the life of a chunk's transaction, which some await. */
    private static final Duration TRANSACTION_LIMIT = Duration.ofMinutes(11);

    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration IDLE_IN_TRANSACTION = Duration.ofSeconds(60);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

    private final DatabaseUrl url;
    private final String applicationName;
    private final Pool pool;
    private final Duration answerLimit;

    private Database(DatabaseUrl url, String applicationName, Pool pool, Duration answerLimit) {
        this.url = url;
        this.applicationName = applicationName;
        this.pool = pool;
        this.answerLimit = answerLimit;
    }

    /**
     * Does not connect yet.
     *
     * @param setting which setting the URL comes from, for errors
     */
    static Database open(Vertx vertx, String text, String setting, String applicationName, int connectionsMax) {
        return open(vertx, text, setting, applicationName, connectionsMax, ANSWER_LIMIT);
    }

    static Database open(
            Vertx vertx,
            String text,
            String setting,
            String applicationName,
            int connectionsMax,
            Duration answerLimit) {
        DatabaseUrl url = DatabaseUrl.parse(text, setting);
        Map<String, String> properties = new LinkedHashMap<>(TEXT_SETTINGS);
        properties.put("application_name", applicationName);
        // The client's own default, which these replace; without it, no database with another encoding can be read.
        properties.put("client_encoding", "UTF8");
        // «Already exists, skipping» is not worth a line of the log.
        properties.put("client_min_messages", "warning");
        // A process that is stopped, not dead, must not hold a transaction and its row locks for ever.
        properties.put("idle_in_transaction_session_timeout", Long.toString(IDLE_IN_TRANSACTION.toMillis()));
        PgConnectOptions options = new PgConnectOptions()
                .setHost(url.host())
                .setPort(url.port())
                .setDatabase(url.database())
                .setUser(url.user())
                .setProperties(properties)
                .setCachePreparedStatements(true)
                .setPreparedStatementCacheMaxSize(64)
                .setPreparedStatementCacheSqlLimit(8_192)
                .setConnectTimeout((int) CONNECT_TIMEOUT.toMillis())
                .setTcpKeepAlive(true);
        url.password().ifPresent(options::setPassword);
        if (url.parameters().containsKey("sslmode")) {
            options.setSslMode(SslMode.of(url.parameters().get("sslmode")));
        }
        PoolOptions poolOptions = new PoolOptions()
                .setMaxSize(connectionsMax)
                .setConnectionTimeout((int) CONNECT_TIMEOUT.toSeconds())
                .setConnectionTimeoutUnit(TimeUnit.SECONDS)
                .setIdleTimeout(5)
                .setIdleTimeoutUnit(TimeUnit.MINUTES);
        Pool pool = PgBuilder.pool().with(poolOptions).connectingTo(options).using(vertx).build();
        return new Database(url, applicationName, pool, answerLimit);
    }

    /** Without a limit of time: for what may take long, and for callers that bound it themselves. */
    public Pool pool() {
        return pool;
    }

    /**
     * One statement, outside of a transaction.
     *
     * @throws TimeoutException (in the Uni) if there is no answer within {@link #ANSWER_LIMIT}
     */
    public Uni<RowSet<Row>> query(String sql, Tuple parameters) {
        return onConnection(
                answerLimit, connection -> connection.preparedQuery(sql).execute(parameters));
    }

    /**
     * Some statements on one connection, outside of a transaction.
     *
     * @throws TimeoutException (in the Uni) if it takes longer than {@link #ANSWER_LIMIT}
     */
    public <T> Uni<T> withConnection(Function<SqlConnection, Uni<T>> work) {
        return onConnection(answerLimit, work);
    }

    /**
     * Runs the work in one transaction: committed when the work succeeds, rolled back when it fails. For work that waits
     * for others, or that is bounded at the server: it fails only when it is certain that nobody answers any more.
     */
    public <T> Uni<T> inTransaction(Function<SqlConnection, Uni<T>> work) {
        return inTransaction(TRANSACTION_LIMIT, work);
    }

    /** As {@link #inTransaction(Function)}, for work that is a matter of moments. */
    public <T> Uni<T> inShortTransaction(Function<SqlConnection, Uni<T>> work) {
        return inTransaction(answerLimit, work);
    }

    /**
     * As {@link #inTransaction(Function)}.
     *
     * @throws TimeoutException (in the Uni) if it takes longer than the limit; whether it was committed, nobody knows then
     */
    public <T> Uni<T> inTransaction(Duration limit, Function<SqlConnection, Uni<T>> work) {
        return onConnection(limit, connection -> connection.begin().chain(transaction -> Uni.createFrom()
                .deferred(() -> work.apply(connection))
                .onItemOrFailure()
                .transformToUni((result, failure) -> failure == null
                        ? transaction.commit().replaceWith(() -> result)
                        : transaction
                                .rollback()
                                .onFailure()
                                .recoverWithNull()
                                .chain(() -> Uni.createFrom().failure(failure)))));
    }

    /**
     * The limit counts while the connection is taken, so that it is never another's that is cut. A caller that gives up
     * earlier leaves a connection that owes an answer, too: the pool would hand it to the next.
     */
    private <T> Uni<T> onConnection(Duration limit, Function<SqlConnection, Uni<T>> work) {
        return pool.getConnection().chain(connection -> Uni.createFrom()
                .deferred(() -> work.apply(connection))
                .ifNoItem()
                .after(limit)
                .recoverWithUni(() -> cut(connection.getDelegate()))
                .onTermination()
                .call((item, failure, cancelled) -> cancelled
                        ? cut(connection.getDelegate()).onFailure().recoverWithNull().replaceWithVoid()
                        : connection.close()));
    }

    /**
     * Ends a connection that owes an answer. It may be in the middle of anything, so it does not go back to the pool;
     * and the server is asked to end what it does, which else would go on waiting for a lock that nobody wants.
     *
     * @return fails with {@link TimeoutException} when the pool knows that the connection is gone
     */
    private static <T> Uni<T> cut(io.vertx.sqlclient.SqlConnection connection) {
        return Uni.createFrom()
                .<T>emitter(gone -> {
                    // The pool hears of it right after this handler: before that, it would take the connection back.
                    connection.closeHandler(ignored ->
                            Vertx.currentContext().runOnContext(() -> gone.fail(new TimeoutException())));
                    if (connection instanceof PgConnection postgres) {
                        postgres.cancelRequest();
                    }
                    // Not in order but below the codec: that one waits for the answer, and keeps a place of the pool meanwhile.
                    if (connection instanceof SqlConnectionInternal pooled
                            && pooled.unwrap().unwrap() instanceof SocketConnectionBase open) {
                        open.socket().channelHandlerContext().pipeline().firstContext().close();
                    }
                })
                // It may have been closed before.
                .ifNoItem()
                .after(CLOSE_TIMEOUT)
                .fail();
    }

    /**
     * A JDBC connection of its own, for COPY. Blocks: not for the event loop.
     *
     * @param lockTimeout how long a statement may wait for a lock
     * @param transactionTimeout how long a transaction may last; the server ends it then, whatever became of us
     */
    public Connection connectForCopy(Duration lockTimeout, Duration transactionTimeout) throws SQLException {
        return connectForCopy(lockTimeout, transactionTimeout, Map.of());
    }

    /**
     * As the other.
     *
     * @param settings further ones of the session. They travel with the start of the connection and so stand in no
     *     statement
     */
    Connection connectForCopy(Duration lockTimeout, Duration transactionTimeout, Map<String, String> settings)
            throws SQLException {
        var options = new StringBuilder();
        Map<String, String> all = new LinkedHashMap<>(TEXT_SETTINGS);
        all.putAll(settings);
        all.forEach((name, value) ->
                options.append(" -c ").append(name).append('=').append(value.replace(" ", "\\ ")));
        options.append(" -c lock_timeout=").append(lockTimeout.toMillis());
        // One side is idle while the other waits for a lock.
        Duration idle = lockTimeout.multipliedBy(2).compareTo(IDLE_IN_TRANSACTION) > 0
                ? lockTimeout.multipliedBy(2)
                : IDLE_IN_TRANSACTION;
        options.append(" -c idle_in_transaction_session_timeout=").append(idle.toMillis());
        var properties = new Properties();
        properties.setProperty("user", url.user());
        url.password().ifPresent(password -> properties.setProperty("password", password));
        url.parameters().forEach(properties::setProperty);
        properties.setProperty("ApplicationName", applicationName);
        properties.setProperty("options", options.substring(1));
        properties.setProperty("connectTimeout", Long.toString(CONNECT_TIMEOUT.toSeconds()));
        // Without it, a server that takes the connection and then hangs would keep us for ever.
        properties.setProperty("loginTimeout", Long.toString(CONNECT_TIMEOUT.toSeconds()));
        properties.setProperty("tcpKeepAlive", "true");
        String host = url.host().contains(":") ? "[" + url.host() + "]" : url.host();
        Connection connection =
                DriverManager.getConnection("jdbc:postgresql://" + host + ":" + url.port() + "/" + url.database(), properties);
        try (var statement = connection.createStatement()) {
            // Servers before 17 have no transaction_timeout: there the bound is per statement.
            statement.execute("SELECT set_config(CASE WHEN current_setting('server_version_num')::int >= 170000 "
                    + "THEN 'transaction_timeout' ELSE 'statement_timeout' END, '" + transactionTimeout.toMillis()
                    + "', false)");
        } catch (SQLException e) {
            connection.close();
            throw e;
        }
        return connection;
    }

    @Override
    public void close() {
        pool.close().await().atMost(CLOSE_TIMEOUT);
    }

    /** Without the password. */
    @Override
    public String toString() {
        return url.toString();
    }
}
