package dev.sluice.console.access;

import io.quarkus.runtime.Startup;
import io.quarkus.runtime.configuration.ConfigurationException;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/**
 * Who gets in, by where the console listens: on a loopback address everybody who is on this machine, as operator; on any
 * other those who sign in. Without a way to sign in, the process does not start there.
 */
@Singleton
@Startup
public class Access {

    private static final Logger LOG = Logger.getLogger(Access.class);
    private static final Duration IDLE_MAX = Duration.ofDays(1);
    private static final Duration SESSION_MAX = Duration.ofDays(7);

    private final Optional<Users> users;
    private final Sessions sessions;

    @Inject
    public Access(
            AccessConfig config,
            @ConfigProperty(name = "quarkus.http.host", defaultValue = "0.0.0.0") String host,
            @ConfigProperty(name = "quarkus.http.insecure-requests", defaultValue = "enabled") String insecure,
            @ConfigProperty(name = "quarkus.http.proxy.proxy-address-forwarding", defaultValue = "false") boolean behindProxy) {
        requireBetween("sluice.console.session-idle", config.sessionIdle(), IDLE_MAX);
        requireBetween("sluice.console.session-max", config.sessionMax(), SESSION_MAX);
        boolean loopback = isLoopback(host);
        if (!loopback && config.usersFile().isEmpty()) {
            throw new ConfigurationException("the console would listen on " + host + ", where everybody on the network could "
                    + "act, and nobody would have to sign in. Set sluice.console.users-file, or listen on this machine only "
                    + "(quarkus.http.host=127.0.0.1)");
        }
        boolean encrypted = behindProxy || !insecure.equalsIgnoreCase("enabled");
        if (!loopback && !encrypted && !config.allowHttp()) {
            throw new ConfigurationException("passwords would come over plain HTTP to " + host + ". Let a proxy with TLS stand "
                    + "before the console and set quarkus.http.proxy.proxy-address-forwarding=true, or give Quarkus a "
                    + "certificate and set quarkus.http.insecure-requests=disabled, or allow it with "
                    + "sluice.console.allow-http=true");
        }
        users = config.usersFile().map(Users::new);
        sessions = new Sessions(config.sessionIdle(), config.sessionMax());
        LOG.infof("console login=%s", users.isPresent() ? "password" : "none");
    }

    private static void requireBetween(String setting, Duration value, Duration most) {
        if (value.compareTo(Duration.ofMinutes(1)) < 0 || value.compareTo(most) > 0) {
            throw new ConfigurationException(setting + " is " + value + ": it must be from 1 minute to " + most.toHours() + " hours");
        }
    }

    static boolean isLoopback(String host) {
        // Names are not looked up: what they mean may change.
        if (host.equalsIgnoreCase("localhost")) {
            return true;
        }
        boolean address = host.matches("[0-9.]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*");
        try {
            return address && InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            return false;
        }
    }

    /** Whether somebody has to sign in. */
    public boolean needsLogin() {
        return users.isPresent();
    }

    Optional<Users.User> user(String name) {
        return users.flatMap(all -> all.find(name));
    }

    Sessions sessions() {
        return sessions;
    }

    /** Names under which this machine calls itself: a page of another site cannot have one of them. */
    static boolean isLoopbackName(String authority) {
        String host = authority.startsWith("[")
                ? authority.substring(1, Math.max(1, authority.indexOf(']')))
                : authority.replaceFirst(":[0-9]*$", "");
        return List.of("localhost", "127.0.0.1", "::1").contains(host.toLowerCase(java.util.Locale.ROOT)) || isLoopback(host);
    }
}
