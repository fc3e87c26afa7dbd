package dev.sluice.debezium;

/** What is found does not fit together; the message says what, what it means, and what to do. */
final class RefusedException extends Exception {

    private static final long serialVersionUID = 1L;

    RefusedException(String message) {
        super(message);
    }
}
