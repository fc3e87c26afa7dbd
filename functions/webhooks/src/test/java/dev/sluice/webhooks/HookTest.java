package dev.sluice.webhooks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.domain.TableName;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class HookTest {

    private static final String URL = "https://example.org/in?token=hidden";

    /** The values of the specification's own example; the signature was calculated with OpenSSL. */
    @Test
    void theSignatureIsThatOfStandardWebhooks() {
        byte[] body = "{\"test\": 2432232314}".getBytes(StandardCharsets.UTF_8);
        assertThat(Signature.with(Given.SECRET).of("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body))
                .isEqualTo("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    @Test
    void noTextHasTheSecretOrTheToken() {
        Hook hook = Hook.of("ops", Given.settings(URL, Map.of()));
        assertThat(hook + " " + hook.signature()).doesNotContain("whsec_", "MfKQ9", "hidden").contains("ops", "example.org");

        refused(URL, Map.of("secret", "whsec_MfKQ9r8G?KYqrTwjUPD8ILPZIo2LaLaSw"), "openssl rand");
        refused(URL, Map.of("secret", "whsec_MfKQ"), "24 to 64 bytes");
        refused(URL, Map.of("secret", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), "whsec_ and");
    }

    @Test
    void settingsOutOfTheirBoundsAreRefused() {
        refused("http://example.org/", Map.of(), "use https");
        refused("ftp://localhost/", Map.of(), "use https");
        refused("https://ann:pw@example.org/", Map.of(), "leave user and password out");
        refused("https:///in", Map.of(), "url");
        refused("not a url", Map.of(), "is no URL");
        refused(URL, Map.of("percent", 0), "1 to 100");
        refused(URL, Map.of("percent", 101), "1 to 100");
        refused(URL, Map.of("giveUpAfter", Duration.ofDays(7)), "1s to 6d");
        refused(URL, Map.of("timeout", Duration.ofMinutes(5)), "100ms to 60s");
        refused(URL, Map.of("events", "backfill.finished"), "backfill.completed");
        refused(URL, Map.of("tables", "Sales.*"), "is not a pattern");
        assertThatThrownBy(() -> Hook.of("Ops!", Given.settings(URL, Map.of()))).hasMessageContaining("lower-case");
        assertThat(Hook.of("a", Given.settings("http://127.0.0.1:80/", Map.of())).url()).hasPort(80);
        assertThat(Hook.of("a", Given.settings("http://10.0.0.1/", Map.of("allowHttp", true))).url()).hasHost("10.0.0.1");
    }

    @Test
    void onlyWhatWasAskedForIsTold() {
        Hook hook = Hook.of("a", Given.settings(URL, Map.of("events", "table.failed", "tables", "public.o*,app.x")));

        assertThat(hook.wants(Kind.TABLE_FAILED, new TableName("public", "orders"))).isTrue();
        assertThat(hook.wants(Kind.TABLE_FAILED, new TableName("app", "x"))).isTrue();
        assertThat(hook.wants(Kind.TABLE_FAILED, new TableName("app", "xy"))).isFalse();
        assertThat(hook.wants(Kind.TABLE_CAUGHT_UP, new TableName("public", "orders"))).isFalse();
        assertThat(Hook.of("a", Given.settings(URL, Map.of())).wants(Kind.SCHEMA_CHANGED, new TableName("a", "b")))
                .isTrue();
    }

    private static void refused(String url, Map<String, Object> settings, String hint) {
        assertThatThrownBy(() -> Hook.of("ops", Given.settings(url, settings)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("sluice.webhooks.ops")
                .hasMessageContaining(hint)
                .hasMessageNotContainingAny("MfKQ", "hidden", "ann:pw");
    }
}
