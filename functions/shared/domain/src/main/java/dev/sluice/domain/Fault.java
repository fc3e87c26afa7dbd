package dev.sluice.domain;

/**
 * Why something did not work, for a person: what happened, and what to do about it.
 *
 * @param reason what happened, without secrets
 * @param hint what the operator can do
 */
public record Fault(Kind kind, String reason, String hint) {

    private static final int TEXT_LENGTH_MAX = 2_000;

    public Fault {
        reason = cut(reason);
        hint = cut(hint);
    }

    public enum Kind {
        /** A server is not there or not ready: worth trying for a long time. */
        UNAVAILABLE,
        /** It went wrong and may go right: worth a few more tries. */
        FAULTY,
        /** It cannot work until somebody changes something: not tried again. */
        REFUSED
    }

    public static Fault unavailable(String reason, String hint) {
        return new Fault(Kind.UNAVAILABLE, reason, hint);
    }

    public static Fault faulty(String reason, String hint) {
        return new Fault(Kind.FAULTY, reason, hint);
    }

    public static Fault refused(String reason, String hint) {
        return new Fault(Kind.REFUSED, reason, hint);
    }

    private static String cut(String text) {
        return text.length() <= TEXT_LENGTH_MAX ? text : text.substring(0, TEXT_LENGTH_MAX) + "…";
    }
}
