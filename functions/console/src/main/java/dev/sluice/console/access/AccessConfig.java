package dev.sluice.console.access;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** Who gets in. */
@ConfigMapping(prefix = "sluice.console")
public interface AccessConfig {

    /**
     * A file of users, one a line, {@code name:role:hash}: role {@code viewer} or {@code operator}, hash by bcrypt as
     * {@code htpasswd -nB} makes it. Needed on any other address than loopback. Read anew when it changes.
     */
    Optional<Path> usersFile();

    /** Whether passwords may come over plain HTTP to an address that is not loopback: anybody on the way can read them. */
    @WithDefault("false")
    boolean allowHttp();

    /** After how long without a request a session ends, 1 minute to 1 day. */
    @WithDefault("30m")
    Duration sessionIdle();

    /** After how long a session ends in any case, 1 minute to 7 days. */
    @WithDefault("12h")
    Duration sessionMax();
}
