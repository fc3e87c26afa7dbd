package dev.sluice.traces;

import dev.sluice.domain.Fault;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.SpanContext;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Something of a run that is over.
 *
 * @param parent its span id; empty: the span is a root
 * @param link to what set it off, outside of Sluice
 */
record Span(
        String trace,
        String id,
        Optional<String> parent,
        String name,
        Instant start,
        Instant end,
        Attributes attributes,
        List<Moment> moments,
        Optional<Fault> fault,
        Optional<SpanContext> link) {

    /** What happened within it. */
    record Moment(String name, Instant at, Attributes attributes) {}

    Span {
        // Two clocks may differ; no span ends before it begins.
        end = end.isBefore(start) ? start : end;
        moments = List.copyOf(moments);
    }
}
