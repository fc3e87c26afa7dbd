package dev.sluice.postgres;

import dev.sluice.domain.Fault;

/** It cannot work now and may work later, without anybody changing something. The fault says why, for a person. */
public final class LaterException extends RuntimeException {

    private final transient Fault fault;

    LaterException(Fault fault) {
        super(fault.reason() + ": " + fault.hint());
        this.fault = fault;
    }

    public Fault fault() {
        return fault;
    }
}
