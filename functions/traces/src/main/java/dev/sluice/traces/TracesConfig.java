package dev.sluice.traces;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;
import java.util.Optional;

/** Where runs are told as traces. */
@ConfigMapping(prefix = "sluice.traces")
public interface TracesConfig {

    /**
     * The URL of a receiver of OTLP over HTTP, {@code http} or {@code https}. Without a path, {@code /v1/traces} is
     * meant. Nothing is told, and nothing runs, if it is not set.
     */
    Optional<String> endpoint();

    /**
     * Headers of every request, such as {@code Authorization=Bearer%20…}: names and values, with commas between them.
     * What has a meaning there stands as {@code %} and two hexadecimal digits. They are never logged.
     */
    Optional<String> headers();

    /** Whether headers may go over {@code http} to an address that is not loopback: anybody on the way can read them. */
    @WithDefault("false")
    boolean allowHttp();

    /** How long one request may take, until the receiver has answered, 100 milliseconds to 60 seconds. */
    @WithDefault("10s")
    Duration timeout();

    /**
     * How long a span is tried before it is given up with an error in the log, 1 second to 6 days. A longer time rides
     * out a longer outage of the receiver; meanwhile what comes later waits in Kafka.
     */
    @WithDefault("1h")
    Duration giveUpAfter();
}
