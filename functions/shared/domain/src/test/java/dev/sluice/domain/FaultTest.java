package dev.sluice.domain;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class FaultTest {

    @Test
    void aFaultOfAnyLengthFitsIntoAStateRecord() {
        Fault fault = Fault.faulty("x".repeat(1_000_000), "y".repeat(1_000_000));

        assertThat(fault.reason().length() + fault.hint().length()).isLessThanOrEqualTo(4_002);
    }

    @Test
    void aShortTextIsKeptAsItIs() {
        assertThat(Fault.refused("no key", "add one").reason()).isEqualTo("no key");
    }
}
