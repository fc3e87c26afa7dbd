package dev.sluice.webhooks;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.smallrye.config.WithParentName;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Who is told what: a webhook for each name, at most {@value Hook#HOOKS_MAX}. */
@ConfigMapping(prefix = "sluice.webhooks")
public interface WebhooksConfig {

    /** By name: a lower-case letter, then at most 30 lower-case letters, digits and dashes. */
    @WithParentName
    Map<String, Settings> hooks();

    /** The settings of one webhook. */
    interface Settings {

        /** Where notifications are posted to: {@code https}, or {@code http} on a loopback address. */
        String url();

        /**
         * What the notifications are signed with: {@code whsec_} and 24 to 64 bytes as Base64. The receiver has the
         * same. It is never logged.
         */
        String secret();

        /** Which kinds are told, such as {@code backfill.failed}. All of them if it is not set. */
        Optional<List<String>> events();

        /** Which tables are told of: names as in SQL, with {@code *} for any text. All of them if it is not set. */
        Optional<List<String>> tables();

        /** At which steps progress is told, in per cent, 1 to 100. A smaller step tells more often. */
        @WithDefault("10")
        int progressPercent();

        /**
         * How long one notification is tried before it is given up with an error in the log, 1 second to 6 days. A
         * longer time rides out a longer outage of the receiver; meanwhile later notifications wait behind the
         * {@value HookLoop#WAITING_MAX} that are tried.
         */
        @WithDefault("24h")
        Duration giveUpAfter();

        /** How long one try may take, until the receiver has answered, 100 milliseconds to 60 seconds. */
        @WithDefault("10s")
        Duration timeout();

        /** Whether {@code http} is allowed to an address that is not loopback: anybody on the way can read it then. */
        @WithDefault("false")
        boolean allowHttp();
    }
}
