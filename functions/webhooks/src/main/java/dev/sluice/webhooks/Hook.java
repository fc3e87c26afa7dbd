package dev.sluice.webhooks;

import dev.sluice.domain.TableName;
import dev.sluice.domain.TablePattern;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A receiver, and what it is told. Its text names neither the secret nor the whole URL, which may have a token in it.
 *
 * @param tables that are told of; empty: all
 */
record Hook(
        String name,
        URI url,
        Signature signature,
        Set<Kind> kinds,
        List<TablePattern> tables,
        int progressPercent,
        Duration giveUpAfter,
        Duration timeout) {

    static final int HOOKS_MAX = 20;

    private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9-]{0,30}");
    private static final Set<String> LOOPBACK = Set.of("localhost", "127.0.0.1", "[::1]");
    private static final Duration GIVE_UP_MIN = Duration.ofSeconds(1);
    private static final Duration GIVE_UP_MAX = Duration.ofDays(6);
    private static final Duration TIMEOUT_MIN = Duration.ofMillis(100);
    private static final Duration TIMEOUT_MAX = Duration.ofSeconds(60);

    /** @throws IllegalArgumentException if a setting is wrong; the message names it and what is allowed */
    static List<Hook> of(WebhooksConfig config) {
        if (config.hooks().size() > HOOKS_MAX) {
            throw new IllegalArgumentException("sluice.webhooks names " + config.hooks().size() + " webhooks; at most "
                    + HOOKS_MAX + " are allowed");
        }
        return config.hooks().entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .map(hook -> of(hook.getKey(), hook.getValue()))
                .toList();
    }

    static Hook of(String name, WebhooksConfig.Settings settings) {
        String where = "sluice.webhooks." + name;
        require(NAME.matcher(name).matches(), where, "", "use a lower-case letter, then at most 30 lower-case letters, "
                + "digits and dashes as the name");
        int step = settings.progressPercent();
        require(step >= 1 && step <= 100, where, ".progress-percent", "use 1 to 100");
        require(within(settings.giveUpAfter(), GIVE_UP_MIN, GIVE_UP_MAX), where, ".give-up-after", "use 1s to 6d");
        require(within(settings.timeout(), TIMEOUT_MIN, TIMEOUT_MAX), where, ".timeout", "use 100ms to 60s");
        Signature signature;
        try {
            signature = Signature.with(settings.secret());
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(where + ".secret: " + e.getMessage(), e);
        }
        return new Hook(
                name,
                url(where, settings),
                signature,
                kinds(where, settings),
                tables(where, settings),
                step,
                settings.giveUpAfter(),
                settings.timeout());
    }

    boolean wants(Kind kind, TableName table) {
        return kinds.contains(kind)
                && (tables.isEmpty() || tables.stream().anyMatch(it -> it.matches(table)));
    }

    private static Set<Kind> kinds(String where, WebhooksConfig.Settings settings) {
        Set<Kind> kinds = settings.events().isPresent() ? EnumSet.noneOf(Kind.class) : EnumSet.allOf(Kind.class);
        for (String text : settings.events().orElse(List.of())) {
            kinds.add(Kind.of(text.strip())
                    .orElseThrow(() -> new IllegalArgumentException(where + ".events: there is no «" + text
                            + "»; there are "
                            + EnumSet.allOf(Kind.class).stream().map(Kind::text).collect(Collectors.joining(", ")))));
        }
        return kinds;
    }

    private static URI url(String where, WebhooksConfig.Settings settings) {
        URI url;
        try {
            url = new URI(settings.url());
        } catch (URISyntaxException e) {
            // Without the cause: it quotes the whole URL.
            throw new IllegalArgumentException(where + ".url is no URL: " + e.getReason());
        }
        require(url.getHost() != null, where, ".url", "it needs a host, as in https://example.org/sluice");
        require(url.getRawUserInfo() == null, where, ".url", "leave user and password out: the signature is the proof");
        boolean plain = "http".equalsIgnoreCase(url.getScheme())
                && (LOOPBACK.contains(url.getHost()) || settings.allowHttp());
        require(plain || "https".equalsIgnoreCase(url.getScheme()), where, ".url", "use https; http is for loopback "
                + "addresses, or set " + where + ".allow-http=true if everybody on the way may read it");
        return url;
    }

    private static List<TablePattern> tables(String where, WebhooksConfig.Settings settings) {
        try {
            return settings.tables().orElse(List.of()).stream()
                    .map(text -> TablePattern.parse(text.strip()))
                    .toList();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(where + ".tables: " + e.getMessage(), e);
        }
    }

    private static boolean within(Duration value, Duration least, Duration most) {
        return value.compareTo(least) >= 0 && value.compareTo(most) <= 0;
    }

    private static void require(boolean right, String where, String setting, String hint) {
        if (!right) {
            throw new IllegalArgumentException(where + setting + ": " + hint);
        }
    }

    @Override
    public String toString() {
        return name + " at " + url.getHost();
    }
}
