package dev.sluice.traces;

import dev.sluice.domain.TableName;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import java.time.Instant;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The input that a run begins with.
 *
 * @param command its name on the topic
 * @param by who asked, as far as that is known
 * @param at when, by the clock of whoever sent it
 * @param offset where it stands, if that is known
 * @param caller the span that it was sent in, where it says so
 */
record Asking(String command, Optional<String> by, Instant at, Optional<Long> offset, Optional<SpanContext> caller) {

    private static final Pattern TRACEPARENT =
            Pattern.compile("([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?");

    /** @return empty if the text is not what W3C Trace Context says; it comes from outside, so that is no error */
    static Optional<SpanContext> caller(String traceparent) {
        Matcher parts = TRACEPARENT.matcher(traceparent);
        if (!parts.matches() || parts.group(1).equals("ff") || parts.group(1).equals("00") && parts.group(5) != null) {
            return Optional.empty();
        }
        return Optional.of(SpanContext.createFromRemoteParent(
                        parts.group(2), parts.group(3), TraceFlags.fromHex(parts.group(4), 0), TraceState.getDefault()))
                .filter(SpanContext::isValid);
    }

    /** What was asked for at an offset. */
    @FunctionalInterface
    interface Lookup {

        /** @return empty if Kafka does not have it any more, or if it is not about the table */
        Optional<Asking> at(TableName table, long offset);
    }
}
