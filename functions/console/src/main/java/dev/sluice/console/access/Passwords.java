package dev.sluice.console.access;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import org.wildfly.security.password.Password;
import org.wildfly.security.password.PasswordFactory;
import org.wildfly.security.password.WildFlyElytronPasswordProvider;
import org.wildfly.security.password.util.ModularCrypt;

/** Compares passwords with hashes by bcrypt. */
final class Passwords {

    /** bcrypt takes no account of what comes behind these. */
    static final int BYTES_MAX = 72;

    /** Of a password that nobody has: who is no user costs as much as who is one. */
    private static final String NOBODY = "$2y$10$abcdefghijklmnopqrstuuQ1Fb1Qn4PpW1b0m1Q9yqO1mJm3m9bVe";

    private Passwords() {}

    static boolean fits(String password) {
        int bytes = password.getBytes(StandardCharsets.UTF_8).length;
        return bytes > 0 && bytes <= BYTES_MAX && password.indexOf('\0') < 0;
    }

    /** Takes some tens of milliseconds of a processor, whatever it comes to. */
    static boolean verify(String hash, String password) {
        try {
            // «2b» and «2y» are two names of one algorithm.
            Password crypted = ModularCrypt.decode(hash.replaceFirst("^\\$2b\\$", "\\$2y\\$"));
            PasswordFactory factory = PasswordFactory.getInstance(crypted.getAlgorithm(), new WildFlyElytronPasswordProvider());
            return factory.verify(factory.translate(crypted), password.toCharArray());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a hash that was checked cannot be used: " + e.getMessage(), e);
        }
    }

    static void spendAsMuch(String password) {
        verify(NOBODY, password);
    }
}
