package dev.sluice.postgres;

import dev.sluice.domain.TableOptions;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;

/**
 * The secret that values of hashed columns are hashed with: SHA-256 over the salt and then the value's text, both as
 * UTF-8, in lower-case hexadecimal.
 *
 * <p>It reaches the source as a setting of the session that a chunk is read by, sent with the start of the connection:
 * neither a statement nor a parameter holds it, so no log of statements does.
 */
final class HashSalt {

    private static final int LENGTH_MIN = 16;
    private static final String SETTING = "sluice.hash_salt";
    private static final String MISSING_HINT = "Set sluice.hash-salt (SLUICE_HASH_SALT) to the same secret of at least "
            + LENGTH_MIN + " characters for every function; then retry.";

    private final byte[] salt;

    /** @throws IllegalArgumentException if the text is too short to be a secret; the message does not tell it */
    HashSalt(String text) {
        if (text.length() < LENGTH_MIN) {
            throw new IllegalArgumentException(
                    "sluice.hash-salt has fewer than " + LENGTH_MIN + " characters: values could be guessed");
        }
        salt = text.getBytes(StandardCharsets.UTF_8);
    }

    String hash(String text) {
        MessageDigest digest = digest();
        digest.update(salt);
        return HexFormat.of().formatHex(digest.digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    /** The same as SQL, in a session with these {@link #settings}: NULL stays NULL. */
    static String sql(String column) {
        // Not a cast to text, which for some types is another text than the type's own: that is what is captured.
        return "CASE WHEN " + column + " IS NOT DISTINCT FROM NULL THEN NULL ELSE pg_catalog.encode(pg_catalog.sha256("
                + "pg_catalog.decode(pg_catalog.current_setting('" + SETTING
                + "'), 'hex') OPERATOR(pg_catalog.||) pg_catalog.convert_to(pg_catalog.concat(" + column
                + "), 'UTF8')), 'hex') END";
    }

    /** What a session needs for {@link #sql}. */
    Map<String, String> settings() {
        return Map.of(SETTING, HexFormat.of().formatHex(salt));
    }

    /** Tells one salt from another, and nothing else about it. */
    String check() {
        MessageDigest digest = digest();
        digest.update("sluice salt check\0".getBytes(StandardCharsets.UTF_8));
        return HexFormat.of().formatHex(digest.digest(salt), 0, 8);
    }

    /**
     * The salt, if the options need one.
     *
     * @param check of the salt that the table's rows are hashed with; empty if there are none yet
     * @throws RefusedException if there is no salt, or another one
     */
    static Optional<HashSalt> require(Optional<HashSalt> salt, TableOptions options, Optional<String> check) {
        if (options.hash().isEmpty()) {
            return Optional.empty();
        }
        if (salt.isEmpty()) {
            throw new RefusedException("columns are to be hashed, and this function has no salt", MISSING_HINT);
        }
        if (check.filter(expected -> !expected.equals(salt.get().check())).isPresent()) {
            throw new RefusedException(
                    "the table's rows are hashed with another salt than this function has",
                    "Set sluice.hash-salt to what it was, the same for every function, then retry; or backfill the "
                            + "table again.");
        }
        return salt;
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** Without the salt. */
    @Override
    public String toString() {
        return "hash salt";
    }
}
