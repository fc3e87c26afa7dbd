package dev.sluice.testing;

/** The versions of PostgreSQL that are tested: what holds for both holds for those between. */
public enum PostgresVersion {
    /** The oldest that Sluice supports. */
    OLDEST(14),
    NEWEST(18);

    /** What {@link SharedServers} are of, by its major number; without it, the newest. */
    private static final String PROPERTY = "sluice.postgres";

    private final int major;

    PostgresVersion(int major) {
        this.major = major;
    }

    /** The number before the point. */
    public int major() {
        return major;
    }

    /** The one that this run of the tests is for: {@code -Dsluice.postgres=14} runs them on the oldest. */
    public static PostgresVersion ofTests() {
        int asked = Integer.getInteger(PROPERTY, NEWEST.major);
        for (PostgresVersion version : values()) {
            if (version.major == asked) {
                return version;
            }
        }
        throw new ServerException(PROPERTY + "=" + asked + " is none of the versions that are tested: "
                + OLDEST.major + " and " + NEWEST.major);
    }

    /** Before 17 there is no built-in provider of collations. The C locale sorts by code point, too. */
    boolean hasBuiltinLocales() {
        return major >= 17;
    }
}
