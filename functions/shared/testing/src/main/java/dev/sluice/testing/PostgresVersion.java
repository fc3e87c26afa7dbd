package dev.sluice.testing;

/** The versions of PostgreSQL that are tested: what holds for both holds for those between. */
public enum PostgresVersion {
    /** The oldest that Sluice supports. */
    OLDEST(14),
    NEWEST(18);

    private final int major;

    PostgresVersion(int major) {
        this.major = major;
    }

    /** The number before the point. */
    public int major() {
        return major;
    }

    /** Before 17 there is no built-in provider of collations. The C locale sorts by code point, too. */
    boolean hasBuiltinLocales() {
        return major >= 17;
    }
}
