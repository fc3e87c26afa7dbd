package dev.sluice.localdev;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PortsTest {

    @Test
    void whatIsNotSetHasItsDefault() {
        assertThat(Ports.of(Map.of("SLUICE_KAFKA_PORT", "19092", "SLUICE_SOURCE_PORT", ""), port -> true))
                .isEqualTo(new Ports(5433, 5434, 19_092, 8084, 8080));
    }

    @Test
    void aTakenPortIsNamedWithTheSettingThatChangesIt() {
        assertThatThrownBy(() -> Ports.of(Map.of(), port -> port != 5434 && port != 9092))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("port 5434, for the destination database, is taken")
                .hasMessageContaining("SLUICE_DESTINATION_PORT=<port>")
                .hasMessageContaining("port 9092, for Kafka, is taken");
    }

    @Test
    void zeroIsAnyFreePortAndNoTwoAreTheSame() {
        Ports ports = Ports.of(
                Map.of("SLUICE_SOURCE_PORT", "0", "SLUICE_DESTINATION_PORT", "0", "SLUICE_KAFKA_PORT", "0",
                        "SLUICE_CAPTURE_HTTP_PORT", "0", "SLUICE_FUNCTIONS_HTTP_PORT", "0"),
                port -> true);

        assertThat(new HashSet<>(List.of(
                        ports.source(), ports.destination(), ports.kafka(), ports.debezium(), ports.functions())))
                .hasSize(5)
                .doesNotContain(0);
    }

    @Test
    void whatIsNoPortIsNamed() {
        for (String text : List.of("x", "-1", "65536", "5433.5")) {
            assertThatThrownBy(() -> Ports.of(Map.of("SLUICE_SOURCE_PORT", text), port -> true))
                    .hasMessageContaining("SLUICE_SOURCE_PORT is «" + text + "»");
        }
    }

    @Test
    void twoSettingsOfOnePortAreRefused() {
        assertThatThrownBy(() -> Ports.of(Map.of("SLUICE_FUNCTIONS_HTTP_PORT", "5433"), port -> true))
                .hasMessageContaining("SLUICE_FUNCTIONS_HTTP_PORT is 5433");
    }
}
