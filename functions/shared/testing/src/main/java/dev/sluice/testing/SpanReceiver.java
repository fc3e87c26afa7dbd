package dev.sluice.testing;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.trace.v1.ResourceSpans;
import io.opentelemetry.proto.trace.v1.Span;
import io.opentelemetry.proto.trace.v1.Status;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.zip.GZIPInputStream;

/** A receiver of OTLP over HTTP, with protobuf and gzip, that keeps what it is sent. */
public final class SpanReceiver implements AutoCloseable {

    /** @param error why it failed, if it did */
    public record Received(
            String trace,
            String id,
            Optional<String> parent,
            String name,
            Instant start,
            Instant end,
            Map<String, String> attributes,
            List<String> moments,
            Optional<String> error,
            List<String> links,
            Map<String, String> resource) {}

    private final HttpServer server;
    private final List<Received> spans = new CopyOnWriteArrayList<>();
    private final AtomicInteger refused = new AtomicInteger();
    private volatile int answer = 200;
    private volatile Map<String, String> headers = Map.of();

    /** @param port 0 for any free one */
    public SpanReceiver(int port) {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        } catch (IOException e) {
            throw new ServerException("no receiver of spans at port " + port, e);
        }
        server.setExecutor(Executors.newCachedThreadPool(Thread.ofPlatform().daemon().factory()));
        server.createContext("/v1/traces", this::take);
        server.start();
    }

    private void take(HttpExchange exchange) throws IOException {
        try (exchange;
                InputStream body = exchange.getRequestBody()) {
            boolean zipped = "gzip".equals(exchange.getRequestHeaders().getFirst("content-encoding"));
            var request = ExportTraceServiceRequest.parseFrom(zipped ? new GZIPInputStream(body) : body);
            if (answer == 200) {
                Map<String, String> all = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
                exchange.getRequestHeaders().forEach((name, values) -> all.put(name, String.join(",", values)));
                headers = all;
                request.getResourceSpansList().forEach(this::keep);
            } else {
                refused.incrementAndGet();
            }
            exchange.sendResponseHeaders(answer, -1);
        }
    }

    private void keep(ResourceSpans resourceSpans) {
        Map<String, String> resource = texts(resourceSpans.getResource().getAttributesList());
        resourceSpans.getScopeSpansList().stream()
                .flatMap(scope -> scope.getSpansList().stream())
                .map(span -> received(span, resource))
                .forEach(spans::add);
    }

    private static Received received(Span span, Map<String, String> resource) {
        HexFormat hex = HexFormat.of();
        return new Received(
                hex.formatHex(span.getTraceId().toByteArray()),
                hex.formatHex(span.getSpanId().toByteArray()),
                Optional.of(hex.formatHex(span.getParentSpanId().toByteArray())).filter(id -> !id.isEmpty()),
                span.getName(),
                at(span.getStartTimeUnixNano()),
                at(span.getEndTimeUnixNano()),
                texts(span.getAttributesList()),
                span.getEventsList().stream().map(Span.Event::getName).toList(),
                Optional.of(span.getStatus())
                        .filter(status -> status.getCode() == Status.StatusCode.STATUS_CODE_ERROR)
                        .map(Status::getMessage),
                span.getLinksList().stream()
                        .map(link -> hex.formatHex(link.getTraceId().toByteArray()))
                        .toList(),
                resource);
    }

    private static Instant at(long nanos) {
        return Instant.ofEpochSecond(0, nanos);
    }

    private static Map<String, String> texts(List<KeyValue> attributes) {
        return attributes.stream().collect(Collectors.toMap(KeyValue::getKey, one -> text(one.getValue())));
    }

    private static String text(AnyValue value) {
        return value.hasIntValue() ? Long.toString(value.getIntValue()) : value.getStringValue();
    }

    /** @param status of every answer from now on; what is not answered by 200 is not kept */
    public void answer(int status) {
        answer = status;
    }

    public int refused() {
        return refused.get();
    }

    /** Of the last request that it took. */
    public Map<String, String> headers() {
        return headers;
    }

    /** All that it took of a table, repeats included. */
    public List<Received> of(String table) {
        return spans.stream().filter(span -> table.equals(span.attributes().get("table"))).toList();
    }

    public int port() {
        return server.getAddress().getPort();
    }

    public String url() {
        return "http://127.0.0.1:" + port() + "/v1/traces";
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
