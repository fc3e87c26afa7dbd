package dev.sluice.cli;

import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** Where the console is: {@code http://host:port}, or behind a path of a proxy. */
record ConsoleAddress(URI uri) {

    private static final String API = "/api/v1";

    static ConsoleAddress parse(String text) {
        URI uri;
        try {
            uri = new URI(text.strip());
        } catch (URISyntaxException e) {
            throw wrong(text, "it is no URL");
        }
        String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
        if (!scheme.equals("http") && !scheme.equals("https")) {
            throw wrong(text, "it does not begin with http:// or https://");
        }
        if (uri.getHost() == null) {
            throw wrong(text, "it names no host");
        }
        if (uri.getRawUserInfo() != null) {
            throw Trouble.usage("the address of the console has a user or password in it: leave it out, and use sluice login");
        }
        if (uri.getRawQuery() != null || uri.getRawFragment() != null) {
            throw wrong(text, "it has a query or fragment");
        }
        String path = uri.getRawPath() == null ? "" : uri.getRawPath().replaceAll("/+$", "");
        String port = uri.getPort() < 0 ? "" : ":" + uri.getPort();
        return new ConsoleAddress(URI.create(scheme + "://" + uri.getHost().toLowerCase(Locale.ROOT) + port + path));
    }

    private static Trouble wrong(String text, String why) {
        return Trouble.usage("«" + Harmless.text(text, 200) + "» cannot be the address of a console, " + why
                + ": give --url or SLUICE_URL as http://127.0.0.1:8080");
    }

    URI api(String path) {
        return URI.create(uri + API + path);
    }

    /** A part of a path or query, whatever is in it. */
    static String encode(String part) {
        return URLEncoder.encode(part, StandardCharsets.UTF_8).replace("+", "%20");
    }

    boolean isSecure() {
        return uri.getScheme().equals("https");
    }

    /** Whether others can read what is sent there. */
    boolean isOpen() {
        String host = uri.getHost();
        boolean loopback = host.equals("localhost")
                || host.endsWith(".localhost")
                || host.equals("[::1]")
                || host.matches("127\\.[0-9]+\\.[0-9]+\\.[0-9]+");
        return !isSecure() && !loopback;
    }

    @Override
    public String toString() {
        return uri.toString();
    }
}
