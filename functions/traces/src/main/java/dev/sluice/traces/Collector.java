package dev.sluice.traces;

import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** The receiver of spans, as the settings have it, checked. Its text names neither headers nor the whole URL. */
record Collector(URI url, Map<String, String> headers, Duration timeout, Duration giveUpAfter) {

    private static final String WHERE = "sluice.traces.";
    private static final String PATH = "/v1/traces";
    private static final Set<String> LOOPBACK = Set.of("localhost", "127.0.0.1", "[::1]");
    private static final Pattern HEADER_NAME = Pattern.compile("[A-Za-z0-9!#$&'*+.^_`|~-]{1,100}");
    private static final Pattern HEADER_VALUE = Pattern.compile("[\\x20-\\x7e]{1,8000}");
    /** What a request has of its own. */
    private static final Set<String> HEADERS_TAKEN =
            Set.of("content-type", "content-length", "content-encoding", "host", "connection", "upgrade", "expect");
    private static final int HEADERS_MAX = 20;
    private static final Duration TIMEOUT_MIN = Duration.ofMillis(100);
    private static final Duration TIMEOUT_MAX = Duration.ofSeconds(60);
    private static final Duration GIVE_UP_MIN = Duration.ofSeconds(1);
    private static final Duration GIVE_UP_MAX = Duration.ofDays(6);

    Collector {
        headers = Map.copyOf(headers);
    }

    /**
     * @return empty: nothing is to be told
     * @throws IllegalArgumentException if a setting is wrong; the message names it and what is allowed
     */
    static Optional<Collector> of(TracesConfig config) {
        Map<String, String> headers = headers(config.headers().orElse(""));
        require(within(config.timeout(), TIMEOUT_MIN, TIMEOUT_MAX), "timeout", "use 100ms to 60s");
        require(within(config.giveUpAfter(), GIVE_UP_MIN, GIVE_UP_MAX), "give-up-after", "use 1s to 6d");
        return config.endpoint()
                .map(text -> new Collector(
                        url(text.strip(), !headers.isEmpty() && !config.allowHttp()),
                        headers,
                        config.timeout(),
                        config.giveUpAfter()));
    }

    private static URI url(String text, boolean secret) {
        URI url;
        try {
            url = new URI(text);
        } catch (URISyntaxException e) {
            // Without the cause: it quotes the whole URL.
            throw new IllegalArgumentException(WHERE + "endpoint is no URL: " + e.getReason());
        }
        boolean plain = "http".equalsIgnoreCase(url.getScheme());
        require(plain || "https".equalsIgnoreCase(url.getScheme()), "endpoint", "use http or https");
        require(url.getHost() != null, "endpoint", "it needs a host, as in https://example.org:4318/v1/traces");
        require(url.getRawUserInfo() == null, "endpoint", "leave user and password out: use " + WHERE + "headers");
        require(url.getRawFragment() == null, "endpoint", "leave out what stands behind «#»");
        require(!plain || !secret || LOOPBACK.contains(url.getHost()), "endpoint", "use https, since there are "
                + "headers; or set " + WHERE + "allow-http=true if everybody on the way may read them");
        boolean bare = url.getRawPath().isEmpty() || url.getRawPath().equals("/");
        return bare ? url.resolve(PATH + (url.getRawQuery() == null ? "" : "?" + url.getRawQuery())) : url;
    }

    /** No message quotes a value: it may be a secret, and so may be what somebody took for a name. */
    private static Map<String, String> headers(String text) {
        Map<String, String> headers = new LinkedHashMap<>();
        for (String entry : text.isBlank() ? new String[0] : text.split(",", -1)) {
            int equals = entry.indexOf('=');
            require(equals > 0, "headers", "write name=value, with commas between several; a comma in a value is %2C");
            String name = entry.substring(0, equals).strip();
            String value = decoded(entry.substring(equals + 1).strip());
            require(HEADER_NAME.matcher(name).matches(), "headers", "a name has letters, digits and dashes");
            require(HEADER_VALUE.matcher(value).matches(), "headers", "a value has 1 to 8,000 characters of ASCII");
            require(!HEADERS_TAKEN.contains(name.toLowerCase(Locale.ROOT)), "headers",
                    "leave out " + name + ": a request has its own");
            headers.put(name, value);
        }
        require(headers.size() <= HEADERS_MAX, "headers", "at most " + HEADERS_MAX + " are allowed");
        return headers;
    }

    private static String decoded(String value) {
        try {
            // A plus is one, and not a space as in a form.
            return URLDecoder.decode(value.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    WHERE + "headers: behind a «%» stand two hexadecimal digits; a «%» is %25");
        }
    }

    private static boolean within(Duration value, Duration least, Duration most) {
        return value.compareTo(least) >= 0 && value.compareTo(most) <= 0;
    }

    private static void require(boolean right, String setting, String hint) {
        if (!right) {
            throw new IllegalArgumentException(WHERE + setting + ": " + hint);
        }
    }

    @Override
    public String toString() {
        return url.getHost();
    }
}
