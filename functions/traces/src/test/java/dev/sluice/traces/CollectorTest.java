package dev.sluice.traces;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CollectorTest {

    @Test
    void nothingIsToldWithoutAnEndpoint() {
        assertThat(Collector.of(Given.config(Optional.empty(), Optional.of("a=b")))).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "http://collector:4318, http://collector:4318/v1/traces",
        "https://collector:4318/, https://collector:4318/v1/traces",
        "https://example.org/otlp/traces?tenant=1, https://example.org/otlp/traces?tenant=1"
    })
    void aUrlWithoutAPathGetsTheUsualOne(String endpoint, String url) {
        assertThat(of(endpoint, "").url()).hasToString(url);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"collector:4318", "ftp://collector/", "https:///v1/traces", "https://ann:secret@collector/",
                "https://collector/#secret", "http://coll ector/secret"})
    void aWrongUrlIsRefusedWithoutQuotingIt(String endpoint) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> of(endpoint, ""))
                .withMessageStartingWith("sluice.traces.endpoint")
                .withMessageNotContaining("secret")
                .withNoCause();
    }

    @Test
    void headersAreReadAndNeverShown() {
        Collector collector = of("https://collector/", "Authorization=Basic%20c2VjcmV0+x==, X-Scope=a%2Cb");

        assertThat(collector.headers())
                .isEqualTo(Map.of("Authorization", "Basic c2VjcmV0+x==", "X-Scope", "a,b"));
        assertThat(collector).hasToString("collector");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"secret", "=secret", "a=secret,", "a=secret%zz", "a=", "a=secret%0Ab: c", "sec ret=a",
                "Content-Type=secret", "a=secr\u00e9t"})
    void wrongHeadersAreRefusedWithoutQuotingThem(String headers) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> of("https://collector/", headers))
                .withMessageStartingWith("sluice.traces.headers: ")
                .withMessageNotContaining("secr")
                .withNoCause();
    }

    @Test
    void headersGoOverHttpOnlyWhereThatIsAllowed() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> of("http://collector:4318", "a=b"))
                .withMessageContaining("sluice.traces.allow-http=true");
        assertThat(of("http://127.0.0.1:4318", "a=b").headers()).hasSize(1);
        assertThat(Collector.of(Given.config(
                        Optional.of("http://collector:4318"), Optional.of("a=b"), true, Duration.ofSeconds(1),
                        Duration.ofHours(1))))
                .isPresent();
    }

    @Test
    void durationsHaveBounds() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Collector.of(Given.config(
                        Optional.empty(), Optional.empty(), false, Duration.ofMinutes(2), Duration.ofHours(1))))
                .withMessage("sluice.traces.timeout: use 100ms to 60s");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Collector.of(Given.config(
                        Optional.empty(), Optional.empty(), false, Duration.ofSeconds(1), Duration.ZERO)))
                .withMessage("sluice.traces.give-up-after: use 1s to 6d");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
                "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"})
    void whatIsNoTraceparentLinksToNothing(String traceparent) {
        assertThat(Asking.caller(traceparent)).isEmpty();
    }

    private static Collector of(String endpoint, String headers) {
        return Collector.of(Given.config(Optional.of(endpoint), Optional.of(headers))).orElseThrow();
    }
}
