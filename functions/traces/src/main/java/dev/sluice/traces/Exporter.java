package dev.sluice.traces;

import dev.sluice.domain.Pipeline;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporterBuilder;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Sends spans by OTLP over HTTP, once: who calls it tries again. */
final class Exporter implements AutoCloseable {

    private static final Duration GRACE = Duration.ofSeconds(1);
    private static final Duration LOOK_AGAIN = Duration.ofMillis(50);

    private final OtlpHttpSpanExporter exporter;
    private final Resource resource;
    private final Duration limit;

    Exporter(Collector collector, Pipeline pipeline) {
        OtlpHttpSpanExporterBuilder builder = OtlpHttpSpanExporter.builder()
                .setEndpoint(collector.url().toString())
                .setTimeout(collector.timeout())
                .setConnectTimeout(collector.timeout())
                .setCompression("gzip")
                .setRetryPolicy(null);
        collector.headers().forEach(builder::addHeader);
        exporter = builder.build();
        limit = collector.timeout().plus(GRACE);
        resource = Resource.create(Attributes.of(
                AttributeKey.stringKey("service.name"), "sluice",
                AttributeKey.stringKey("service.namespace"), pipeline.name()));
    }

    /**
     * @param isWaitedFor whether its end still matters to anybody
     * @return why the receiver does not have them, or empty if it took them
     */
    Optional<String> send(List<Span> spans, BooleanSupplier isWaitedFor) {
        List<SpanData> all = spans.stream().<SpanData>map(span -> new OtlpSpan(span, resource)).toList();
        CompletableResultCode result = exporter.export(all);
        long deadlineNanos = System.nanoTime() + limit.toNanos();
        while (!result.isDone() && isWaitedFor.getAsBoolean() && System.nanoTime() < deadlineNanos) {
            result.join(LOOK_AGAIN.toMillis(), TimeUnit.MILLISECONDS);
        }
        if (result.isSuccess()) {
            return Optional.empty();
        }
        if (!result.isDone()) {
            return Optional.of("it did not answer within " + limit.toMillis() + " ms");
        }
        Throwable failure = result.getFailureThrowable();
        return Optional.of(failure == null ? "it cannot be reached" : reason(failure));
    }

    /** Without what the receiver wrote: nobody knows what that is. OpenTelemetry's own log has the status. */
    private static String reason(Throwable failure) {
        Throwable cause = failure;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause == failure
                ? "it answered with an error"
                : "it cannot be reached: " + cause.getClass().getSimpleName();
    }

    @Override
    public void close() {
        exporter.shutdown().join(GRACE.toMillis(), TimeUnit.MILLISECONDS);
    }
}
