package dev.sluice.postgres;

import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A libpq URL in its parts. Its text form leaves the password out, so that it can stand in a log or an error.
 *
 * @param parameters what follows the {@code ?}; {@code sslmode} is honoured, others go to the server as they are
 */
record DatabaseUrl(
        String host, int port, String database, String user, Optional<String> password, Map<String, String> parameters) {

    private static final int PORT_DEFAULT = 5432;

    /**
     * @param setting which setting the text comes from, for the error
     * @throws IllegalArgumentException if the text is not such a URL; the message does not repeat it, for it may hold
     *     a password
     */
    static DatabaseUrl parse(String text, String setting) {
        String expected = setting + " is not a PostgreSQL URL: write postgresql://user:password@host:5432/database, "
                + "special characters percent-encoded";
        try {
            URI uri = new URI(text);
            boolean scheme = "postgresql".equals(uri.getScheme()) || "postgres".equals(uri.getScheme());
            if (!scheme || uri.getHost() == null || uri.getPath() == null || uri.getPath().length() < 2
                    || uri.getRawUserInfo() == null) {
                throw new IllegalArgumentException(expected);
            }
            String[] userInfo = uri.getRawUserInfo().split(":", 2);
            return new DatabaseUrl(
                    uri.getHost().replaceAll("^\\[|]$", ""),
                    uri.getPort() < 0 ? PORT_DEFAULT : uri.getPort(),
                    uri.getPath().substring(1),
                    decode(userInfo[0]),
                    userInfo.length == 2 ? Optional.of(decode(userInfo[1])) : Optional.empty(),
                    parameters(uri.getRawQuery()));
        } catch (URISyntaxException e) {
            // Without the cause: its message repeats the text.
            throw new IllegalArgumentException(expected);
        }
    }

    private static Map<String, String> parameters(String query) {
        Map<String, String> parameters = new LinkedHashMap<>();
        if (query != null) {
            for (String pair : query.split("&")) {
                String[] parts = pair.split("=", 2);
                parameters.put(decode(parts[0]), parts.length == 2 ? decode(parts[1]) : "");
            }
        }
        return parameters;
    }

    private static String decode(String text) {
        return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    @Override
    public String toString() {
        return "postgresql://" + user + "@" + host + ":" + port + "/" + database;
    }
}
