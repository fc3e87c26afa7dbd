package dev.sluice.postgres;

import dev.sluice.domain.Fault;

/** It cannot work until somebody changes something. The fault says what, in words for a person. */
public final class RefusedException extends RuntimeException {

    private final transient Fault fault;

    /** The fault is of kind {@link Fault.Kind#REFUSED}. */
    public RefusedException(String reason, String hint) {
        super(reason + ": " + hint);
        this.fault = Fault.refused(reason, hint);
    }

    public Fault fault() {
        return fault;
    }
}
