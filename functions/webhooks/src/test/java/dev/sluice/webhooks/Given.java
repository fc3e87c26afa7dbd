package dev.sluice.webhooks;

import dev.sluice.domain.CaptureIdentity;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableRecord.Progress;
import dev.sluice.domain.TableState;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** States of tables, and webhooks, for tests. */
final class Given {

    static final Instant T0 = Instant.parse("2026-01-01T00:00:00Z");
    static final String SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    private Given() {}

    static TableRecord table(String name, TableState state, Instant since, Progress progress, String fingerprint) {
        return new TableRecord(
                new TableName("public", name), state, since, 0,
                Optional.of(new CaptureIdentity(1, fingerprint, 2, "3", "t", "c")), Optional.empty(), progress,
                Optional.empty(), TableOptions.NONE, Optional.empty());
    }

    static TableRecord table(String name, TableState state, Progress progress) {
        return table(name, state, T0, progress, "f");
    }

    static Progress copied(long rows) {
        return new Progress(1000, rows, rows, 1, Optional.of(T0), Optional.empty());
    }

    static Progress finished() {
        return new Progress(1000, 1000, 1000, 1, Optional.of(T0), Optional.of(T0.plusSeconds(9)));
    }

    static WebhooksConfig.Settings settings(String url, Map<String, Object> others) {
        return new WebhooksConfig.Settings() {
            @Override
            public String url() {
                return url;
            }

            @Override
            public String secret() {
                return (String) others.getOrDefault("secret", SECRET);
            }

            @Override
            public Optional<List<String>> events() {
                return list("events");
            }

            @Override
            public Optional<List<String>> tables() {
                return list("tables");
            }

            private Optional<List<String>> list(String name) {
                return Optional.ofNullable((String) others.get(name)).map(text -> List.of(text.split(",")));
            }

            @Override
            public int progressPercent() {
                return (Integer) others.getOrDefault("percent", 10);
            }

            @Override
            public Duration giveUpAfter() {
                return (Duration) others.getOrDefault("giveUpAfter", Duration.ofHours(24));
            }

            @Override
            public Duration timeout() {
                return (Duration) others.getOrDefault("timeout", Duration.ofSeconds(10));
            }

            @Override
            public boolean allowHttp() {
                return (Boolean) others.getOrDefault("allowHttp", false);
            }
        };
    }
}
